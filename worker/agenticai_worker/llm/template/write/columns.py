"""One attribute of one entity: its names, types and limits, worked out once."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from agenticai_core.plans import EntityField
from agenticai_worker.llm.template.write import names

if TYPE_CHECKING:
    from agenticai_worker.llm.template.write.spec import Thing


_PYTHON = {
    "string": "str", "text": "str", "email": "str", "url": "str", "phone": "str",
    "integer": "int", "reference": "int", "decimal": "Decimal", "float": "float",
    "boolean": "bool", "date": "dt.date", "datetime": "dt.datetime", "time": "dt.time",
    "uuid": "uuid.UUID",
}  # fmt: skip
_COLUMN = {
    "text": "sa.Text()", "email": "sa.String(254)", "url": "sa.String(2000)",
    "phone": "sa.String(40)", "integer": "sa.Integer()", "reference": "sa.Integer()",
    "decimal": "FixedPoint()", "float": "sa.Float()", "boolean": "sa.Boolean()",
    "date": "sa.Date()", "datetime": "UtcDateTime()", "time": "sa.Time()", "uuid": "sa.Uuid()",
}  # fmt: skip
# Types that the schemas share, each with the limits of what the database can hold.
_SHARED = {
    "email": "Email", "url": "Url", "phone": "Phone", "integer": "Whole", "decimal": "Fixed",
    "float": "Finite", "reference": "Id", "datetime": "Utc",
}  # fmt: skip
_LENGTHS = {"text": 10_000, "email": 254, "url": 2000, "phone": 40, "string": 200}
NUMBERS = ("integer", "decimal", "float")
MOMENTS = ("date", "datetime", "time")


@dataclass(frozen=True)
class Column:
    """One attribute of one entity."""

    source: EntityField
    entity: str
    targets: dict[str, "Thing"]
    managed: bool = False  # moved by transitions alone

    @cached_property
    def name(self) -> str:
        plain = names.attribute(self.source.name, self.entity)
        return f"{plain}_id" if self.kind == "reference" else plain

    @property
    def kind(self) -> str:
        return self.source.type

    @property
    def label(self) -> str:
        return names.words(self.source.name)

    @property
    def target(self) -> "Thing":
        return self.targets[self.source.references or ""]

    @property
    def enum(self) -> str:
        name = f"{self.entity}{''.join(p.title() for p in self.source.name.split('_'))}"
        taken = name in self.targets or name.endswith(("Create", "Patch", "Read", "Query"))
        return f"{name}Choice" if taken else name

    @cached_property
    def choices(self) -> list[tuple[str, str]]:
        """Members and values of the enumeration."""
        found: dict[str, str] = {}
        for choice in self.source.choices:
            name = names.member(choice)
            while name in found:
                name += "_"
            found[name] = choice
        return list(found.items())

    @property
    def nullable(self) -> bool:
        return not self.source.required and self.default is None

    @property
    def python(self) -> str:
        return self.enum if self.kind == "enum" else _PYTHON[self.kind]

    @property
    def column_type(self) -> str:
        if self.kind == "enum":
            return f"choice({self.enum})"
        if self.kind == "string":
            return f"sa.String({self.length})"
        return _COLUMN[self.kind]

    @property
    def length(self) -> int | None:
        most = _LENGTHS.get(self.kind)
        return min(self.source.max_length or most, 10_000) if most else None

    @property
    def minimum(self) -> int | float | None:
        return _whole(self.source.minimum)

    @property
    def maximum(self) -> int | float | None:
        return _whole(self.source.maximum)

    @cached_property
    def constraints(self) -> list[str]:
        """Arguments of pydantic's Field, besides what the type itself demands."""
        out: list[str] = []
        if self.kind in ("string", "text"):
            out += ["min_length=1", f"max_length={self.length}"]
        if self.kind in NUMBERS:
            out += [f"ge={self.minimum}"] if self.minimum is not None else []
            out += [f"le={self.maximum}"] if self.maximum is not None else []
        if self.hint:
            out.append(f"description={quoted(self.hint)}")
        return out

    @property
    def hint(self) -> str:
        unit = f"In {self.source.unit}" if self.source.unit else ""
        return ". ".join(part for part in (self.source.description, unit) if part)

    @cached_property
    def default(self) -> str | None:
        """The default as a Python expression; None where there is none."""
        text = self.source.default
        if text is None:
            return None
        if self.kind == "enum":
            match = next((name for name, value in self.choices if value == text), None)
            return f"{self.enum}.{match}" if match else None
        if self.kind == "boolean":
            return str(text.lower() in ("true", "yes", "1"))
        if self.kind in MOMENTS:
            return _moment_default(self.kind, text)
        if self.kind in NUMBERS:
            return _number_default(self.kind, text)
        return quoted(text) if self.kind in ("string", "text") else None

    @property
    def computed_default(self) -> bool:
        return self.kind in MOMENTS and self.default is not None

    @property
    def input_type(self) -> str:
        """The type of what callers send, for filters too."""
        return _SHARED.get(self.kind, self.python)

    @property
    def shares_type(self) -> bool:
        """Whether the type of what callers send is one of those that all schemas share."""
        return self.kind in _SHARED

    @property
    def annotation(self) -> str:
        """The type in a schema, without "or null"."""
        if not self.constraints:
            return self.input_type
        return f"Annotated[{self.input_type}, Field({', '.join(self.constraints)})]"


@dataclass(frozen=True)
class Filter:
    parameter: str
    column: Column
    how: str  # equal, at_least, at_most


def quoted(text: str) -> str:
    """A string literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)  # its escapes are Python's, too


def initial(column: Column) -> str:
    """The state that something begins in, as an expression."""
    if column.default is not None:
        return column.default
    return f"{column.enum}.{column.choices[0][0]}"


def filters_of(column: Column) -> list[Filter]:
    name = names.parameter(column.name)
    if column.kind in ("date", "datetime", "time"):
        return [Filter(f"{name}_from", column, "at_least"), Filter(f"{name}_to", column, "at_most")]
    if column.kind in NUMBERS:
        low = Filter(f"{name}_min", column, "at_least")
        return [low, Filter(f"{name}_max", column, "at_most"), Filter(name, column, "equal")]
    return [Filter(name, column, "equal")]


def _whole(number: float | None) -> int | float | None:
    return int(number) if number is not None and number == int(number) else number


def _moment_default(kind: str, text: str) -> str | None:
    if text not in ("now", "today"):
        return None
    return {"date": "today", "datetime": "utc_now", "time": "time_now"}[kind]


def _number_default(kind: str, text: str) -> str | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if kind == "integer":
        return str(int(number))
    return f'Decimal("{text}")' if kind == "decimal" else str(number)
