"""What follows a promotion or a deletion: mirrors rebuilt, rows and objects removed.

Both can be repeated at any time and end in the same state.
"""

from agenticai_core import content, environment
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotFound
from agenticai_core.models import Project, Revision
from agenticai_core.rows import load, parse
from agenticai_core.store import keys
from agenticai_core.store.base import (
    Check,
    ConditionFailed,
    Delete,
    Item,
    Key,
    Put,
    Store,
    absent,
    exists,
)

_BATCH = 25


def mirror_current(services: Services, project_id: str) -> int:
    """Make ``projects/<id>/…`` and the ``FILE#`` rows equal to the current revision.

    Returns the revision mirrored. When a newer one is promoted meanwhile, it is mirrored too.
    Raises `NotFound` when the project is being deleted, and leaves no mirror behind then.
    """
    done = 0
    while (project := _living(services, project_id)).revision != done:
        try:
            _mirror(services, project)
        except ConditionFailed:
            continue  # it has just been closed: nothing of it may be left behind
        done = project.revision
    return done


def remove_project(services: Services, project_id: str) -> None:
    """Remove a closed project's secret, objects and rows.

    The tombstone in METADATA and HEAD goes last, in one transaction with the task that this is:
    whatever interrupts it, the task is still there to be done again.
    """
    environment.forget(services, project_id)
    for prefix in ("archives", "objects", "projects", "plans", "tmp"):
        services.files.delete_prefix(f"{prefix}/{project_id}/")
    last = {keys.project(project_id).sk, keys.head(project_id).sk}
    project = services.store.get(keys.project(project_id))
    if project is not None and project.get("active_task"):
        last.add(keys.task(project_id, project["active_task"]).sk)
    rows = _all_keys(services.store, project_id)
    _delete(services.store, [key for key in rows if key.sk not in last])
    _delete(services.store, [key for key in rows if key.sk in last])


def must_live(services: Services, project_id: str) -> None:
    """Raise `NotFound` when the project is being deleted, or is gone.

    For who has just stored files of it: the deletion may have been there before them, so they go
    again.
    """
    item = services.store.get(keys.head(project_id))
    if item is not None and not item.get("closed"):
        return
    for prefix in ("archives", "objects"):
        services.files.delete_prefix(f"{prefix}/{project_id}/")
    raise NotFound(f"No project '{project_id}'")


def _living(services: Services, project_id: str) -> Project:
    try:
        seen = load(services.store, project_id)
        if not seen.head.closed:
            return seen.project
    except NotFound:
        pass
    services.files.delete_prefix(keys.mirror_key(project_id, ""))
    raise NotFound(f"No project '{project_id}'")


def _mirror(services: Services, project: Project) -> None:
    item = services.store.get(keys.revision(project.id, project.revision))
    if item is None:
        return
    revision = parse(Revision, item)
    manifest = content.read_manifest(services.files, revision.manifest_key)
    # What is gone goes first: only prefixes can be deleted, and "a" is a prefix of "a.py".
    _remove_stale(services, project.id, set(manifest.files))
    rows: list[Put] = []
    for path, body in content.read_tree(services.files, project.id, manifest).items():
        services.files.put(keys.mirror_key(project.id, path), body)
        rows.append(Put(_file_row(project.id, path, manifest.files[path].size, revision)))
    alive = Check(keys.head(project.id), exists() & absent("closed"))
    for start in range(0, len(rows), _BATCH):
        services.store.write(alive, *rows[start : start + _BATCH])


def _remove_stale(services: Services, project_id: str, kept: set[str]) -> None:
    root = keys.mirror_key(project_id, "")
    for key in list(services.files.list(root)):
        if key.removeprefix(root) not in kept:
            services.files.delete_prefix(key)
    stale = [
        key
        for key in _all_keys(services.store, project_id, "FILE#")
        if key.sk.removeprefix("FILE#") not in kept
    ]
    _delete(services.store, stale)


def _file_row(project_id: str, path: str, size: int, revision: Revision) -> Item:
    key = keys.file(project_id, path)
    return {
        "PK": key.pk,
        "SK": key.sk,
        "EntityType": "ProjectFile",
        "file_path": path,
        "size": size,
        "last_modified": revision.created_at,
        "revision": revision.number,
    }


def _all_keys(store: Store, project_id: str, prefix: str = "") -> list[Key]:
    found: list[Key] = []
    start = None
    while True:
        page = store.query(keys.project_pk(project_id), prefix=prefix, limit=500, start=start)
        found += [Key(item["PK"], item["SK"]) for item in page.items]
        if page.next is None:
            return found
        start = page.next


def _delete(store: Store, doomed: list[Key]) -> None:
    for start in range(0, len(doomed), _BATCH):
        store.write(*(Delete(key) for key in doomed[start : start + _BATCH]))
