"""What follows a promotion or a deletion: mirrors rebuilt, rows and objects removed.

Both can be repeated at any time and end in the same state.
"""

from agenticai_core import content
from agenticai_core.bootstrap import Services
from agenticai_core.models import Project, Revision
from agenticai_core.rows import load, parse
from agenticai_core.store import keys
from agenticai_core.store.base import Delete, Item, Key, Put, Store, Write

_BATCH = 25


def mirror_current(services: Services, project_id: str) -> int:
    """Make ``projects/<id>/…`` and the ``FILE#`` rows equal to the current revision.

    Returns the revision mirrored. When a newer one is promoted meanwhile, it is mirrored too.
    """
    done = 0
    while (project := load(services.store, project_id).project).revision != done:
        _mirror(services, project)
        done = project.revision
    return done


def remove_project(services: Services, project_id: str) -> None:
    """Remove a closed project's objects and rows; the tombstone in METADATA and HEAD goes last."""
    for prefix in ("objects", "projects", "plans", "tmp"):
        services.files.delete_prefix(f"{prefix}/{project_id}/")
    last = {keys.project(project_id).sk, keys.head(project_id).sk}
    rows = _all_keys(services.store, project_id)
    _delete(services.store, [key for key in rows if key.sk not in last])
    _delete(services.store, [key for key in rows if key.sk in last])


def _mirror(services: Services, project: Project) -> None:
    item = services.store.get(keys.revision(project.id, project.revision))
    if item is None:
        return
    revision = parse(Revision, item)
    manifest = content.read_manifest(services.files, revision.manifest_key)
    rows: list[Write] = []
    for path, body in content.read_tree(services.files, project.id, manifest).items():
        services.files.put(keys.mirror_key(project.id, path), body)
        rows.append(Put(_file_row(project.id, path, manifest.files[path].size, revision)))
    for start in range(0, len(rows), _BATCH):
        services.store.write(*rows[start : start + _BATCH])
    _remove_stale(services, project.id, set(manifest.files))


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
