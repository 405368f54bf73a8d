"""Runs one task: lease, heartbeat, agent, and every way in which it can end.

The runner owns every retry. A message only says "look at this task now".
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from pydantic import BaseModel
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from agenticai_core import content, events, housekeeping, runs
from agenticai_core.bootstrap import Services
from agenticai_core.change import FenceLost
from agenticai_core.errors import AgenticError, NotFound, Unavailable
from agenticai_core.files.base import Files
from agenticai_core.models import (
    Action,
    EventDraft,
    Failure,
    Modification,
    Outcome,
    Project,
    Task,
    Usage,
)
from agenticai_core.prices import find_price
from agenticai_core.queues import MAX_DELAY, TIME_LIMITS
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import ConditionFailed, StoreConflict, StoreUnavailable
from agenticai_worker.agents import AGENTS, Tools
from agenticai_worker.lease import Lease, take
from agenticai_worker.llm.base import (
    Generation,
    LanguageModel,
    MalformedReply,
    PermanentModelError,
    Prompt,
    TransientModelError,
)
from agenticai_worker.sandbox.base import Command, Finished, Level, Sandbox
from agenticai_worker.work import PermanentFailure, TransientFailure

T = TypeVar("T", bound=BaseModel)
_log = structlog.get_logger()

_MARGIN = 20.0  # s before the soft limit at which a task must have stored its work
_MAX_STALLS = 2  # times that a task may run out of time without a new checkpoint
_SAY_EVERY = 0.5  # s between two agent_output events of a task
_SAY_MOST = 4000  # characters of one agent_output event
# Of the table: it did not answer, or others were faster again and again.
_STORE = (StoreUnavailable, StoreConflict, ConditionFailed)
_TRANSIENT = (TransientFailure, TransientModelError, Unavailable, *_STORE)


class Leave(Exception):
    """Stop here and put the task back: the node drains, or the time is up."""


@dataclass(frozen=True)
class Worker:
    """What a worker process is made of."""

    services: Services
    settings: Settings
    model: LanguageModel
    sandbox: Sandbox


def run_task(worker: Worker, project_id: str, task_id: str) -> None:
    """Do the task if it is free to be done; otherwise leave it alone."""
    with structlog.contextvars.bound_contextvars(project_id=project_id, task_id=task_id):
        lease = take(worker.services, worker.settings, project_id, task_id)
        if lease is None:
            _log.info("task.skipped")
            return
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
    timings = run.timings | {"seconds": round(time.monotonic() - began, 3)}
    outcome = outcome.model_copy(update={"timings": timings})
    _advance(run, outcome)
    _log.info("task.ended", failure=outcome.failure and outcome.failure.code, **timings)


def _perform(run: "Run") -> Outcome:
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


def _leave(run: "Run", why: str) -> None:
    """Put the task back, unless it has run out of time again and again without getting further."""
    stalls = 0 if run.progressed else run.task.stalls + (not run.draining)
    if stalls > _MAX_STALLS and not run.endless:
        message = f"The {run.task.agent.value} agent ran out of time {stalls} times in one step"
        outcome = _failed("TIMEOUT", message, "Describe a smaller piece of work")
        _advance(run, outcome)
        return
    retries = 0 if run.progressed else run.task.retries
    run.lease.put_back(0, retries=retries, stalls=stalls, why=why)


def _retry(run: "Run", error: Exception) -> None:
    """Exponential back-off with full jitter, bounded by ``max_retries`` without progress."""
    settings, tries = run.worker.settings, 0 if run.progressed else run.task.retries
    if tries >= settings.max_retries and not run.endless:
        message = f"Gave up after {tries + 1} tries: {error}"
        _advance(run, _failed("RETRIES_EXHAUSTED", message, "Try again later"))
        return
    most = min(float(MAX_DELAY), settings.retry_base_seconds * 2 ** min(tries, 20))
    delay = random.uniform(0, most)  # noqa: S311
    delay = min(MAX_DELAY, max(delay, getattr(error, "retry_after", None) or 0))
    _log.warning("task.retrying", error=str(error)[:300], in_seconds=delay)
    stalls = 0 if run.progressed else run.task.stalls
    run.lease.put_back(delay, retries=tries + 1, stalls=stalls, why=str(error)[:300])


def _advance(run: "Run", outcome: Outcome) -> None:
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


@dataclass
class Run:
    """Implements `agenticai_worker.work.Work` for one leased task."""

    worker: Worker
    lease: Lease
    began: float
    timings: dict[str, float] = field(default_factory=dict)
    messages_shown: int = 0  # of the run's messages, so many have been in a prompt
    messages_used: int = 0
    _said: int = 0

    def __post_init__(self) -> None:
        self.checkpoints_at_start = len(self.lease.task.checkpoint)
        self.sandbox = _TimedSandbox(self)
        soft = TIME_LIMITS[self.lease.task.agent][0]
        self._deadline = self.began + soft - _MARGIN

    @property
    def project(self) -> Project:
        return self.lease.project

    @property
    def task(self) -> Task:
        return self.lease.task

    @property
    def modification(self) -> Modification | None:
        return self.lease.modification

    @property
    def files(self) -> Files:
        return self.worker.services.files

    @property
    def llm(self) -> bool:
        return self.worker.model.llm

    @property
    def draining(self) -> bool:
        flag = self.worker.settings.drain_file
        return flag is not None and Path(flag).exists()

    @property
    def progressed(self) -> bool:
        """Whether this run has finished a unit."""
        return len(self.task.checkpoint) > self.checkpoints_at_start

    @property
    def endless(self) -> bool:
        """A deletion is never given up: nothing could begin it again."""
        return self.task.action is Action.DELETE

    def remaining(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def check(self) -> None:
        if self.lease.lost.is_set():
            raise FenceLost(self.task.id)
        if self.draining:
            raise Leave("the node is stopping")
        if self.remaining() <= 0:
            raise Leave("the time limit is near")

    def document(self, name: str, model: type[T]) -> T:
        key = self.task.inputs.get(name)
        if not key:
            raise PermanentFailure("MISSING_INPUT", f"The step before left no '{name}'")
        return model.model_validate_json(self.files.get(key))

    def unit(
        self,
        name: str,
        produce: Callable[[], bytes],
        events: Callable[[bytes], Sequence[EventDraft]] | None = None,
    ) -> bytes:
        done = self.task.checkpoint.get(name)
        if done is not None:
            try:
                return self.files.get(done)
            except NotFound:
                _log.warning("unit.expired", unit=name)  # what waited too long is done again
        self.check()
        result = produce()
        digest = content.sha256(result)
        key = keys.unit_key(self.task.project_id, self.task.id, name, digest)
        self.files.put(key, result)
        self.lease.checkpoint(name, key, list(events(result)) if events else [])
        return result

    def event(self, step: str, type_: str, **data: Any) -> EventDraft:
        told = {"agent": self.task.agent.value, **data}
        return EventDraft(id=f"{self.task.id}/{step}", type=type_, data=told)

    def ask(self, prompt: Prompt, schema: type[T] | None = None) -> Generation[T]:
        self.check()
        model = self.worker.model
        most = self._most_of(prompt)
        price = find_price(model.name, self.worker.settings)
        reserved, held = most.total, price.microusd(most) if price else None
        if reserved:
            self.lease.reserve(reserved, held)

        def settle(used: Usage) -> None:
            cost = price.microusd(used) if price else 0
            self.lease.settle(reserved, used.model_copy(update={"cost_microusd": cost}), held)

        voice = _Voice(self, prompt.name)
        timeout = min(self.worker.settings.model_timeout, max(1.0, self.remaining()))
        began = time.monotonic()
        try:
            generation = model.generate(prompt, schema, voice.hear, timeout)
        except (MalformedReply, PermanentModelError) as error:
            settle(error.usage)
            raise
        except TransientModelError as error:
            # Without an answer there is no count. What the call may have cost stays reserved and
            # is counted as spent when this run ends: better too much than an overshoot.
            if error.refused:
                settle(Usage())
            raise
        finally:
            self._add("model_seconds", time.monotonic() - began)
            voice.flush()
        settle(generation.usage)
        self._note_messages(prompt, heeded=generation.heeded)
        return generation

    def _most_of(self, prompt: Prompt) -> Usage:
        """The most that an answer to this prompt can take."""
        model = self.worker.model
        if not model.llm:
            return Usage()
        return Usage(
            input_tokens=model.count_tokens(prompt), output_tokens=prompt.max_output_tokens
        )

    def _note_messages(self, prompt: Prompt, *, heeded: bool) -> None:
        shown = len(prompt.values.get("messages", ()))
        self.messages_shown = max(self.messages_shown, shown)
        if heeded:
            self.messages_used = max(self.messages_used, shown)

    def say(self, about: str, text: str) -> None:
        """Append streamed text to the log, outside every transaction; lost text harms nothing."""
        self._said += 1
        step = f"out/{self.task.fence}/{self._said}"
        draft = self.event(step, "agent_output", about=about, text=text)
        try:
            events.append(self.worker.services.store, self.task.project_id, [draft])
        except (StoreUnavailable, StoreConflict) as error:
            _log.warning("output.not_appended", error=str(error))

    def _add(self, name: str, seconds: float) -> None:
        self.timings[name] = round(self.timings.get(name, 0.0) + seconds, 3)


class _Voice:
    """Coalesces a model's streamed text into at most two events a second."""

    def __init__(self, run: Run, about: str) -> None:
        self._run = run
        self._about = about
        self._text = ""
        self._next = time.monotonic() + _SAY_EVERY

    def hear(self, text: str) -> None:
        self._text += text
        if time.monotonic() >= self._next:
            self._run.check()
            self.flush()

    def flush(self) -> None:
        if self._text.strip() and time.monotonic() >= self._next:
            self._run.say(self._about, self._text[-_SAY_MOST:])
            self._next = time.monotonic() + _SAY_EVERY
            self._text = ""


class _TimedSandbox:
    """The worker's sandbox; counts how long it ran, and never past the task's own time."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def level(self) -> Level:
        return self._run.worker.sandbox.level

    @property
    def missing(self) -> tuple[str, ...]:
        return self._run.worker.sandbox.missing

    def run(self, command: Command) -> Finished:
        self._run.check()
        capped = min(command.timeout, max(1.0, self._run.remaining()))
        finished = self._run.worker.sandbox.run(replace(command, timeout=capped))
        self._run._add("sandbox_seconds", finished.seconds)
        return finished
