"""Rollbacks and edits by hand: one revision each, or none; beside promotions and deletions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.promoted import promote

from agenticai_core import content, events, housekeeping, project_files, revisions, runs, user_edits
from agenticai_core.bootstrap import Services
from agenticai_core.errors import AgenticError, NotFound, PreconditionFailed, WrongState
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import Project, ProjectStatus, Revision, Scores
from agenticai_core.queues import MemoryQueue
from agenticai_core.rows import load
from agenticai_core.store.base import ConditionFailed, StoreUnavailable
from agenticai_core.store.memory import MemoryStore
from agenticai_core.user_edits import FileEdit, Rollback, edit_file, roll_back

Create = Callable[..., Project]
FIRST = {"main.py": b"1", "docs/a.md": b"a"}
SECOND = {"main.py": b"2", "new.py": b"n"}


@pytest.fixture
def project_id(services: Services, create: Create) -> str:
    """A project at rest with two revisions."""
    made = create().id
    promote(
        services,
        made,
        FIRST,
        plan_key="plans/1",
        report_key="r1",
        scores=Scores(test_coverage=0.5),
    )
    promote(services, made, SECOND, plan_key="plans/2", scores=Scores(test_coverage=0.9))
    return made


def current(services: Services, project_id: str) -> tuple[Project, dict[str, bytes]]:
    project = load(services.store, project_id).project
    tree = revisions.find_tree(services, project)
    assert tree is not None
    manifest = content.read_manifest(services.files, tree.revision.manifest_key)
    return project, content.read_tree(services.files, project_id, manifest)


def told(services: Services, project_id: str) -> list[tuple[str, dict[str, Any]]]:
    return [(e.type, e.data) for e in events.read(services.store, project_id, 0)]


# ---- rollback -----------------------------------------------------------------------------------


def test_a_rollback_is_a_new_revision_with_all_of_the_old_one(
    services: Services, project_id: str
) -> None:
    revision = roll_back(services, "me", project_id, Rollback(1, "Too dear"))

    project, tree = current(services, project_id)
    assert tree == FIRST
    assert (revision.number, revision.kind, revision.source, revision.parent) == (
        3,
        "rolled_back",
        1,
        2,
    )
    assert revision.summary == "Back to revision 1: Too dear"
    assert (revision.plan_key, revision.report_key) == ("plans/1", "r1")
    assert (project.plan_key, project.scores.test_coverage) == ("plans/1", 0.5)
    assert project.status is ProjectStatus.ACTIVE
    assert told(services, project_id)[-2:] == [
        ("rolled_back", {"revision": 3, "source": 1, "reason": "Too dear"}),
        ("revision_promoted", {"revision": 3, "summary": "Back to revision 1: Too dear"}),
    ]


def test_the_mirror_follows_a_rollback(services: Services, project_id: str) -> None:
    roll_back(services, "me", project_id, Rollback(1))
    assert isinstance(services.queue, MemoryQueue)
    assert services.queue.sent[-1][2] == "rev_000003.01.mirror"
    assert housekeeping.mirror_current(services, project_id) == 3
    assert services.files.get(f"projects/{project_id}/main.py") == b"1"


def test_back_and_forth(services: Services, project_id: str) -> None:
    roll_back(services, "me", project_id, Rollback(1))
    roll_back(services, "me", project_id, Rollback(2))
    again = roll_back(services, "me", project_id, Rollback(3))
    assert (again.number, again.source) == (5, 3)
    assert current(services, project_id)[1] == FIRST


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (Rollback(2), WrongState),
        (Rollback(3), NotFound),
        (Rollback(1, expected=1), PreconditionFailed),
    ],
)
def test_what_cannot_be_gone_back_to(
    services: Services, project_id: str, wanted: Rollback, error: type[AgenticError]
) -> None:
    with pytest.raises(error):
        roll_back(services, "me", project_id, wanted)
    assert load(services.store, project_id).project.revision == 2


def test_equal_files_under_another_plan_are_worth_a_rollback(
    services: Services, project_id: str
) -> None:
    promote(services, project_id, FIRST, plan_key="plans/3")
    assert roll_back(services, "me", project_id, Rollback(1)).plan_key == "plans/1"
    with pytest.raises(WrongState):
        roll_back(services, "me", project_id, Rollback(1))


def test_nothing_is_gone_back_to_while_a_run_is_under_way(
    services: Services, project_id: str
) -> None:
    modification = runs.request_modification(services, "me", project_id, "change it")
    with pytest.raises(WrongState) as refused:
        roll_back(services, "me", project_id, Rollback(1))
    assert refused.value.details == {"active_run": modification.id}
    runs.cancel(services, "me", project_id)
    assert roll_back(services, "me", project_id, Rollback(1)).number == 3


def test_a_modification_starts_from_what_was_gone_back_to(
    services: Services, project_id: str
) -> None:
    roll_back(services, "me", project_id, Rollback(1))
    runs.request_modification(services, "me", project_id, "change it")
    inputs = load(services.store, project_id).project.run_inputs
    first = revisions.get_revision(services, "me", project_id, 1)
    assert (inputs["plan"], inputs["manifest"]) == ("plans/1", first.manifest_key)


# ---- edits --------------------------------------------------------------------------------------


def test_an_edit_keeps_the_plan_and_forgets_the_scores(services: Services, project_id: str) -> None:
    edited = edit_file(services, "me", project_id, FileEdit("a/b.bin", b"\0\xff"))

    project, tree = current(services, project_id)
    assert tree == {**SECOND, "a/b.bin": b"\0\xff"}
    assert (project.plan_key, project.scores) == ("plans/2", Scores())
    revision = edited.revision
    assert (revision.number, revision.kind, revision.report_key) == (3, "edited", None)
    assert revision.summary == "Added a/b.bin by hand"


def test_a_path_has_one_spelling(services: Services, project_id: str) -> None:
    assert edit_file(services, "me", project_id, FileEdit("cafe\u0301", b"x")).path == "caf\u00e9"
    again = edit_file(services, "me", project_id, FileEdit("caf\u00e9", b"x"))
    assert again.revision.number == 3
    edit_file(services, "me", project_id, FileEdit("cafe\u0301", None))
    assert current(services, project_id)[1] == SECOND


PATHS = st.sampled_from(["a", "b/c", "main.py"])
EDITS = st.lists(st.tuples(PATHS, st.one_of(st.none(), st.binary(max_size=3))), max_size=8)


@settings(deadline=None)
@given(edits=EDITS)
def test_any_edits_give_what_a_dict_would(edits: list[tuple[str, bytes | None]]) -> None:
    services = Services(MemoryStore(), MemoryFiles(), MemoryQueue())
    new = runs.NewProject.model_validate({"name": "N", "type": "api", "description": "d"})
    made = runs.create_project(services, "me", new).id
    promote(services, made, {"kept": b""})
    expected: dict[str, bytes] = {"kept": b""}
    number = 1
    for path, body in edits:
        changes = expected.get(path) != body
        try:
            edit_file(services, "me", made, FileEdit(path, body, number))
        except NotFound:
            assert body is None
            assert path not in expected
            continue
        number += changes
        expected.pop(path, None)
        expected |= {} if body is None else {path: body}
    project, tree = current(services, made)
    assert (project.revision, tree) == (number, expected)


# ---- at once ------------------------------------------------------------------------------------


class Between(MemoryStore):
    """Lets something happen just before the next write, or loses its answer."""

    happen: Callable[[], None] | None = None
    lose = False

    def write(self, *writes: Any, token: str | None = None) -> None:
        happen, self.happen = self.happen, None
        if happen is not None:
            happen()
        super().write(*writes, token=token)
        if self.lose:
            self.lose = False
            raise StoreUnavailable("no answer")


@pytest.fixture
def between() -> Between:
    return Between()


@pytest.fixture
def services(between: Between) -> Services:
    return Services(between, MemoryFiles(), MemoryQueue())


def rollback(services: Services, project_id: str) -> Revision:
    return roll_back(services, "me", project_id, Rollback(1))


def edit(services: Services, project_id: str) -> Revision:
    return edit_file(services, "me", project_id, FileEdit("main.py", b"mine")).revision


BOTH = pytest.mark.parametrize("act", [rollback, edit])


@BOTH
def test_beside_a_promotion_it_comes_after_it(
    services: Services, between: Between, project_id: str, act: Callable[..., Revision]
) -> None:
    third = {"main.py": b"3", "other.py": b"3"}
    between.happen = lambda: promote(services, project_id, third)

    assert act(services, project_id).number == 4

    trees = [revisions.get_revision(services, "me", project_id, n).manifest_key for n in (3, 4)]
    assert trees[0] == content.put_tree(services.files, project_id, third)
    expected = FIRST if act is rollback else {**third, "main.py": b"mine"}
    assert current(services, project_id)[1] == expected


@BOTH
def test_beside_a_run_that_begins_it_is_refused(
    services: Services, between: Between, project_id: str, act: Callable[..., Revision]
) -> None:
    between.happen = lambda: runs.request_modification(services, "me", project_id, "x") and None
    with pytest.raises(WrongState):
        act(services, project_id)
    project = load(services.store, project_id).project
    assert project.revision == 2
    assert project.active_run


@BOTH
@pytest.mark.parametrize("removed", [False, True])
def test_beside_a_deletion_nothing_is_left(
    services: Services,
    between: Between,
    project_id: str,
    act: Callable[..., Revision],
    removed: bool,
) -> None:
    def delete() -> None:
        runs.delete_project(services, "me", project_id)
        services.files.delete_prefix(f"objects/{project_id}/")
        if removed:
            housekeeping.remove_project(services, project_id)

    between.happen = delete
    with pytest.raises((NotFound, WrongState)):
        act(services, project_id)
    left = [key for key in services.files.list("") if key.startswith(f"objects/{project_id}/")]
    assert left == []


def test_a_promotion_beside_an_edit_is_not_lost(services: Services, project_id: str) -> None:
    """The edit was there first: whoever commits upon the old version has to read again."""
    seen = load(services.store, project_id)
    edit(services, project_id)
    late = user_edits.Change(services, seen, cause="late")
    late.promote(late.next_revision(manifest_key="m", author_task="late", summary="s"))
    with pytest.raises(ConditionFailed):
        late.commit()
    assert load(services.store, project_id).project.revision == 3


def test_two_rollbacks_at_once_are_one_after_the_other(services: Services, project_id: str) -> None:
    for n in range(3, 9):
        promote(services, project_id, {"n": str(n).encode()})

    def back(number: int) -> int:
        return roll_back(services, "me", project_id, Rollback(number)).number

    with ThreadPoolExecutor(6) as pool:
        made = sorted(pool.map(back, range(1, 7)))

    assert made == list(range(9, 15))
    sources = {revisions.get_revision(services, "me", project_id, n).source for n in made}
    assert sources == set(range(1, 7))
    kinds = [kind for kind, _ in told(services, project_id)]
    assert kinds.count("rolled_back") == 6


def test_of_two_that_know_the_same_revision_one_wins(services: Services, project_id: str) -> None:
    def write(n: int) -> bool:
        try:
            edit_file(services, "me", project_id, FileEdit("main.py", str(n).encode(), 2))
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(100, 108))) == 1
    assert load(services.store, project_id).project.revision == 3


def test_edits_of_several_files_at_once_all_happen(services: Services, project_id: str) -> None:
    def write(n: int) -> None:
        edit_file(services, "me", project_id, FileEdit(f"f{n}", b"x"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert set(current(services, project_id)[1]) == {*SECOND, "f0", "f1", "f2", "f3"}


def test_an_answer_that_was_lost_may_be_asked_for_again(
    services: Services, between: Between, project_id: str
) -> None:
    """The edit is there; sent again it changes nothing."""
    between.lose = True
    with pytest.raises(StoreUnavailable):
        edit(services, project_id)
    assert edit(services, project_id).number == 3
    assert project_files.list_files(services, "me", project_id).revision == 3
