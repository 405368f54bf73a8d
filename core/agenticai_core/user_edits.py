"""Use cases by which the user makes a revision: back to an earlier one, or a file by hand.

Each is one transaction and one revision, and none happens while a run is under way: that works
on the revision it began with.
"""

from dataclasses import dataclass

from agenticai_core import content, housekeeping
from agenticai_core.bootstrap import Services
from agenticai_core.change import Change
from agenticai_core.errors import NotFound, PreconditionFailed, ValidationFailed, WrongState
from agenticai_core.idempotency import Once, perform_once
from agenticai_core.ids import new_id
from agenticai_core.models import FileEntry, Project, ProjectStatus, Revision, Scores
from agenticai_core.paths import check_collisions, safe_path
from agenticai_core.project_files import FileInfo, info_of
from agenticai_core.retrying import retry_conflicts
from agenticai_core.revisions import Tree, read_revision, read_tree
from agenticai_core.rows import Snapshot, load_owned
from agenticai_core.store.base import ConditionFailed

MAX_FILE = 1024 * 1024  # bytes
MAX_FILES = 400  # in a project; agents keep to as many
MAX_TREE = 50 * 1024 * 1024  # bytes of all files together
MAX_REASON = 1000  # characters


class ProjectTooLarge(ValidationFailed):
    """The project would have more files, or larger ones, than one can have."""

    code = "PROJECT_TOO_LARGE"


@dataclass(frozen=True)
class Rollback:
    """Which revision is to be current again, and the one that is current now (None: any)."""

    revision: int
    reason: str | None = None
    expected: int | None = None


@dataclass(frozen=True)
class FileEdit:
    """What a file is to be (None: gone); ``expected``: only upon this as current revision."""

    path: str
    body: bytes | None
    expected: int | None = None


@dataclass(frozen=True)
class Edited:
    """The revision that is current now, and the file in it (None: removed)."""

    revision: Revision
    path: str
    file: FileInfo | None


def roll_back(
    services: Services,
    owner_id: str,
    project_id: str,
    wanted: Rollback,
    once: Once | None = None,
) -> Revision:
    """A new revision with the files, plan and scores of an earlier one.

    Raises `NotFound`, `PreconditionFailed`, and `WrongState` when a run is under way or nothing
    would change.
    """
    cause = new_id("cmd")

    def attempt() -> Revision:
        seen = _begin(services, owner_id, project_id, wanted.expected)
        source = read_revision(services, seen.project, wanted.revision)
        _must_differ(source, read_revision(services, seen.project, seen.project.revision))
        change = Change(services, seen, cause=cause)
        said = f": {wanted.reason}" if wanted.reason else ""
        revision = change.next_revision(
            kind="rolled_back",
            source=source.number,
            author_task=cause,
            summary=f"Back to revision {source.number}{said}",
            **source.model_dump(include={"manifest_key", "plan_key", "report_key", "scores"}),
        )
        told = {"revision": revision.number, "source": source.number}
        change.tell("rolled_back", told | ({"reason": wanted.reason} if wanted.reason else {}))
        change.promote(revision)
        change.commit(once=once, result=revision)
        return revision

    return perform_once(services.store, once, Revision, attempt)


def edit_file(services: Services, owner_id: str, project_id: str, edit: FileEdit) -> Edited:
    """Add, replace or remove one file; where it is so already, nothing is written.

    Raises `NotFound`, `UnsafePath`, `ProjectTooLarge`, `PreconditionFailed`, `WrongState`.
    """
    cause = new_id("cmd")

    def attempt() -> Edited:
        seen = _begin(services, owner_id, project_id, edit.expected)
        path = safe_path(edit.path)
        tree = read_tree(services, read_revision(services, seen.project, seen.project.revision))
        entry = None if edit.body is None else _entry(edit.body)
        if entry is not None and tree.files.get(path) == entry:
            return _edited(tree.revision, path, entry)
        files = _with(tree, path, entry)
        if edit.body is not None:
            content.put_object(services.files, project_id, edit.body)
        change = Change(services, seen, cause=cause)
        manifest_key = content.put_manifest(services.files, project_id, files)
        revision = _promote_edit(change, tree, path, entry, manifest_key)
        try:
            change.commit()
        except ConditionFailed:
            housekeeping.must_live(services, project_id)
            raise
        return _edited(revision, path, entry)

    return retry_conflicts(attempt)


def _entry(body: bytes) -> FileEntry:
    if len(body) > MAX_FILE:
        raise ProjectTooLarge(f"A file has at most {MAX_FILE} bytes", details={"size": len(body)})
    return FileEntry(sha256=content.sha256(body), size=len(body))


def _with(tree: Tree, path: str, entry: FileEntry | None) -> dict[str, FileEntry]:
    """The tree's files, with ``path`` as ``entry``, or without it."""
    others = {other: kept for other, kept in tree.files.items() if other != path}
    if entry is not None:
        edited = {**others, path: entry}
        _check_size(edited)
        check_collisions(edited)
        return edited
    if path not in tree.files:
        raise NotFound(f"The project has no file '{path}'", details={"path": path})
    if not others:
        raise WrongState(
            "This is the project's last file",
            hint="DELETE /api/projects/{project_id} removes the project",
        )
    return others


def _promote_edit(
    change: Change, tree: Tree, path: str, entry: FileEntry | None, manifest_key: str
) -> Revision:
    did = "Removed" if entry is None else "Replaced" if path in tree.files else "Added"
    revision = change.next_revision(
        kind="edited",
        manifest_key=manifest_key,
        plan_key=change.project.plan_key,
        author_task=change.cause,
        summary=f"{did} {path} by hand",
        scores=Scores(),  # nobody has tested it
    )
    told = {"path": path, "change": did.lower(), "revision": revision.number}
    change.tell("file_edited", told | ({"size": entry.size} if entry else {}))
    change.promote(revision)
    return revision


def _edited(revision: Revision, path: str, entry: FileEntry | None) -> Edited:
    return Edited(revision, path, info_of(entry, revision) if entry else None)


def _begin(services: Services, owner_id: str, project_id: str, expected: int | None) -> Snapshot:
    """What is to be changed, if nobody is at work on it and it is as the caller knows it."""
    seen = load_owned(services.store, owner_id, project_id)
    _must_rest(seen.project)
    if expected is not None and expected != seen.project.revision:
        raise PreconditionFailed(
            f"The current revision is {seen.project.revision}",
            hint="Look at what has changed since, and send your change again upon that",
            details={"current": seen.project.revision},
        )
    return seen


def _must_rest(project: Project) -> None:
    if project.status is ProjectStatus.DELETING:
        raise WrongState("The project is being deleted")
    if project.active_run is not None:
        raise WrongState(
            "A run is under way, and works on the current revision",
            hint="Wait until it has ended, or stop it with POST /api/projects/{project_id}/cancel",
            details={"active_run": project.active_run},
        )
    if project.revision == 0:
        raise _no_files(project)


def _no_files(project: Project) -> WrongState:
    return WrongState(
        f"The project has no files yet: it is {project.status.value}",
        hint="Wait until its status is active",
    )


def _must_differ(source: Revision, current: Revision) -> None:
    if (source.manifest_key, source.plan_key) == (current.manifest_key, current.plan_key):
        raise WrongState(
            f"Revision {source.number} is what is current already",
            hint="GET /api/projects/{project_id}/revisions lists what there is to go back to",
            details={"current": current.number},
        )


def _check_size(files: dict[str, FileEntry]) -> None:
    if len(files) > MAX_FILES:
        raise ProjectTooLarge(
            f"A project has at most {MAX_FILES} files", details={"files": len(files)}
        )
    size = sum(entry.size for entry in files.values())
    if size > MAX_TREE:
        raise ProjectTooLarge(
            f"The files of a project have at most {MAX_TREE} bytes together",
            details={"total_size": size},
        )
