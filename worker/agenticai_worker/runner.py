"""Runs one task: lease, heartbeat, agent, and every way in which it can end.

The runner owns every retry. A message only says "look at this task now".
"""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from agenticai_core import housekeeping, metrics, runs, telemetry, tracing
from agenticai_core.change import FenceLost
from agenticai_core.clock import now, parse
from agenticai_core.errors import AgenticError, NotFound, Unavailable
from agenticai_core.models import (
    Action,
    Failure,
    Outcome,
    Task,
)
from agenticai_core.queues import MAX_DELAY, TIME_LIMITS
from agenticai_core.store.base import ConditionFailed, StoreConflict, StoreUnavailable
from agenticai_worker.agents import AGENTS, Tools
from agenticai_worker.lease import Lease, take
from agenticai_worker.llm.base import (
    PermanentModelError,
    TransientModelError,
)
from agenticai_worker.run import Leave, Run, Worker
from agenticai_worker.work import PermanentFailure, TransientFailure

_log = structlog.get_logger()

_MAX_STALLS = 2  # times that a task may run out of time without a new checkpoint
# Of the table: it did not answer, or others were faster again and again.
_STORE = (StoreUnavailable, StoreConflict, ConditionFailed)
_TRANSIENT = (TransientFailure, TransientModelError, Unavailable, *_STORE)


def run_task(worker: Worker, project_id: str, task_id: str) -> None:
    """Do the task if it is free to be done; otherwise leave it alone."""
    with telemetry.bind(project_id=project_id, task_id=task_id):
        lease = take(worker.services, worker.settings, project_id, task_id)
        if lease is None:
            _log.info("task.skipped")
            return
        if lease.task.fence == 1:
            age = (now() - parse(lease.task.created_at)).total_seconds()
            metrics.record(metrics.QUEUE_AGE, round(max(0.0, age), 3), lease.task.agent.value)
        _run_leased(worker, lease)
        metrics.flush()  # the process may be gone before a minute is over


def _run_leased(worker: Worker, lease: Lease) -> None:
    """With the ids of the request that the task goes back to on all that is logged and traced."""
    task, owner = lease.task, lease.project.owner_id
    with telemetry.bind(request_id=task.request_id, user_id=owner), tracing.task_span(task):
        try:
            with _beating(lease):
                _finish(worker, lease)
        except FenceLost:
            _log.warning("task.fence_lost")
        except NotFound:
            _log.info("task.project_gone")


def _finish(worker: Worker, lease: Lease) -> None:
    began = time.monotonic()
    run = Run(worker, lease, began)
    try:
        outcome = _perform(run)
    except Leave as error:
        _leave(run, str(error))
        return
    except SoftTimeLimitExceeded:
        _leave(run, "the time limit is near")
        return
    except _TRANSIENT as error:
        _retry(run, error)
        return
    if lease.task.action is Action.DELETE and outcome.failure is None:
        return  # its row is gone with the others
    seconds = round(time.monotonic() - began, 3)
    _measure(lease.task, seconds, failed=outcome.failure is not None)
    timings = run.timings | {"seconds": seconds}
    outcome = outcome.model_copy(update={"timings": timings})
    _advance(run, outcome)
    _log.info("task.ended", failure=outcome.failure and outcome.failure.code, **timings)


def _measure(task: Task, seconds: float, *, failed: bool) -> None:
    agent, limit = task.agent.value, TIME_LIMITS[task.agent][0]
    metrics.record(metrics.TASK_SECONDS, seconds, agent)
    metrics.record(metrics.TASK_LIMIT_USED, round(100 * seconds / limit, 1), agent)
    metrics.record(metrics.TASKS_FAILED, int(failed), agent)


def _perform(run: Run) -> Outcome:
    """The agent's outcome; a permanent error becomes a failure that the user can read."""
    task = run.task
    if run.lease.exhausted and not run.endless:
        message = f"The {task.agent.value} agent lost its worker {task.attempt - 1} times"
        return _failed("WORKER_LOST", message, "Ask again; if it repeats, look at the logs")
    services = run.worker.services
    try:
        if task.action is Action.MIRROR:
            housekeeping.mirror_current(services, task.project_id)
            return Outcome()
        if task.action is Action.DELETE:
            housekeeping.remove_project(services, task.project_id)
            return Outcome()
        tools = Tools(run.sandbox, run.worker.settings.required_sandbox)
        return AGENTS[task.action](run, tools)
    except PermanentFailure as error:
        return Outcome(failure=error.failure)
    except PermanentModelError as error:
        return _failed(error.code, str(error), error.hint or None)
    except Unavailable:
        raise
    except AgenticError as error:
        return _failed(error.code, error.message, error.hint)
    except (*_TRANSIENT, Leave, FenceLost, SoftTimeLimitExceeded):
        raise
    except Exception as error:
        _log.exception("task.crashed")
        if run.endless:
            raise TransientFailure("an unexpected error") from error
        message = f"The {task.agent.value} agent met an unexpected error in '{task.action.value}'"
        return _failed("INTERNAL_ERROR", message, "The worker's log has the details")


def _failed(code: str, message: str, hint: str | None = None) -> Outcome:
    return Outcome(failure=Failure(code=code, message=message, hint=hint))


def _leave(run: Run, why: str) -> None:
    """Put the task back, unless it has run out of time again and again without getting further."""
    stalls = 0 if run.progressed else run.task.stalls + (not run.draining)
    if stalls > _MAX_STALLS and not run.endless:
        message = f"The {run.task.agent.value} agent ran out of time {stalls} times in one step"
        outcome = _failed("TIMEOUT", message, "Describe a smaller piece of work")
        _advance(run, outcome)
        return
    retries = 0 if run.progressed else run.task.retries
    run.lease.put_back(0, retries=retries, stalls=stalls, why=why)


def _retry(run: Run, error: Exception) -> None:
    """Exponential back-off with full jitter, bounded by ``max_retries`` without progress."""
    settings, tries = run.worker.settings, 0 if run.progressed else run.task.retries
    if tries >= settings.max_retries and not run.endless:
        message = f"Gave up after {tries + 1} tries: {error}"
        _advance(run, _failed("RETRIES_EXHAUSTED", message, "Try again later"))
        return
    most = min(float(MAX_DELAY), settings.retry_base_seconds * 2 ** min(tries, 20))
    delay = random.uniform(0, most)  # noqa: S311
    delay = min(MAX_DELAY, max(delay, getattr(error, "retry_after", None) or 0))
    metrics.record(metrics.TASK_RETRIES, 1, run.task.agent.value)
    _log.warning("task.retrying", error=str(error)[:300], in_seconds=delay)
    stalls = 0 if run.progressed else run.task.stalls
    run.lease.put_back(delay, retries=tries + 1, stalls=stalls, why=str(error)[:300])


def _advance(run: Run, outcome: Outcome) -> None:
    """End the task. An outage is waited for as long as the lease would last: the work is done.

    When an answer was lost, the next try finds the fence gone, and the sweeper wakes what follows.
    """
    task = run.task
    heard = {"messages_shown": run.messages_shown, "messages_used": run.messages_used}
    outcome = outcome.model_copy(update=heard)
    for attempt in Retrying(
        retry=retry_if_exception_type(_STORE),
        stop=stop_after_delay(run.worker.settings.lease_seconds),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        reraise=True,
    ):
        with attempt:
            runs.advance(run.worker.services, task.project_id, task.id, task.fence, outcome)


@contextmanager
def _beating(lease: Lease) -> Iterator[None]:
    """Renew the lease beside the work until it is done or lost."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(lease.settings.heartbeat_seconds) and not lease.lost.is_set():
            lease.renew()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=10)
