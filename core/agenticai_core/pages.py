"""Opaque page cursors."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from agenticai_core.errors import ValidationFailed


class InvalidCursor(ValidationFailed):
    code = "INVALID_CURSOR"


def encode(start: Mapping[str, str] | None, scope: str) -> str | None:
    """A cursor for the next page of one list; ``scope`` says whose and which."""
    if start is None:
        return None
    body = json.dumps(dict(start), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_tag(body, scope) + body).decode().rstrip("=")


def decode(cursor: str | None, scope: str) -> dict[str, str] | None:
    """The start that `encode` was given; raises `InvalidCursor` for any other list's cursor."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raw = b""
    tag, body = raw[:16], raw[16:]
    if not body or not hmac.compare_digest(tag, _tag(body, scope)):
        raise InvalidCursor(
            "This cursor does not belong to this list",
            hint="Take next_cursor of the page before, unchanged",
        )
    start: dict[str, str] = json.loads(body)
    return start


def _tag(body: bytes, scope: str) -> bytes:
    return hmac.digest(scope.encode(), body, hashlib.sha256)[:16]
