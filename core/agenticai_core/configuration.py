"""What a user may set on a project beside its name and description: the rules of each field.

The API takes these types into its bodies as they are, so that no rule is told twice. A value that
breaks one is never repeated in the message: it may be a secret.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
)

MICRO = 1_000_000  # millionths of a US dollar in one
MAX_TOKENS = 10**12
MAX_DOLLARS = 1_000_000
MAX_DEPENDENCIES = 50
MAX_TAGS = 20
MAX_VARIABLES = 50
MAX_ENVIRONMENT = 4096  # bytes of all variables as one JSON object: what one parameter holds
MAX_VALUE = 4000
MASK = "***"  # stands for a value that is kept and never shown

_TAG = r"^[a-z0-9][a-z0-9-]{0,31}$"
_VARIABLE = r"^[A-Z_][A-Z0-9_]{0,63}$"
_VERSION = r"(?:===?|~=|!=|<=?|>=?)[0-9A-Za-z.*+!_-]+"
_PYTHON = (
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9._,-]+\])?"
    rf"(?:{_VERSION}(?:,{_VERSION})*)?"
)
_NPM = r"(?:@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*(?:@[~^]?[0-9A-Za-z][0-9A-Za-z.+-]*)?"
_DEPENDENCY = rf"^(?:{_PYTHON}|{_NPM})$"
_NAME_OF = re.compile(r"@?[A-Za-z0-9][A-Za-z0-9._/-]*")


def package_name(dependency: str) -> str:
    """The package that a dependency names, in one spelling: ``Flask_Login>=1`` is flask-login."""
    named = _NAME_OF.match(dependency)
    return re.sub(r"[-_.]+", "-", named.group() if named else dependency).lower()


def _unique_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tags))


def _unique_packages(dependencies: tuple[str, ...]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for dependency in dependencies:
        if found.setdefault(package_name(dependency), dependency) != dependency:
            raise ValueError(f"names {package_name(dependency)} twice, in different ways")
    return tuple(found.values())


def encode(values: Mapping[str, str]) -> str:
    """All variables as the JSON object that is stored."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def find_problem(values: Mapping[str, str]) -> str | None:
    """What keeps these variables from being stored together, or None."""
    if len(values) > MAX_VARIABLES:
        return f"has more than {MAX_VARIABLES} variables"
    if len(encode(values).encode()) > MAX_ENVIRONMENT:
        return f"is larger than {MAX_ENVIRONMENT} bytes as JSON, all variables together"
    return None


def _first_values(values: dict[str, SecretStr]) -> dict[str, SecretStr]:
    plain = {name: value.get_secret_value() for name, value in values.items()}
    if MASK in plain.values():
        raise ValueError(f"has a variable whose value is {MASK}, but there is none to keep yet")
    if problem := find_problem(plain):
        raise ValueError(problem)
    return values


def at_most(number: int) -> BeforeValidator:
    """Refuse a longer list or object before anything in it is looked at: describing what is wrong
    with each of a million items takes seconds."""

    def check(value: Any) -> Any:
        if isinstance(value, list | tuple | dict) and len(value) > number:
            raise ValueError(f"should have at most {number} items, not {len(value)}")
        return value

    return BeforeValidator(check)


def as_whole(value: Any) -> Any:
    """1 for 1.0: to JSON it is as much of an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _variables(value: dict[str, Any], description: str) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": _VARIABLE},
            "additionalProperties": value,
            "maxProperties": MAX_VARIABLES,
            "description": description,
            "examples": [{"SMTP_PASSWORD": "correct horse"}],
        }
    )


_SECRET = {"type": "string", "maxLength": MAX_VALUE, "writeOnly": True}
_Secret = Annotated[SecretStr, Field(max_length=MAX_VALUE)]
Variable = Annotated[str, StringConstraints(pattern=_VARIABLE)]
Tag = Annotated[str, StringConstraints(pattern=_TAG)]
Dependency = Annotated[str, StringConstraints(pattern=_DEPENDENCY, max_length=100)]

TokenBudget = Annotated[int, Field(ge=1, le=MAX_TOKENS, strict=True), BeforeValidator(as_whole)]
CostBudget = Annotated[float, Field(ge=1 / MICRO, le=MAX_DOLLARS, strict=True, allow_inf_nan=False)]
Tags = Annotated[
    tuple[Tag, ...], Field(max_length=MAX_TAGS), AfterValidator(_unique_tags), at_most(MAX_TAGS)
]
Dependencies = Annotated[
    tuple[Dependency, ...],
    Field(max_length=MAX_DEPENDENCIES),
    AfterValidator(_unique_packages),
    at_most(MAX_DEPENDENCIES),
]
EnvironmentVars = Annotated[
    dict[Variable, _Secret],
    AfterValidator(_first_values),
    at_most(2 * MAX_VARIABLES),
    _variables(
        _SECRET,
        f"Name -> value, of what the project needs where it runs. Values are write-only; at most "
        f"{MAX_ENVIRONMENT} bytes as JSON, all together.",
    ),
]
EnvironmentChanges = Annotated[
    dict[Variable, _Secret | None],
    Field(max_length=2 * MAX_VARIABLES),
    at_most(2 * MAX_VARIABLES),
    _variables(
        {"anyOf": [_SECRET, {"type": "null"}]},
        f'What is given is set, null removes a variable, "{MASK}" keeps it as it is.',
    ),
]


def to_microusd(dollars: float | None) -> int | None:
    """A budget as it is stored: whole millionths of a dollar."""
    return None if dollars is None else round(dollars * MICRO)


def to_dollars(microusd: int) -> float:
    return microusd / MICRO
