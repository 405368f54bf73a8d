"""Every way in which a task can end, with agents made for it."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from pydantic import BaseModel
from structlog.contextvars import bound_contextvars, get_contextvars
from structlog.testing import CapturingLogger

from agenticai_core import runs
from agenticai_core.clock import now, parse
from agenticai_core.errors import NotFound, Unavailable, UnsafePath
from agenticai_core.models import Action, Outcome, TaskStatus, Usage
from agenticai_core.rows import load
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import ConditionFailed, StoreConflict, StoreUnavailable
from agenticai_worker import run, runner
from agenticai_worker.llm.base import (
    Generation,
    MalformedReply,
    PermanentModelError,
    Prompt,
    TransientModelError,
)
from agenticai_worker.run import Run, Worker
from agenticai_worker.runner import run_task
from agenticai_worker.sandbox.base import Command, Finished, Level
from agenticai_worker.work import PermanentFailure, TransientFailure

from .conftest import World

Agent = Callable[[Run, Any], Outcome]
PROMPT = Prompt("plan", {}, max_output_tokens=100)


class StreamingModel:
    """Streams pieces with pauses; ``fails`` with an error after them."""

    name = "fake"
    llm = True

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.pause = 0.0
        self.fails: Exception | None = None
        self.timeouts: list[float] = []

    def generate(
        self,
        prompt: Prompt,
        schema: type[BaseModel] | None = None,
        on_text: Callable[[str], None] | None = None,
        timeout: float = 120.0,
    ) -> Generation[Any]:
        self.timeouts.append(timeout)
        for piece in self.pieces:
            time.sleep(self.pause)
            if on_text is not None:
                on_text(piece)
        if self.fails is not None:
            raise self.fails
        return Generation(None, "".join(self.pieces), Usage(input_tokens=7, output_tokens=3))

    def count_tokens(self, prompt: Prompt) -> int:
        return 20


class FakeSandbox:
    level: Level = "none"
    missing = ("everything",)

    def run(self, command: Command) -> Finished:
        return Finished(0, "", "", {}, seconds=1.5)


class Bench:
    """Runs the world's task with an agent of the test's own."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.model = StreamingModel()
        self._monkeypatch = monkeypatch

    def settings(self, **changes: Any) -> None:
        self.world.settings = Settings(**changes)

    def run(self, agent: Agent) -> None:
        world = self.world
        self._monkeypatch.setattr(runner, "AGENTS", {Action.PLAN: agent})
        worker = Worker(world.services, world.settings, self.model, FakeSandbox())
        run_task(worker, world.project_id, world.task_id)

    def fails_with(self, error: Exception) -> None:
        def agent(run: Run, tools: Any) -> Outcome:
            raise error

        self.run(agent)


def noting(made: list[str], name: str) -> Callable[[], bytes]:
    """A unit's producer that notes when it is called."""

    def produce() -> bytes:
        made.append(name)
        return name.encode()

    return produce


@pytest.fixture
def bench(world: World, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(world, monkeypatch)


# ---- ends ---------------------------------------------------------------------------------------


def test_a_good_end_tells_what_was_done_and_how_long_it_took(bench: Bench) -> None:
    def agent(run: Run, tools: Any) -> Outcome:
        run.ask(PROMPT)
        tools.sandbox.run(Command(["python"], {}, timeout=5))
        return Outcome(outputs={"plan": "p"}, summary="planned")

    bench.run(agent)

    world = bench.world
    assert world.task.status is TaskStatus.SUCCEEDED
    assert [event.type for event in world.log][:3] == [
        "project_created",
        "task_started",
        "task_succeeded",
    ]
    told = world.told("task_succeeded")[0]
    assert (told["agent"], told["action"], told["summary"]) == ("pm", "plan", "planned")
    assert told["sandbox_seconds"] == 1.5
    assert 0 <= told["model_seconds"] <= told["seconds"] < 60
    assert world.queue.sent[-1][2].endswith(".02.generate")
    assert world.project.usage == Usage(input_tokens=7, output_tokens=3)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (PermanentFailure("NO_PLAN", "There is nothing to plan"), "NO_PLAN", "nothing to plan"),
        (PermanentModelError("The key is wrong", code="MODEL_KEY"), "MODEL_KEY", "key is wrong"),
        (UnsafePath("Unsafe path '/x'"), "UNSAFE_PATH", "/x"),
    ],
)
def test_a_permanent_error_fails_at_once_with_its_reason(
    bench: Bench, error: Exception, code: str, message: str
) -> None:
    bench.fails_with(error)

    world = bench.world
    assert world.task.status is TaskStatus.FAILED
    assert world.project.status == "failed"
    failure = world.project.failure
    assert failure is not None
    assert failure.code == code
    assert message in failure.message
    assert world.told("task_failed")[0]["code"] == code
    assert world.told("project_failed")[0]["code"] == code


@pytest.mark.parametrize("error", [RuntimeError("secret=hunter2"), KeyError("hunter2")])
def test_an_unexpected_error_tells_nothing_of_the_inside(
    bench: Bench, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = CapturingLogger()
    monkeypatch.setattr(runner, "_log", log)
    bench.fails_with(error)

    failure = bench.world.project.failure
    assert failure is not None
    assert failure.code == "INTERNAL_ERROR"
    assert "hunter2" not in str(bench.world.log) + str(failure)
    assert log.calls[0].method_name == "exception"  # the log has it


def test_a_worker_that_dies_again_and_again_ends_the_task(bench: Bench) -> None:
    for _ in range(3):
        bench.world.taken()
        bench.world.expire()

    bench.fails_with(AssertionError("no agent is asked"))

    failure = bench.world.project.failure
    assert failure is not None
    assert failure.code == "WORKER_LOST"
    assert "3 times" in failure.message


def test_a_task_that_is_being_worked_on_is_left_alone(bench: Bench) -> None:
    bench.world.taken()
    before = bench.world.log

    bench.fails_with(RuntimeError("must not be called"))

    assert bench.world.log == before


def test_a_task_leaves_the_logs_context_as_it_was(bench: Bench) -> None:
    bound: list[dict[str, Any]] = []

    def agent(run: Run, tools: Any) -> Outcome:
        bound.append(get_contextvars())
        return Outcome(outputs={"plan": "p"})

    with bound_contextvars(service="worker-pm"):
        bench.run(agent)
        after = get_contextvars()

    ids = {"project_id": bench.world.project_id, "task_id": bench.world.task_id, "user_id": "me"}
    assert bound == [{"service": "worker-pm", **ids}]
    assert after == {"service": "worker-pm"}


# ---- transient errors ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        TransientFailure("slow down"),
        TransientModelError("429", refused=True),
        StoreUnavailable("throttled"),
        StoreConflict("conflict"),
        ConditionFailed([0]),
        Unavailable("The bucket does not answer"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_transient_error_puts_the_task_back(bench: Bench, error: Exception) -> None:
    bench.fails_with(error)

    world = bench.world
    assert (world.task.status, world.task.retries) == (TaskStatus.QUEUED, 1)
    assert world.task.attempt == 1
    assert world.project.status == "planning"
    assert world.told("task_postponed")[0]["task_id"] == world.task_id
    assert len(world.queue.sent) == 2


def test_retries_are_bounded_and_wait_longer_each_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges: list[tuple[float, float]] = []

    def highest(low: float, high: float) -> float:
        ranges.append((low, high))
        return high

    monkeypatch.setattr(runner, "random", SimpleNamespace(uniform=highest))
    world = bench.world
    for _ in range(world.settings.max_retries + 1):
        bench.fails_with(TransientFailure("slow down"))

    assert ranges == [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16)]  # full jitter, doubling
    assert [delay for *_, delay in world.queue.sent[1:]] == [1, 2, 4, 8, 16]
    failure = world.project.failure
    assert failure is not None
    assert failure.code == "RETRIES_EXHAUSTED"
    assert "after 6 tries: slow down" in failure.message


def test_the_server_may_ask_for_a_longer_wait_but_not_for_ever(bench: Bench) -> None:
    bench.fails_with(TransientModelError("429", retry_after=40, refused=True))
    bench.fails_with(TransientFailure("later", retry_after=10_000))

    delays = [delay for *_, delay in bench.world.queue.sent[1:]]
    assert delays == [40, 900]
    due = (parse(bench.world.task.due_at or "") - now()).total_seconds()
    assert due > 890  # the sweeper does not come first


def test_progress_resets_the_retries(bench: Bench) -> None:
    bench.settings(max_retries=1)
    made: list[str] = []

    def agent(run: Run, tools: Any) -> Outcome:
        for n in range(5):
            run.unit(f"u{n}", noting(made, f"u{n}"))
            if run.progressed:
                raise TransientFailure("one at a time, please")
        return Outcome(outputs={"plan": "p"})

    for _ in range(6):
        bench.run(agent)

    assert bench.world.task.status is TaskStatus.SUCCEEDED
    assert made == ["u0", "u1", "u2", "u3", "u4"]


# ---- leaving ------------------------------------------------------------------------------------


def test_a_draining_node_stores_and_gives_back(bench: Bench, tmp_path: Path) -> None:
    flag = tmp_path / "drain"
    bench.settings(drain_file=str(flag))
    done: list[str] = []

    def agent(run: Run, tools: Any) -> Outcome:
        run.unit("first", noting(done, "first"))
        if run.progressed:  # the signal came during the first unit
            flag.touch()
        run.unit("second", noting(done, "second"))
        return Outcome(outputs={"plan": "p"})

    bench.run(agent)
    world = bench.world
    assert done == ["first"]
    assert (world.task.status, world.task.stalls) == (TaskStatus.QUEUED, 0)
    assert world.told("task_postponed")[0]["reason"] == "the node is stopping"
    assert len(world.queue.sent) == 2

    flag.unlink()
    bench.run(agent)
    assert done == ["first", "second"]
    assert world.task.status is TaskStatus.SUCCEEDED
    assert len(world.told("task_resumed")) == 1


def test_draining_is_no_stall_and_forgives_none(bench: Bench, tmp_path: Path) -> None:
    flag = tmp_path / "drain"
    bench.settings(drain_file=str(flag))
    bench.world.taken().put_back(0, stalls=2)
    flag.touch()

    bench.run(lambda run, tools: Outcome(outputs={"x": run.unit("u", lambda: b"").decode()}))

    assert (bench.world.task.status, bench.world.task.stalls) == (TaskStatus.QUEUED, 2)


def test_a_step_that_never_fits_the_time_ends_as_a_timeout(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_MARGIN", 10_000)  # no time is left from the start

    def agent(run: Run, tools: Any) -> Outcome:
        run.unit("big", lambda: b"never")
        return Outcome()

    stalls = []
    for _ in range(3):
        stalls.append(bench.world.task.stalls)
        bench.run(agent)

    assert stalls == [0, 1, 2]
    failure = bench.world.project.failure
    assert failure is not None
    assert failure.code == "TIMEOUT"
    assert [told["reason"] for told in bench.world.told("task_postponed")] == [
        "the time limit is near"
    ] * 2


def test_the_soft_limit_puts_back_in_plain_words(bench: Bench) -> None:
    bench.fails_with(SoftTimeLimitExceeded(300))

    assert bench.world.task.stalls == 1
    assert bench.world.told("task_postponed")[0]["reason"] == "the time limit is near"


def test_a_step_that_gets_further_each_time_is_no_stall(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def agent(run: Run, tools: Any) -> Outcome:
        for n in range(5):
            if f"u{n}" not in run.task.checkpoint and n > 0 and run.progressed:
                run._deadline = 0  # each run has time for one unit
            run.unit(f"u{n}", lambda: b"x")
        return Outcome(outputs={"plan": "p"})

    for _ in range(5):
        bench.run(agent)

    assert bench.world.task.status is TaskStatus.SUCCEEDED


def test_a_taken_over_task_stops_without_a_word(bench: Bench) -> None:
    def agent(run: Run, tools: Any) -> Outcome:
        bench.world.expire()
        bench.world.taken()
        run.unit("late", lambda: b"x")
        return Outcome(outputs={"plan": "p"})

    bench.run(agent)

    assert (bench.world.task.status, bench.world.task.fence) == (TaskStatus.RUNNING, 2)
    assert bench.world.task.checkpoint == {}
    assert bench.world.told("task_succeeded") == []


# ---- units --------------------------------------------------------------------------------------


def test_each_finished_unit_is_made_once(bench: Bench) -> None:
    made: list[str] = []
    crashes = iter([2, 4])

    def agent(run: Run, tools: Any) -> Outcome:
        stop = next(crashes, None)
        for n in range(6):
            if n == stop:
                raise TransientFailure("try again")
            name = f"u{n}"
            told = [run.event(name, "file_written", n=n)]
            result = run.unit(name, noting(made, name), lambda _, told=told: told)  # type: ignore[misc]
            assert result == name.encode()
        return Outcome(outputs={"plan": "p"})

    for _ in range(3):
        bench.run(agent)

    assert made == [f"u{n}" for n in range(6)]
    assert [told["n"] for told in bench.world.told("file_written")] == list(range(6))
    assert bench.world.task.status is TaskStatus.SUCCEEDED


def test_a_unit_whose_bytes_have_expired_is_made_again(bench: Bench) -> None:
    made: list[str] = []

    def agent(run: Run, tools: Any) -> Outcome:
        run.unit("u", noting(made, "u"), lambda _: [run.event("u", "file_written")])
        if len(made) == 1:
            raise TransientFailure("again")
        return Outcome(outputs={"plan": "p"})

    bench.run(agent)
    bench.world.files.delete_prefix("tmp/")
    bench.run(agent)

    assert made == ["u", "u"]
    assert len(bench.world.told("file_written")) == 1
    assert bench.world.task.status is TaskStatus.SUCCEEDED


def test_a_missing_input_is_named(bench: Bench) -> None:
    def agent(run: Run, tools: Any) -> Outcome:
        run.document("manifest", Outcome)
        return Outcome()

    bench.run(agent)

    failure = bench.world.project.failure
    assert failure is not None
    assert (failure.code, "'manifest'" in failure.message) == ("MISSING_INPUT", True)


# ---- the model ----------------------------------------------------------------------------------


def ask(run: Run, tools: Any) -> Outcome:
    run.ask(PROMPT)
    return Outcome(outputs={"plan": "p"})


def test_streamed_text_is_told_at_most_twice_a_second(bench: Bench) -> None:
    bench.model.pieces = [f"{n} " for n in range(150)]
    bench.model.pause = 0.01
    began = time.monotonic()

    bench.run(ask)

    seconds = time.monotonic() - began
    told = bench.world.told("agent_output")
    assert 2 <= len(told) <= 2 * seconds + 1
    text = "".join(event["text"] for event in told)
    assert "".join(bench.model.pieces).startswith(text)
    assert {(event["agent"], event["about"]) for event in told} == {("pm", "plan")}


def test_a_call_is_capped_by_the_time_that_is_left(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(ask)
    assert bench.model.timeouts == [bench.world.settings.model_timeout]
    bench.world.create()
    monkeypatch.setattr(run, "_MARGIN", 270)  # of 300 s

    bench.run(ask)

    assert 25 < bench.model.timeouts[1] <= 30


@pytest.mark.parametrize(
    ("error", "spent"),
    [
        (TransientModelError("429", refused=True), 0),  # nothing was generated
        (TransientModelError("timed out"), 120),  # perhaps all of it was: counted as spent
        (SoftTimeLimitExceeded(), 120),
    ],
)
def test_what_a_failed_call_may_have_cost_is_counted(
    bench: Bench, error: Exception, spent: int
) -> None:
    bench.model.fails = error
    bench.run(ask)
    bench.model.fails = None
    bench.world.taken()

    assert (bench.world.project.usage.total, bench.world.project.tokens_reserved) == (spent, 0)


def test_a_malformed_reply_costs_what_it_used(bench: Bench) -> None:
    def agent(run: Run, tools: Any) -> Outcome:
        with pytest.raises(MalformedReply):
            run.ask(PROMPT)
        assert bench.world.project.tokens_reserved == 0
        return Outcome(outputs={"plan": "p"})

    bench.model.fails = MalformedReply("no JSON", "x", Usage(output_tokens=9))
    bench.run(agent)

    assert bench.world.project.usage == Usage(output_tokens=9)


def test_a_call_that_is_refused_for_good_costs_what_it_used(bench: Bench) -> None:
    bench.model.fails = PermanentModelError("unsafe", usage=Usage(input_tokens=9))
    bench.run(ask)

    assert bench.world.project.failure is not None
    assert bench.world.project.usage == Usage(input_tokens=9)
    assert bench.world.project.tokens_reserved == 0


def test_a_call_beyond_the_budget_is_not_made(bench: Bench) -> None:
    bench.world.create(token_budget=119)  # a call may take 120

    bench.run(ask)

    assert bench.model.timeouts == []
    failure = bench.world.project.failure
    assert failure is not None
    assert failure.code == "BUDGET_EXCEEDED"


# ---- beside the work ----------------------------------------------------------------------------


def test_the_heartbeat_keeps_the_lease_and_ends_with_the_work(bench: Bench) -> None:
    bench.settings(lease_seconds=0.4, heartbeat_seconds=0.05)
    fences: list[int] = []

    def agent(run: Run, tools: Any) -> Outcome:
        until = time.monotonic() + 1
        while time.monotonic() < until:
            assert bench.world.take() is None, "the lease ran out beside its worker"
            time.sleep(0.02)
        fences.append(bench.world.task.fence)
        return Outcome(outputs={"plan": "p"})

    bench.run(agent)

    assert fences == [1]
    assert bench.world.task.status is TaskStatus.SUCCEEDED
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_a_cancel_stops_the_work_within_a_heartbeat(bench: Bench) -> None:
    bench.settings(heartbeat_seconds=0.02)
    done: list[int] = []

    def agent(run: Run, tools: Any) -> Outcome:
        runs.cancel(bench.world.services, "me", bench.world.project_id)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            run.check()
            time.sleep(0.01)
        done.append(1)
        return Outcome()

    bench.run(agent)

    assert done == []
    assert bench.world.project.status == "cancelled"


def test_an_outage_at_the_end_is_waited_for(bench: Bench) -> None:
    bench.settings(lease_seconds=20)

    def agent(run: Run, tools: Any) -> Outcome:
        bench.world.store.down = True
        threading.Timer(0.5, setattr, (bench.world.store, "down", False)).start()
        return Outcome(outputs={"plan": "p"})

    bench.run(agent)

    assert bench.world.task.status is TaskStatus.SUCCEEDED
    assert len(bench.world.told("task_succeeded")) == 1


def test_a_lost_answer_to_the_end_does_nothing_twice(bench: Bench) -> None:
    def agent(run: Run, tools: Any) -> Outcome:
        bench.world.store.lose = 1
        return Outcome(outputs={"plan": "p"})

    bench.run(agent)

    assert bench.world.task.status is TaskStatus.SUCCEEDED
    assert len(bench.world.told("task_succeeded")) == 1
    assert bench.world.project.active_task is not None  # due: the sweeper wakes it


# ---- housekeeping -------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Unavailable("no"), RuntimeError("access denied")])
def test_a_deletion_is_never_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    world = bench.world
    runs.delete_project(world.services, "me", world.project_id)
    world.task_id = world.queue.sent[-1][2]
    monkeypatch.setattr(world.files, "delete_prefix", lambda prefix: _raise(error))
    for _ in range(6):
        bench.fails_with(AssertionError("no agent deletes"))
    for _ in range(5):
        world.taken()
        world.expire()
    assert world.task.retries == 6

    monkeypatch.undo()
    bench.fails_with(AssertionError("no agent deletes"))

    assert world.store.query(keys.project_pk(world.project_id)).items == []
    with pytest.raises(NotFound):
        load(world.store, world.project_id)


def _raise(error: Exception) -> None:
    raise error
