"""A revision as one zip: built once for each tree of files, kept in the bucket."""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore

from agenticai_core import content, housekeeping
from agenticai_core.bootstrap import Services
from agenticai_core.errors import Unavailable, WrongState
from agenticai_core.models import Manifest, Project
from agenticai_core.paths import safe_path
from agenticai_core.projects import get_project
from agenticai_core.revisions import Tree, find_tree
from agenticai_core.store import keys

# Each holds a project's files and their zip in memory: 100 MB at most, in a container of 512.
BUILDS_AT_ONCE = 2
_PATIENCE = 15.0  # s, less than a request may take
_builds = BoundedSemaphore(BUILDS_AT_ONCE)


def link_archive(
    services: Services, owner_id: str, project_id: str, number: int | None = None
) -> str:
    """The URL, for a few minutes, of a revision (None: the current one) as a zip.

    Requests at once may build it twice, into equal objects. Raises `NotFound`, `WrongState`
    without a revision, and `Unavailable` while many others are built.
    """
    project = get_project(services, owner_id, project_id)
    tree = find_tree(services, project, number)
    if tree is None:
        raise WrongState(
            f"The project has no files yet: it is {project.status.value}",
            hint="Wait until its status is active",
        )
    key = _key(project_id, tree)
    if not services.files.exists(key):  # also when it was there, and has expired
        with _one_of_few():
            files = content.read_tree(services.files, project_id, Manifest(files=dict(tree.files)))
            services.files.put(key, pack(files), "application/zip")
        housekeeping.must_live(services, project_id)
    return services.files.presign(key, _filename(project, tree), content_type="application/zip")


@contextmanager
def _one_of_few() -> Iterator[None]:
    if not _builds.acquire(timeout=_PATIENCE):
        raise Unavailable("Many archives are being built", hint="Ask again in a few seconds")
    try:
        yield
    finally:
        _builds.release()


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip of files by path; equal files give equal bytes: entries are sorted, their time fixed.

    Raises `UnsafePath` for an entry that would leave the folder.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            info = zipfile.ZipInfo(safe_path(path), date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[path])
    return packed.getvalue()


def _key(project_id: str, tree: Tree) -> str:
    # A manifest's key ends in its hash: equal trees share an archive.
    return keys.archive_key(project_id, tree.revision.manifest_key.rsplit("/", 1)[-1])


def _filename(project: Project, tree: Tree) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", project.name.lower()).strip("-") or "project"
    return f"{slug}-r{tree.revision.number}.zip"
