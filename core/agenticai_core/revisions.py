"""What a project's code has been: its revisions, and the files of each.

A reader goes from the pointer to the revision to its manifest, so it sees one revision whole,
whatever is promoted meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agenticai_core import content, pages
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotFound
from agenticai_core.models import FileEntry, Project, Revision, TestReport
from agenticai_core.projects import Listing, get_project
from agenticai_core.rows import parse
from agenticai_core.store import keys
from agenticai_core.workflow import is_modification

MAX_NUMBER = 999_999  # of a revision: what the table's keys can hold


@dataclass(frozen=True)
class Tree:
    """A revision's files: path -> hash and size."""

    revision: Revision
    files: Mapping[str, FileEntry]


def list_revisions(
    services: Services,
    owner_id: str,
    project_id: str,
    *,
    limit: int = 20,
    cursor: str | None = None,
) -> Listing[Revision]:
    """Newest first."""
    get_project(services, owner_id, project_id)
    scope = f"revisions/{owner_id}/{project_id}"
    page = services.store.query(
        keys.project_pk(project_id),
        prefix="REV#",
        limit=limit,
        newest_first=True,
        start=pages.decode(services, cursor, scope),
    )
    items = [parse(Revision, item) for item in page.items]
    return Listing(items, pages.encode(services, page.next, scope))


def get_revision(services: Services, owner_id: str, project_id: str, number: int) -> Revision:
    """Raises `NotFound`."""
    return read_revision(services, get_project(services, owner_id, project_id), number)


def read_revision(services: Services, project: Project, number: int) -> Revision:
    item = services.store.get(keys.revision(project.id, number))
    if item is None:
        raise NotFound(
            f"The project has no revision {number}", details={"current": project.revision}
        )
    return parse(Revision, item)


def read_report(services: Services, revision: Revision) -> TestReport | None:
    """What its tests gave; None for a revision that was made by hand."""
    if revision.report_key is None:
        return None
    return TestReport.model_validate_json(services.files.get(revision.report_key))


def read_tree(services: Services, revision: Revision) -> Tree:
    return Tree(revision, content.read_manifest(services.files, revision.manifest_key).files)


def find_tree(services: Services, project: Project, number: int | None = None) -> Tree | None:
    """The files of a revision, or of the current one; None where there is none yet.

    Raises `NotFound` for a number that no revision has.
    """
    if number is None and project.revision == 0:
        return None
    return read_tree(services, read_revision(services, project, number or project.revision))


def modification_of(revision: Revision) -> str | None:
    """The modification that made it, if one did."""
    run = revision.author_task.split(".", 1)[0]
    return run if is_modification(run) else None
