"""Rollbacks and edits at once, over the memory and the real table: one revision each, no gap."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.fakes.promoted import promote

from agenticai_core import events, revisions, runs
from agenticai_core.bootstrap import Services
from agenticai_core.errors import PreconditionFailed, WrongState
from agenticai_core.rows import load
from agenticai_core.user_edits import FileEdit, Rollback, edit_file, roll_back


@pytest.fixture
def project_id(services: Services) -> str:
    """A project at rest with three revisions."""
    new = runs.NewProject.model_validate({"name": "N", "type": "api", "description": "d"})
    project = runs.create_project(services, "me", new)
    for n in (1, 2, 3):
        promote(services, project.id, {"n": str(n).encode()})
    return project.id


def at_once(acts: list[Callable[[], object]]) -> list[object]:
    with ThreadPoolExecutor(len(acts)) as pool:
        return [made.result() for made in [pool.submit(act) for act in acts]]


def test_all_of_them_happen_one_after_the_other(services: Services, project_id: str) -> None:
    def back(number: int) -> object:
        return roll_back(services, "me", project_id, Rollback(number)).number

    def edit(name: str) -> object:
        edited = edit_file(services, "me", project_id, FileEdit(name, name.encode()))
        return edited.revision.number

    made = at_once(
        [lambda: back(1), lambda: back(2), lambda: edit("a"), lambda: edit("b"), lambda: edit("c")]
    )

    assert sorted(made, key=str) == [4, 5, 6, 7, 8]
    assert load(services.store, project_id).project.revision == 8
    listed = revisions.list_revisions(services, "me", project_id).items
    assert [(row.number, row.parent) for row in listed] == [(n, n - 1) for n in range(8, 0, -1)]
    log = events.read(services.store, project_id, 0)
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    assert [event.type for event in log].count("revision_promoted") == 5


def test_a_rollback_and_a_run_that_begins_never_cross(services: Services, project_id: str) -> None:
    """Either the run begins from what was gone back to, or nothing is gone back to."""

    def back() -> object:
        try:
            return roll_back(services, "me", project_id, Rollback(1, expected=3)).number
        except (WrongState, PreconditionFailed):
            return None

    number, _ = at_once(
        [back, lambda: runs.request_modification(services, "me", project_id, "change it")]
    )

    project = load(services.store, project_id).project
    tree = revisions.get_revision(services, "me", project_id, project.revision)
    assert project.revision == (number or 3)
    assert project.run_inputs["manifest"] == tree.manifest_key
