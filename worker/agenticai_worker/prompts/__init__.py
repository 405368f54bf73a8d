"""From a `Prompt` to the text that a language model reads.

The instructions are ours; everything that comes from a user or from generated files stands
between fences as data. The environment is never among the values.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel

from agenticai_worker.imports import describe_importers
from agenticai_worker.llm.base import Prompt
from agenticai_worker.prompts.context import choose_context
from agenticai_worker.prompts.schemas import SCHEMAS, flat_schema

TREE_BUDGET = 60_000  # characters of other files that one prompt may quote


@dataclass(frozen=True)
class Rendered:
    system: str
    user: str


def render(prompt: Prompt) -> Rendered:
    """The texts of ``prompt``; the same prompt always gives the same texts.

    Raises `jinja2.TemplateNotFound` for an unknown name and `jinja2.UndefinedError` for a value
    that the template needs and did not get: both are mistakes of the caller.
    """
    environment = _environment()
    values = {
        **prompt.values,
        "fence": fingerprint(prompt)[:16],
        "nonce": prompt.nonce,
        "complaint": prompt.complaint,
        "schema": _schema_text(prompt.name),
        "choose_context": choose_context,
        "describe_importers": describe_importers,
        "tree_budget": TREE_BUDGET,
    }
    return Rendered(
        system=environment.get_template("_system.j2").render(values).strip(),
        user=environment.get_template(f"{prompt.name}.j2").render(values).strip(),
    )


def fingerprint(prompt: Prompt, *, without: Iterable[str] = ()) -> str:
    """A hash of the prompt's name, values and complaint (its nonce left out), as hex digits.

    As the mark of a fence it cannot stand in the fenced text: it depends on that text.
    """
    left_out = set(without)
    values = {name: _plain(value) for name, value in prompt.values.items() if name not in left_out}
    complaint = prompt.complaint.replace(prompt.nonce, "") if prompt.nonce else prompt.complaint
    text = json.dumps([prompt.name, values, complaint], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def estimate_tokens(prompt: Prompt) -> int:
    """Never fewer tokens than the prompt has: as many as its text has bytes."""
    rendered = render(prompt)
    text = len(rendered.system.encode()) + len(rendered.user.encode())
    return text + estimate_schema_tokens(prompt)


def estimate_schema_tokens(prompt: Prompt) -> int:
    """Tokens of the JSON schema that goes along with the prompt beside its text, if any does."""
    return len(_schema_text(prompt.name)) // 2


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_plain(item) for item in items]
    return value


def _schema_text(name: str) -> str:
    return json.dumps(flat_schema(SCHEMAS[name])) if name in SCHEMAS else ""


def _as_json(value: BaseModel) -> str:
    """Without what has its default: a plan is sent along with every file, and most of it has."""
    shown = value.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(shown, indent=1, ensure_ascii=False)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - plain text for a model, never shown in a browser
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["as_json"] = _as_json
    return environment
