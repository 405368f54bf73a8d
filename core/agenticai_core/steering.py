"""What a user says to a run under way, to one modification, and about a creation that failed."""

from agenticai_core import runs, workflow
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotFound, WrongState
from agenticai_core.idempotency import Once, perform_once
from agenticai_core.ids import new_id
from agenticai_core.models import (
    Modification,
    ModificationStatus,
    Project,
    ProjectStatus,
    Task,
)
from agenticai_core.retrying import retry_conflicts
from agenticai_core.rows import Snapshot, load_owned, parse
from agenticai_core.run_change import RunChange
from agenticai_core.store import keys

MAX_MESSAGE = 2000  # characters
MAX_MESSAGES = 20  # in one run


def send_message(
    services: Services, owner_id: str, project_id: str, text: str, once: Once | None = None
) -> Project:
    """Say something into the run under way: its next model calls are shown it.

    Raises `NotFound`, and `WrongState` when no run is under way or 20 messages are in it already.
    """
    cause = new_id("cmd")

    def attempt() -> Project:
        seen = load_owned(services.store, owner_id, project_id)
        _must_be_listening(seen.project)
        change = RunChange(services, seen, cause=cause)
        change.tell("message", {"text": text})
        change.set(messages=(*seen.project.messages, text))
        return change.commit(once=once)

    return perform_once(services.store, once, Project, attempt)


def retry_project(
    services: Services, owner_id: str, project_id: str, once: Once | None = None
) -> Project:
    """Try a failed creation again, in a run of its own.

    Where the failure was one of circumstance it goes on in the task that failed, after the last
    unit that this had finished; otherwise from the plan. Raises `NotFound`, `WrongState`.
    """
    run = new_id("run")

    def attempt() -> Project:
        seen = load_owned(services.store, owner_id, project_id)
        failed = _read_failed(services, seen.project)
        step = workflow.retry(seen.project, failed)
        change = RunChange(services, seen, cause=run)
        change.set(
            active_run=run,
            failure=None,
            failed_task=None,
            run_inputs=_inputs_of(failed, resumes=step.resumes is not None),
        )
        change.take_step(step, None)
        return change.commit(once=once)

    return perform_once(services.store, once, Project, attempt)


def approve_modification(
    services: Services, owner_id: str, project_id: str, modification_id: str
) -> Modification:
    """Let a modification be made that waits for approval; raises `NotFound`, `WrongState`."""
    _must_exist(services, owner_id, project_id, modification_id)
    runs.approve(services, owner_id, project_id, run=modification_id)
    return _read(services, project_id, modification_id)


def reject_modification(
    services: Services,
    owner_id: str,
    project_id: str,
    modification_id: str,
    feedback: str | None = None,
) -> Modification:
    """Refuse its impact: with feedback it is analysed again, without it ends as rejected."""
    _must_exist(services, owner_id, project_id, modification_id)
    runs.reject(services, owner_id, project_id, feedback, run=modification_id)
    return _read(services, project_id, modification_id)


def cancel_modification(
    services: Services, owner_id: str, project_id: str, modification_id: str
) -> Modification:
    """Stop a modification under way, or take one that waits out of the queue.

    What waits has no effect on the run under way, nor its end on that.
    """
    cause = new_id("cmd")

    def leave_queue() -> bool:
        seen = load_owned(services.store, owner_id, project_id)
        if modification_id not in seen.project.waiting:
            return False
        _cancel_waiting(RunChange(services, seen, cause=cause), seen, modification_id)
        return True

    _must_exist(services, owner_id, project_id, modification_id)
    if not retry_conflicts(leave_queue):
        runs.cancel(services, owner_id, project_id, run=modification_id)
    return _read(services, project_id, modification_id)


def _cancel_waiting(change: RunChange, seen: Snapshot, modification_id: str) -> None:
    waiting = _read(change.services, seen.project.id, modification_id)
    change.put_modification(waiting.model_copy(update={"status": ModificationStatus.CANCELLED}))
    change.set(waiting=tuple(one for one in seen.project.waiting if one != modification_id))
    change.tell("modification_cancelled", {"modification_id": modification_id})
    change.commit()


def _must_be_listening(project: Project) -> None:
    if project.active_run is None or project.status is ProjectStatus.DELETING:
        raise WrongState(
            f"Nobody is at work to hear it: the project is {project.status.value}",
            hint="Ask for a change with POST /api/projects/{project_id}/modify",
        )
    if len(project.messages) >= MAX_MESSAGES:
        raise WrongState(
            f"{MAX_MESSAGES} messages are in this run already",
            hint="Cancel it and describe the whole, or ask for a modification when it is done",
        )


def _read_failed(services: Services, project: Project) -> Task | None:
    if project.failed_task is None:
        return None
    item = services.store.get(keys.task(project.id, project.failed_task))
    return parse(Task, item) if item else None


def _inputs_of(failed: Task | None, *, resumes: bool) -> dict[str, str]:
    """What the new run begins with; what the user said about earlier plans always counts."""
    inputs = failed.inputs if failed else {}
    return dict(inputs) if resumes else {k: v for k, v in inputs.items() if k == "feedback"}


def _must_exist(services: Services, owner_id: str, project_id: str, modification_id: str) -> None:
    load_owned(services.store, owner_id, project_id)
    _read(services, project_id, modification_id)


def _read(services: Services, project_id: str, modification_id: str) -> Modification:
    item = services.store.get(keys.modification(project_id, modification_id))
    if item is None:
        raise NotFound(f"The project has no modification '{modification_id}'")
    return parse(Modification, item)
