"""What authentication remembers: for moments, bounded, and never what was just changed here."""

import threading

import pytest
from pydantic import ValidationError

from agenticai_core.key_cache import MAX_AGE, KeyCache
from agenticai_core.models import ApiKey
from agenticai_core.settings import Settings


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> KeyCache:
    return KeyCache(capacity=3, clock=clock)


def key(name: str, revoked_at: str | None = None) -> ApiKey:
    return ApiKey(
        hash=name, id=name, owner_id="me", name=name, created_at="1", revoked_at=revoked_at
    )


def remember(cache: KeyCache, *names: str) -> None:
    cache.refresh(names, lambda: {name: key(name) for name in names})


def test_a_key_is_remembered_until_it_is_too_old(cache: KeyCache, clock: Clock) -> None:
    remember(cache, "a")
    clock.now += MAX_AGE - 0.01
    assert cache.get("a") == key("a")

    clock.now += 0.01

    assert cache.get("a") is None


def test_the_age_counts_from_the_beginning_of_the_read(cache: KeyCache, clock: Clock) -> None:
    def slow_read() -> dict[str, ApiKey]:
        clock.now += MAX_AGE
        return {"a": key("a")}

    assert cache.refresh(["a"], slow_read) == {"a": key("a")}

    assert cache.get("a") is None


def test_what_is_not_there_any_more_is_forgotten(cache: KeyCache) -> None:
    remember(cache, "a", "b")

    cache.refresh(["a", "b"], lambda: {"b": key("b")})

    assert (cache.get("a"), cache.get("b")) == (None, key("b"))


def test_revoked_keys_are_told_and_not_kept(cache: KeyCache) -> None:
    remember(cache, "a")
    revoked = key("a", revoked_at="2")

    assert cache.refresh(["a"], lambda: {"a": revoked}) == {"a": revoked}

    assert cache.get("a") is None


def test_a_read_that_fails_changes_nothing(cache: KeyCache) -> None:
    remember(cache, "a")

    with pytest.raises(ZeroDivisionError):
        cache.refresh(["a"], lambda: {"a": 1 / 0})  # type: ignore[dict-item]

    assert cache.get("a") == key("a")


def test_a_read_that_began_before_a_change_is_not_kept(cache: KeyCache) -> None:
    def read_while_it_is_revoked() -> dict[str, ApiKey]:
        cache.drop("a")
        return {"a": key("a")}

    cache.refresh(["a"], read_while_it_is_revoked)

    assert cache.get("a") is None


def test_it_holds_so_many_and_no_more(cache: KeyCache) -> None:
    for name in "abcde":
        remember(cache, name)

    assert len(cache) == 3
    assert [cache.get(name) is not None for name in "abcde"] == [False, False, True, True, True]


def test_threads_that_read_and_drop_leave_no_dropped_key_behind() -> None:
    cache = KeyCache(capacity=10)
    dropped = threading.Event()

    def read_often() -> None:
        while not dropped.is_set():
            # As the table: what was read before the change is the old row.
            cache.refresh(["a"], lambda: {} if dropped.is_set() else {"a": key("a")})

    readers = [threading.Thread(target=read_often) for _ in range(4)]
    for reader in readers:
        reader.start()
    dropped.set()
    cache.drop("a")
    for reader in readers:
        reader.join()

    assert cache.get("a") is None


def test_with_the_looks_at_sockets_a_revoked_key_is_out_within_five_seconds() -> None:
    assert MAX_AGE + Settings().recheck_seconds < 5
    with pytest.raises(ValidationError):
        Settings(recheck_seconds=5 - MAX_AGE)
