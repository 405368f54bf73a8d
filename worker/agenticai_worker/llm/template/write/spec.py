"""A plan as the blueprints see it: every name, type and expression worked out once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from agenticai_core.plans import Entity, Plan, Rule, Transition
from agenticai_worker.llm.template.write import names
from agenticai_worker.llm.template.write.columns import MOMENTS, NUMBERS, Column, Filter, filters_of

# States in which something no longer takes up its place or time.
_INACTIVE = re.compile(r"^(cancel|reject|declin|withdr|expire|no.?show|void|refus|return)", re.I)
# Movements that take from the stock, where their kind is told in words.
_OUTGOING = re.compile(
    r"^(out|issue|sale|sell|sold|consum|usage|use|dispatch|ship|waste|loss|lost|damage|write.?off"
    r"|withdr|remov|pick|scrap|dispos|transfer.?out|decrease|debit|check.?out|lent|lend)",
    re.I,
)
_DONE = re.compile(r"return|complet|finish|paid|closed|done|resolv|deliver|checked_in", re.I)


@dataclass(frozen=True)
class Direction:
    """The column that says whether a movement brings or takes, and what its values mean."""

    column: Column
    incoming: list[str]
    outgoing: list[str]

    @property
    def members(self) -> list[str]:
        """The members of the enumeration that take."""
        return [name for name, value in self.column.choices if value in self.outgoing]


@dataclass(eq=False)
class Thing:
    """One entity."""

    entity: Entity
    plural: str  # as in the route, the table and the modules
    columns: list[Column] = field(default_factory=list)
    links: list["Link"] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.entity.name

    @property
    def snake(self) -> str:
        return names.snake(self.entity.name)

    @property
    def sample(self) -> str:
        return names.sample(self.entity.name)

    @property
    def label(self) -> str:
        return names.words(self.entity.name)

    @property
    def labels(self) -> str:
        return names.words(self.entity.plural)

    @property
    def a(self) -> str:
        return names.article(self.entity.name)

    @property
    def immutable(self) -> bool:
        return self.entity.immutable

    def column(self, source_name: str) -> Column:
        return next(column for column in self.columns if column.source.name == source_name)

    def has(self, source_name: str) -> bool:
        return any(column.source.name == source_name for column in self.columns)

    @property
    def writable(self) -> list[Column]:
        return [column for column in self.columns if not column.managed]

    @property
    def enums(self) -> list[Column]:
        return [column for column in self.columns if column.kind == "enum"]

    @property
    def references(self) -> list[Column]:
        return [column for column in self.columns if column.kind == "reference"]

    @property
    def transitions(self) -> list[Transition]:
        return [t for t in self.entity.transitions if self.has(t.field)]

    def rules(self, kind: str) -> list[Rule]:
        return [
            rule
            for rule in self.entity.rules
            if rule.kind == kind and all(self.has(name) for name in rule.fields[: _named(rule)])
        ]

    @property
    def checked(self) -> bool:
        kinds = ("order", "no_overlap", "not_negative_stock")
        return bool(self.references) or any(self.rules(kind) for kind in kinds)

    @cached_property
    def filters(self) -> list[Filter]:
        found: list[Filter] = []
        for name in dict.fromkeys((*self.entity.filters, *self._by_default())):
            if self.has(name):
                found += filters_of(self.column(name))
        return found

    def _by_default(self) -> Iterator[str]:
        yield from (c.source.name for c in self.columns if c.kind in ("reference", "enum"))

    @property
    def searched(self) -> list[Column]:
        text = ("string", "text", "email", "phone", "url")
        named = [self.column(name) for name in self.entity.search if self.has(name)]
        return [column for column in named if column.kind in text]

    @property
    def sortable(self) -> list[str]:
        plain = [c.name for c in self.columns if c.kind not in ("text", "reference")]
        return ["id", *plain, "created_at", "updated_at"]

    def inactive(self) -> tuple[Column, list[str]] | None:
        """The status column and those of its members that no longer take up a place."""
        for column in self.enums:
            members = [name for name, value in column.choices if _INACTIVE.match(value)]
            if members:
                return column, members
        return None

    @cached_property
    def quantity(self) -> Column | None:
        """What movements of stock count."""
        ruled = [self.column(rule.fields[0]) for rule in self.rules("not_negative_stock")]
        found = ruled or [column for column in self.columns if column.kind in NUMBERS]
        return found[0] if found and (ruled or self.immutable) else None

    @cached_property
    def direction(self) -> Direction | None:
        """For movements that say in words whether they bring or take."""
        if self.quantity is None:
            return None
        for column in self.enums:
            values = [value for _, value in column.choices]
            outgoing = [value for value in values if _OUTGOING.match(value)]
            incoming = [value for value in values if value not in outgoing]
            if outgoing and incoming and not column.managed:
                return Direction(column, incoming, outgoing)
        return None

    def counted(self, column: Column) -> str:
        """The attribute that is added up where stock is counted."""
        signed = self.direction is not None and column is self.quantity
        return f"signed_{column.name}" if signed else column.name

    def active_condition(self) -> str | None:
        """The SQL condition of "still takes place", if there are states that tell."""
        found = self.inactive()
        if found is None:
            return None
        listed = ", ".join(f"models.{found[0].enum}.{name}" for name in found[1])
        return f"models.{self.name}.{found[0].name}.not_in([{listed}])"

    def open_condition(self) -> str | None:
        """The SQL condition of "not finished yet", if the fields tell."""
        for column in self.enums:
            moves = [t for t in self.transitions if t.field == column.source.name]
            sources = {source for t in moves for source in t.sources}
            ends = [name for name, value in column.choices if value not in sources]
            if moves and ends:
                listed = ", ".join(f"models.{column.enum}.{name}" for name in ends)
                return f"models.{self.name}.{column.name}.not_in([{listed}])"
        for column in self.columns:
            if _DONE.search(column.name) and column.kind == "boolean":
                return f"models.{self.name}.{column.name}.is_(False)"
            if _DONE.search(column.name) and column.kind in MOMENTS and column.nullable:
                return f"models.{self.name}.{column.name}.is_(None)"
        return None


@dataclass(frozen=True)
class Link:
    """A many-to-many relation, as routes below the left side."""

    left: Thing
    right: Thing

    @property
    def table(self) -> str:
        return f"{self.left.snake}_{self.right.plural}"

    @property
    def right_key(self) -> str:
        other = "other_" if self.left is self.right else ""
        return f"{other}{self.right.snake}_id"


@dataclass(frozen=True)
class Project:
    """The whole plan."""

    plan: Plan
    things: list[Thing]
    links: list[Link]

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def auth(self) -> bool:
        return "authentication" in self.plan.features

    @property
    def request_log(self) -> bool:
        return "request_logging" in self.plan.features

    @property
    def searched(self) -> bool:
        return any(thing.searched for thing in self.things)

    @property
    def dated(self) -> tuple[Thing, Column]:
        """A column that holds a moment, and where it is; for projects that have one."""
        found = ((thing, column) for thing in self.things for column in thing.writable)
        return next(pair for pair in found if pair[1].kind == "datetime")

    @property
    def clocks(self) -> set[str]:
        """The functions that give columns their defaults, and reports the present."""
        found = {column.default or "" for thing in self.things for column in thing.columns}
        dated = ("upcoming", "overdue")
        return found | {"today"} if any(r.kind in dated for r in self.plan.reports) else found

    @cached_property
    def kinds(self) -> set[str]:
        """The types of all columns."""
        return {column.kind for thing in self.things for column in thing.columns}

    def thing(self, name: str) -> Thing:
        return next(thing for thing in self.things if thing.name == name)


def make_spec(plan: Plan) -> Project:
    """Resolve a plan; what refers to something that is not there is left out."""
    by_name: dict[str, Thing] = {}
    for entity in plan.entities:
        plural = names.route(entity.plural, has_reports=bool(plan.reports))
        by_name[entity.name] = Thing(entity, plural)
    optional = _breaking_cycles(plan)
    for thing in by_name.values():
        moved = {transition.field for transition in thing.entity.transitions}
        for source in thing.entity.fields:
            if source.type == "reference" and source.references not in by_name:
                continue
            if (thing.name, source.name) in optional:
                source = source.model_copy(update={"required": False})  # noqa: PLW2901
            managed = source.name in moved and source.type == "enum"
            thing.columns.append(Column(source, thing.name, by_name, managed))
    links = [
        Link(by_name[pair.left], by_name[pair.right])
        for pair in plan.links
        if pair.left in by_name and pair.right in by_name
    ]
    for link in links:
        link.left.links.append(link)
    return Project(plan, list(by_name.values()), links)


def _breaking_cycles(plan: Plan) -> set[tuple[str, str]]:
    """References that must be optional: in a circle of required ones nothing could be created."""
    needs: dict[str, set[str]] = {}
    optional: set[tuple[str, str]] = set()
    for entity in plan.entities:
        for source in entity.fields:
            target = source.references
            if source.type != "reference" or not source.required or target is None:
                continue
            if entity.name in _reachable(target, needs):
                optional.add((entity.name, source.name))
            else:
                needs.setdefault(entity.name, set()).add(target)
    return optional


def _reachable(start: str, needs: dict[str, set[str]]) -> set[str]:
    found, waiting = set[str](), [start]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs.get(name, ())
    return found


def _named(rule: Rule) -> int:
    """How many of a rule's fields are names of fields; the rest are values."""
    return 1 if rule.kind == "immutable_after" else len(rule.fields)
