"""A field as a plan holds it: a safe name, a type, limits and a default that fit."""

import keyword
import re

from agenticai_core.plans import EntityField
from agenticai_worker.llm.template.understand import types, words
from agenticai_worker.llm.template.understand.qualifiers import FieldSpec

_RESERVED = frozenset(
    [
        "id",
        "created_at",
        "updated_at",
        "metadata",
        "registry",
        "model_config",
        "model_fields",
        "schema",
        "json",
        "dict",
        "copy",
        "construct",
        "validate",
        "query",
        "session",
        "self",
        "cls",
        "parse_obj",
        "parse_raw",
        "fields",
    ]
)


def safe_name(name: str, prefix: str = "item") -> str:
    """A field name that Python, pydantic and SQLAlchemy all take."""
    name = name or "value"
    if name in _RESERVED or keyword.iskeyword(name) or name.startswith("model_"):
        return f"{prefix}_{name}"
    return name


def build_field(name: str, spec: FieldSpec, *, is_plural: bool) -> EntityField:
    """The field of that name, with a type guessed from the name where none is given."""
    values = spec.values
    given = values.get("type")
    choices = values.get("choices") or ()
    type_: types.FieldType = "enum" if choices else given or types.guess_type(name, is_plural)  # type: ignore[assignment]
    if "minimum" in values and type_ == "string" and "maximum" in values:
        type_ = "integer"
    if (values.get("max_length") and type_ not in ("text",)) or (type_ == "enum" and not choices):
        type_ = "string"
    numeric = type_ in ("integer", "decimal", "float")
    low = values.get("minimum") if numeric else None
    if low is None and numeric and _never_negative(name, type_):
        low = 0.0
    result = EntityField(
        name=safe_name(name),
        type=type_,
        required=bool(values.get("required")) or not (spec.optional or type_ == "text"),
        unique=bool(values.get("unique")) or types.is_unique_by_nature(name),
        choices=tuple(choices) if isinstance(choices, tuple) else (),
        minimum=_bound(low, type_),
        maximum=_bound(values.get("maximum"), type_) if numeric else None,
        max_length=values.get("max_length") if type_ in ("string", "text") else None,
        unit=values.get("unit") if numeric else None,
        description=str(values.get("description", "")),
    )
    return with_default(result, values.get("default"))


def _bound(value: object, type_: str) -> float | None:
    if not isinstance(value, float):
        return None
    return 1.0 if type_ == "integer" and value == 0.01 else value


def _never_negative(name: str, type_: str) -> bool:
    signed = ("temperature", "latitude", "longitude", "altitude", "elevation", "balance", "change",
              "adjustment", "profit", "floor", "score", "angle", "position", "delta")  # fmt: skip
    return type_ in ("integer", "decimal", "float") and not any(
        part in signed for part in name.split("_")
    )


def with_default(made: EntityField, default: object) -> EntityField:
    """The field with a default, if the default fits its type."""
    if default is None:
        return made
    text = str(default).strip(". ").lower()
    if made.type == "enum":
        text = words.to_snake(text)
        if text not in made.choices:
            return made
    elif made.type == "boolean":
        if text not in ("true", "false", "yes", "no", "on", "off"):
            return made
        text = "true" if text in ("true", "yes", "on") else "false"
    elif made.type in ("integer", "decimal", "float"):
        pattern = r"-?\d+" if made.type == "integer" else r"-?\d+(\.\d+)?"
        if not re.fullmatch(pattern, text):
            return made
    elif made.type in ("date", "datetime"):
        if text not in ("now", "today"):
            return made
        text = "now"
    elif made.type not in ("string", "text"):
        return made
    return made.model_copy(update={"default": text})
