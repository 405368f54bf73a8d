"""The built-in templates come into the table when the service starts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from agenticai_core.bootstrap import Services
from agenticai_core.templates import builtin

_PATIENCE = 5.0  # s that a start waits for them, so that the first request finds them
_AGAIN, _MOST = 1.0, 60.0  # s between two tries

log = structlog.get_logger(__name__)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Seeds once; a table that does not answer yet keeps only the templates away."""
    seeding = asyncio.create_task(_seed(app.state.services))
    await asyncio.wait({seeding}, timeout=_PATIENCE)
    yield
    seeding.cancel()
    with suppress(asyncio.CancelledError):
        await seeding


async def _seed(services: Services) -> None:
    delay = _AGAIN
    while True:
        try:
            await run_in_threadpool(builtin.seed, services)
            return
        except Exception as error:  # whatever it is, the service has more to offer
            log.warning("templates.not_seeded", error=str(error)[:300], again_in=delay)
        await asyncio.sleep(delay)
        delay = min(2 * delay, _MOST)
