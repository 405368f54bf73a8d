"""Use cases that read the files of a project: the current revision's, or an earlier one's."""

from dataclasses import dataclass

from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotFound
from agenticai_core.models import FileEntry, Revision
from agenticai_core.paths import safe_path
from agenticai_core.projects import get_project
from agenticai_core.revisions import find_tree
from agenticai_core.store import keys

MAX_INLINE = 1024 * 1024  # bytes; what is larger is fetched from the bucket


@dataclass(frozen=True)
class FileInfo:
    size: int  # bytes
    sha256: str
    last_modified: str


@dataclass(frozen=True)
class FileList:
    """By path; ``revision`` is 0 before the first one."""

    revision: int
    files: dict[str, FileInfo]

    @property
    def total_size(self) -> int:
        return sum(info.size for info in self.files.values())


@dataclass(frozen=True)
class ServedFile:
    """A file's content, or where to fetch it."""

    revision: int
    content: bytes | None
    url: str | None = None


def list_files(
    services: Services, owner_id: str, project_id: str, number: int | None = None
) -> FileList:
    """The files of a revision (None: the current one); none before the first revision."""
    tree = find_tree(services, get_project(services, owner_id, project_id), number)
    if tree is None:
        return FileList(0, {})
    infos = {path: info_of(entry, tree.revision) for path, entry in tree.files.items()}
    return FileList(tree.revision.number, infos)


def info_of(entry: FileEntry, revision: Revision) -> FileInfo:
    return FileInfo(entry.size, entry.sha256, revision.created_at)


def read_file(
    services: Services,
    owner_id: str,
    project_id: str,
    path: str,
    number: int | None = None,
    *,
    as_link: bool = False,
) -> ServedFile:
    """One file; as a link where it is large, or that is asked for.

    Raises `NotFound`, `UnsafePath`.
    """
    project = get_project(services, owner_id, project_id)
    clean = safe_path(path)
    tree = find_tree(services, project, number)
    entry = tree.files.get(clean) if tree else None
    if tree is None or entry is None:
        raise NotFound(f"The project has no file '{clean}'", details={"path": clean})
    key = keys.object_key(project_id, entry.sha256)
    if as_link or entry.size > MAX_INLINE:
        url = services.files.presign(key, clean.rsplit("/", 1)[-1])
        return ServedFile(tree.revision.number, None, url)
    return ServedFile(tree.revision.number, services.files.get(key))
