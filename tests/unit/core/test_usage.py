"""What an owner used is counted by month and project, and outlives the project."""

import threading

from agenticai_core import usage
from agenticai_core.models import Usage
from agenticai_core.store import keys
from agenticai_core.store.base import Update
from agenticai_core.store.memory import MemoryStore

CALL = Usage(input_tokens=100, output_tokens=20, cost_microusd=7)


def settle(store: MemoryStore, owner: str, project: str, month: str | None = None) -> None:
    store.write(usage.usage_write(owner, project, CALL, month))


def test_a_month_in_which_nothing_happened_is_all_zeros() -> None:
    month = usage.read_month(MemoryStore(), "alice", "2026-01")

    assert (month.requests, month.projects, month.total) == (0, (), Usage())


def test_calls_add_up_by_project_and_in_all() -> None:
    store = MemoryStore()
    for project in ("proj_a", "proj_b", "proj_a"):
        settle(store, "alice", project, "2026-01")

    month = usage.read_month(store, "alice", "2026-01")

    assert [one.project_id for one in month.projects] == ["proj_a", "proj_b"]
    assert month.projects[0].usage == CALL + CALL
    assert month.total == CALL + CALL + CALL


def test_other_owners_and_months_are_not_counted() -> None:
    store = MemoryStore()
    settle(store, "alice", "proj_a", "2026-01")
    settle(store, "bob", "proj_b", "2026-01")
    settle(store, "alice", "proj_a", "2026-02")

    assert usage.read_month(store, "alice", "2026-01").total == CALL


def test_requests_are_those_that_the_quota_counted() -> None:
    store = MemoryStore()
    settle(store, "alice", "proj_a", "2026-01")
    store.write(Update(keys.usage("alice", "2026-01"), add={"requests": 40}))

    month = usage.read_month(store, "alice", "2026-01")

    assert (month.requests, month.total) == (40, CALL)


def test_without_a_month_it_is_the_current_one() -> None:
    store = MemoryStore()
    settle(store, "alice", "proj_a")

    assert usage.read_month(store, "alice", usage.current_month()).total == CALL


def test_more_projects_than_a_page_holds() -> None:
    store = MemoryStore()
    for number in range(230):
        settle(store, "alice", f"proj_{number:03d}", "2026-01")

    assert len(usage.read_month(store, "alice", "2026-01").projects) == 230


def test_no_call_is_lost_when_many_settle_at_once() -> None:
    store = MemoryStore()
    workers = [
        threading.Thread(target=settle, args=(store, "alice", "proj_a", "2026-01"))
        for _ in range(20)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert usage.read_month(store, "alice", "2026-01").total.input_tokens == 2000
