"""Reading the JSON that a model wrote."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from agenticai_core.models import Usage
from agenticai_worker.llm.base import MalformedReply

T = TypeVar("T", bound=BaseModel)

_SHOWN_ERRORS = 5


def read_json(text: str, schema: type[T], usage: Usage) -> T:
    """``text`` as a ``schema``; raises `MalformedReply` with what is wrong, field by field."""
    try:
        return schema.model_validate_json(_unfenced(text.strip()))
    except ValidationError as error:
        raise MalformedReply(_describe(error), text, usage) from error


def _unfenced(text: str) -> str:
    """Without the Markdown fence that models like to put around JSON."""
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") : -3]
    return text


def _describe(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    lines = [
        f"{'.'.join(str(part) for part in problem['loc']) or 'the reply'}: {problem['msg']}"
        for problem in problems[:_SHOWN_ERRORS]
    ]
    if len(problems) > _SHOWN_ERRORS:
        lines.append(f"and {len(problems) - _SHOWN_ERRORS} more")
    return "; ".join(lines)
