"""A plan's reports, as the blueprints see them."""

import keyword
from dataclasses import dataclass, replace
from functools import cached_property

from agenticai_core.plans import Report
from agenticai_worker.llm.template.write import names
from agenticai_worker.llm.template.write.columns import NUMBERS, Column
from agenticai_worker.llm.template.write.spec import Project, Thing

# What the module of the reports already calls something else.
_TAKEN_REPORTS = frozenset(
    {"period", "week", "router", "models", "sa", "orm", "dt", "today", "utc_now"}
)


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


def figures_of(project: Project) -> list[Figure]:
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
