"""Reading the JSON that a model wrote."""

import re
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from agenticai_core.models import Usage
from agenticai_worker.llm.base import MalformedReply

T = TypeVar("T", bound=BaseModel)

_FENCED = re.compile(r"^\s*```(?:json)?\s*\n(?P<json>.*)\n\s*```\s*$", re.DOTALL)
_SHOWN_ERRORS = 5


def read_json(text: str, schema: type[T], usage: Usage) -> T:
    """``text`` as a ``schema``; raises `MalformedReply` with what is wrong, field by field."""
    fenced = _FENCED.match(text)
    try:
        return schema.model_validate_json(fenced["json"] if fenced else text)
    except ValidationError as error:
        raise MalformedReply(_describe(error), text, usage) from error


def _describe(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    lines = [
        f"{'.'.join(str(part) for part in problem['loc']) or 'the reply'}: {problem['msg']}"
        for problem in problems[:_SHOWN_ERRORS]
    ]
    if len(problems) > _SHOWN_ERRORS:
        lines.append(f"and {len(problems) - _SHOWN_ERRORS} more")
    return "; ".join(lines)
