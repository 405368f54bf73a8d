"""What is due is sent again, once, and by one of all sweepers."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agenticai_core import runs
from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, parse
from agenticai_core.errors import Unavailable
from agenticai_core.models import Agent, Failure, Outcome
from agenticai_core.queues import VISIBILITY, MemoryQueue
from agenticai_core.rows import task_item
from agenticai_core.store import keys
from agenticai_core.store.base import Put, Update
from agenticai_core.sweeping import sweep
from agenticai_worker.sweeper import Sweeper

from .conftest import World


def wait_for(look: Callable[[], Any], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def seconds_until_due(world: World) -> float:
    return (parse(world.task.due_at or "") - now()).total_seconds()


# ---- sweep --------------------------------------------------------------------------------------


def test_what_is_not_due_is_not_sent(world: World) -> None:
    assert sweep(world.services) == 0
    world.taken()
    assert sweep(world.services) == 0
    assert len(world.queue.sent) == 1


def test_a_due_task_is_sent_once_and_then_ever_more_rarely(world: World) -> None:
    waits = []
    for sends in range(1, 9):
        world.expire()
        assert [sweep(world.services) for _ in range(3)] == [1, 0, 0]
        assert world.task.sends == sends
        waits.append(round(seconds_until_due(world) / VISIBILITY[Agent.PM]))

    assert waits == [1, 2, 4, 8, 16, 32, 64, 64]
    assert world.queue.sent[1:] == [(Agent.PM, world.project_id, world.task_id, 0)] * 8


def test_a_task_that_is_taken_is_counted_anew(world: World) -> None:
    world.expire()
    sweep(world.services)

    world.taken()

    assert world.task.sends == 0


def test_the_sweep_brings_back_a_task_whose_worker_died(world: World) -> None:
    world.taken()
    world.expire()

    assert sweep(world.services) == 1
    assert world.taken().task.attempt == 2


def test_an_ended_task_is_due_no_more(world: World) -> None:
    fence = world.taken().task.fence
    failed = Outcome(failure=Failure(code="X", message="x"))
    runs.advance(world.services, world.project_id, world.task_id, fence, failed)

    row = world.store.get(keys.task(world.project_id, world.task_id))
    assert row is not None
    assert "GSI2PK" not in row
    assert row["due_at"] is None


def test_sweepers_at_once_send_a_task_once(world: World) -> None:
    for n in range(40):
        later = world.task.model_copy(update={"id": f"{world.task_id}{n}", "due_at": "2020"})
        world.store.write(Put(task_item(later)))
    start = threading.Barrier(4)

    def sweep_once(_: int) -> int:
        start.wait()
        return sweep(world.services)

    with ThreadPoolExecutor(4) as pool:
        sent = sum(pool.map(sweep_once, range(4)))

    again = [task_id for _, _, task_id, _ in world.queue.sent[1:]]
    assert sent == len(again) == len(set(again)) == 40


def test_a_backlog_is_sent_in_portions_oldest_first(world: World) -> None:
    shard = [f"t{n}" for n in range(200) if keys.by_due("", "", f"t{n}")["GSI2PK"] == "DUE#0"]
    for n, task_id in enumerate(shard):
        row = world.task.model_copy(update={"id": task_id, "due_at": f"20{20 + n % 5}#{n:03d}"})
        world.store.write(Put(task_item(row)))
    oldest = sorted(range(len(shard)), key=lambda n: (20 + n % 5, n))

    assert sweep(world.services, limit=5) == 5
    assert [sent[2] for sent in world.queue.sent[1:]] == [shard[n] for n in oldest[:5]]


def test_a_row_that_cannot_be_read_holds_up_nobody(world: World) -> None:
    broken = task_item(world.task.model_copy(update={"id": world.task_id + "x", "due_at": "2020"}))
    world.store.write(Put(broken | {"agent": "cook", **_due(world, "2020")}))
    world.expire()

    assert sweep(world.services) == 1


def _due(world: World, at: str) -> dict[str, str]:
    return keys.by_due(at, world.project_id, world.task_id)


class BrokenQueue(MemoryQueue):
    """Takes nothing."""

    def send(self, agent: Agent, project_id: str, task_id: str, delay: float = 0) -> None:
        raise Unavailable("The queue does not take messages")


def test_a_message_that_was_never_sent_comes_with_the_next_sweep(world: World) -> None:
    working = world.queue
    world.queue = BrokenQueue()
    lease = world.taken()
    outcome = Outcome(outputs={"plan": "p"})
    # Committed, although nobody could be woken.
    project = runs.advance(world.services, world.project_id, world.task_id, 1, outcome)
    assert lease.task.fence == 1
    world.queue = working
    world.task_id = project.active_task or ""
    assert 0 < seconds_until_due(world) <= world.services.sweep_seconds

    world.expire()
    sweep(world.services)

    assert working.sent[-1] == (Agent.DEV, world.project_id, world.task_id, 0)


def test_a_sweep_that_cannot_send_tries_again_soon(world: World) -> None:
    world.expire()
    broken = Services(world.store, world.files, BrokenQueue())

    assert [sweep(broken), sweep(broken)] == [0, 0]

    # There is no message whose visibility timeout would have to be waited for.
    assert 0 < seconds_until_due(world) <= broken.sweep_seconds
    assert world.task.sends == 0
    world.expire()
    assert sweep(world.services) == 1
    assert seconds_until_due(world) > 300  # moved on before it was sent: never a storm


# ---- the loop -----------------------------------------------------------------------------------


@pytest.fixture
def start() -> Any:
    """Starts sweepers in threads; stops them at the end."""
    stops: list[tuple[threading.Event, threading.Thread]] = []

    def begin(services: Services, seconds: float = 0.05) -> threading.Event:
        stop = threading.Event()
        thread = threading.Thread(target=Sweeper(services, seconds).run, args=(stop,))
        thread.start()
        stops.append((stop, thread))
        return stop

    yield begin
    for stop, thread in stops:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


def _holder(world: World) -> str:
    row = world.store.get(keys.lease("sweeper")) or {}
    return str(row.get("holder", ""))


def test_the_loop_sends_what_is_due(world: World, start: Any) -> None:
    world.expire()
    start(world.services)

    wait_for(lambda: len(world.queue.sent) == 2)


def test_one_of_two_sweepers_leads_until_it_dies(world: World, start: Any) -> None:
    first = start(world.services)
    wait_for(lambda: _holder(world))
    leader = _holder(world)
    start(world.services)
    rounds = world.store.writes + 6
    wait_for(lambda: world.store.writes > rounds)
    assert _holder(world) == leader

    first.set()

    wait_for(lambda: _holder(world) != leader)
    world.expire()
    wait_for(lambda: len(world.queue.sent) == 2)


def test_a_sweeper_without_the_lease_sends_nothing(world: World, start: Any) -> None:
    key = keys.lease("sweeper")
    fields = {"holder": "another", "until": "2999"}
    world.store.write(Update(key, set=fields))
    world.expire()
    tries = _Counting(world.store)
    start(Services(tries, world.files, world.queue))

    wait_for(lambda: tries.count > 3)

    assert len(world.queue.sent) == 1
    assert _holder(world) == "another"


class _Counting:
    def __init__(self, store: Any) -> None:
        self._store = store
        self.count = 0

    def write(self, *writes: Any, token: str | None = None) -> None:
        self.count += 1
        self._store.write(*writes, token=token)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_the_loop_outlives_an_outage(world: World, start: Any) -> None:
    world.store.down = True
    start(world.services)
    wait_for(lambda: world.store.refused > 2)
    world.store.down = False
    world.expire()

    wait_for(lambda: len(world.queue.sent) == 2)
