"""Buckets, shares of instances and failed authentications, against a clock of the tests' own."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenticai_core.errors import NotAuthenticated
from agenticai_core.limits.attempts import Attempts
from agenticai_core.limits.bucket import Buckets
from agenticai_core.limits.share import BEAT, MISSED, Heartbeat, Instances
from agenticai_core.limits.verdict import RateLimited, TooManyFailures
from agenticai_core.store import keys
from agenticai_core.store.base import StoreUnavailable
from agenticai_core.store.memory import MemoryStore

START = datetime(2099, 5, 31, 12, tzinfo=UTC)


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


class Outage(MemoryStore):
    """A table that can stop answering."""

    down = False

    def write(self, *writes, token=None):
        self._answer()
        super().write(*writes, token=token)

    def query(self, pk, **options):
        self._answer()
        return super().query(pk, **options)

    def _answer(self) -> None:
        if self.down:
            raise StoreUnavailable("the table does not answer")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def admitted(buckets: Buckets, count: int, name: str = "a") -> int:
    return sum(buckets.take(name).allowed for _ in range(count))


# ---- one bucket ---------------------------------------------------------------------------------

pauses = st.lists(
    st.one_of(st.just(0.0), st.floats(0, 0.02), st.floats(0, 3)), min_size=1, max_size=300
)


def worst_excess(times: list[float], rate: float, burst: float) -> float:
    """By how much the fullest window, of any length, holds more than it may."""
    return max(
        (last - first + 1) - (burst + rate * (times[last] - times[first]))
        for first in range(len(times))
        for last in range(first, len(times))
    )


@given(pauses=pauses, rate=st.integers(1, 50), burst=st.integers(1, 60))
def test_no_window_holds_more_than_burst_and_rate(pauses, rate, burst):
    clock, times = Clock(), []
    buckets = Buckets(rate, burst, clock=clock)
    for pause in pauses:
        clock.seconds += pause
        verdict = buckets.take("a")
        assert 0 <= verdict.remaining <= burst
        assert verdict.allowed == (verdict.wait == 0)
        times += [clock.seconds] if verdict.allowed else []

    assert worst_excess(times, rate, burst) < 1e-6


@given(rate=st.integers(1, 50), burst=st.integers(1, 60))
def test_whoever_waits_as_told_is_let_in_and_not_sooner(rate, burst):
    clock = Clock()
    buckets = Buckets(rate, burst, clock=clock)
    assert admitted(buckets, burst + 1) == burst
    wait = buckets.take("a").wait

    clock.seconds += wait * 0.99
    assert not buckets.take("a").allowed
    clock.seconds += wait * 0.01 + 1e-9
    assert buckets.take("a").allowed


def test_it_tells_what_is_left_and_when_all_is_back(clock):
    buckets = Buckets(100, 200, clock=clock)

    first = buckets.take("a")
    admitted(buckets, 199)
    refused = buckets.take("a")

    assert (first.limit, first.window, first.remaining) == (200, 2, 199)
    assert first.reset == pytest.approx(0.01)
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert refused.wait == pytest.approx(0.01)
    assert refused.reset == pytest.approx(2)
    assert RateLimited(refused).retry_after == 1


def test_names_have_buckets_of_their_own(clock):
    buckets = Buckets(1, 3, clock=clock)
    assert admitted(buckets, 10, "a") == 3
    assert admitted(buckets, 10, "b") == 3


def test_only_the_names_used_last_are_remembered(clock):
    buckets = Buckets(1, 1, clock=clock, capacity=3)
    for name in "abcabd":
        buckets.take(name)

    assert len(buckets) == 3
    assert not buckets.take("a").allowed
    assert not buckets.take("d").allowed
    assert buckets.take("c").allowed  # forgotten: it was not used for longest


def test_threads_do_not_get_more_than_one_after_the_other(clock):
    buckets = Buckets(1, 500, clock=clock)
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: admitted(buckets, 100), range(8)))
    assert sum(counts) == 500


def test_a_clock_that_goes_back_gives_and_takes_nothing(clock):
    buckets = Buckets(10, 10, clock=clock)
    admitted(buckets, 5)
    clock.seconds -= 100
    assert admitted(buckets, 20) == 5


# ---- several instances --------------------------------------------------------------------------


def instance(store, clock, rate=100, burst=200) -> tuple[Instances, Buckets]:
    instances = Instances(store, "api", clock=clock.now)
    return instances, Buckets(rate, burst, instances=instances.count, clock=clock)


def test_alone_it_has_the_whole(clock):
    instances, buckets = instance(MemoryStore(), clock)
    assert admitted(buckets, 300) == 200
    instances.beat()
    assert instances.count() == 1
    clock.seconds += 1
    assert admitted(buckets, 300) == 100


@pytest.mark.parametrize("many", [2, 3])
def test_together_they_give_the_whole_and_never_more(clock, many):
    store = MemoryStore()
    crowd = [instance(store, clock) for _ in range(many)]
    for _ in range(2):
        for instances, _ in crowd:
            instances.beat()
    assert [instances.count() for instances, _ in crowd] == [many] * many

    at_once = sum(admitted(buckets, 300) for _, buckets in crowd)
    clock.seconds += 1
    in_a_second = sum(admitted(buckets, 300) for _, buckets in crowd)

    assert 200 - many < at_once <= 200
    assert 100 - many < in_a_second <= 100 + many  # what was left over of a whole token


@given(
    arrivals=st.lists(st.tuples(st.floats(0, 0.05), st.integers(0, 2)), min_size=1, max_size=250)
)
def test_no_window_over_three_instances_holds_more_either(arrivals):
    clock, store, times = Clock(), MemoryStore(), []
    crowd = [instance(store, clock, 6, 9) for _ in range(3)]
    for instances, _ in crowd * 2:
        instances.beat()
    for pause, which in arrivals:
        clock.seconds += pause
        times += [clock.seconds] if crowd[which][1].take("a").allowed else []

    assert not times or worst_excess(times, 6, 9) < 1e-6


@given(
    arrivals=st.lists(st.floats(0, 0.2), min_size=1, max_size=120),
    established=st.integers(1, 3),
    joining=st.integers(1, 3),
)
def test_while_instances_join_the_excess_is_bounded(arrivals, established, joining):
    """The sum of 1/(N+j) over those who join: the bound of docs/decisions/0010."""
    clock, store, times = Clock(), MemoryStore(), []
    crowd = [instance(store, clock) for _ in range(established)]
    for instances, _ in crowd * 2:
        instances.beat()
    for _ in range(joining):  # the established have not beaten since
        crowd.append(instance(store, clock))
        crowd[-1][0].beat()
    for pause in arrivals:
        clock.seconds += pause
        for _, buckets in crowd:
            times += [clock.seconds] * admitted(buckets, 20)

    factor = 1 + sum(1 / (established + j) for j in range(1, joining + 1))
    assert worst_excess(times[:400], 100 * factor, 200 * factor) < 1e-6


def test_who_joins_takes_part_at_once_and_is_seen_at_the_next_beat(clock):
    store = MemoryStore()
    (first, old), (second, new) = instance(store, clock), instance(store, clock)
    first.beat()
    second.beat()
    assert (first.count(), second.count()) == (1, 2)
    assert admitted(old, 1) == 1  # 199 are left
    assert admitted(new, 300) == 100

    first.beat()

    assert first.count() == 2
    assert admitted(old, 300) == 100  # cut to the share


def test_who_leaves_is_gone_at_the_next_beat(clock):
    store = MemoryStore()
    (first, buckets), (second, _) = instance(store, clock), instance(store, clock)
    second.beat()
    first.beat()

    second.leave()
    assert first.count() == 2
    first.beat()

    assert first.count() == 1
    assert admitted(buckets, 300) == 200


def test_who_crashes_counts_until_three_beats_are_missed(clock):
    store = MemoryStore()
    (first, _), (second, _) = instance(store, clock), instance(store, clock)
    second.beat()
    seen = []
    for _ in range(MISSED + 1):
        first.beat()
        seen.append(first.count())
        clock.seconds += BEAT
    assert seen == [2, 2, 2, 1]


def test_without_the_table_the_last_share_stays(clock):
    store = Outage()
    (first, buckets), (second, _) = instance(store, clock), instance(store, clock)
    second.beat()
    first.beat()
    store.down = True
    clock.seconds += 10 * BEAT

    with pytest.raises(StoreUnavailable):
        first.beat()

    assert first.count() == 2
    assert admitted(buckets, 300) == 100


def test_services_are_counted_apart(clock):
    store = MemoryStore()
    Instances(store, "other", clock=clock.now).beat()
    one = Instances(store, "api", clock=clock.now)
    one.beat()
    assert one.count() == 1


# ---- the heartbeat ------------------------------------------------------------------------------


def rows(store) -> list[str]:
    return [item["SK"] for item in store.query(keys.instances_pk("api")).items]


def test_the_heartbeat_is_there_after_its_start_and_gone_after_its_stop():
    store, chores = MemoryStore(), threading.Event()
    heartbeat = Heartbeat(Instances(store, "api"), chores.set)

    heartbeat.start(10)
    assert len(rows(store)) == 1
    heartbeat.stop()

    assert rows(store) == []
    assert chores.is_set()
    assert "heartbeat" not in [thread.name for thread in threading.enumerate()]


def test_the_heart_goes_on_after_any_error():
    store, beats = MemoryStore(), iter(range(100))
    third = threading.Event()

    def chores() -> None:
        match next(beats):
            case 0:
                raise StoreUnavailable("no answer")
            case 1:
                raise RuntimeError("a fault of ours")
            case 2:
                third.set()

    heartbeat = Heartbeat(Instances(store, "api", beat_seconds=0.001), chores)
    heartbeat.start(10)
    assert third.wait(10)
    heartbeat.stop()
    assert rows(store) == []


def test_without_the_table_it_starts_and_stops_all_the_same():
    store = Outage()
    store.down = True
    heartbeat = Heartbeat(Instances(store, "api"), lambda: None)
    heartbeat.start(10)
    heartbeat.stop()
    assert "heartbeat" not in [thread.name for thread in threading.enumerate()]


# ---- failed authentications ---------------------------------------------------------------------


@pytest.fixture
def attempts(clock) -> Attempts:
    return Attempts(Buckets(20, 40, clock=clock))


def tries(attempts: Attempts, address: str, *credentials: str, error=NotAuthenticated) -> int:
    """How many of them are looked at; every one fails."""
    looked_at = 0
    for credential in credentials:
        try:
            with attempts.attempt(address, credential):
                looked_at += 1
                raise error("no")
        except (error, TooManyFailures):
            pass
    return looked_at


GUESSES = [f"agk_{n}" for n in range(100)]


def test_failures_of_one_address_are_few(attempts, clock):
    assert tries(attempts, "192.0.2.1", *GUESSES) == 40
    assert tries(attempts, "192.0.2.2", *GUESSES) == 40
    clock.seconds += 1
    assert tries(attempts, "192.0.2.1", *GUESSES) == 20


def test_all_of_an_ipv6_network_is_one_address(attempts):
    assert tries(attempts, "2001:db8::1", *GUESSES) == 40
    assert tries(attempts, "2001:db8::ffff:2", *GUESSES) == 0
    assert tries(attempts, "2001:db8:0:1::1", *GUESSES) == 40
    assert tries(attempts, "::ffff:192.0.2.1", *GUESSES) == 40
    assert tries(attempts, "192.0.2.1", *GUESSES) == 0
    assert tries(attempts, "", *GUESSES) == 40


def test_what_is_good_costs_nothing(attempts):
    for guess in GUESSES:
        with attempts.attempt("192.0.2.1", guess):
            pass
    assert tries(attempts, "192.0.2.1", *(f"other {guess}" for guess in GUESSES)) == 40


def test_an_outage_is_no_failure(attempts):
    assert tries(attempts, "192.0.2.1", *GUESSES, error=StoreUnavailable) == 100


def test_a_known_credential_gets_through_where_others_guess(attempts):
    with attempts.attempt("192.0.2.1", "agk_good"):
        pass
    tries(attempts, "192.0.2.1", *GUESSES)

    with attempts.attempt("192.0.2.1", "agk_good"):
        pass
    with pytest.raises(TooManyFailures) as refused, attempts.attempt("192.0.2.1", "agk_new"):
        pytest.fail("it was looked at")

    assert refused.value.retry_after == 1


def test_a_revoked_credential_is_known_no_longer(attempts):
    with attempts.attempt("192.0.2.1", "agk_good"):
        pass
    assert tries(attempts, "192.0.2.1", *["agk_good"] * 100) == 41


def test_only_the_credentials_used_last_are_known(clock):
    attempts = Attempts(Buckets(1, 1, clock=clock), capacity=1)
    for credential in ("a", "b"):
        with attempts.attempt("192.0.2.1", credential):
            pass
    tries(attempts, "192.0.2.1", "guess")
    assert tries(attempts, "192.0.2.1", "a") == 0
    assert tries(attempts, "192.0.2.1", "b") == 1
