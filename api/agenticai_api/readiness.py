"""Whether what the service needs can be reached, looked at no more often than makes sense."""

import asyncio
import time
from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool

Checks = Mapping[str, str]

FRESH = 5.0  # s that a good answer stands for
RETRY = 1.0  # s that a bad one does


class Readiness:
    """Anyone may ask, and a look is several calls to AWS: one look answers all who ask meanwhile.

    Who waits for it holds no thread, so that the question cannot starve the routes.
    """

    def __init__(self, look: Callable[[], Checks]) -> None:
        self._look = look
        self._checks: Checks = {}
        self._until = 0.0
        self._under_way: asyncio.Task[Checks] | None = None

    async def checks(self) -> Checks:
        """Each part -> "ok", or why it is not; at most `FRESH` seconds old."""
        if time.monotonic() < self._until:
            return self._checks
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._look_now())
        return await asyncio.shield(self._under_way)

    async def _look_now(self) -> Checks:
        self._checks = await run_in_threadpool(self._look)
        good = all(answer == "ok" for answer in self._checks.values())
        self._until = time.monotonic() + (FRESH if good else RETRY)
        return self._checks
