"""What a template is: files, the variables they use, and what is told about both."""

import keyword
import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from agenticai_core.configuration import Tags, at_most
from agenticai_core.models import Model, ProjectType
from agenticai_core.templates.patterns import MAX_MATCHED, check_pattern, matches

BUILTIN_OWNER = "@builtin"  # no owner's id can have an "@"
MAX_FILES = 90  # with the template's own row they fit into one transaction
MAX_FILE = 300_000  # bytes; a row of the table holds 400 KB
MAX_TOTAL = 2_000_000  # bytes of all files; a transaction holds 4 MB
MAX_VARIABLES = 40
MAX_VALUE = 2000  # characters of one variable's value
PROJECT_NAME = "project_name"  # the variable that the project's own name is given to

_TAKEN = frozenset(
    [
        "caller",
        "cycler",
        "dict",
        "false",
        "joiner",
        "kwargs",
        "loop",
        "namespace",
        "none",
        "range",
        "recursive",
        "self",
        "super",
        "true",
        "varargs",
    ]
)

# The pattern tells clients too that spaces alone are nothing: those around a line are taken off.
Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"[^\s\x00-\x1f\x7f-\x9f]"
    ),
]
Value = Annotated[str, StringConstraints(max_length=MAX_VALUE)]


class Category(StrEnum):
    API = "api"
    WEB = "web"
    MOBILE = "mobile"
    DATA = "data"
    MICROSERVICE = "microservice"
    CLI = "cli"
    STATIC = "static"
    OTHER = "other"


class Variable(Model):
    """One value that whoever uses the template gives; always text.

    ``pattern`` is a regular expression that the whole value has to match (see `patterns` for
    which ones), ``choices`` all values that are allowed.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", examples=["project_name"])
    description: str = Field("", max_length=500, examples=["What the service is called."])
    required: bool = True
    default: Value | None = Field(
        None, description="Of one that is not required; else it is empty."
    )
    pattern: str | None = Field(None, max_length=200, description="The whole value matches it.")
    choices: Annotated[tuple[Line, ...], at_most(50)] = Field((), max_length=50)

    @field_validator("name")
    @classmethod
    def _not_taken(cls, name: str) -> str:
        if name in _TAKEN or keyword.iskeyword(name):
            raise ValueError("means something to the template language; choose another name")
        return name

    @field_validator("pattern")
    @classmethod
    def _bounded(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            check_pattern(pattern)
        return pattern

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Variable":
        if self.required and self.default is not None:
            raise ValueError("a required variable has no default")
        if self.default is not None and (problem := self.find_problem(self.default)):
            raise ValueError(f"the default {problem}")
        return self

    def find_problem(self, value: str) -> str | None:
        """What is wrong with a value, in words that follow its name; None: nothing."""
        if len(value) > MAX_VALUE:
            return f"has more than {MAX_VALUE} characters"
        if any(ord(char) < 32 and char not in "\t\n\r" for char in value):
            return "has control characters"
        if self.choices and value not in self.choices:
            return f"must be one of {', '.join(self.choices)}"
        if self.pattern is None:
            return None
        if len(value) > MAX_MATCHED:
            return f"has more than {MAX_MATCHED} characters"
        return None if matches(self.pattern, value) else f"must match {self.pattern}"


class TemplateFile(Model):
    """One file. Its path may hold variables too; where that renders to nothing, it is left out."""

    path: str = Field(min_length=1, max_length=240)
    content: str
    is_template: bool = Field(True, description="false: the content is taken as it is.")


class NewTemplate(Model):
    """What a user gives to create a template, or to replace one."""

    name: Line
    description: str = Field(min_length=1, max_length=2000)
    category: Category
    type: ProjectType = Field(description="Of the projects made from it.")
    variables: Annotated[tuple[Variable, ...], at_most(MAX_VARIABLES)] = Field(
        (), max_length=MAX_VARIABLES
    )
    tech_stack: Annotated[tuple[Line, ...], at_most(20)] = Field((), max_length=20)
    complexity: Literal["low", "medium", "high"] = "medium"
    estimated_setup_time: int = Field(15, ge=0, le=10_000, description="Minutes.")
    tags: Tags = ()
    files: Annotated[tuple[TemplateFile, ...], at_most(MAX_FILES)] = Field(
        min_length=1, max_length=MAX_FILES
    )

    @field_validator("variables")
    @classmethod
    def _named_once(cls, variables: tuple[Variable, ...]) -> tuple[Variable, ...]:
        names = [variable.name for variable in variables]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"declares {', '.join(twice)} twice")
        return variables


class Template(Model):
    """A stored template. ``files`` names each file's hash, its content is a row of its own.

    ``plan`` is a plan as JSON, with variables, where the built-in engine can go on from it.
    """

    id: str
    owner_id: str
    name: str
    description: str
    category: Category
    type: ProjectType
    variables: tuple[Variable, ...] = ()
    tech_stack: tuple[str, ...] = ()
    complexity: Literal["low", "medium", "high"] = "medium"
    estimated_setup_time: int = 15  # minutes
    tags: tuple[str, ...] = ()
    plan: str | None = None
    files: dict[str, str] = Field(default_factory=dict)  # path -> sha256 of the row's content
    version: int = 1  # of every change, for optimistic locking
    created_at: str
    updated_at: str

    @property
    def builtin(self) -> bool:
        return self.owner_id == BUILTIN_OWNER

    @property
    def required_vars(self) -> tuple[str, ...]:
        return tuple(variable.name for variable in self.variables if variable.required)

    @property
    def optional_vars(self) -> tuple[str, ...]:
        return tuple(variable.name for variable in self.variables if not variable.required)


class TemplateSnapshot(Model):
    """A template as it was when a project was made from it, and the values it was given."""

    template: Template
    files: tuple[TemplateFile, ...]
    variables: dict[str, str]


_CALL = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_STATEMENT = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)


def is_dynamic(path: str) -> bool:
    """Whether a file's path holds something to render."""
    return "{" in path and bool(_CALL.search(path) or _STATEMENT.search(path))


def skeleton(path: str) -> str:
    """A path with a letter in place of each value, to look at the rest of it."""
    return _STATEMENT.sub("", _CALL.sub("x", path))
