"""One run of a leased task: what its agent works with, and what that costs in time and tokens."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import structlog
from pydantic import BaseModel

from agenticai_core import content, events, metrics, tracing
from agenticai_core.bootstrap import Services
from agenticai_core.change import FenceLost
from agenticai_core.errors import NotFound
from agenticai_core.files.base import Files
from agenticai_core.models import (
    Action,
    EventDraft,
    Modification,
    Project,
    Task,
    Usage,
)
from agenticai_core.prices import find_price
from agenticai_core.queues import TIME_LIMITS
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import StoreConflict, StoreUnavailable
from agenticai_worker.lease import Lease
from agenticai_worker.llm.base import (
    Generation,
    LanguageModel,
    MalformedReply,
    PermanentModelError,
    Prompt,
    TransientModelError,
)
from agenticai_worker.sandbox.base import Command, Finished, Level, Sandbox
from agenticai_worker.work import PermanentFailure

T = TypeVar("T", bound=BaseModel)
_log = structlog.get_logger()

_MARGIN = 20.0  # s before the soft limit at which a task must have stored its work
_SAY_EVERY = 0.5  # s between two agent_output events of a task
_SAY_MOST = 4000  # characters of one agent_output event


class Leave(Exception):
    """Stop here and put the task back: the node drains, or the time is up."""


@dataclass(frozen=True)
class Worker:
    """What a worker process is made of."""

    services: Services
    settings: Settings
    model: LanguageModel
    sandbox: Sandbox


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
            self._measure_call(used, cost)
            self.lease.settle(reserved, used.model_copy(update={"cost_microusd": cost}), held)

        voice = _Voice(self, prompt.name)
        timeout = min(self.worker.settings.model_timeout, max(1.0, self.remaining()))
        began = time.monotonic()
        try:
            with tracing.model_span(model.name, prompt.name, prompt.max_output_tokens) as told:
                generation = model.generate(prompt, schema, voice.hear, timeout)
                told(generation.usage)
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

    def _measure_call(self, used: Usage, cost: int) -> None:
        agent = self.task.agent.value
        if self.llm:
            metrics.record(metrics.MODEL_CALLS, 1, agent)
            metrics.record(metrics.MODEL_TOKENS, used.total, agent)
            metrics.record(metrics.MODEL_COST, cost / 1_000_000, agent)

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
