"""The port to the table: reads by key and by query, and writes that hold their conditions.

Items are plain dicts of JSON values with ``PK`` and ``SK``. Numbers are int or float.
There is no scan, and no unconditional read-modify-write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Item = dict[str, Any]


@dataclass(frozen=True)
class Key:
    pk: str
    sk: str


@dataclass(frozen=True)
class Condition:
    """A condition on the stored item. Build it with the functions below."""

    op: str  # exists, absent, eq, lt, le, gt, ge, and, or
    attribute: str = ""
    value: Any = None
    parts: tuple["Condition", ...] = ()

    def __and__(self, other: "Condition") -> "Condition":
        return Condition("and", parts=(self, other))

    def __or__(self, other: "Condition") -> "Condition":
        return Condition("or", parts=(self, other))


def exists(attribute: str = "PK") -> Condition:
    return Condition("exists", attribute)


def absent(attribute: str = "PK") -> Condition:
    return Condition("absent", attribute)


def equals(attribute: str, value: Any) -> Condition:
    return Condition("eq", attribute, value)


def less_than(attribute: str, value: Any) -> Condition:
    return Condition("lt", attribute, value)


def at_least(attribute: str, value: Any) -> Condition:
    return Condition("ge", attribute, value)


@dataclass(frozen=True)
class Put:
    item: Item
    condition: Condition | None = None


@dataclass(frozen=True)
class Update:
    """Set, add to (numbers) and remove attributes of one item; creates it when absent."""

    key: Key
    set: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    remove: Sequence[str] = ()
    condition: Condition | None = None


@dataclass(frozen=True)
class Delete:
    key: Key
    condition: Condition | None = None


@dataclass(frozen=True)
class Check:
    key: Key
    condition: Condition


Write = Put | Update | Delete | Check


@dataclass(frozen=True)
class Page:
    items: list[Item]
    next: Mapping[str, str] | None  # pass it back as ``start``; None at the end


class ConditionFailed(Exception):
    """At least one condition of the write did not hold; nothing was written.

    ``failed`` holds the positions (in the given writes) whose condition did not hold.
    """

    def __init__(self, failed: Sequence[int]) -> None:
        super().__init__(f"conditions {list(failed)} did not hold")
        self.failed = frozenset(failed)


class StoreConflict(Exception):
    """Another transaction touched the same items at the same moment; try again."""


class StoreUnavailable(Exception):
    """Throttled, timed out or not reachable after the client's own retries; try again later.

    The write may or may not have happened.
    """


class Store(Protocol):
    def get(self, key: Key) -> Item | None:
        """One item, read consistently. An item whose ``ttl`` has passed counts as absent."""

    def batch_get(self, keys: Sequence[Key]) -> list[Item]:
        """Up to 100 items, read consistently, in no order; absent ones are left out."""

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
        """Items of one partition by sort key: those with ``prefix``, or those with
        ``after < sort key <= upto`` (exclusive, inclusive; ``prefix`` is then not allowed).
        Consistent on the table, eventually so on an ``index`` ("GSI1", "GSI2").
        """

    def write(self, *writes: Write, token: str | None = None) -> None:
        """All of the writes or none (at most 100, each on another key).

        Raises `ConditionFailed`, `StoreConflict` or `StoreUnavailable`. ``token`` makes a repeat
        of the very same call within ten minutes succeed without writing again.
        """
