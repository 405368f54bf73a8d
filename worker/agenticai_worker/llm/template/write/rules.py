"""An entity's rules, transitions and reports, as the blueprints see them."""

import keyword
from collections import deque
from dataclasses import dataclass, replace
from functools import cached_property

from agenticai_core.models import Report, Rule, Transition
from agenticai_worker.llm.template.write import names
from agenticai_worker.llm.template.write.spec import (
    MOMENTS,
    NUMBERS,
    Column,
    Project,
    Thing,
    quoted,
)

# What services and routers already call something of their own.
_TAKEN_VERBS = frozenset(
    {
        "create", "change", "remove", "check", "find_page", "delete", "get", "list", "replace",
        "rows", "models",
    }
)  # fmt: skip

# What the module of the reports already calls something else.
_TAKEN_REPORTS = frozenset(
    {"period", "week", "router", "models", "sa", "orm", "dt", "today", "utc_now"}
)


@dataclass(frozen=True)
class Move:
    """A transition: a verb that takes a thing from some states to another."""

    thing: Thing
    source: Transition

    @property
    def column(self) -> Column:
        return self.thing.column(self.source.field)

    @property
    def function(self) -> str:
        clean = names.snake(self.source.verb)
        taken = clean in _TAKEN_VERBS or keyword.iskeyword(clean)
        return f"{clean}_it" if taken else clean

    @property
    def path(self) -> str:
        return names.snake(self.source.verb).replace("_", "-")

    @property
    def refusal(self) -> str:
        """What is said when the state does not allow it, as an f-string."""
        verb, states = names.words(self.source.verb), list(self.source.sources)
        listed = " or ".join(f"'{state}'" for state in states)
        before = _literal(f"Cannot {verb} {self.thing.a} that is '")
        after = _literal(f"'; it must be {listed}")
        return f'f"{before}{{row.{self.column.name}}}{after}"'

    @property
    def text(self) -> str:
        return self.source.description or f"{names.title(self.source.verb)} {self.thing.a}"

    @property
    def target_value(self) -> str:
        return self.source.target

    @property
    def target(self) -> str:
        return _member(self.column, self.source.target)

    @property
    def sources(self) -> list[str]:
        return [_member(self.column, value) for value in self.source.sources]


@dataclass(frozen=True)
class MoveCase:
    """One test of a move: from a state that allows it, or from one that does not."""

    move: Move
    path: list[str]
    state: str
    allowed: bool
    suffix: str


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
            left = [value for value in left if _member(move.column, value) in self.inactive[1]]
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
        return _member(self.column, self.value)

    @property
    def members(self) -> list[str]:
        """The state and those that come only after it."""
        start = start_state(self.column)
        before = {start} | _reachable(self.thing, self.column, start, self.value)
        after = _reachable(self.thing, self.column, self.value, None)
        later = [value for _, value in self.column.choices if value in after - before]
        return [self.member, *(_member(self.column, value) for value in later)]

    @property
    def text(self) -> str:
        return self.rule.description

    @property
    def path(self) -> list[str] | None:
        """The moves that lead to the state; none are needed where it can be set."""
        if not self.column.managed:
            return []
        return paths_from_start(self.thing, self.column).get(self.value)


def moves(thing: Thing) -> list[Move]:
    return [Move(thing, transition) for transition in thing.transitions]


def move_cases(thing: Thing) -> list[MoveCase]:
    cases = []
    for move in moves(thing):
        paths = paths_from_start(thing, move.column)
        good = [value for value in paths if value in move.source.sources]
        bad = [value for value in paths if value not in move.source.sources]
        cases += [MoveCase(move, paths[v], v, True, "") for v in good[:1]]
        cases += [MoveCase(move, paths[v], v, False, "_is_refused") for v in bad[:1]]
    return cases


def paths_from_start(thing: Thing, column: Column) -> dict[str, list[str]]:
    """Each state that can be reached, with the shortest way to it as moves' paths."""
    start = start_state(column)
    found: dict[str, list[str]] = {start: []}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        for move in moves(thing):
            fits = move.source.field == column.source.name and state in move.source.sources
            if fits and move.target_value not in found:
                found[move.target_value] = [*found[state], move.path]
                queue.append(move.target_value)
    return found


def _reachable(thing: Thing, column: Column, start: str, without: str | None) -> set[str]:
    """The states that moves lead to from ``start``, not passing through ``without``."""
    found, waiting = set[str](), [start]
    while waiting:
        state = waiting.pop()
        if state in found or state == without:
            continue
        found.add(state)
        fitting = (m for m in moves(thing) if m.source.field == column.source.name)
        waiting += [m.target_value for m in fitting if state in m.source.sources]
    return found - {start}


def start_state(column: Column) -> str:
    default = column.source.default
    values = [value for _, value in column.choices]
    return default if default in values else values[0]


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


@dataclass(frozen=True)
class KeySpec:
    name: str
    expression: str
    function: str | None = None  # that the expression calls


@dataclass(frozen=True)
class Join:
    """The table that one of a report's keys is in, under a name of its own where it must be."""

    column: Column
    aliased: bool

    @property
    def table(self) -> str:
        own = f"{names.snake(self.column.source.name)}_row"
        return own if self.aliased else f"models.{self.column.target.name}"

    @property
    def outer(self) -> bool:
        """Whether there are rows that refer to nothing; they count, too."""
        return self.column.nullable


@dataclass(frozen=True)
class Figure:
    """A report."""

    source: Report
    project: Project

    @property
    def name(self) -> str:
        return names.snake(self.source.name)

    @property
    def function(self) -> str:
        taken = self.name in _TAKEN_REPORTS or keyword.iskeyword(self.name)
        return f"{self.name}_report" if taken else self.name

    @property
    def kind(self) -> str:
        return self.source.kind

    @property
    def text(self) -> str:
        return self.source.description or names.title(self.source.name)

    @property
    def thing(self) -> Thing:
        return self.project.thing(self.source.entity)

    @property
    def rows(self) -> bool:
        return self.kind in ("below_minimum", "upcoming", "overdue")

    @property
    def column(self) -> Column:
        return self.thing.column(self.source.field or "")

    @property
    def minimum(self) -> Column:
        return self.thing.column(self.source.group_by[0])

    @cached_property
    def reference(self) -> Column | None:
        """For stock that a ledger adds up to: the ledger's reference to this thing."""
        if self.kind != "below_minimum" or self.source.group_by:
            return None
        for other in self.project.things:
            numeric = any(column.kind in NUMBERS for column in other.columns)
            for column in other.references:
                ledger = other.immutable or bool(other.rules("not_negative_stock"))
                if ledger and numeric and column.target is self.thing:
                    return column
        return None

    @property
    def ledger(self) -> Thing | None:
        return self.project.thing(self.reference.entity) if self.reference else None

    @property
    def counted(self) -> str:
        """The ledger's attribute that is added up."""
        quantity = self.ledger.quantity if self.ledger else None
        return self.ledger.counted(quantity) if self.ledger and quantity else ""

    @property
    def now(self) -> str:
        return "today()" if self.column.kind == "date" else "utc_now()"

    @property
    def open(self) -> str | None:
        if self.kind == "overdue":
            return self.thing.open_condition()
        return self.thing.active_condition()

    @cached_property
    def keys(self) -> list[KeySpec]:
        found = [self._key(path) for path in self.source.group_by]
        names_ = [key.name for key in found]
        return [
            replace(key, name=names.snake(path.replace(".", "_")))
            if names_.count(key.name) > 1
            else key
            for key, path in zip(found, self.source.group_by, strict=True)
        ]

    @cached_property
    def joins(self) -> list[Join]:
        firsts = dict.fromkeys(p.split(".")[0] for p in self.source.group_by if "." in p)
        columns = [self.thing.column(name) for name in firsts if self.thing.has(name)]
        references = [column for column in columns if column.kind == "reference"]
        tables = [self.thing.name, *(column.target.name for column in references)]
        return [Join(column, tables.count(column.target.name) > 1) for column in references]

    @property
    def value_name(self) -> str:
        if self.kind == "count_by":
            return "count"
        return "stock" if self.kind == "stock_level" else "total"

    @property
    def value(self) -> str:
        if self.kind == "count_by":
            return "sa.func.count()"
        name = self.column.name
        if self.kind == "stock_level":
            name = self.thing.counted(self.column)
        return f"sa.func.sum(models.{self.thing.name}.{name})"

    def _key(self, path: str) -> KeySpec:
        first, _, rest = path.partition(".")
        if rest in ("day", "week", "month", "year"):
            name = "created_at" if first == "created_at" else self.thing.column(first).name
            function = "week" if rest == "week" else "period"
            unit = "" if rest == "week" else f'"{rest}", '
            return KeySpec(rest, f"{function}({unit}models.{self.thing.name}.{name})", function)
        own = self.thing.column(first)
        if rest:
            beyond = own.target.column(rest)
            join = next(join for join in self.joins if join.column is own)
            return KeySpec(beyond.name, f"{join.table}.{beyond.name}")
        return KeySpec(own.name, f"models.{self.thing.name}.{own.name}")


def figures(project: Project) -> list[Figure]:
    """The plan's reports over what is there."""
    return [Figure(r, project) for r in project.plan.reports if _fits(r, project)]


def _fits(report: Report, project: Project) -> bool:
    thing = next((thing for thing in project.things if thing.name == report.entity), None)
    if thing is None or (report.field is not None and not thing.has(report.field)):
        return False
    if report.kind in ("upcoming", "overdue"):
        return report.field is not None and thing.column(report.field).kind in ("date", "datetime")
    if report.kind == "below_minimum":
        return Figure(report, project).reference is not None or (
            report.field is not None and len(report.group_by) == 1 and thing.has(report.group_by[0])
        )
    keyed = bool(report.group_by) and all(_path_fits(path, thing) for path in report.group_by)
    return keyed and (report.kind == "count_by" or report.field is not None)


def _path_fits(path: str, thing: Thing) -> bool:
    first, _, rest = path.partition(".")
    if first == "created_at":
        return rest != ""
    if not thing.has(first):
        return False
    column = thing.column(first)
    if not rest:
        return True
    if rest in ("day", "week", "month", "year"):
        return column.kind in ("date", "datetime")
    return column.kind == "reference" and column.target.has(rest)


def _literal(text: str) -> str:
    """Text as it stands in an f-string."""
    return quoted(text)[1:-1].replace("{", "{{").replace("}", "}}")


def _member(column: Column, value: str) -> str:
    return next((name for name, text in column.choices if text == value), column.choices[0][0])
