"""What every store does: the same suite for the memory and the DynamoDB adapter."""

import itertools
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agenticai_core.bootstrap import Services
from agenticai_core.store.base import (
    Check,
    Condition,
    ConditionFailed,
    Delete,
    Item,
    Key,
    Put,
    Store,
    StoreConflict,
    Update,
    absent,
    at_least,
    equals,
    exists,
    less_than,
)


@pytest.fixture
def store(services: Services) -> Store:
    return services.store


@pytest.fixture
def pk() -> str:
    return f"TEST#{uuid.uuid4().hex}"


def item(pk: str, sk: str, **fields: Any) -> Item:
    return {"PK": pk, "SK": sk, **fields}


def test_gives_back_every_kind_of_value(store: Store, pk: str) -> None:
    row = item(
        pk, "a", text="é", empty="", count=3, share=0.1, none=None, yes=True,
        rows=[1, {"deep": [None, 2.5]}], names={"a.b": "c", "": "d"},
    )  # fmt: skip
    store.write(Put(row))
    assert store.get(Key(pk, "a")) == row
    assert isinstance(store.get(Key(pk, "a"))["count"], int)  # type: ignore[index]


def test_absent_is_none(store: Store, pk: str) -> None:
    assert store.get(Key(pk, "nothing")) is None


def test_what_is_returned_is_a_copy(store: Store, pk: str) -> None:
    store.write(Put(item(pk, "a", rows=[1])))
    store.get(Key(pk, "a"))["rows"].append(2)  # type: ignore[index]
    assert store.get(Key(pk, "a")) == item(pk, "a", rows=[1])


def test_a_put_that_must_be_absent_fails_the_second_time(store: Store, pk: str) -> None:
    store.write(Put(item(pk, "a", n=1), absent()))
    with pytest.raises(ConditionFailed):
        store.write(Put(item(pk, "a", n=2), absent()))
    assert store.get(Key(pk, "a")) == item(pk, "a", n=1)


def test_update_sets_adds_removes_and_creates(store: Store, pk: str) -> None:
    store.write(Update(Key(pk, "a"), set={"status": "on", "data": {"x": 1}}, add={"n": 2}))
    store.write(Update(Key(pk, "a"), set={"status": "off"}, add={"n": 3}, remove=["data"]))
    assert store.get(Key(pk, "a")) == item(pk, "a", status="off", n=5)


HOLD = [
    exists("n"), absent("m"), equals("n", 5), equals("none", None), less_than("n", 6),
    at_least("n", 5), less_than("at", "2026-02"), equals("n", 4) | equals("n", 5),
    equals("n", 5) & exists("at"), (equals("n", 1) & exists("x")) | absent("x"),
]  # fmt: skip
FAIL = [
    exists("m"), absent("n"), equals("n", 6), equals("m", None), less_than("n", 5),
    at_least("n", 6), less_than("m", 1), less_than("n", "a"), equals("n", 5) & exists("m"),
    equals("n", 1) | equals("n", 2),
]  # fmt: skip


@pytest.mark.parametrize("condition", HOLD, ids=str)
def test_a_condition_that_holds(store: Store, pk: str, condition: Condition) -> None:
    store.write(Put(item(pk, "a", n=5, none=None, at="2026-01")))
    store.write(Update(Key(pk, "a"), set={"done": True}, condition=condition))
    assert (store.get(Key(pk, "a")) or {}).get("done") is True


@pytest.mark.parametrize("condition", FAIL, ids=str)
def test_a_condition_that_does_not_hold(store: Store, pk: str, condition: Condition) -> None:
    store.write(Put(item(pk, "a", n=5, none=None, at="2026-01")))
    with pytest.raises(ConditionFailed):
        store.write(Delete(Key(pk, "a"), condition))
    assert store.get(Key(pk, "a")) is not None


def test_a_transaction_is_all_or_nothing_and_names_what_failed(store: Store, pk: str) -> None:
    store.write(Put(item(pk, "old", n=1)))
    with pytest.raises(ConditionFailed) as failure:
        store.write(
            Put(item(pk, "new"), absent()),
            Check(Key(pk, "old"), equals("n", 2)),
            Update(Key(pk, "other"), set={"x": 1}),
            Put(item(pk, "third"), exists()),
        )
    assert failure.value.failed == {1, 3}
    assert store.batch_get([Key(pk, sk) for sk in ("new", "other", "third")]) == []


def test_a_transaction_puts_updates_deletes_and_checks(store: Store, pk: str) -> None:
    store.write(Put(item(pk, "gone")), Put(item(pk, "kept", n=1)), Put(item(pk, "seen")))
    store.write(
        Delete(Key(pk, "gone"), exists()),
        Update(Key(pk, "kept"), add={"n": 1}, condition=equals("n", 1)),
        Check(Key(pk, "seen"), exists()),
        Put(item(pk, "new"), absent()),
    )
    assert [row["SK"] for row in store.query(pk).items] == ["kept", "new", "seen"]
    assert store.get(Key(pk, "kept")) == item(pk, "kept", n=2)


def test_a_batch_returns_those_that_exist(store: Store, pk: str) -> None:
    for n in range(100):
        store.write(Put(item(pk, f"{n:03d}", n=n)))
    found = store.batch_get([Key(pk, f"{n:03d}") for n in range(50, 150)])
    assert sorted(row["n"] for row in found) == list(range(50, 100))
    assert store.batch_get([]) == []


def test_a_query_by_prefix_and_by_range(store: Store, pk: str) -> None:
    for sk in ("A#1", "A#2", "A#3", "B#1"):
        store.write(Put(item(pk, sk)))

    def found(**how: Any) -> list[str]:
        return [row["SK"] for row in store.query(pk, **how).items]

    assert found() == ["A#1", "A#2", "A#3", "B#1"]
    assert found(prefix="A#") == ["A#1", "A#2", "A#3"]
    assert found(prefix="A#", newest_first=True) == ["A#3", "A#2", "A#1"]
    assert found(after="A#1", upto="A#3") == ["A#2", "A#3"]
    assert found(after="A#2") == ["A#3", "B#1"]
    assert found(upto="A#2") == ["A#1", "A#2"]
    assert found(prefix="C") == []


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_hold_every_item_once(store: Store, pk: str, newest_first: bool) -> None:
    for n in range(7):
        store.write(Put(item(pk, f"{n}")))
    seen: list[str] = []
    start = None
    for _ in itertools.repeat(None, 10):
        page = store.query(pk, limit=3, start=start, newest_first=newest_first)
        assert len(page.items) <= 3
        seen += [row["SK"] for row in page.items]
        start = page.next
        if start is None:
            break
    assert seen == sorted(map(str, range(7)), reverse=newest_first)


@pytest.mark.parametrize("index", ["GSI1", "GSI2"])
def test_an_index_holds_only_items_with_its_keys(store: Store, pk: str, index: str) -> None:
    owner = f"OWNER#{uuid.uuid4().hex}"
    for n in range(5):
        keys = {f"{index}PK": owner, f"{index}SK": f"{n}"} if n != 2 else {}
        store.write(Put(item(f"{pk}{n}", "METADATA", **keys)))
    first = store.query(owner, index=index, limit=3, newest_first=True)
    rest = store.query(owner, index=index, limit=3, newest_first=True, start=first.next)
    found = [row["PK"].removeprefix(pk) for row in [*first.items, *rest.items]]
    assert found == ["4", "3", "1", "0"]
    store.write(Update(Key(f"{pk}4", "METADATA"), remove=[f"{index}PK", f"{index}SK"]))
    left = store.query(owner, index=index, upto="9").items
    assert [row["PK"].removeprefix(pk) for row in left] == ["0", "1", "3"]


def test_an_expired_item_is_absent(store: Store, pk: str) -> None:
    store.write(Put(item(pk, "old", ttl=int(time.time()) - 5)))
    store.write(Put(item(pk, "new", ttl=int(time.time()) + 500)))
    assert store.get(Key(pk, "old")) is None
    assert [row["SK"] for row in store.query(pk).items] == ["new"]
    assert [row["SK"] for row in store.batch_get([Key(pk, "old"), Key(pk, "new")])] == ["new"]


def test_of_many_creates_at_once_one_wins(store: Store, pk: str) -> None:
    gate = threading.Barrier(8)

    def create(n: int) -> bool:
        gate.wait()
        try:
            store.write(Put(item(pk, "one", n=n), absent()), Put(item(pk, f"by{n}"), absent()))
        except (ConditionFailed, StoreConflict):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        winners = [n for n, won in enumerate(pool.map(create, range(8))) if won]
    assert len(winners) == 1
    assert store.get(Key(pk, "one")) == item(pk, "one", n=winners[0])
    assert len(store.query(pk, prefix="by").items) == 1


def test_refuses_the_same_item_twice_and_more_than_a_hundred(store: Store, pk: str) -> None:
    with pytest.raises(Exception):  # noqa: B017  (DynamoDB's own error, or the adapter's)
        store.write(Put(item(pk, "a")), Delete(Key(pk, "a")))
    with pytest.raises(ValueError):
        store.batch_get([Key(pk, str(n)) for n in range(101)])
    with pytest.raises(ValueError):
        store.query(pk, prefix="a", after="b")
