"""The errors that users see: each carries a code, an HTTP status, details and a hint.

Business code raises them, one handler per edge renders them; nothing in between catches them.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class AgenticError(Exception):
    """Base of every error with a meaning for the user.

    ``code`` is stable and fit for programs, ``message`` is for people, ``hint`` says what to do
    next, ``details`` holds JSON values (the offending field, the allowed values).
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500

    def __init__(
        self, message: str, *, hint: str | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = dict(details or {})


class ValidationFailed(AgenticError):
    """The request breaks a rule; ``details.errors`` names each field and what is wrong with it."""

    code, status = "VALIDATION_ERROR", 422


class NotAuthenticated(AgenticError):
    """No API key, or one that is unknown or revoked."""

    code, status = "NOT_AUTHENTICATED", 401


class NotAllowed(AgenticError):
    """The API key lacks the scope that ``details.required_scope`` names."""

    code, status = "NOT_ALLOWED", 403


class NotFound(AgenticError):
    """There is no such thing, or it belongs to somebody else."""

    code, status = "NOT_FOUND", 404


class WrongState(AgenticError):
    """The request is well formed, but the project is not in a state that allows it."""

    code, status = "WRONG_STATE", 409


class PreconditionFailed(AgenticError):
    """The caller's ``If-Match`` names an older version than the stored one."""

    code, status = "PRECONDITION_FAILED", 412


class UnsafePath(ValidationFailed):
    """The path leads out of the project, or could not be a file on every system."""

    code = "UNSAFE_PATH"


class BudgetExceeded(AgenticError):
    """The next model call could cost more than what is left of the project's budget."""

    code, status = "BUDGET_EXCEEDED", 402


class Unavailable(AgenticError):
    """Something this needs does not answer now; the same request may succeed later."""

    code, status = "UNAVAILABLE", 503
