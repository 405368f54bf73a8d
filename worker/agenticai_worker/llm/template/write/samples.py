"""Values for the generated tests: valid ones, other valid ones, and wrong ones, as source text."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from agenticai_worker.llm.template.write import moves, names, rules
from agenticai_worker.llm.template.write.columns import MOMENTS, NUMBERS, Column, quoted
from agenticai_worker.llm.template.write.figures import Figure
from agenticai_worker.llm.template.write.spec import Thing

_STEADY = (*NUMBERS, "enum", "boolean")  # kinds whose samples are the same in every row


def sample(thing: Thing, column: Column) -> str:
    """A valid value, different for each ``n``, in the order that the rules ask for."""
    plus = rules.rank(thing, column)
    extra = f", {plus}" if plus else ""
    if column.kind in ("string", "text"):
        return _text(column)
    if column.kind in _STEADY and _is_distinct(thing, column):
        return _different(column)
    if column.kind in NUMBERS:
        return _number(column, plus)
    if column.kind == "enum":
        direction = thing.direction
        brings = direction is not None and direction.column is column
        return quoted(direction.incoming[0] if direction and brings else column.choices[0][1])
    return {
        "email": 'f"someone{n}@example.com"',
        "url": 'f"https://example.com/{n}"',
        "phone": 'f"+49 30 {n:07d}"',
        "date": f"day(n{extra})",
        "datetime": f"moment(n{extra})",
        "time": f"clock(n{extra})",
        "boolean": "True",
        "uuid": "str(uuid.uuid4())",
    }[column.kind]


def _is_distinct(thing: Thing, column: Column) -> bool:
    """Whether two rows may not have the same value, though its kind does not vary by itself."""
    if column.source.unique:
        return True
    for pair in rules.together(thing):
        steady = [c for c in pair.columns if c.kind in _STEADY and not c.managed]
        if len(steady) == len([c for c in pair.columns if not c.managed]):
            return column is max(steady, key=_room)
    return False


def _room(column: Column) -> float:
    """How many different values there are."""
    if column.kind == "enum":
        return len(column.choices)
    if column.kind == "boolean":
        return 2
    low, high = column.minimum, column.maximum
    return math.inf if high is None else high - (1 if low is None else low) + 1


def numbered(thing: Thing) -> bool:
    """Whether the valid values depend on a running number."""
    written = (sample(thing, c) for c in thing.writable if c.kind != "reference")
    return any(re.search(r"(\{|\b)n\b", text) for text in written)


def other(column: Column) -> str | None:
    """A valid value that is not the one of `fixed`; None where there is none."""
    return _pair(column)[1]


def fixed(column: Column) -> str:
    return _pair(column)[0] or ""


def _pair(column: Column) -> tuple[str | None, str | None]:
    if column.kind == "enum":
        values = [quoted(value) for _, value in column.choices]
        return values[0], values[1] if len(values) > 1 else None
    if column.kind == "boolean":
        return "True", "False"
    if column.kind in ("string", "text") and (column.length or 0) >= 3:
        return '"one"', '"two"'
    pairs = {
        "email": ('"one@example.com"', '"two@example.com"'),
        "url": ('"https://one.example"', '"https://two.example"'),
        "phone": ('"+49 30 111"', '"+49 30 222"'),
        "uuid": (f'"{"1" * 8}-{"1" * 4}-4{"1" * 3}-8{"1" * 3}-{"1" * 12}"',
                 f'"{"2" * 8}-{"2" * 4}-4{"2" * 3}-8{"2" * 3}-{"2" * 12}"'),
    }  # fmt: skip
    return pairs.get(column.kind, (None, None))


def wrong(column: Column) -> Iterator[str]:
    """Values that must be refused."""
    match column.kind:
        case "string" | "text":
            yield from ('""', f'"x" * {(column.length or 0) + 1}')
        case "email" | "url" | "phone":
            yield '"no such thing!"'
        case "integer" | "float" | "decimal":
            yield '"many"'
            if column.minimum is not None:
                yield str(column.minimum - 1)
            if column.maximum is not None:
                yield str(column.maximum + 1)
        case "reference":
            yield '"somebody"'
        case "boolean":
            yield '"perhaps"'
        case "enum":
            yield '"no such choice"'
        case _:
            yield '"yesterday"'


@dataclass(frozen=True)
class FilterCase:
    parameter: str
    column: Column
    how: str  # reference, managed, equal, outside
    value: str = ""
    other: str = ""
    outside: str = ""


def filter_cases(thing: Thing) -> Iterator[FilterCase]:
    """A test for each filter whose answer can be told beforehand."""
    for spec in thing.filters:
        column, name = spec.column, spec.parameter
        if spec.how != "equal":
            yield FilterCase(name, column, "outside", outside=_outside(column, spec.how))
        elif column.kind == "reference":
            yield FilterCase(name, column, "reference")
        elif _starts_alike(thing, column) and len(column.choices) > 1:
            start = _start(thing, column)
            value = next(value for _, value in column.choices if value != start)
            yield FilterCase(name, column, "managed", other=quoted(value))
        elif not _starts_alike(thing, column) and (second := other(column)) is not None:
            yield FilterCase(name, column, "equal", value=fixed(column), other=second)


def _starts_alike(thing: Thing, column: Column) -> bool:
    """Whether all samples have one value there, as another could break a rule."""
    direction = thing.direction
    return column.managed or (direction is not None and direction.column is column)


def _start(thing: Thing, column: Column) -> str:
    direction = thing.direction
    if direction is not None and direction.column is column:
        return direction.incoming[0]
    return moves.start_state(column)


@dataclass(frozen=True)
class FigureCase:
    """What a report's test fills in and expects."""

    figure: Figure

    def __getattr__(self, name: str) -> object:
        return getattr(self.figure, name)

    @property
    def high(self) -> str:
        return '"5.00"' if self.figure.column.kind == "decimal" else "5"

    @property
    def zero(self) -> str:
        return '"0.00"' if self.figure.column.kind == "decimal" else "0"

    @property
    def counts(self) -> bool:
        return self.figure.kind == "count_by"

    @cached_property
    def same(self) -> list[str]:
        """The attributes that put two rows into one group; none where the rules forbid it."""
        thing = self.figure.thing
        firsts = [path.split(".")[0] for path in self.figure.source.group_by]
        columns = [thing.column(name) for name in firsts if thing.has(name)]
        shared = {column.name for column in columns}
        unique = [{column.name} for column in columns if column.source.unique]
        unique += [set(pair.names) for pair in rules.together(thing)]
        unique += [
            {overlap.start.name, *(column.name for column in overlap.same)}
            for overlap in rules.overlaps(thing)
        ]
        steady = {c.name for c in thing.columns if c.managed or c.kind in _STEADY}
        steady -= {c.name for c in thing.writable if _is_distinct(thing, c)}
        if any(names_ & shared and names_ <= shared | steady for names_ in unique):
            return []
        return [column.name for column in columns if not column.managed]

    @property
    def far_past(self) -> str:
        return self._around("past")

    @property
    def far_future(self) -> str:
        return self._around("future")

    def _around(self, when: str) -> str:
        """All moments of a row put before or after today, in the order of the rules."""
        thing, sign = self.figure.thing, "-" if when == "past" else "+"
        pairs = []
        for column in thing.writable:
            if column.kind not in ("date", "datetime") or _done(thing, column):
                continue
            days = 400 + (
                rules.rank(thing, column) if when == "future" else -rules.rank(thing, column)
            )
            today = "today" if column.kind == self.figure.column.kind else _converted(column)
            pairs.append(f'"{column.name}": ({today} {sign} dt.timedelta(days={days})).isoformat()')
        pairs += [
            f'"{column.name}": False'
            for column in thing.writable
            if column.kind == "boolean" and self.figure.open and column.name in self.figure.open
        ]
        pairs += [
            f'"{column.name}": None'
            for column in thing.writable
            if column.kind in MOMENTS and _done(thing, column)
        ]
        return "{" + ", ".join(pairs) + "}"


def _converted(column: Column) -> str:
    if column.kind == "date":
        return "today.date()"
    return "dt.datetime.now(dt.UTC)"


def _done(thing: Thing, column: Column) -> bool:
    condition = thing.open_condition() or ""
    return column.nullable and f".{column.name}.is_(None)" in condition


def _outside(column: Column, how: str) -> str:
    if column.kind in NUMBERS:
        return "2_000_000_000" if how == "at_least" else "-2_000_000_000"
    far, near = {
        "date": ('"2999-01-01"', '"1999-01-01"'),
        "datetime": ('"2999-01-01T00:00:00Z"', '"1999-01-01T00:00:00Z"'),
        "time": ('"23:59:59"', '"00:00:00"'),
    }[column.kind]
    return far if how == "at_least" else near


def _text(column: Column) -> str:
    label = names.title(column.source.name)
    length = column.length or 0
    if length < 4:
        return f'f"{{n % {10**length}:0{length}d}}"'
    if length < len(label) + 6:
        return "str(n)"
    return f'f"{label} {{n}}"'


def _number(column: Column, plus: int) -> str:
    low = 1 if column.minimum is None else column.minimum
    high = column.maximum
    room = None if high is None else int(high - low)
    value: int | float = low + min(2 + plus, room) if room is not None else low + 2 + plus
    if column.kind == "integer":
        return str(int(value))
    if column.kind == "decimal":
        return f'"{value:.2f}"'
    return str(float(value))


def _different(column: Column) -> str:
    """A value that goes through all there are, as ``n`` grows."""
    if column.kind == "boolean":
        return "n % 2 == 0"
    if column.kind == "enum":
        listed = ", ".join(quoted(value) for _, value in column.choices)
        return f"[{listed}][n % {len(column.choices)}]"
    low, room = math.ceil(1 if column.minimum is None else column.minimum), _room(column)
    value = f"{low} + n" if room == math.inf else f"{low} + n % {int(room)}"
    if column.kind == "integer":
        return value
    return f'f"{{{value}}}.00"' if column.kind == "decimal" else f"float({value})"
