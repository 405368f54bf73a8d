"""The store in memory: one lock, one dict. For tests, and for what never needs to last."""

import copy
import threading
import time
from collections.abc import Mapping, Sequence

from agenticai_core.store.base import (
    Check,
    Condition,
    ConditionFailed,
    Delete,
    Item,
    Key,
    Page,
    Put,
    Update,
    Write,
)

_INDEX_KEYS = {None: ("PK", "SK"), "GSI1": ("GSI1PK", "GSI1SK"), "GSI2": ("GSI2PK", "GSI2SK")}


class MemoryStore:
    """Implements `agenticai_core.store.base.Store`; safe under threads."""

    def __init__(self) -> None:
        self._items: dict[Key, Item] = {}
        self._lock = threading.RLock()

    def get(self, key: Key) -> Item | None:
        with self._lock:
            item = self._live(key)
            return copy.deepcopy(item)

    def batch_get(self, keys: Sequence[Key]) -> list[Item]:
        if len(keys) > 100:
            raise ValueError("batch_get takes at most 100 keys")
        with self._lock:
            return [copy.deepcopy(item) for key in keys if (item := self._live(key)) is not None]

    def query(
        self,
        pk: str,
        *,
        index: str | None = None,
        prefix: str = "",
        after: str | None = None,
        upto: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
        start: Mapping[str, str] | None = None,
    ) -> Page:
        if prefix and (after is not None or upto is not None):
            raise ValueError("a query has a prefix or a range, not both")
        pk_name, sk_name = _INDEX_KEYS[index]
        with self._lock:
            rows = [
                item
                for key in list(self._items)
                if (item := self._live(key)) is not None
                and item.get(pk_name) == pk
                and _in_range(item.get(sk_name), prefix, after, upto)
            ]
            rows.sort(key=lambda item: _order(item, sk_name), reverse=newest_first)
            if start is not None:
                mark = (start[sk_name], start["PK"], start["SK"])
                rows = [
                    row
                    for row in rows
                    if (
                        _order(row, sk_name) < mark if newest_first else _order(row, sk_name) > mark
                    )
                ]
            return _page(rows, limit, {pk_name, sk_name, "PK", "SK"})

    def write(self, *writes: Write, token: str | None = None) -> None:
        del token  # every call here either happened or raised
        targets = [_key_of(write) for write in writes]
        if len(set(targets)) != len(targets) or len(targets) > 100:
            raise ValueError("a write takes at most 100 items, each once")
        with self._lock:
            failed = [
                position
                for position, (key, write) in enumerate(zip(targets, writes, strict=True))
                if write.condition is not None
                and not holds(write.condition, self._items.get(key, {}))
            ]
            if failed:
                raise ConditionFailed(failed)
            for key, write in zip(targets, writes, strict=True):
                self._apply(key, write)

    def _live(self, key: Key) -> Item | None:
        item = self._items.get(key)
        if item is None or ("ttl" in item and item["ttl"] <= time.time()):
            return None
        return item

    def _apply(self, key: Key, write: Write) -> None:
        match write:
            case Put(item=item):
                self._items[key] = copy.deepcopy(item)
            case Delete():
                self._items.pop(key, None)
            case Update():
                item = self._items.setdefault(key, {"PK": key.pk, "SK": key.sk})
                item.update(copy.deepcopy(dict(write.set)))
                for name, amount in write.add.items():
                    item[name] = item.get(name, 0) + amount
                for name in write.remove:
                    item.pop(name, None)
            case Check():
                pass


def holds(condition: Condition, item: Item) -> bool:
    """Whether ``condition`` is true of ``item`` (empty: no such item), as DynamoDB reads it."""
    if condition.op == "and":
        return all(holds(part, item) for part in condition.parts)
    if condition.op == "or":
        return any(holds(part, item) for part in condition.parts)
    present = condition.attribute in item
    if condition.op in ("exists", "absent"):
        return present == (condition.op == "exists")
    if not present:
        return False
    stored, value = item[condition.attribute], condition.value
    if condition.op == "eq":
        return bool(stored == value)
    if isinstance(stored, str) != isinstance(value, str):
        return False
    return bool(stored < value) if condition.op == "lt" else bool(stored >= value)


def _key_of(write: Write) -> Key:
    if isinstance(write, Put):
        return Key(write.item["PK"], write.item["SK"])
    return write.key


def _order(item: Item, sk_name: str) -> tuple[str, str, str]:
    return (item[sk_name], item["PK"], item["SK"])


def _in_range(sk: str | None, prefix: str, after: str | None, upto: str | None) -> bool:
    if sk is None or not sk.startswith(prefix):
        return False
    return (after is None or sk > after) and (upto is None or sk <= upto)


def _page(rows: list[Item], limit: int, key_names: set[str]) -> Page:
    shown = [copy.deepcopy(row) for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(shown, None)
    return Page(shown, {name: shown[-1][name] for name in sorted(key_names)})
