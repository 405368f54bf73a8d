"""Keeps secrets out of log lines: by the names of fields, by how secrets look, and by value.

The code logs no secret on purpose. This is for what slips in: an address in an exception's text, a
library that logs a request's headers, a field that was added without a thought.
"""

import os
import re
from collections.abc import Mapping
from typing import Any

import structlog

MASK = "***"
_SHORTEST = 8  # characters of a value that is looked for everywhere: a shorter one hits words

_NAMES = re.compile(
    r"authorization|api_?key|passw|secret|credential|cookie|signature|environ(ment)?_?var"
    r"|(^|_)(token|ticket|jwt|environ)$|(access|refresh|session|security|bearer|id)_?token",
    re.IGNORECASE,
)
_SECRET_VARIABLES = re.compile(r"KEY|SECRET|TOKEN|PASSW|CREDENTIAL", re.IGNORECASE)
# What stands before a secret is kept, so that a reader sees what was there.
_SHAPES = (
    re.compile(r"()\bagk_[A-Za-z0-9_-]{20,}"),  # our API keys
    re.compile(r"()\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"),  # JSON web tokens
    re.compile(r"()\bAIza[\w-]{30,}"),  # Google's API keys
    re.compile(r"()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),  # AWS's access key ids
    re.compile(r"()\bsk-[\w-]{20,}"),  # keys of servers that speak OpenAI's protocol
    re.compile(r"(\b(?:Bearer|Basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE),
    re.compile(r"(\bX-Amz-(?:Signature|Credential|Security-Token)=)[^&\s\"']+", re.IGNORECASE),
    re.compile(r"(\bticket[.=:]\s*)[\w-]{16,}", re.IGNORECASE),
    re.compile(
        r"(\b(?:x-api-key|api[_-]?key|(?:access_)?token|password|secret)[\"']?\s*[=:]\s*[\"']?)"
        r"[^\s&\"',;}]{8,}",
        re.IGNORECASE,
    ),
)


class Redactor:
    """A structlog processor that masks what must not be read. ``values`` are known
    secrets, wherever they stand."""

    def __init__(self, values: tuple[str, ...] = ()) -> None:
        longest_first = sorted({one for one in values if len(one) >= _SHORTEST}, key=len)[::-1]
        self._values = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def __call__(self, _logger: Any, _method: str, line: structlog.types.EventDict) -> Any:
        return {name: self._field(name, value) for name, value in line.items()}

    def text(self, text: str) -> str:
        text = self._values.sub(MASK, text)
        for shape in _SHAPES:
            text = shape.sub(rf"\g<1>{MASK}", text)
        return text

    def _field(self, name: Any, value: Any) -> Any:
        if isinstance(name, str) and _NAMES.search(name) and value not in (None, ""):
            return MASK
        return self._value(value)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(name): self._field(name, one) for name, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(one) for one in value]
        return self.text(str(value))


def environment_secrets() -> tuple[str, ...]:
    """The values of this process' variables whose names say that they are secret."""
    return tuple(value for name, value in os.environ.items() if _SECRET_VARIABLES.search(name))
