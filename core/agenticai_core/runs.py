"""Use cases: create, modify, approve, reject, cancel, delete, advance, sweep.

Each reads a snapshot, decides by `workflow`, and commits one `RunChange`. When somebody else was
faster it reads and decides again.
"""

from collections.abc import Callable
from typing import Literal

import structlog
from pydantic import Field, field_validator

from agenticai_core import audit, content, environment, holdings, workflow
from agenticai_core.bootstrap import Services
from agenticai_core.change import FenceLost
from agenticai_core.clock import now, stamp
from agenticai_core.configuration import (
    CostBudget,
    Dependencies,
    EnvironmentVars,
    Tags,
    TokenBudget,
    to_microusd,
)
from agenticai_core.errors import WrongState
from agenticai_core.idempotency import Once, perform_once
from agenticai_core.ids import new_id
from agenticai_core.models import (
    Action,
    DeploymentConfig,
    Model,
    Modification,
    Outcome,
    Project,
    ProjectStatus,
    ProjectType,
    Task,
    TaskStatus,
)
from agenticai_core.retrying import retry_conflicts
from agenticai_core.rows import Snapshot, load, load_owned, parse
from agenticai_core.run_change import RunChange
from agenticai_core.store import keys
from agenticai_core.templates.models import TemplateSnapshot

_log = structlog.get_logger()

MAX_WAITING = 20
MAX_FEEDBACK = 4000  # characters of one rejection
MAX_HEARD = 12_000  # of all of a run, the latest

# What follows, and what the user gives to it.
Decision = tuple[workflow.Step, Outcome]


class NewProject(Model):
    """What a user gives to have a project written."""

    name: str = Field(min_length=1, max_length=100)
    type: ProjectType
    description: str = Field(min_length=1, max_length=20_000)
    approval: Literal["auto", "required"] = "auto"
    tags: Tags = ()
    dependencies: Dependencies = ()
    environment_vars: EnvironmentVars = Field(default_factory=dict)
    deployment_config: DeploymentConfig = DeploymentConfig()
    token_budget: TokenBudget | None = None
    cost_budget_usd: CostBudget | None = None

    @field_validator("name", "description")
    @classmethod
    def _not_blank(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("must not be blank")
        return text.strip()


def create_project(
    services: Services,
    owner_id: str,
    new: NewProject,
    once: Once | None = None,
    template: TemplateSnapshot | None = None,
) -> Project:
    """Store the project, its log and its first task in one transaction, then wake its agent.

    The values of its environment are stored before, apart from the table, and so is the template
    that it is to be made from. Raises `LimitReached`.
    """
    run = new_id("run")
    project = _begin(owner_id, run, new)
    values = {name: secret.get_secret_value() for name, secret in new.environment_vars.items()}

    def attempt() -> Project:
        one_more = holdings.count_in(
            services.store, owner_id, "projects", services.allowance.projects
        )
        made = environment.seal(services, project, values) if values else project
        told = {"name": project.name, "type": project.type.value}
        if template is not None:
            made = _with_template(services, made, template)
            told["template_id"] = template.template.id
        change = RunChange.creating(services, made, cause=run)
        change.add_write(one_more)
        change.tell("project_created", told)
        change.take_step(workflow.begin_creation(made), None)
        return change.commit(once=once)

    def create() -> Project:
        return perform_once(services.store, once, Project, attempt)

    if not values:
        return create()
    made = environment.forget_if_lost(services, project.id, create)
    if made.id != project.id:  # the same request was here before
        environment.forget(services, project.id)
    return made


def _with_template(services: Services, project: Project, template: TemplateSnapshot) -> Project:
    key = content.put_document(services.files, project.id, template)
    return project.model_copy(update={"template_id": template.template.id, "template_key": key})


def _begin(owner_id: str, run: str, new: NewProject) -> Project:
    at = stamp(now())
    return Project(
        id=new_id("proj"),
        owner_id=owner_id,
        active_run=run,
        created_at=at,
        updated_at=at,
        cost_budget_microusd=to_microusd(new.cost_budget_usd),
        **new.model_dump(exclude={"environment_vars", "cost_budget_usd"}),
    )


def request_modification(
    services: Services, owner_id: str, project_id: str, request: str, once: Once | None = None
) -> Modification:
    """Start a modification, or let it wait for the run under way.

    Raises `NotFound`, and `WrongState` when the project has ended without any code, is being
    deleted, or has 20 modifications waiting.
    """
    modification = Modification(
        id=new_id("mod"),
        project_id=project_id,
        request=request,
        requested_by=owner_id,
        requested_at=stamp(now()),
    )

    def attempt(seen: Snapshot) -> Modification:
        project = seen.project
        _must_be_modifiable(project)
        change = RunChange(services, seen, cause=modification.id)
        data = {"modification_id": modification.id, "request": request}
        change.tell("modification_requested", data)
        if project.active_run is None:
            stored = change.start_modification(modification)
        else:
            change.set(waiting=(*project.waiting, modification.id))
            stored = change.put_modification(modification)
        change.commit(once=once, result=stored)
        return stored

    return perform_once(
        services.store,
        once,
        Modification,
        lambda: attempt(load_owned(services.store, owner_id, project_id)),
    )


def approve(services: Services, owner_id: str, project_id: str, run: str | None = None) -> Project:
    """Let the run that waits for approval go on; ``run``: only if it is that one.

    Raises `NotFound`, `WrongState`.
    """

    def decide(seen: Snapshot) -> Decision:
        return workflow.approve(seen.project, seen.modification), Outcome()

    return _command(services, owner_id, project_id, decide, run)


def reject(
    services: Services,
    owner_id: str,
    project_id: str,
    feedback: str | None = None,
    run: str | None = None,
) -> Project:
    """Refuse the plan: with feedback it is made again, without the run ends.

    What was said about earlier plans of the same run still counts.
    """
    told = (feedback or "").strip()[:MAX_FEEDBACK]

    def decide(seen: Snapshot) -> Decision:
        step = workflow.reject(seen.project, seen.modification, told or None)
        before = seen.project.run_inputs.get("feedback", "")
        heard = f"{before}\n\n{told}".strip()[-MAX_HEARD:]
        return step, Outcome(outputs={"feedback": heard} if told else {})

    return _command(services, owner_id, project_id, decide, run)


def cancel(services: Services, owner_id: str, project_id: str, run: str | None = None) -> Project:
    """Stop the run under way; what it did so far is dropped. Raises `NotFound`, `WrongState`."""

    def decide(seen: Snapshot) -> Decision:
        return workflow.cancel(seen.project, seen.modification), Outcome()

    return _command(services, owner_id, project_id, decide, run)


def delete_project(
    services: Services, owner_id: str, project_id: str, key_id: str | None = None
) -> Project:
    """Close the project at once, and have its rows and objects removed by a task.

    ``key_id``: of the API key that asks for it, for the record that outlives the project.
    """
    run = new_id("del")

    def attempt(seen: Snapshot) -> Project:
        if seen.project.status is ProjectStatus.DELETING:
            return seen.project
        change = RunChange(services, seen, cause=run)
        busy = _revoke_current(services, change)
        change.tell("project_deleted", {})
        change.set(status=ProjectStatus.DELETING, active_run=run, waiting=(), run_inputs={})
        # A run that has just lost its task may still be writing an object: give it time to notice.
        delay = services.heartbeat_seconds if busy else 0
        task = change.add_task(run, 1, Action.DELETE, {}, delay=delay)
        change.set(active_task=task.id)
        entry = audit.new_entry(
            owner_id,
            "project_deleted",
            project_id,
            key_id=key_id,
            details={"name": seen.project.name, "revision": seen.project.revision},
        )
        change.add_write(audit.audit_write(entry))
        change.add_write(holdings.count_out(owner_id, "projects"))
        closed = change.commit(closes=True)
        audit.log_entry(entry)
        return closed

    return retry_conflicts(lambda: attempt(load_owned(services.store, owner_id, project_id)))


def advance(
    services: Services, project_id: str, task_id: str, fence: int, outcome: Outcome
) -> Project:
    """End a task under its fence and write what follows from it, in one transaction.

    Raises `FenceLost` when the task is no longer this run's, `NotFound` when the project is gone.
    """

    def attempt() -> Project:
        seen = load(services.store, project_id, task_id)
        task = seen.task
        if task is None or task.fence != fence or task.status is not TaskStatus.RUNNING:
            raise FenceLost(task_id)
        step = workflow.after(seen.project, seen.modification, task, outcome)
        change = RunChange(services, seen, cause=f"{task_id}/end")
        ended = TaskStatus.FAILED if outcome.failure else TaskStatus.SUCCEEDED
        change.end_task(task, ended, outcome.failure)
        if task.action not in (Action.MIRROR, Action.DELETE):
            _tell_end(change, task, outcome)
        change.take_step(step, seen.modification, task=task, outcome=outcome)
        return change.commit()

    return retry_conflicts(attempt)


def _command(
    services: Services,
    owner_id: str,
    project_id: str,
    decide: Callable[[Snapshot], Decision],
    run: str | None,
) -> Project:
    """A step that the user decides on; it takes the current task away from whoever runs it."""
    cause = new_id("cmd")

    def attempt(seen: Snapshot) -> Project:
        if run is not None:
            _must_be_active(seen.project, run)
        step, outcome = decide(seen)
        change = RunChange(services, seen, cause=cause)
        _revoke_current(services, change)
        change.take_step(step, seen.modification, outcome=outcome)
        return change.commit()

    return retry_conflicts(lambda: attempt(load_owned(services.store, owner_id, project_id)))


def _must_be_active(project: Project, run: str) -> None:
    if project.active_run != run:
        raise WrongState(
            f"'{run}' is not what the project is working on",
            hint="Look at its active_run",
            details={"active_run": project.active_run},
        )


def _revoke_current(services: Services, change: RunChange) -> bool:
    """Whether there was a task under way; its fence is bumped in the same transaction."""
    task_id = change.project.active_task
    item = services.store.get(keys.task(change.project.id, task_id)) if task_id else None
    if item is None:
        return False
    change.revoke_task(parse(Task, item))
    return True


def _must_be_modifiable(project: Project) -> None:
    if project.status is ProjectStatus.DELETING or (
        project.revision == 0 and project.status in workflow.TERMINAL
    ):
        raise WrongState(
            f"The project cannot be modified: it is {project.status.value}",
            hint="Create it again; a project without code has nothing to modify",
        )
    if len(project.waiting) >= MAX_WAITING:
        raise WrongState(
            f"{MAX_WAITING} modifications are waiting already",
            hint="Wait until some are applied, or cancel them",
        )


def _tell_end(change: RunChange, task: Task, outcome: Outcome) -> None:
    data = {"task_id": task.id, "agent": task.agent.value, "action": task.action.value}
    if outcome.failure is not None:
        change.tell("task_failed", data | outcome.failure.model_dump(exclude_none=True))
        return
    change.tell("task_succeeded", data | {"summary": outcome.summary} | outcome.timings)
