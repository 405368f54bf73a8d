"""Every caller's limits, looked at right after authentication and told in every answer.

The header fields are those of draft-ietf-httpapi-ratelimit-headers-11.
"""

import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import cast

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agenticai_core.auth import Caller
from agenticai_core.clock import now as utc_now
from agenticai_core.limits.attempts import Attempts
from agenticai_core.limits.bucket import Buckets, Clock
from agenticai_core.limits.quota import MonthlyQuota
from agenticai_core.limits.share import Heartbeat, Instances
from agenticai_core.limits.verdict import QuotaExceeded, RateLimited, TooManyFailures, Verdict
from agenticai_core.settings import Settings
from agenticai_core.store.base import Store

_PATIENCE = 2.0  # s that a start waits to learn how many instances there are
_STATE = "limits"  # of the request: policy name -> verdict

Verdicts = dict[str, Verdict]


class Throttle:
    """The limits of one process. Without `lifespan` it takes itself for the only one."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        clock: Clock = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        beat = settings.instance_beat_seconds
        self._instances = Instances(store, "api", beat_seconds=beat, clock=now)
        self._quota = MonthlyQuota(
            store, settings.monthly_quota, instances=self._instances.count, clock=now
        )

        def buckets(rate: int, burst: int) -> Buckets:
            return Buckets(rate, burst, instances=self._instances.count, clock=clock)

        self._requests = buckets(settings.rate_limit, settings.rate_burst)
        failures = buckets(settings.auth_failure_rate, settings.auth_failure_burst)
        self._attempts = Attempts(failures)

    @contextmanager
    def attempt(self, request: Request, credential: str) -> Iterator[None]:
        """Around the authentication of a request; raises `TooManyFailures`."""
        address = request.client.host if request.client else ""
        try:
            with self._attempts.attempt(address, credential):
                yield
        except TooManyFailures as refused:
            setattr(request.state, _STATE, {"failures": refused.verdict})
            raise

    def admit(self, request: Request, caller: Caller) -> None:
        """Count an authenticated request. Raises `RateLimited`, `QuotaExceeded`, and
        `StoreUnavailable` where the quota needs the table and it does not answer.

        What the rate refuses does not count against the quota.
        """
        verdicts: Verdicts = {}
        setattr(request.state, _STATE, verdicts)
        verdicts["rate"] = rate = self._requests.take(caller.id)
        if not rate.allowed:
            raise RateLimited(rate)
        verdicts["quota"] = quota = self._quota.take(caller.owner_id)
        if not quota.allowed:
            raise QuotaExceeded(quota)

    def start(self) -> Heartbeat:
        heartbeat = Heartbeat(self._instances, self._quota.release_idle)
        heartbeat.start(_PATIENCE)
        return heartbeat

    def stop(self, heartbeat: Heartbeat) -> None:
        heartbeat.stop()
        self._quota.close()


def throttle_of(request: Request) -> Throttle:
    return cast(Throttle, request.app.state.throttle)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """While the application serves, its instance is counted; afterwards nothing stays reserved."""
    throttle: Throttle = app.state.throttle
    heartbeat = await run_in_threadpool(throttle.start)
    yield
    await run_in_threadpool(throttle.stop, heartbeat)


class RateLimitHeaders:
    """Tells the limits in every answer to a request that they were applied to, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_headers(scope["state"].get(_STATE, {})))
            await send(message)

        if scope["type"] == "http":
            scope.setdefault("state", {})
        await self._app(scope, receive, send_with_limits)


def _headers(verdicts: Verdicts) -> dict[str, str]:
    """Structured fields: one list item per policy, in the same order."""
    if not verdicts:
        return {}
    policies = [f'"{name}";q={one.limit};w={one.window}' for name, one in verdicts.items()]
    limits = [
        f'"{name}";r={one.remaining};t={math.ceil(one.reset)}' for name, one in verdicts.items()
    ]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(limits)}
