"""What the prompts that ask for JSON ask for, and that JSON's schema in its plainest form."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from agenticai_core.models import Model
from agenticai_core.plans import Analysis, Plan


class Diagnosis(Model):
    """Why tests failed, and which files have to change for them to pass."""

    cause: str
    paths: tuple[str, ...]


SCHEMAS: Mapping[str, type[BaseModel]] = {
    "plan": Plan,
    "analyze": Analysis,
    "diagnose": Diagnosis,
}

_KEPT = ("type", "enum", "description", "format")


def flat_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's JSON schema without ``$ref``, ``anyOf``, defaults, titles and limits.

    That is what Gemini's ``response_schema`` understands (``nullable`` stands for "or null"), and
    it is easier to read for any model. Raises `TypeError` for a model that refers to itself or
    holds free-form objects, which such a schema cannot say.
    """
    schema = model.model_json_schema()
    return _flatten(schema, schema.get("$defs", {}), ())


def _flatten(
    node: Mapping[str, Any], defs: Mapping[str, Any], seen: tuple[str, ...]
) -> dict[str, Any]:
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        if name in seen:
            raise TypeError(f"{name} refers to itself; a flat schema cannot say that")
        return _flatten(defs[name], defs, (*seen, name))
    if "anyOf" in node:
        return _flatten_choice(node, defs, seen)
    flat: dict[str, Any] = {key: node[key] for key in _KEPT if key in node}
    if "const" in node:
        flat |= {"type": "string", "enum": [node["const"]]}
    if flat.get("type") == "array":
        flat["items"] = _flatten(node["items"], defs, seen)
    elif flat.get("type") == "object":
        if not node.get("properties"):
            raise TypeError("a flat schema cannot say a free-form object")
        flat["properties"] = {
            name: _flatten(child, defs, seen) for name, child in node["properties"].items()
        }
        flat["required"] = list(node.get("required", ()))
    return flat


def _flatten_choice(
    node: Mapping[str, Any], defs: Mapping[str, Any], seen: tuple[str, ...]
) -> dict[str, Any]:
    choices = [choice for choice in node["anyOf"] if choice.get("type") != "null"]
    if len(choices) != 1:
        raise TypeError("a flat schema cannot say a choice between types")
    return {**_flatten(choices[0], defs, seen), "nullable": True}
