"""The monthly quota: never exceeded, fully usable, and a write for each block at most."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenticai_core.limits.quota import IDLE, LARGEST, REFUSED_FOR, MonthlyQuota
from agenticai_core.limits.verdict import QuotaExceeded
from agenticai_core.store import keys
from agenticai_core.store.base import Put, StoreConflict, StoreUnavailable
from agenticai_core.store.memory import MemoryStore

START = datetime(2099, 5, 31, 12, tzinfo=UTC)
MAY, JUNE = "2099-05", "2099-06"


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class CountingStore(MemoryStore):
    """Counts writes, and can stop answering."""

    writes = 0
    down = False
    conflicts = 0  # so many writes still to come meet another transaction

    def get(self, key):
        self._answer()
        return super().get(key)

    def write(self, *writes, token=None):
        self._answer()
        if self.conflicts:
            self.conflicts -= 1
            raise StoreConflict("another transaction")
        self.writes += 1
        super().write(*writes, token=token)

    def _answer(self) -> None:
        if self.down:
            raise StoreUnavailable("the table does not answer")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


def counted(store, month=MAY, owner="alice") -> int:
    return (store.get(keys.usage(owner, month)) or {}).get("requests", 0)


def admitted(quota: MonthlyQuota, count: int, owner: str = "alice") -> int:
    return sum(quota.take(owner).allowed for _ in range(count))


def test_exactly_the_quota_is_admitted(store, clock):
    quota = MonthlyQuota(store, 1234, clock=clock)
    assert admitted(quota, 2000) == 1234
    assert counted(store) == 1234


def test_owners_have_quotas_of_their_own(store, clock):
    quota = MonthlyQuota(store, 50, clock=clock)
    assert admitted(quota, 60, "alice") == 50
    assert admitted(quota, 60, "bob") == 50


def test_it_tells_what_is_left_and_when_the_month_ends(store, clock):
    quota = MonthlyQuota(store, 20, clock=clock)

    first = quota.take("alice")
    admitted(quota, 19)
    refused = quota.take("alice")

    assert (first.limit, first.remaining, first.window) == (20, 19, 31 * 86400)
    assert first.reset == 12 * 3600
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert refused.wait == 12 * 3600
    assert QuotaExceeded(refused).retry_after == 12 * 3600


@given(
    quota=st.integers(1, 700),
    instances=st.integers(1, 4),
    arrivals=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 90)), max_size=25),
)
def test_any_number_of_instances_never_admit_more(quota, instances, arrivals):
    """And once all have asked until they were refused, all of it has been admitted."""
    store, clock = MemoryStore(), Clock()
    crowd = [
        MonthlyQuota(store, quota, instances=lambda: instances, clock=clock)
        for _ in range(instances)
    ]
    total = sum(admitted(crowd[which % instances], count) for which, count in arrivals)
    assert total <= quota
    assert total <= counted(store) <= quota

    total += sum(admitted(one, quota + 1) for one in crowd)

    assert total == quota
    assert not any(one.take("alice").allowed for one in crowd)


@given(
    quota=st.integers(1, 2000),
    instances=st.integers(1, 4),
    arrivals=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 200)), max_size=15),
    crashed=st.sets(st.integers(0, 3)),
)
def test_a_crash_loses_a_block_and_a_clean_stop_nothing(quota, instances, arrivals, crashed):
    store, clock = MemoryStore(), Clock()
    crowd = [MonthlyQuota(store, quota, clock=clock) for _ in range(instances)]
    total = sum(admitted(crowd[which % instances], count) for which, count in arrivals)

    lost = [which for which in range(instances) if which in crashed]
    for which, one in enumerate(crowd):
        if which not in lost:
            one.close()

    assert total <= counted(store) <= total + LARGEST * len(lost)


@settings(max_examples=10, deadline=None)
@given(quota=st.integers(1, 900), threads=st.integers(1, 6), instances=st.integers(1, 3))
def test_threads_of_several_instances_never_admit_more(quota, threads, instances):
    store = MemoryStore()
    crowd = [MonthlyQuota(store, quota, instances=lambda: instances) for _ in range(instances)]
    start = threading.Barrier(threads * instances)

    def ask(which: int) -> int:
        start.wait(10)
        return admitted(crowd[which % instances], quota)

    with ThreadPoolExecutor(threads * instances) as pool:
        total = sum(pool.map(ask, range(threads * instances)))

    assert total <= quota
    assert total + sum(admitted(one, quota) for one in crowd) == quota


def test_what_another_reserves_between_look_and_write_is_not_reserved_again(store, clock):
    one, other = (MonthlyQuota(store, 10, clock=clock) for _ in range(2))
    look, others = store.get, []

    def look_slowly(key):
        seen = look(key)
        if not others:
            others.append(0)  # only once
            others[0] = admitted(other, 20)
        return seen

    store.get = look_slowly
    assert admitted(one, 20) + others[0] == 10


def test_of_the_little_that_is_left_each_takes_its_part_only(store, clock):
    crowd = [MonthlyQuota(store, 12, instances=lambda: 3, clock=clock) for _ in range(2)]
    crowd[0].take("alice")
    assert counted(store) == 4
    crowd[1].take("alice")
    assert counted(store) == 6


# ---- what it costs ------------------------------------------------------------------------------


def test_a_brisk_owner_costs_a_write_per_hundred_requests(store, clock):
    quota = MonthlyQuota(store, 100_000, clock=clock)
    assert admitted(quota, 10_000) == 10_000
    assert store.writes <= 10_000 / LARGEST + 5


def test_a_slow_owner_holds_little(store, clock):
    quota = MonthlyQuota(store, 100_000, clock=clock)
    admitted(quota, 500)
    for _ in range(200):
        clock.pass_by(5)
        quota.take("alice")
    assert counted(store) - 700 <= 10
    assert store.writes < 40


def test_a_refused_owner_costs_a_look_now_and_then(store, clock):
    quota = MonthlyQuota(store, 10, clock=clock)
    admitted(quota, 10)
    writes = store.writes
    assert admitted(quota, 1) == 0

    store.down = True  # whoever looked at it now would get an error
    assert admitted(quota, 1000) == 0
    store.down = False
    clock.pass_by(REFUSED_FOR.total_seconds())
    assert admitted(quota, 1000) == 0
    assert store.writes == writes


def test_what_others_give_back_is_found_by_whom_was_refused(store, clock):
    one, other = (MonthlyQuota(store, 20, clock=clock) for _ in range(2))
    admitted(one, 1)
    assert admitted(other, 20) == 10
    one.close()
    assert admitted(other, 20) == 0

    clock.pass_by(REFUSED_FOR.total_seconds())

    assert admitted(other, 20) == 9


# ---- giving back --------------------------------------------------------------------------------


def test_a_clean_stop_gives_back_what_was_not_used(store, clock):
    quota = MonthlyQuota(store, 1000, clock=clock)
    admitted(quota, 3, "alice")
    admitted(quota, 4, "bob")

    quota.close()
    quota.close()

    assert (counted(store), counted(store, owner="bob")) == (3, 4)


def test_idle_owners_give_back_and_are_forgotten(store, clock):
    quota = MonthlyQuota(store, 1000, clock=clock)
    admitted(quota, 3, "alice")
    clock.pass_by(IDLE.total_seconds())
    admitted(quota, 4, "bob")

    quota.release_idle()

    assert (counted(store), counted(store, owner="bob")) == (3, 10)
    assert len(quota) == 1
    assert admitted(quota, 2000, "alice") == 997


def test_what_cannot_be_given_back_is_lost_and_nothing_else(store, clock):
    quota = MonthlyQuota(store, 1000, clock=clock)
    for owner in ("alice", "bob"):
        admitted(quota, 3, owner)
    store.down = True
    quota.close()
    store.down = False

    assert counted(store) == 10
    assert admitted(MonthlyQuota(store, 1000, clock=clock), 2000) == 990


def test_a_row_that_is_gone_takes_nothing_back(store, clock, monkeypatch):
    monkeypatch.setattr("agenticai_core.limits.quota.retry_conflicts", lambda attempt: attempt())
    quota = MonthlyQuota(store, 1000, clock=clock)
    admitted(quota, 3)
    key = keys.usage("alice", MAY)
    store.write(Put({"PK": key.pk, "SK": key.sk, "tokens": 5}))

    quota.close()

    assert store.get(key) == {"PK": key.pk, "SK": key.sk, "tokens": 5}


def test_requests_beside_a_release_are_counted_all_the_same(store, clock):
    quota = MonthlyQuota(store, 100_000, clock=clock)
    ended = threading.Event()

    def release() -> None:
        while not ended.is_set():
            quota.close()

    with ThreadPoolExecutor(5) as pool:
        releasing = pool.submit(release)
        total = sum(pool.map(lambda _: admitted(quota, 300), range(4)))
        ended.set()
        releasing.result(10)

    quota.close()
    assert total == counted(store) == 1200


# ---- the month ----------------------------------------------------------------------------------


def test_a_new_month_begins_at_nought(store, clock):
    quota = MonthlyQuota(store, 30, clock=clock)
    assert admitted(quota, 40) == 30
    clock.pass_by(12 * 3600 - 1)
    assert admitted(quota, 1) == 0

    clock.pass_by(1)

    assert quota.take("alice").reset == 30 * 86400
    assert admitted(quota, 40) == 29
    assert (counted(store, MAY), counted(store, JUNE)) == (30, 30)


def test_what_is_left_of_the_old_month_goes_back_to_it(store, clock):
    quota = MonthlyQuota(store, 1000, clock=clock)
    admitted(quota, 3)
    clock.pass_by(12 * 3600)
    admitted(quota, 4)

    quota.release_idle()
    assert (counted(store, MAY), counted(store, JUNE)) == (3, 10)
    quota.close()

    assert (counted(store, MAY), counted(store, JUNE)) == (3, 4)


# ---- outages ------------------------------------------------------------------------------------


def test_without_the_table_what_is_reserved_may_be_used_and_no_more(store, clock):
    quota = MonthlyQuota(store, 1000, clock=clock)
    admitted(quota, 1)
    store.down = True

    assert admitted(quota, 9) == 9
    with pytest.raises(StoreUnavailable):
        quota.take("alice")

    store.down = False
    assert admitted(quota, 2000) == 990


def test_a_conflict_is_tried_again(store, clock):
    store.conflicts = 2
    quota = MonthlyQuota(store, 1000, clock=clock)
    assert admitted(quota, 1) == 1
    store.conflicts = 2
    quota.close()
    assert counted(store) == 1


def test_a_lost_answer_loses_a_block_and_admits_nothing(clock):
    class Forgetful(MemoryStore):
        losing = True

        def write(self, *writes, token=None):
            super().write(*writes, token=token)
            if self.losing:
                raise StoreUnavailable("the answer got lost")

    store = Forgetful()
    quota = MonthlyQuota(store, 100, clock=clock)
    with pytest.raises(StoreUnavailable):
        quota.take("alice")
    store.losing = False

    assert admitted(quota, 200) == 90
    assert counted(store) == 100


def test_a_quota_that_was_lowered_refuses(store, clock):
    MonthlyQuota(store, 100, clock=clock).take("alice")
    lowered = MonthlyQuota(store, 5, clock=clock).take("alice")
    assert (lowered.allowed, lowered.remaining) == (False, 0)
