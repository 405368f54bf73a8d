"""What an owner reads of their projects, and that nobody else reads it."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError
from tests.fakes.promoted import promote

from agenticai_core import archive, documents, project_files, projects, runs
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotFound, PreconditionFailed, WrongState
from agenticai_core.models import Project, ProjectStatus, ProjectType
from agenticai_core.pages import InvalidCursor
from agenticai_core.projects import Listing, ProjectChanges

from .test_housekeeping import FIRST

Create = Callable[..., Project]


# ---- one owner's -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        projects.get_project,
        projects.list_modifications,
        project_files.list_files,
        archive.link_archive,
        documents.write_documents,
        lambda s, o, p: projects.get_modification(s, o, p, "mod_1"),
        lambda s, o, p: project_files.read_file(s, o, p, "main.py"),
        lambda s, o, p: projects.update_project(s, o, p, ProjectChanges(name="Mine")),
        lambda s, o, p: runs.request_modification(s, o, p, "change it"),
        runs.approve,
        runs.reject,
        runs.cancel,
        runs.delete_project,
    ],
)
def test_anothers_project_is_not_found(
    services: Services, create: Create, ask: Callable[..., Any]
) -> None:
    project = create()
    promote(services, project.id, FIRST)
    before = projects.get_project(services, "me", project.id)

    with pytest.raises(NotFound) as foreign:
        ask(services, "you", project.id)
    with pytest.raises(NotFound) as absent:
        ask(services, "you", "proj_none")

    # Nothing tells whether it is there.
    assert foreign.value.message.replace(project.id, "x") == absent.value.message.replace(
        "proj_none", "x"
    )
    assert projects.get_project(services, "me", project.id) == before


# ---- lists --------------------------------------------------------------------------------------


def _all(page: Callable[[str | None], Listing[Any]]) -> tuple[list[str], int]:
    """The ids of every page, and how many pages there were."""
    found, cursor = [], None
    for n in range(1, 100):
        listing = page(cursor)
        found += [item.id for item in listing.items]
        cursor = listing.next_cursor
        if cursor is None:
            return found, n
    raise AssertionError("the list does not end")


@pytest.mark.parametrize(("limit", "pages"), [(1, 7), (3, 3), (7, 1), (100, 1)])
def test_projects_come_in_pages_newest_first(
    services: Services, create: Create, limit: int, pages: int
) -> None:
    made = [create().id for _ in range(7)]
    runs.create_project(
        services, "you", runs.NewProject(name="N", type=ProjectType.API, description="d")
    )

    found, count = _all(
        lambda cursor: projects.list_projects(services, "me", limit=limit, cursor=cursor)
    )

    assert (found, count) == (made[::-1], pages)


def test_a_filtered_list_has_full_pages(services: Services, create: Create) -> None:
    wanted = [create(type="web" if n % 3 == 0 else "api").id for n in range(12)][::3]

    def page(cursor: str | None) -> Listing[Project]:
        listing = projects.list_projects(
            services, "me", type_=ProjectType.WEB, limit=2, cursor=cursor
        )
        assert len(listing.items) == 2 or listing.next_cursor is None
        return listing

    assert _all(page)[0] == wanted[::-1]


def test_a_cursor_serves_one_list_of_one_owner(services: Services, create: Create) -> None:
    ids = [create().id for _ in range(2)]
    cursor = projects.list_projects(services, "me", limit=1).next_cursor

    with pytest.raises(InvalidCursor):
        projects.list_projects(services, "you", limit=1, cursor=cursor)
    with pytest.raises(InvalidCursor):
        projects.list_projects(services, "me", type_=ProjectType.API, cursor=cursor)
    with pytest.raises(InvalidCursor):
        projects.list_modifications(services, "me", ids[0], cursor=cursor)


def test_projects_on_their_way_out_are_listed_when_asked_for(
    services: Services, create: Create
) -> None:
    kept, gone = create().id, create().id
    runs.delete_project(services, "me", gone)

    shown = projects.list_projects(services, "me").items
    deleting = projects.list_projects(services, "me", status=ProjectStatus.DELETING).items

    assert [project.id for project in shown] == [kept]
    assert [project.id for project in deleting] == [gone]


def test_modifications_come_in_pages_newest_first(services: Services, create: Create) -> None:
    project = create()
    made = [
        runs.request_modification(services, "me", project.id, f"change {n}").id for n in range(5)
    ]

    found, count = _all(
        lambda cursor: projects.list_modifications(
            services, "me", project.id, limit=2, cursor=cursor
        )
    )

    assert (found, count) == (made[::-1], 3)
    one = projects.get_modification(services, "me", project.id, made[0])
    assert one.request == "change 0"
    with pytest.raises(NotFound):
        projects.get_modification(services, "me", project.id, "mod_none")


# ---- changes ------------------------------------------------------------------------------------


def _update(
    services: Services, project: Project, if_match: int | None = None, **to: Any
) -> Project:
    changes = ProjectChanges.model_validate(to)
    return projects.update_project(services, "me", project.id, changes, if_match)


def test_only_what_is_set_is_changed(services: Services, create: Create) -> None:
    project = create(token_budget=500)

    updated = _update(services, project, name="South")

    assert (updated.name, updated.token_budget) == ("South", 500)
    assert updated.description == project.description
    assert (updated.config_version, updated.version) == (2, project.version + 1)
    assert projects.get_project(services, "me", project.id) == updated


def test_a_budget_can_be_lifted(services: Services, create: Create) -> None:
    project = create(token_budget=500)

    assert _update(services, project, token_budget=None).token_budget is None
    assert _update(services, project, token_budget=7).token_budget == 7


@pytest.mark.parametrize("field", ["name", "description", "approval"])
def test_nothing_else_can_be_unset(field: str) -> None:
    with pytest.raises(ValidationError):
        ProjectChanges.model_validate({field: None})


def test_a_change_upon_an_old_version_is_refused(services: Services, create: Create) -> None:
    project = create()
    _update(services, project, if_match=1, name="First")

    with pytest.raises(PreconditionFailed) as refused:
        _update(services, project, if_match=1, name="Second")

    assert refused.value.details == {"current": 2}
    assert projects.get_project(services, "me", project.id).name == "First"


def test_the_agents_work_leaves_the_users_version_alone(services: Services, create: Create) -> None:
    project = create()
    runs.cancel(services, "me", project.id)

    now = projects.get_project(services, "me", project.id)
    assert now.version > project.version
    assert now.config_version == project.config_version


def test_what_is_being_deleted_cannot_be_changed(services: Services, create: Create) -> None:
    project = create()
    runs.delete_project(services, "me", project.id)

    with pytest.raises(WrongState):
        _update(services, project, name="Late")
