"""What can go wrong between a program and the system, told so that its user knows what to do."""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Base of the client's errors: a ``message`` for people and, where there is one, a ``hint``."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotConfigured(ClientError):
    """Nobody said where the system is, or which key to use."""


class ConnectionFailed(ClientError):
    """No answer: refused, timed out or cut off. ``sent``: the request may have arrived."""

    def __init__(self, message: str, *, hint: str | None = None, sent: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.sent = sent


class UnsafeArchive(ClientError):
    """An archive holds something that must not be written to this machine."""


class FolderInUse(ClientError):
    """The target folder holds files that a pull would mix with or overwrite."""


class ApiError(ClientError):
    """The system answered with an error.

    ``code`` is stable and fit for programs, ``status`` is HTTP's, ``details`` holds JSON values,
    ``request_id`` finds the request in the logs, ``retry_after`` is in seconds.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int,
        hint: str | None = None,
        details: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.status = status
        self.details = dict(details or {})
        self.request_id = request_id
        self.retry_after = retry_after

    @property
    def transient(self) -> bool:
        """True if the very same request may succeed a moment later."""
        return self.status in (429, 502, 503, 504)
