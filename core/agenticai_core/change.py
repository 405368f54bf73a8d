"""One transaction over a project: what is written, what is told, whom to wake afterwards.

A change starts from a `Snapshot` and commits everything or nothing, on the condition that the
project is still at the version that was seen.
"""

from dataclasses import dataclass, field
from typing import Any, Self

import structlog

from agenticai_core import events, telemetry, tracing, workflow
from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, stamp, stamp_in
from agenticai_core.errors import Unavailable
from agenticai_core.events import Head
from agenticai_core.idempotency import Once
from agenticai_core.models import (
    Action,
    EventDraft,
    Failure,
    Model,
    Modification,
    Project,
    Revision,
    Task,
    TaskStatus,
    Usage,
)
from agenticai_core.rows import (
    Snapshot,
    modification_item,
    project_item,
    revision_item,
    task_item,
)
from agenticai_core.store.base import ConditionFailed, Put, Write, absent, equals
from agenticai_core.usage import usage_write

_log = structlog.get_logger()


class FenceLost(Exception):
    """Somebody else has the task now, or the user has ended it; this run must stop writing."""


@dataclass
class Change:
    """``cause`` begins the ids of its events: a task's id, or a command's."""

    services: Services
    seen: Snapshot
    cause: str
    project: Project = field(init=False)
    _new: bool = False
    _fenced: list[Write] = field(default_factory=list)
    _rows: dict[str, Write] = field(default_factory=dict)
    _drafts: list[EventDraft] = field(default_factory=list)
    _wake: list[tuple[Task, float]] = field(default_factory=list)

    @classmethod
    def creating(cls, services: Services, project: Project, cause: str) -> Self:
        """A change that brings the project and its empty log into being."""
        change = cls(services, Snapshot(project, Head(seq=0, closed=False)), cause)
        change._new = True
        return change

    def __post_init__(self) -> None:
        self.project = self.seen.project

    # ---- parts ----------------------------------------------------------------------------------

    def set(self, **fields: Any) -> None:
        """Change attributes of the project."""
        self.project = self.project.model_copy(update=fields)

    def tell(self, type_: str, data: dict[str, Any]) -> None:
        draft = EventDraft(id=f"{self.cause}/{len(self._drafts)}", type=type_, data=data)
        self._drafts.append(draft)

    def add_write(self, write: Write) -> None:
        """One more write of another kind, for this transaction."""
        self._rows[f"other {len(self._rows)}"] = write

    def put_modification(self, modification: Modification) -> Modification:
        self._rows[f"mod {modification.id}"] = Put(modification_item(modification))
        return modification

    def end_task(self, task: Task, status: TaskStatus, failure: Failure | None = None) -> None:
        """The task of this run ends; the write holds only under its fence."""
        ended = task.model_copy(
            update={
                "status": status,
                "failure": failure,
                "lease_until": None,
                "due_at": None,
                "reservation": 0,
                "reservation_microusd": 0,
                "updated_at": stamp(now()),
            }
        )
        self.project = spend_orphan(self.project, task)
        mine = equals("fence", task.fence) & equals("status", TaskStatus.RUNNING.value)
        self._fenced.append(Put(task_item(ended), mine))

    def revoke_task(self, task: Task) -> None:
        """Take the task away from whoever runs it: nothing of that run can be written any more."""
        revoked = task.model_copy(
            update={
                "status": TaskStatus.CANCELLED,
                "fence": task.fence + 1,
                "lease_until": None,
                "due_at": None,
                "reservation": 0,
                "reservation_microusd": 0,
                "updated_at": stamp(now()),
            }
        )
        self.project = spend_orphan(self.project, task)
        self._rows[f"task {task.id}"] = Put(task_item(revoked), equals("fence", task.fence))

    def add_task(
        self,
        run: str,
        step: int,
        action: Action,
        inputs: dict[str, str],
        *,
        round: int = 0,
        delay: float = 0,
        checkpoint: dict[str, str] | None = None,
    ) -> Task:
        """A new task, and its message ``delay`` s after the commit; ``checkpoint`` holds units
        that another task has finished already."""
        at = stamp(now())
        task = Task(
            id=f"{run}.{step:02d}.{action.value}",
            project_id=self.project.id,
            run=run,
            step=step,
            agent=workflow.AGENT_OF[action],
            action=action,
            round=round,
            inputs=inputs,
            checkpoint=checkpoint or {},
            due_at=stamp_in(self.services.sweep_seconds + delay),
            request_id=telemetry.request_id(),
            trace_parent=tracing.current_parent(),
            created_at=at,
            updated_at=at,
        )
        self._rows[f"task {task.id}"] = Put(task_item(task), absent())
        self._wake.append((task, delay))
        return task

    def next_revision(self, **fields: Any) -> Revision:
        """The revision that follows the current one, with these ``fields``."""
        return Revision(
            project_id=self.project.id,
            number=self.project.revision + 1,
            parent=self.project.revision,
            created_at=stamp(now()),
            **fields,
        )

    def promote(self, revision: Revision) -> None:
        """Make ``revision`` the current one; readers see it or its parent, nothing between."""
        number = revision.number
        self._rows[f"rev {number}"] = Put(revision_item(revision), absent())
        self.set(revision=number, plan_key=revision.plan_key, scores=revision.scores)
        self.add_task(f"rev_{number:06d}", 1, Action.MIRROR, {"manifest": revision.manifest_key})
        self.tell("revision_promoted", {"revision": number, "summary": revision.summary})

    # ---- the end --------------------------------------------------------------------------------

    def commit(
        self,
        token: str | None = None,
        *,
        closes: bool = False,
        once: Once | None = None,
        result: Model | None = None,
    ) -> Project:
        """Write everything in one transaction, then wake the workers of new tasks.

        ``once`` remembers ``result`` (None: the project) as the answer to the request.

        Raises `FenceLost`, `ConditionFailed` or `StoreConflict` (read again and retry), or
        `StoreUnavailable`.
        """
        seen = self.seen.project.version
        project = self.project.model_copy(
            update={"version": seen + (not self._new), "updated_at": stamp(now())}
        )
        log = events.writes(
            project.id, self.seen.head.seq, self._drafts, opens=self._new, closes=closes
        )
        condition = absent() if self._new else equals("version", seen)
        metadata = Put(project_item(project), condition)
        answered = once.writes(result or project) if once else []
        spent = usage_writes(self.seen.project, project)
        try:
            self.services.store.write(
                *self._fenced, metadata, *self._rows.values(), *log, *answered, *spent, token=token
            )
        except ConditionFailed as error:
            if self._fenced and 0 in error.failed:
                raise FenceLost(self.cause) from error
            raise
        for task, delay in self._wake:
            wake(self.services, task, delay)
        return project


def spend_orphan(project: Project, task: Task) -> Project:
    """Count a reservation that its call never settled as fully spent: it may well have been."""
    if not task.reservation and not task.reservation_microusd:
        return project
    return project.model_copy(
        update={
            "usage": project.usage
            + Usage(output_tokens=task.reservation, cost_microusd=task.reservation_microusd),
            "tokens_reserved": project.tokens_reserved - task.reservation,
            "cost_reserved_microusd": project.cost_reserved_microusd - task.reservation_microusd,
        }
    )


def usage_writes(before: Project, after: Project) -> list[Write]:
    """Count what a project's usage grows by, for the transaction that stores it: its owner's
    month knows the same, whatever becomes of the project."""
    grown = after.usage - before.usage
    return [] if grown == Usage() else [usage_write(after.owner_id, after.id, grown)]


def wake(services: Services, task: Task, delay: float = 0) -> bool:
    """Send the task's message; when the queue does not take it, the sweeper sends it later."""
    try:
        services.queue.send(task.agent, task.project_id, task.id, delay)
    except Unavailable as error:
        _log.warning("task.not_sent", task_id=task.id, error=error.message)
        return False
    return True
