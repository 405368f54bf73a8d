"""A task's lease in the table: take it, keep it, write under its fence, give it back."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    stop_all,
    wait_random_exponential,
)

from agenticai_core import events, telemetry, workflow
from agenticai_core.bootstrap import Services
from agenticai_core.change import FenceLost, spend_orphan, usage_writes, wake
from agenticai_core.clock import now, parse, stamp, stamp_in
from agenticai_core.errors import NotFound
from agenticai_core.models import Action, EventDraft, Modification, Project, Task, TaskStatus, Usage
from agenticai_core.rows import Snapshot, load, project_item, task_item
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import (
    Condition,
    ConditionFailed,
    Key,
    Put,
    StoreConflict,
    StoreUnavailable,
    Update,
    Write,
    equals,
)
from agenticai_worker.budget import check_budgets

_log = structlog.get_logger()

T = TypeVar("T")

MAX_ATTEMPTS = 3
# Tasks that only tidy up tell the user nothing.
_SILENT = frozenset({Action.MIRROR, Action.DELETE})


@dataclass
class Lease:
    """The right to write for one task, as long as the fence holds.

    ``project`` is what the last write under the fence has seen: after each unit, and before and
    after each call of a language model.
    """

    services: Services
    settings: Settings
    project: Project
    task: Task
    modification: Modification | None
    lost: threading.Event = field(default_factory=threading.Event)

    @property
    def exhausted(self) -> bool:
        """Whether workers have died over this task too often to try again."""
        return self.task.attempt > MAX_ATTEMPTS

    def renew(self) -> None:
        """Extend the lease; sets `lost` when the task is somebody else's by now."""
        until = stamp_in(self.settings.lease_seconds)
        due = keys.by_due(until, self.task.project_id, self.task.id)
        try:
            self.services.store.write(
                Update(
                    self._key,
                    set={"lease_until": until, "due_at": until, "GSI2SK": due["GSI2SK"]},
                    condition=self._mine(),
                )
            )
        except ConditionFailed:
            self.lost.set()
        except (StoreConflict, StoreUnavailable) as error:
            # The next beat tries again; the fence protects every write meanwhile.
            _log.warning("lease.not_renewed", task_id=self.task.id, error=str(error))

    def checkpoint(self, unit: str, key: str, drafts: Sequence[EventDraft]) -> None:
        """Record a unit's result and its events in one transaction, once."""

        def record(seen: Snapshot, task: Task) -> None:
            if task.checkpoint.get(unit) == key:
                return  # an earlier try succeeded and its answer was lost
            done = task.checkpoint | {unit: key}
            self.services.store.write(
                Update(
                    self._key,
                    set={"checkpoint": done, "updated_at": stamp(now())},
                    condition=self._mine(),
                ),
                *events.writes(self.task.project_id, seen.head.seq, drafts),
            )

        self._under_fence(record)
        self.task = self.task.model_copy(update={"checkpoint": self.task.checkpoint | {unit: key}})

    def reserve(self, tokens: int, microusd: int | None = 0) -> None:
        """Set aside what a model call may take; raises `PermanentFailure` when too little is left.

        ``microusd``: what it may cost, None where nobody knows.
        """

        before: list[int] = []

        def write(seen: Snapshot, task: Task) -> None:
            project = seen.project
            before.append(task.reservation)
            if task.reservation != before[0]:
                return  # an earlier try succeeded and its answer was lost
            check_budgets(project, tokens, microusd)
            self._write_budget(project, task, tokens, microusd or 0, Usage())

        self._under_fence(write)

    def settle(self, reserved: int, used: Usage, reserved_microusd: int | None = 0) -> None:
        """Replace a reservation by what the call really used."""

        before: list[int] = []

        def write(seen: Snapshot, task: Task) -> None:
            project = seen.project
            before.append(task.reservation)
            if task.reservation != before[0]:
                return  # an earlier try succeeded and its answer was lost
            self._write_budget(project, task, -reserved, -(reserved_microusd or 0), used)

        if reserved or used.total:
            self._under_fence(write)

    def put_back(self, delay: float, *, retries: int = 0, stalls: int = 0, why: str = "") -> None:
        """End this run without ending the task: it is queued again, ``delay`` s from now.

        ``retries`` and ``stalls`` are what the task counts from now on.
        """

        def write(seen: Snapshot, task: Task) -> None:
            again = task.model_copy(
                update={
                    "status": TaskStatus.QUEUED,
                    "lease_until": None,
                    "due_at": stamp_in(delay + self.settings.sweep_seconds),
                    "retries": retries,
                    "stalls": stalls,
                    "updated_at": stamp(now()),
                }
            )
            draft = EventDraft(
                id=f"{task.id}/back/{task.fence}",
                type="task_postponed",
                data={"task_id": task.id, "reason": why, "in_seconds": round(delay, 1)},
            )
            told = [] if task.action in _SILENT else [draft]
            self.services.store.write(
                Put(task_item(again), self._mine()),
                *events.writes(task.project_id, seen.head.seq, told),
            )

        self._under_fence(write)
        wake(self.services, self.task, delay)

    @property
    def _key(self) -> Key:
        return keys.task(self.task.project_id, self.task.id)

    def _mine(self) -> Condition:
        return equals("fence", self.task.fence) & equals("status", TaskStatus.RUNNING.value)

    def _write_budget(
        self, project: Project, task: Task, tokens: int, microusd: int, used: Usage
    ) -> None:
        """Add to what is reserved, and to what is used."""
        changed = project.model_copy(
            update={
                "usage": project.usage + used,
                "tokens_reserved": project.tokens_reserved + tokens,
                "cost_reserved_microusd": project.cost_reserved_microusd + microusd,
                "version": project.version + 1,
            }
        )
        held = {
            "reservation": task.reservation + tokens,
            "reservation_microusd": task.reservation_microusd + microusd,
        }
        self.services.store.write(
            Update(self._key, set=held, condition=self._mine()),
            Put(project_item(changed), equals("version", project.version)),
            *usage_writes(project, changed),
        )

    def _under_fence(self, write: Callable[[Snapshot, Task], None]) -> None:
        """Read, check that the fence still holds, write; again when others were faster."""

        def attempt() -> None:
            try:
                seen = load(self.services.store, self.task.project_id, self.task.id)
            except NotFound as error:
                raise FenceLost(self.task.id) from error
            task = seen.task
            if (
                task is None
                or task.fence != self.task.fence
                or task.status is not TaskStatus.RUNNING
            ):
                self.lost.set()
                raise FenceLost(self.task.id)
            self.project = seen.project
            write(seen, task)

        _retrying(attempt, self.settings.lease_seconds)


def take(services: Services, settings: Settings, project_id: str, task_id: str) -> Lease | None:
    """The lease, or None when there is nothing to do: the task has ended, or is being worked on.

    A task whose lease ran out counts as lost by its worker: one more attempt.
    """

    def attempt() -> Lease | None:
        try:
            seen = load(services.store, project_id, task_id)
        except NotFound:
            return None
        task = seen.task
        if task is None or not _free(task):
            return None
        if seen.head.closed and task.action is not Action.DELETE:
            return None
        project, taken = _taken(settings, seen.project, task)
        with telemetry.bind(request_id=taken.request_id):  # the event goes back to it as well
            _write_take(services, seen, project, taken)
        return Lease(services, settings, project, taken, seen.modification)

    return _retrying(attempt, settings.lease_seconds)


def _free(task: Task) -> bool:
    if task.status is TaskStatus.QUEUED:
        return True
    expired = task.lease_until is None or parse(task.lease_until) <= now()
    return task.status is TaskStatus.RUNNING and expired


def _taken(settings: Settings, project: Project, task: Task) -> tuple[Project, Task]:
    lost = task.status is TaskStatus.RUNNING
    until = stamp_in(settings.lease_seconds)
    taken = task.model_copy(
        update={
            "status": TaskStatus.RUNNING,
            "fence": task.fence + 1,
            "attempt": task.attempt + lost,
            "lease_until": until,
            "due_at": until,
            "sends": 0,
            "reservation": 0,
            "reservation_microusd": 0,
            "updated_at": stamp(now()),
        }
    )
    project = spend_orphan(project, task)
    status = workflow.on_start(task)
    if status is not None and project.status is not status:
        project = project.model_copy(update={"status": status, "model": settings.model})
    return project, taken


def _write_take(services: Services, seen: Snapshot, project: Project, taken: Task) -> None:
    before = seen.task
    if before is None:
        raise ValueError("the task to take is not in the snapshot")
    as_seen = equals("fence", before.fence) & equals("status", before.status.value)
    writes: list[Write] = [Put(task_item(taken), as_seen)]
    if project != seen.project:
        changed = project.model_copy(
            update={"version": project.version + 1, "updated_at": stamp(now())}
        )
        writes.append(Put(project_item(changed), equals("version", project.version)))
        writes += usage_writes(seen.project, changed)
    if taken.action not in _SILENT:
        writes += events.writes(taken.project_id, seen.head.seq, [_told(taken)])
    services.store.write(*writes)


def _told(task: Task) -> EventDraft:
    data = {
        "task_id": task.id,
        "agent": task.agent.value,
        "action": task.action.value,
        "attempt": task.attempt,
    }
    type_ = "task_started" if task.fence == 1 else "task_resumed"
    return EventDraft(id=f"{task.id}/take/{task.fence}", type=type_, data=data)


def _retrying(attempt: Callable[[], T], seconds: float) -> T:
    """Again when others were faster, and through an outage for at least ``seconds``.

    Giving up would cost more than waiting: the message, an attempt, or the work that is done.
    """
    return Retrying(
        retry=retry_if_exception_type((ConditionFailed, StoreConflict, StoreUnavailable)),
        stop=stop_all(stop_after_attempt(8), stop_after_delay(seconds)),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    )(attempt)
