"""The order of work, as a table."""

from typing import Any

import pytest

from agenticai_core import workflow
from agenticai_core.errors import WrongState
from agenticai_core.models import (
    Action,
    Failure,
    Modification,
    ModificationStatus,
    Outcome,
    Project,
    ProjectStatus,
    ProjectType,
    Task,
)
from agenticai_core.workflow import MAX_REPAIRS, Step, after

AT = "2026-01-01T00:00:00.000000Z"
A = Action


def project(**fields: Any) -> Project:
    known = {"id": "p", "owner_id": "me", "name": "N", "type": ProjectType.API, "description": "d"}
    return Project.model_validate(known | {"created_at": AT, "updated_at": AT} | fields)


def modification(**fields: Any) -> Modification:
    known = {"id": "mod_1", "project_id": "p", "request": "r", "requested_by": "me"}
    return Modification.model_validate(known | {"requested_at": AT} | fields)


def task(action: Action, round: int = 0, **inputs: str) -> Task:
    return Task(
        id="t",
        project_id="p",
        run="run_1",
        agent=workflow.AGENT_OF[action],
        action=action,
        round=round,
        inputs=inputs,
        created_at=AT,
        updated_at=AT,
    )


def ended(action: Action, round: int = 0, *, mod: bool = False, **outcome: Any) -> Step:
    """What follows the action, in a creation or (``mod``) a modification."""
    done = task(action, round, manifest="old")
    return after(project(), modification() if mod else None, done, Outcome(**outcome))


@pytest.mark.parametrize(
    ("action", "round", "outcome", "next_", "status", "next_round"),
    [
        (A.PLAN, 0, {}, A.GENERATE, "generating", 0),
        (A.GENERATE, 0, {}, A.TEST, "testing", 0),
        (A.RENDER, 0, {}, A.TEST, "testing", 0),
        (A.TEST, 0, {"tests_passed": True}, A.PACKAGE, "packaging", 0),
        (A.TEST, 0, {"tests_unverifiable": True}, A.PACKAGE, "packaging", 0),
        (A.TEST, 0, {"tests_passed": False}, A.REPAIR, "generating", 1),
        (A.TEST, 2, {"tests_passed": False}, A.REPAIR, "generating", 3),
        (A.TEST, 3, {"tests_passed": True}, A.PACKAGE, "packaging", 0),
        (A.TEST, 0, {}, A.REPAIR, "generating", 1),  # not said to have passed: not passed
        (A.REPAIR, 1, {"outputs": {"manifest": "new"}}, A.TEST, "testing", 1),
        (A.REPAIR, 3, {"outputs": {"manifest": "new"}}, A.TEST, "testing", 3),
    ],
)
def test_a_creation_goes_on(
    action: Action, round: int, outcome: dict[str, Any], next_: Action, status: str, next_round: int
) -> None:
    step = ended(action, round, **outcome)

    assert (step.next, step.project_status, step.round) == (next_, status, next_round)
    assert not (step.ends or step.promote)
    assert step.modification_status is None


@pytest.mark.parametrize(
    ("action", "round", "outcome", "next_", "status"),
    [
        (A.ANALYZE, 0, {}, A.APPLY, "applying"),
        (A.APPLY, 0, {}, A.TEST, "testing"),
        (A.TEST, 1, {"tests_passed": False}, A.REPAIR, "applying"),
        (A.REPAIR, 2, {"outputs": {"manifest": "new"}}, A.TEST, "testing"),
    ],
)
def test_a_modification_goes_on(
    action: Action, round: int, outcome: dict[str, Any], next_: Action, status: str
) -> None:
    step = ended(action, round, mod=True, **outcome)

    assert (step.next, step.modification_status) == (next_, status)
    assert step.project_status is None  # the project stays what it is


def test_a_creation_ends_active_and_promoted() -> None:
    step = ended(A.PACKAGE)

    assert (step.project_status, step.promote, step.ends) == (ProjectStatus.ACTIVE, True, True)
    assert [type_ for type_, _ in step.events] == ["project_active"]


def test_a_modification_ends_applied_and_promoted() -> None:
    step = ended(A.TEST, mod=True, tests_passed=True)

    assert step.modification_status is ModificationStatus.APPLIED
    assert (step.promote, step.ends) == (True, True)
    assert step.events == (("modification_complete", {"modification_id": "mod_1"}),)


@pytest.mark.parametrize("mod", [False, True])
def test_repairs_are_limited(mod: bool) -> None:
    step = ended(A.TEST, MAX_REPAIRS, mod=mod, tests_passed=False, summary="2 of 9 fail")

    assert step.failure is not None
    assert step.failure.code == "TESTS_FAILED"
    assert "2 of 9 fail" in step.failure.message
    assert (step.ends, step.promote, step.next) == (True, False, None)


@pytest.mark.parametrize("mod", [False, True])
@pytest.mark.parametrize("round", [1, 2, 3])
def test_a_repair_that_changed_nothing_is_the_end(mod: bool, round: int) -> None:
    step = ended(A.REPAIR, round, mod=mod, outputs={"manifest": "old"})

    assert step.failure is not None
    assert step.failure.code == "REPAIR_CHANGED_NOTHING"
    assert (step.ends, step.next) == (True, None)


@pytest.mark.parametrize("action", [A.PLAN, A.GENERATE, A.TEST, A.REPAIR, A.PACKAGE])
def test_a_failure_fails_the_project(action: Action) -> None:
    failure = Failure(code="BROKEN", message="it broke", hint="mend it")
    step = ended(action, failure=failure)

    assert (step.project_status, step.failure) == (ProjectStatus.FAILED, failure)
    assert (step.ends, step.promote) == (True, False)
    told = {"code": "BROKEN", "message": "it broke", "hint": "mend it"}
    assert step.events == (("project_failed", told),)


@pytest.mark.parametrize(
    ("code", "status", "event"),
    [
        ("REQUEST_NOT_UNDERSTOOD", "rejected", "modification_rejected"),
        ("BROKEN", "failed", "modification_failed"),
    ],
)
def test_a_modification_that_fails_leaves_the_project(code: str, status: str, event: str) -> None:
    step = ended(A.ANALYZE, mod=True, failure=Failure(code=code, message="m"))

    assert (step.modification_status, step.ends, step.promote) == (status, True, False)
    assert step.project_status is None
    assert step.events[0][0] == event


@pytest.mark.parametrize("mod", [None, modification()])
@pytest.mark.parametrize("action", [A.MIRROR, A.DELETE])
@pytest.mark.parametrize("failure", [None, Failure(code="X", message="x")])
def test_tidying_up_leads_to_nothing(
    mod: Modification | None, action: Action, failure: Failure | None
) -> None:
    assert after(project(), mod, task(action), Outcome(failure=failure)) == Step()


def test_approval_is_asked_for_where_it_is_required() -> None:
    careful = project(approval="required")

    planned = after(careful, None, task(A.PLAN), Outcome())
    analyzed = after(careful, modification(), task(A.ANALYZE), Outcome())

    assert planned.project_status is ProjectStatus.AWAITING_APPROVAL
    assert analyzed.modification_status is ModificationStatus.AWAITING_APPROVAL
    assert planned.next is analyzed.next is None
    assert not (planned.ends or analyzed.ends)


WAITING = project(status="awaiting_approval", active_run="run_1")
MOD_WAITING = modification(status="awaiting_approval")


@pytest.mark.parametrize(
    ("step", "next_", "ends"),
    [
        (workflow.approve(WAITING, None), A.GENERATE, False),
        (workflow.approve(project(), MOD_WAITING), A.APPLY, False),
        (workflow.reject(WAITING, None, "smaller"), A.PLAN, False),
        (workflow.reject(project(), MOD_WAITING, "smaller"), A.ANALYZE, False),
        (workflow.reject(WAITING, None, None), None, True),
        (workflow.reject(project(), MOD_WAITING, None), None, True),
    ],
)
def test_the_user_decides(step: Step, next_: Action | None, ends: bool) -> None:
    assert (step.next, step.ends, step.promote) == (next_, ends, False)


@pytest.mark.parametrize("status", sorted(set(ProjectStatus) - {ProjectStatus.AWAITING_APPROVAL}))
def test_there_is_nothing_to_decide_otherwise(status: ProjectStatus) -> None:
    other = project(status=status, active_run="run_1")
    with pytest.raises(WrongState):
        workflow.approve(other, None)
    with pytest.raises(WrongState):
        workflow.reject(other, None, None)


@pytest.mark.parametrize("fields", [{}, {"active_run": "del_1", "status": "deleting"}])
def test_nothing_under_way_cannot_be_cancelled(fields: dict[str, Any]) -> None:
    with pytest.raises(WrongState):
        workflow.cancel(project(**fields), None)


def test_a_run_under_way_is_cancelled() -> None:
    assert workflow.cancel(project(active_run="r"), None).project_status == "cancelled"
    changing = workflow.cancel(project(active_run="mod_1"), modification())
    assert (changing.modification_status, changing.project_status) == ("cancelled", None)


def test_every_action_has_its_agent() -> None:
    assert set(workflow.AGENT_OF) == set(Action)


# ---- projects from a template -------------------------------------------------------------------


def test_a_project_from_a_template_is_rendered_and_not_planned() -> None:
    step = workflow.begin_creation(project(template_key="t", approval="required"))

    assert (step.next, step.project_status) == (A.RENDER, ProjectStatus.GENERATING)
    rendered = after(
        project(template_key="t", approval="required"), None, task(A.RENDER), Outcome()
    )
    assert rendered.next is A.TEST


def test_a_template_that_failed_is_rendered_again() -> None:
    failure = Failure(code="TEMPLATE_FAILED", message="m")
    failed = project(template_key="t", status=ProjectStatus.FAILED, failure=failure)
    step = workflow.retry(failed, task(A.RENDER))

    assert (step.next, step.resumes) == (A.RENDER, None)
    assert step.project_status is ProjectStatus.GENERATING


def test_a_modification_whose_tests_cannot_be_run_is_applied() -> None:
    step = ended(A.TEST, mod=True, tests_unverifiable=True)

    assert (step.promote, step.modification_status) == (True, ModificationStatus.APPLIED)
