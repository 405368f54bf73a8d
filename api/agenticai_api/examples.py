"""Examples of answers, put together from their schemas."""

import re
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

UNKNOWN = "…"  # for which neither the schema nor the vocabulary has an example
_MAX_DEPTH = 12
_AT = "2025-11-24T12:00:00.000000Z"

# A name means the same thing in all answers. What a schema says of itself comes first.
VOCABULARY: Mapping[str, Any] = {
    "created_at": _AT,
    "updated_at": _AT,
    "requested_at": _AT,
    "last_modified": _AT,
    "at": _AT,
    "failure": None,
    "project_id": "proj_01jd3v9k2m7q8r5s6t7u8v9w0x",
    "owner_id": "owner_01jd3v9k2m7q8r5s",
    "name": "Bike workshop",
    "description": "Customers bring bikes for repair.",
    "requested_by": "owner_01jd3v9k2m7q8r5s",
    "request": "Add user authentication",
    "summary": "A service that keeps customers and repairs",
    "path": "main.py",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "model": "template",
    "active_run": "create",
    "version": "0.1.0",
    "secret": "agk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
    "type": "plan_ready",
    "checks": {"table": "ok", "bucket": "ok"},
}
_ULID = "01jd3v9k2m7q8r5s6t7u8v9w0x"
_PREFIXES = {"project": "proj", "modification": "mod", "template": "tmpl", "event": "create"}


class Examples:
    """Makes examples for schemas of one document."""

    def __init__(self, schemas: Mapping[str, Json]) -> None:
        self._schemas = schemas

    def of(self, schema: Json, name: str = "", depth: int = 0) -> Any:
        """A value that ``schema`` allows, as one would see it in the property ``name``."""
        if depth > _MAX_DEPTH:
            return None
        if "$ref" in schema:
            kind = schema["$ref"].rsplit("/", 1)[-1]
            return self.of(self._schemas[kind], name, depth + 1)
        for key in ("examples", "enum"):
            if key in schema:
                return schema[key][0]
        for key in ("example", "const"):
            if key in schema:
                return schema[key]
        if "anyOf" in schema:
            return self._choose(schema["anyOf"], name, depth)
        return self._by_type(schema, name, depth)

    def _choose(self, choices: list[Json], name: str, depth: int) -> Any:
        """What may be null is, unless there is more to show."""
        may_be_null = any(choice.get("type") == "null" for choice in choices)
        first = next(choice for choice in choices if choice.get("type") != "null")
        plain = first.get("type") not in (None, "object", "array")
        if may_be_null and VOCABULARY.get(name, None if plain else UNKNOWN) is None:
            return None
        return self.of(first, name, depth + 1)

    def _by_type(self, schema: Json, name: str, depth: int) -> Any:
        kind = schema.get("type")
        if kind == "object" and "properties" in schema:
            made = {
                key: self.of(inner, key, depth + 1) for key, inner in schema["properties"].items()
            }
            return made | ({"id": _identity(name)} if "id" in made else {})
        if kind == "array":
            one = self.of(schema.get("items", {}), name.removesuffix("s"), depth + 1)
            return [] if one == UNKNOWN else [one]
        known = VOCABULARY.get(name)
        if known is not None and re.search(schema.get("pattern", ""), str(known)):
            return known
        return schema["default"] if "default" in schema else self._plain(schema, depth)

    def _plain(self, schema: Json, depth: int) -> Any:
        kind = schema.get("type")
        if kind == "object":
            inner = schema.get("additionalProperties")
            if not isinstance(inner, dict):
                return {}
            return {VOCABULARY["path"]: self.of(inner, "", depth + 1)}
        if kind == "boolean":
            return True
        if kind in ("integer", "number"):
            return schema.get("minimum", 1)
        return UNKNOWN


def _identity(name: str) -> str:
    return f"{_PREFIXES.get(name, name)}_{_ULID}"


def error_example(code: str, message: str) -> Json:
    """An answer that holds the error ``code``."""
    return {
        "success": False,
        "error": {"code": code, "message": message, "details": {}},
        "request_id": "req_01jd3v9k2m7q8r5s6t7u8v9w0x",
        "timestamp": _AT,
    }
