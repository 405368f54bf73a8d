"""What a limit answers, and the errors for those whom it refuses."""

import math
from dataclasses import dataclass
from typing import ClassVar

from agenticai_core.errors import AgenticError


@dataclass(frozen=True)
class Verdict:
    """``limit`` at most per ``window`` seconds, of which ``remaining`` are left.

    ``wait``: seconds until the next one is allowed, 0.0 where this one is.
    ``reset``: seconds until all of the limit is available again.
    """

    allowed: bool
    limit: int
    window: int
    remaining: int
    wait: float
    reset: float


class TooManyRequests(AgenticError):
    """More requests of an API key, or failed authentications of an address, than are answered.

    ``retry_after`` is in whole seconds, at least one.
    """

    code, status = "RATE_LIMITED", 429
    reason: ClassVar[str] = "Too many requests"
    advice: ClassVar[str] = "Wait as long as 'Retry-After' says, and spread your requests"

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.retry_after = max(1, math.ceil(verdict.wait))
        told = {
            "limit": verdict.limit,
            "window_seconds": verdict.window,
            "retry_after": self.retry_after,
        }
        super().__init__(self.reason, hint=self.advice, details=told)


class RateLimited(TooManyRequests):
    """More requests of one API key than its rate and burst allow."""


class TooManyFailures(TooManyRequests):
    """More failed authentications from one address than are answered."""

    reason = "Too many failed authentications from this address"
    advice = "Wait as long as 'Retry-After' says, and check the API key"


class QuotaExceeded(TooManyRequests):
    """All that the owner may ask in this month has been asked."""

    code = "QUOTA_EXCEEDED"
    reason = "The requests of this month are used up"
    advice = "A new month begins at midnight UTC on the first; ask for a higher quota"


class TooManyStreams(AgenticError):
    """More requests of one API key wait for events than are kept waiting."""

    code, status = "TOO_MANY_STREAMS", 429
    retry_after: ClassVar[int] = 5
