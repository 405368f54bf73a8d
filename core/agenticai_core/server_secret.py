"""Secrets that all instances share: one signs tokens and derives what is shown again, another signs
page cursors."""

import secrets
import threading
import time
from collections.abc import Callable

import structlog

from agenticai_core.errors import Unavailable
from agenticai_core.secrets.base import Secrets

NAME = "jwt-secret"
CURSOR_NAME = "cursor-secret"
MIN_BYTES = 32  # what HMAC-SHA256 takes at its full strength
MAX_AGE = 300.0  # s until a new value in the store is seen
_PAUSE = 30.0  # s until a store that did not answer is asked again

_log = structlog.get_logger(__name__)


class ServerSecret:
    """The configured secret, or the one that the secret store keeps under ``name``: made at first
    use, read again every five minutes. Safe under threads."""

    def __init__(
        self,
        configured: str = "",
        *,
        name: str = NAME,
        max_age: float = MAX_AGE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._configured = configured.encode()
        self._name = name
        self._max_age = max_age
        self._clock = clock
        self._value = b""
        self._read_again_at = 0.0
        self._lock = threading.Lock()

    def value(self, store: Secrets) -> bytes:
        """At least 32 bytes. Raises `Unavailable` when there is none yet and no store answers."""
        if self._configured:
            return self._configured
        known = self._value
        if known and self._clock() < self._read_again_at:
            return known
        # One reads. Only those who know no secret yet wait for it: a store may take long to fail.
        if not self._lock.acquire(blocking=not known):
            return known
        try:
            if not self._value or self._clock() >= self._read_again_at:
                self._value = self._read(store)
            return self._value
        finally:
            self._lock.release()

    def _read(self, store: Secrets) -> bytes:
        try:
            value = (store.get(self._name) or self._make(store)).encode()
        except Unavailable as error:
            if not self._value:
                raise
            _log.warning("server_secret.not_read", name=self._name, reason=error.message)
            self._read_again_at = self._clock() + _PAUSE
            return self._value
        if len(value) < MIN_BYTES:
            raise Unavailable(f"The secret '{self._name}' is shorter than {MIN_BYTES} bytes")
        self._read_again_at = self._clock() + self._max_age
        return value

    def _make(self, store: Secrets) -> str:
        """A new secret, or the one that another instance has just made."""
        return store.create(self._name, secrets.token_urlsafe(48))
