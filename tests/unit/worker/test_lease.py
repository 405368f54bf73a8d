"""Who may work on a task, and what anybody else's writes come to."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from tenacity import wait_none

from agenticai_core import runs
from agenticai_core.change import FenceLost
from agenticai_core.clock import now, parse
from agenticai_core.errors import NotFound
from agenticai_core.models import EventDraft, Failure, Outcome, TaskStatus, Usage
from agenticai_core.rows import task_item
from agenticai_core.store import keys
from agenticai_core.store.base import Put, StoreUnavailable, Write
from agenticai_worker import lease as lease_module
from agenticai_worker.lease import MAX_ATTEMPTS, Lease
from agenticai_worker.work import PermanentFailure

from .conftest import World

DRAFT = EventDraft(id="t/unit", type="file_written", data={"path": "a.py"})


# ---- take ---------------------------------------------------------------------------------------


def test_a_queued_task_is_taken(world: World) -> None:
    lease = world.taken()

    assert (lease.task.fence, lease.task.attempt) == (1, 1)
    assert world.task == lease.task
    assert world.task.status is TaskStatus.RUNNING
    until = (parse(world.task.lease_until or "") - now()).total_seconds()
    assert 80 < until <= world.settings.lease_seconds
    assert world.task.due_at == world.task.lease_until  # the sweeper looks when the lease ends
    assert world.project.status == "planning"
    assert world.told("task_started") == [
        {"task_id": world.task_id, "agent": "pm", "action": "plan", "attempt": 1}
    ]


def test_a_duplicate_message_finds_a_live_lease_and_leaves(world: World) -> None:
    lease = world.taken()
    before = world.log

    assert [world.take() for _ in range(3)] == [None, None, None]
    assert world.task == lease.task
    assert world.log == before


def test_of_many_deliveries_at_once_one_takes_the_task(world: World) -> None:
    start = threading.Barrier(8)

    def deliver(_: int) -> Lease | None:
        start.wait()
        return world.take()

    with ThreadPoolExecutor(8) as pool:
        leases = [lease for lease in pool.map(deliver, range(8)) if lease is not None]

    assert len(leases) == 1
    assert len(world.told("task_started")) == 1


def test_an_expired_lease_is_taken_over_as_one_more_attempt(world: World) -> None:
    world.taken()
    world.expire()

    lease = world.taken()

    assert (lease.task.fence, lease.task.attempt) == (2, 2)
    assert world.told("task_resumed")[0]["attempt"] == 2


def test_giving_back_is_no_attempt(world: World) -> None:
    for _ in range(2 * MAX_ATTEMPTS):
        world.taken().put_back(0)

    assert world.taken().task.attempt == 1


def test_the_fourth_attempt_is_one_too_many(world: World) -> None:
    exhausted = []
    for _ in range(MAX_ATTEMPTS + 1):
        exhausted.append(world.taken().exhausted)
        world.expire()

    assert exhausted == [False] * MAX_ATTEMPTS + [True]


@pytest.mark.parametrize("failure", [None, Failure(code="X", message="x")])
def test_an_ended_task_is_left_alone(world: World, failure: Failure | None) -> None:
    fence = world.taken().task.fence
    runs.advance(world.services, world.project_id, world.task_id, fence, Outcome(failure=failure))

    assert world.take() is None


def test_what_does_not_exist_is_left_alone(world: World) -> None:
    world.task_id = "run_none.01.plan"
    assert world.take() is None
    world.project_id = "proj_none"
    assert world.take() is None


# ---- the fence ----------------------------------------------------------------------------------


def _use(lease: Lease, write: str) -> None:
    match write:
        case "checkpoint":
            lease.checkpoint("unit", "key", [DRAFT])
        case "reserve":
            lease.reserve(10)
        case "settle":
            lease.settle(0, Usage(input_tokens=5))
        case "put_back":
            lease.put_back(1)
        case _:
            task = lease.task
            outcome = Outcome(outputs={"plan": "p"})
            runs.advance(lease.services, task.project_id, task.id, task.fence, outcome)


@pytest.mark.parametrize("write", ["checkpoint", "reserve", "settle", "put_back", "advance"])
@pytest.mark.parametrize("how", ["taken over", "cancelled", "ended", "deleted"])
def test_a_lost_lease_writes_nothing(world: World, write: str, how: str) -> None:
    lease = world.taken()
    if how == "taken over":
        world.expire()
        world.taken()
    elif how == "cancelled":
        runs.cancel(world.services, "me", world.project_id)
    elif how == "deleted":
        runs.delete_project(world.services, "me", world.project_id)
    else:
        failed = Outcome(failure=Failure(code="X", message="x"))
        runs.advance(world.services, world.project_id, world.task_id, lease.task.fence, failed)
    before = (world.project, world.task, world.log, list(world.queue.sent))

    with pytest.raises(FenceLost):
        _use(lease, write)

    assert (world.project, world.task, world.log, world.queue.sent) == before


@pytest.mark.parametrize("write", ["checkpoint", "reserve", "settle", "put_back"])
def test_a_project_that_is_gone_is_a_lost_lease(world: World, write: str) -> None:
    from agenticai_core import housekeeping

    lease = world.taken()
    housekeeping.remove_project(world.services, world.project_id)

    with pytest.raises(FenceLost):
        _use(lease, write)
    with pytest.raises(NotFound):
        _use(lease, "advance")
    lease.renew()
    assert lease.lost.is_set()
    assert world.store.query(keys.project_pk(world.project_id)).items == []


def test_renewing_keeps_the_lease(world: World) -> None:
    lease = world.taken()
    world.expire()

    lease.renew()

    assert not lease.lost.is_set()
    assert world.take() is None
    assert world.task.due_at == world.task.lease_until
    row = world.store.get(keys.task(world.project_id, world.task_id))
    assert row is not None
    assert row["GSI2SK"].startswith(world.task.due_at)


def test_renewing_tells_when_somebody_else_has_the_task(world: World) -> None:
    lease = world.taken()
    world.expire()
    other = world.taken()

    lease.renew()

    assert lease.lost.is_set()
    assert world.task == other.task


def test_a_beat_that_finds_no_table_is_no_loss(world: World) -> None:
    lease = world.taken()
    world.store.down = True
    lease.renew()
    world.store.down = False

    assert not lease.lost.is_set()
    lease.checkpoint("unit", "key", [])


@pytest.fixture
def outage(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Begins an outage that ends when thirty writes have met it, none of which waits."""
    monkeypatch.setattr(lease_module, "wait_random_exponential", lambda **_: wait_none())
    write = world.store.write

    def meet(*writes: Write, token: str | None = None) -> None:
        world.store.down = world.store.refused < 30
        write(*writes, token=token)

    return lambda: monkeypatch.setattr(world.store, "write", meet)


def test_what_was_done_is_kept_through_an_outage(world: World, outage: Callable[[], None]) -> None:
    lease = world.taken()
    outage()

    lease.checkpoint("unit", "key", [DRAFT])

    assert world.task.checkpoint == {"unit": "key"}
    assert len(world.told("file_written")) == 1


def test_a_message_is_kept_through_an_outage(world: World, outage: Callable[[], None]) -> None:
    outage()

    assert world.taken().task.attempt == 1


def test_a_task_is_put_back_through_an_outage(world: World, outage: Callable[[], None]) -> None:
    lease = world.taken()
    outage()

    lease.put_back(0)

    assert world.taken().task.attempt == 1


def test_an_outage_that_outlasts_the_lease_is_given_up(world: World) -> None:
    world.settings = world.settings.model_copy(update={"lease_seconds": 0.2})
    lease = world.taken()
    world.store.down = True

    with pytest.raises(StoreUnavailable):
        lease.checkpoint("unit", "key", [])


# ---- lost answers -------------------------------------------------------------------------------


def test_a_checkpoint_is_recorded_once_when_the_answer_is_lost(world: World) -> None:
    lease = world.taken()
    world.store.lose = 1

    lease.checkpoint("unit", "key", [DRAFT])

    assert world.task.checkpoint == {"unit": "key"} == lease.task.checkpoint
    assert len(world.told("file_written")) == 1


def test_a_reservation_is_made_once_when_the_answer_is_lost(world: World) -> None:
    lease = world.taken()
    world.store.lose = 1

    lease.reserve(100)

    assert (world.project.tokens_reserved, world.task.reservation) == (100, 100)


def test_a_call_is_settled_once_when_the_answer_is_lost(world: World) -> None:
    lease = world.taken()
    lease.reserve(100)
    world.store.lose = 1

    lease.settle(100, Usage(input_tokens=30, output_tokens=20))

    assert (world.project.tokens_reserved, world.task.reservation) == (0, 0)
    assert world.project.usage == Usage(input_tokens=30, output_tokens=20)


def test_a_task_whose_return_is_not_confirmed_comes_back_all_the_same(world: World) -> None:
    lease = world.taken()
    world.store.lose = 1

    with pytest.raises(FenceLost):
        lease.put_back(0)  # it is no longer ours: it may be somebody else's already

    assert world.taken().task.attempt == 1


# ---- the budget ---------------------------------------------------------------------------------


def test_a_call_beyond_the_budget_is_refused_with_what_is_left(world: World) -> None:
    world.create(token_budget=100)
    lease = world.taken()
    lease.reserve(60)
    lease.settle(60, Usage(output_tokens=50))

    with pytest.raises(PermanentFailure) as refused:
        lease.reserve(51)

    assert refused.value.failure.code == "BUDGET_EXCEEDED"
    assert "50 of the budget of 100 are left" in refused.value.failure.message
    lease.reserve(50)
    assert world.project.tokens_reserved == 50


def test_a_call_may_use_more_than_it_reserved(world: World) -> None:
    """An estimate may be wrong; what was really used counts."""
    lease = world.taken()
    lease.reserve(10)
    lease.settle(10, Usage(output_tokens=25))

    assert (world.project.usage.total, world.project.tokens_reserved) == (25, 0)


def test_an_unsettled_call_does_not_hide_the_next_one(world: World) -> None:
    lease = world.taken()
    lease.reserve(10)  # its answer never came
    lease.reserve(20)
    lease.settle(20, Usage(output_tokens=5))

    assert (world.project.tokens_reserved, world.task.reservation) == (10, 10)
    lease.put_back(0)
    world.taken()
    assert (world.project.tokens_reserved, world.project.usage.total) == (0, 15)


def test_tasks_at_once_never_overshoot_the_budget(world: World) -> None:
    world.create(token_budget=100)
    ids = [f"{world.task_id}{n}" for n in range(8)]
    for task_id in ids:
        world.store.write(Put(task_item(world.task.model_copy(update={"id": task_id}))))
    leases = []
    for world.task_id in ids:
        leases.append(world.taken())
    start = threading.Barrier(len(leases))

    def spend(lease: Lease) -> int:
        start.wait()
        granted = 0
        for _ in range(3):
            try:
                lease.reserve(15)
            except PermanentFailure as refused:
                assert refused.failure.code == "BUDGET_EXCEEDED"
                continue
            granted += 15
        return granted

    with ThreadPoolExecutor(len(leases)) as pool:
        granted = sum(pool.map(spend, leases))

    assert granted == world.project.tokens_reserved == 90


def test_an_orphaned_reservation_counts_as_spent_at_the_next_take(world: World) -> None:
    world.taken().reserve(70)
    world.expire()

    world.taken()

    assert (world.project.usage.total, world.project.tokens_reserved) == (70, 0)
    assert world.task.reservation == 0


@pytest.mark.parametrize("end", ["cancel", "delete", "advance"])
def test_whatever_ends_a_task_settles_its_reservation(world: World, end: str) -> None:
    lease = world.taken()
    lease.reserve(70)
    if end == "cancel":
        runs.cancel(world.services, "me", world.project_id)
    elif end == "delete":
        runs.delete_project(world.services, "me", world.project_id)
    else:
        _use(lease, "advance")

    assert (world.project.usage.total, world.project.tokens_reserved) == (70, 0)
    assert world.task.reservation == 0


# ---- cancel and delete during a run -------------------------------------------------------------


def test_a_cancelled_task_is_never_taken_again(world: World) -> None:
    world.taken()
    runs.cancel(world.services, "me", world.project_id)

    assert world.take() is None
    assert world.task.status is TaskStatus.CANCELLED
    assert world.project.status == "cancelled"


def test_a_deleted_project_has_one_task_left(world: World) -> None:
    lease = world.taken()
    runs.delete_project(world.services, "me", world.project_id)

    assert world.take() is None
    lease.renew()
    assert lease.lost.is_set()
    _, _, deletion, delay = world.queue.sent[-1]
    assert delay > 0  # the run that has just lost its task may still be writing an object
    world.task_id = deletion
    assert world.taken().task.action == "delete"
    assert world.told("task_started") == [world.told("task_started")[0]]  # the deletion is silent


def test_a_deletion_can_be_put_back(world: World) -> None:
    runs.delete_project(world.services, "me", world.project_id)
    world.task_id = world.queue.sent[-1][2]

    world.taken().put_back(5, retries=1)

    assert (world.task.status, world.task.retries) == (TaskStatus.QUEUED, 1)
    assert world.log[-1].type == "project_deleted"  # a closed log takes no more
