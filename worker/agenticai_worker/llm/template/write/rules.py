"""An entity's rules, as the blueprints see them."""

from dataclasses import dataclass
from functools import cached_property

from agenticai_core.plans import Rule
from agenticai_worker.llm.template.write.columns import MOMENTS, NUMBERS, Column, quoted
from agenticai_worker.llm.template.write.moves import (
    Move,
    member,
    moves,
    paths_from_start,
    start_state,
    states_beyond,
)
from agenticai_worker.llm.template.write.spec import Thing


@dataclass(frozen=True)
class Order:
    rule: Rule
    first: Column
    second: Column

    @property
    def function(self) -> str:
        return f"check_{self.first.name}_before_{self.second.name}"

    @property
    def text(self) -> str:
        return self.rule.description


@dataclass(frozen=True)
class Overlap:
    rule: Rule
    thing: Thing
    number: int

    @property
    def function(self) -> str:
        return f"check_overlap_{self.number}" if self.number > 1 else "check_overlap"

    @property
    def text(self) -> str:
        return self.rule.description

    @cached_property
    def start(self) -> Column:
        return self.thing.column(self.rule.fields[0])

    @cached_property
    def end(self) -> Column:
        return self.thing.column(self.rule.fields[1])

    @cached_property
    def same(self) -> list[Column]:
        return [self.thing.column(name) for name in self.rule.fields[2:]]

    @property
    def names(self) -> list[str]:
        return [c.name for c in (self.start, self.end, *self.same) if not c.managed]

    # The last day still belongs to a period of days; a period of hours ends when the next begins.
    @property
    def less(self) -> str:
        return "<=" if self.start.kind == "date" else "<"

    @property
    def more(self) -> str:
        return ">=" if self.start.kind == "date" else ">"

    @property
    def inactive(self) -> tuple[Column, list[str]] | None:
        return self.thing.inactive()

    @property
    def optional(self) -> list[str]:
        return [c.name for c in (self.start, *self.same) if c.nullable]

    @property
    def alike(self) -> list[str]:
        """What two rows share that compete for one place."""
        return [c.name for c in self.same if not c.managed]

    def revived_by(self, move: Move) -> bool:
        """Whether the move gives something its place back that had left it."""
        found = self.inactive
        if found is None or found[0].name != move.column.name:
            return False
        return move.target not in found[1] and bool(set(move.sources) & set(found[1]))

    @property
    def revival(self) -> tuple[list[str], str] | None:
        """Moves that leave the place, and the one that would come back to it."""
        if self.inactive is None or not self.inactive[0].managed:
            return None
        paths = paths_from_start(self.thing, self.inactive[0])
        for move in moves(self.thing):
            left = [value for value in move.source.sources if paths.get(value)]
            left = [value for value in left if member(move.column, value) in self.inactive[1]]
            if self.revived_by(move) and left:
                return paths[left[0]], move.path
        return None

    @property
    def cancel_path(self) -> list[str] | None:
        """The moves after which the time is free again."""
        found = self.inactive
        if found is None or not found[0].managed:
            return None
        paths = paths_from_start(self.thing, found[0])
        values = dict(found[0].choices)
        return next((paths[values[m]] for m in found[1] if paths.get(values[m])), None)


@dataclass(frozen=True)
class Stock:
    rule: Rule
    thing: Thing
    number: int

    @property
    def function(self) -> str:
        return f"check_stock_{self.number}" if self.number > 1 else "check_stock"

    @property
    def text(self) -> str:
        return self.rule.description

    @property
    def quantity(self) -> Column:
        return self.thing.column(self.rule.fields[0])

    @property
    def keys(self) -> list[Column]:
        return [self.thing.column(name) for name in self.rule.fields[1:]]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.keys]

    @property
    def counted(self) -> str:
        """The attribute that is added up."""
        return self.thing.counted(self.quantity)

    @property
    def brought(self) -> str:
        return self._movement(5, out=False)

    @property
    def taken(self) -> str:
        return self._movement(5, out=True)

    def _movement(self, much: int, out: bool) -> str:
        """Arguments of a sample that brings or takes so much."""
        direction = self.thing.direction
        if direction is not None:
            value = direction.outgoing[0] if out else direction.incoming[0]
            return f"{self._amount(much)}, {direction.column.name}={quoted(value)}"
        return self._amount(-much if out else much)

    def _amount(self, much: int) -> str:
        shown = f'"{much}.00"' if self.quantity.kind == "decimal" else str(much)
        return f"{self.quantity.name}={shown}"


@dataclass(frozen=True)
class Together:
    rule: Rule
    columns: list[Column]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def writable(self) -> list[str]:
        return [column.name for column in self.columns if not column.managed]

    @property
    def optional_references(self) -> list[Column]:
        return [c for c in self.columns if c.kind == "reference" and c.nullable]


@dataclass(frozen=True)
class Frozen:
    rule: Rule
    thing: Thing

    @property
    def column(self) -> Column:
        return self.thing.column(self.rule.fields[0])

    @property
    def value(self) -> str:
        return self.rule.fields[1]

    @property
    def member(self) -> str:
        return member(self.column, self.value)

    @property
    def members(self) -> list[str]:
        """The state and those that come only after it."""
        start = start_state(self.column)
        before = {start} | states_beyond(self.thing, self.column, start, self.value)
        after = states_beyond(self.thing, self.column, self.value, None)
        later = [value for _, value in self.column.choices if value in after - before]
        return [self.member, *(member(self.column, value) for value in later)]

    @property
    def text(self) -> str:
        return self.rule.description

    @property
    def path(self) -> list[str] | None:
        """The moves that lead to the state; none are needed where it can be set."""
        if not self.column.managed:
            return []
        return paths_from_start(self.thing, self.column).get(self.value)


def orders(thing: Thing) -> list[Order]:
    found = []
    for rule in thing.rules("order"):
        first, second = (thing.column(name) for name in rule.fields[:2])
        if first.kind == second.kind and first.kind in (*MOMENTS, *NUMBERS):
            found.append(Order(rule, first, second))
    return found


def overlaps(thing: Thing) -> list[Overlap]:
    fitting = [
        rule
        for rule in thing.rules("no_overlap")
        if all(thing.column(name).kind in MOMENTS for name in rule.fields[:2])
    ]
    return [Overlap(rule, thing, number) for number, rule in enumerate(fitting, start=1)]


def stocks(thing: Thing) -> list[Stock]:
    fitting = [
        rule
        for rule in thing.rules("not_negative_stock")
        if thing.column(rule.fields[0]).kind in NUMBERS
        and all(not thing.column(name).nullable for name in rule.fields[1:])
        and (thing.direction is not None or (thing.column(rule.fields[0]).minimum or -1) < 0)
    ]
    return [Stock(rule, thing, number) for number, rule in enumerate(fitting, start=1)]


def together(thing: Thing) -> list[Together]:
    return [
        Together(rule, [thing.column(name) for name in rule.fields])
        for rule in thing.rules("unique_together")
    ]


def frozen(thing: Thing) -> list[Frozen]:
    return [
        Frozen(rule, thing)
        for rule in thing.rules("immutable_after")
        if thing.column(rule.fields[0]).kind == "enum"
        and rule.fields[1] in thing.column(rule.fields[0]).source.choices
    ]


def rank(thing: Thing, column: Column) -> int:
    """How far a sample value must lie behind the values that come before it."""
    before = [(order.first, order.second) for order in orders(thing)]
    before += [(overlap.start, overlap.end) for overlap in overlaps(thing)]
    depth, current = 0, {column.name}
    while depth <= len(before):
        current = {first.name for first, second in before if second.name in current}
        if not current:
            return depth
        depth += 1
    return 0  # rules that contradict each other: no value can satisfy them
