"""The order of work, and the only place that knows it. Pure: no clock, no store, no queue.

    plan -> [approval] -> generate -> test -> [repair -> test] <= 3 -> package -> promote: active
    render a template              -> test -> (as above)
    analyze -> [approval] -> apply -> test -> [repair -> test] <= 3 -> promote: applied

A function takes what is and what happened, and returns a `Step`: what follows.
"""

from dataclasses import dataclass, field
from typing import Any

from agenticai_core.errors import WrongState
from agenticai_core.models import (
    Action,
    Agent,
    Failure,
    Modification,
    ModificationStatus,
    Outcome,
    Project,
    ProjectStatus,
    Task,
)

MAX_REPAIRS = 3

AGENT_OF = {
    Action.PLAN: Agent.PM,
    Action.ANALYZE: Agent.PM,
    Action.GENERATE: Agent.DEV,
    Action.RENDER: Agent.DEV,
    Action.APPLY: Agent.DEV,
    Action.REPAIR: Agent.DEV,
    Action.TEST: Agent.QA,
    Action.PACKAGE: Agent.OPS,
    Action.MIRROR: Agent.OPS,
    Action.DELETE: Agent.OPS,
}

TERMINAL = frozenset({ProjectStatus.ACTIVE, ProjectStatus.FAILED, ProjectStatus.CANCELLED})
ENDED = frozenset(
    {
        ModificationStatus.APPLIED,
        ModificationStatus.REJECTED,
        ModificationStatus.FAILED,
        ModificationStatus.CANCELLED,
    }
)

# What a project, or a modification, is while a task of its run waits or works.
_PROJECT_STATUS = {
    Action.PLAN: ProjectStatus.PLANNING,
    Action.GENERATE: ProjectStatus.GENERATING,
    Action.RENDER: ProjectStatus.GENERATING,
    Action.REPAIR: ProjectStatus.GENERATING,
    Action.TEST: ProjectStatus.TESTING,
    Action.PACKAGE: ProjectStatus.PACKAGING,
}
_MODIFICATION_STATUS = {
    Action.ANALYZE: ModificationStatus.ANALYZING,
    Action.APPLY: ModificationStatus.APPLYING,
    Action.REPAIR: ModificationStatus.APPLYING,
    Action.TEST: ModificationStatus.TESTING,
}
# Failures of circumstance: the work was not at fault, so a retry goes on where it stopped. Every
# code of a model's adapter begins with MODEL_.
_CIRCUMSTANCES = frozenset(
    {"WORKER_LOST", "RETRIES_EXHAUSTED", "TIMEOUT", "BUDGET_EXCEEDED", "SANDBOX_TOO_WEAK"}
    | {"PRICE_UNKNOWN"}
)
# Failures that leave everything as it was, because nothing was begun.
_REFUSALS = frozenset({"REQUEST_NOT_UNDERSTOOD"})


@dataclass(frozen=True)
class Step:
    """What follows. None means "stays as it is"."""

    project_status: ProjectStatus | None = None
    modification_status: ModificationStatus | None = None
    next: Action | None = None
    round: int = 0  # of the next task: how many repairs came before it
    promote: bool = False  # the candidate becomes the next revision
    ends: bool = False  # the run is over; a waiting modification may begin
    failure: Failure | None = None
    resumes: Task | None = None  # the next task takes over its inputs and its finished units
    events: tuple[tuple[str, dict[str, Any]], ...] = field(default=())


def is_modification(run: str) -> bool:
    return run.startswith("mod_")


def begin_creation(project: Project) -> Step:
    if _first(project) is Action.RENDER:
        return _go(Action.RENDER, modification=False)
    return Step(project_status=ProjectStatus.QUEUED, next=Action.PLAN)


def _first(project: Project) -> Action:
    """A project from a template needs no plan."""
    return Action.PLAN if project.template_key is None else Action.RENDER


def begin_modification(modification: Modification) -> Step:
    event = ("modification_started", {"modification_id": modification.id})
    return _go(Action.ANALYZE, modification=True, events=(event,))


def on_start(task: Task) -> ProjectStatus | None:
    """The project's status once an agent has taken the task."""
    return ProjectStatus.PLANNING if task.action is Action.PLAN else None


def after(
    project: Project, modification: Modification | None, task: Task, outcome: Outcome
) -> Step:
    """What follows a task that has ended, well or (``outcome.failure``) badly."""
    if task.action in (Action.MIRROR, Action.DELETE):
        return Step()
    changing = modification is not None
    if outcome.failure is not None:
        return _fail(modification, outcome.failure)
    match task.action:
        case Action.PLAN | Action.ANALYZE:
            if project.approval == "required":
                return _ask_approval(modification)
            return _go(Action.APPLY if changing else Action.GENERATE, modification=changing)
        case Action.GENERATE | Action.RENDER | Action.APPLY:
            return _go(Action.TEST, modification=changing, round=task.round)
        case Action.REPAIR:
            return _after_repair(modification, task, outcome)
        case Action.TEST:
            return _after_test(modification, task, outcome)
        case _:
            return _finish(None)


def approve(project: Project, modification: Modification | None) -> Step:
    """The user lets the run go on. Raises `WrongState` when nothing waits for that."""
    _must_wait(project, modification)
    changing = modification is not None
    step = Action.APPLY if changing else Action.GENERATE
    return _go(step, modification=changing, events=(("approved", _named(modification)),))


def reject(project: Project, modification: Modification | None, feedback: str | None) -> Step:
    """The user refuses: with feedback the plan is made again, without it the run ends."""
    _must_wait(project, modification)
    event = ("rejected", _named(modification) | ({"feedback": feedback} if feedback else {}))
    if modification is not None and not feedback:
        return Step(
            modification_status=ModificationStatus.REJECTED,
            ends=True,
            events=(event, ("modification_rejected", _named(modification))),
        )
    if not feedback:
        ended = ("project_cancelled", {"reason": "The plan was rejected"})
        return Step(project_status=ProjectStatus.CANCELLED, ends=True, events=(event, ended))
    again = Action.ANALYZE if modification is not None else Action.PLAN
    return _go(again, modification=modification is not None, events=(event,))


def cancel(project: Project, modification: Modification | None) -> Step:
    """The user stops the run under way. Raises `WrongState` when none is."""
    if project.active_run is None or project.status is ProjectStatus.DELETING:
        raise WrongState(
            f"Nothing is under way: the project is {project.status.value}",
            hint="Only a project or modification in work can be cancelled",
        )
    if modification is not None:
        return Step(
            modification_status=ModificationStatus.CANCELLED,
            ends=True,
            events=(("modification_cancelled", _named(modification)),),
        )
    return Step(
        project_status=ProjectStatus.CANCELLED, ends=True, events=(("project_cancelled", {}),)
    )


def retry(project: Project, failed: Task | None) -> Step:
    """The user has a failed creation tried again: from ``failed``, the task that it failed in,
    where that was a matter of circumstance, else from the start. Raises `WrongState`."""
    if project.status is not ProjectStatus.FAILED:
        raise WrongState(
            f"There is nothing to try again: the project is {project.status.value}",
            hint="Only a failed project is retried; ask for a failed modification anew",
        )
    code = project.failure.code if project.failure else ""
    resumes = failed if is_circumstance(code) else None
    action = resumes.action if resumes else _first(project)
    event = ("project_retried", {"from": action.value, "units": _units(resumes), "failure": code})
    status = ProjectStatus.QUEUED if action is Action.PLAN else _PROJECT_STATUS[action]
    return Step(
        project_status=status,
        next=action,
        round=resumes.round if resumes else 0,
        resumes=resumes,
        events=(event,),
    )


def is_circumstance(code: str) -> bool:
    """Whether a failure says nothing about the work itself, so that it need not be done again."""
    return code in _CIRCUMSTANCES or code.startswith("MODEL_")


def _units(task: Task | None) -> int:
    return len(task.checkpoint) if task else 0


def _go(
    action: Action,
    *,
    modification: bool,
    round: int = 0,
    events: tuple[tuple[str, dict[str, Any]], ...] = (),
) -> Step:
    if modification:
        return Step(
            modification_status=_MODIFICATION_STATUS[action],
            next=action,
            round=round,
            events=events,
        )
    return Step(project_status=_PROJECT_STATUS[action], next=action, round=round, events=events)


def _after_test(modification: Modification | None, task: Task, outcome: Outcome) -> Step:
    changing = modification is not None
    if outcome.tests_passed or outcome.tests_unverifiable:
        return _finish(modification) if changing else _go(Action.PACKAGE, modification=False)
    if task.round >= MAX_REPAIRS:
        message = f"The tests still fail after {MAX_REPAIRS} repairs: {outcome.summary}"
        return _fail(modification, Failure(code="TESTS_FAILED", message=message))
    event = ("repair_requested", {"round": task.round + 1, "of": MAX_REPAIRS})
    return _go(Action.REPAIR, modification=changing, round=task.round + 1, events=(event,))


def _after_repair(modification: Modification | None, task: Task, outcome: Outcome) -> Step:
    # The same code would fail the same tests: a loop that only costs.
    if outcome.outputs.get("manifest") == task.inputs.get("manifest"):
        message = "The tests fail, and the repair changed nothing"
        return _fail(modification, Failure(code="REPAIR_CHANGED_NOTHING", message=message))
    return _go(Action.TEST, modification=modification is not None, round=task.round)


def _finish(modification: Modification | None) -> Step:
    if modification is not None:
        return Step(
            modification_status=ModificationStatus.APPLIED,
            promote=True,
            ends=True,
            events=(("modification_complete", _named(modification)),),
        )
    return Step(
        project_status=ProjectStatus.ACTIVE,
        promote=True,
        ends=True,
        events=(("project_active", {}),),
    )


def _fail(modification: Modification | None, failure: Failure) -> Step:
    data = failure.model_dump(exclude_none=True)
    if modification is None:
        return Step(
            project_status=ProjectStatus.FAILED,
            ends=True,
            failure=failure,
            events=(("project_failed", data),),
        )
    refused = failure.code in _REFUSALS
    status = ModificationStatus.REJECTED if refused else ModificationStatus.FAILED
    event = "modification_rejected" if refused else "modification_failed"
    return Step(
        modification_status=status,
        ends=True,
        failure=failure,
        events=((event, _named(modification) | data),),
    )


def _ask_approval(modification: Modification | None) -> Step:
    event = ("approval_required", _named(modification))
    if modification is not None:
        return Step(modification_status=ModificationStatus.AWAITING_APPROVAL, events=(event,))
    return Step(project_status=ProjectStatus.AWAITING_APPROVAL, events=(event,))


def _must_wait(project: Project, modification: Modification | None) -> None:
    status = modification.status if modification is not None else project.status
    if status.value != "awaiting_approval":
        raise WrongState(
            f"Nothing waits for approval: the status is {status.value}",
            hint="Approve or reject when the status is awaiting_approval",
        )


def _named(modification: Modification | None) -> dict[str, Any]:
    return {} if modification is None else {"modification_id": modification.id}
