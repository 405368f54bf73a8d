"""Opaque page cursors, which only we can make.

They are signed with ``AGENTICAI_CURSOR_SECRET``. Without one, a random secret is made once and
kept in the secret store, so that every instance of the API takes every other's cursors, after a
restart too. A process remembers it for some minutes: a page costs no extra read. A new secret ends
the cursors that are out, and so does a day; a client then starts its list again.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from agenticai_core.bootstrap import Services
from agenticai_core.clock import now
from agenticai_core.errors import ValidationFailed

LIFETIME = 24 * 3600  # s
_TAG = 16  # bytes of the signature that are kept
_NAMES = frozenset({"PK", "SK", "GSI1PK", "GSI1SK", "GSI2PK", "GSI2SK"})


class InvalidCursor(ValidationFailed):
    """The cursor was not given for this list and this caller."""

    code = "INVALID_CURSOR"


class CursorExpired(ValidationFailed):
    """The cursor is too old: start again at the first page."""

    code = "CURSOR_EXPIRED"


def encode(services: Services, start: Mapping[str, str] | None, scope: str) -> str | None:
    """A cursor for the next page of one list; ``scope`` says whose and which."""
    if start is None:
        return None
    until = int(now().timestamp()) + LIFETIME
    body = json.dumps([until, dict(start)], separators=(",", ":")).encode()
    signed = _sign(_secret(services), body, scope) + body
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def decode(services: Services, cursor: str | None, scope: str) -> dict[str, str] | None:
    """The start that `encode` was given; raises `InvalidCursor` for any other list's cursor,
    and `CursorExpired`."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raw = b""
    tag, body = raw[:_TAG], raw[_TAG:]
    if not body or not hmac.compare_digest(tag, _sign(_secret(services), body, scope)):
        raise _invalid()
    until, start = json.loads(body)
    if until <= now().timestamp():
        raise CursorExpired("This cursor is over a day old", hint="Start the list again")
    return _checked(start)


def _checked(start: Any) -> dict[str, str]:
    """The keys of a row and nothing else, whoever signed it."""
    if not isinstance(start, dict) or not _NAMES.issuperset(start):
        raise _invalid()
    if not all(isinstance(value, str) for value in start.values()):
        raise _invalid()
    return start


def _invalid() -> InvalidCursor:
    return InvalidCursor(
        "This cursor does not belong to this list",
        hint="Take next_cursor of the page before, unchanged",
    )


def _sign(secret: bytes, body: bytes, scope: str) -> bytes:
    # The scope's length keeps "ab" + "c" from being signed like "a" + "bc".
    told = scope.encode()
    return hmac.digest(secret, len(told).to_bytes(4) + told + body, hashlib.sha256)[:_TAG]


def _secret(services: Services) -> bytes:
    return services.cursor_secret.value(services.secrets)
