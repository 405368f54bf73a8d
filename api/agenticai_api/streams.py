"""Server-Sent Events of one project (WHATWG HTML, section 9.2), from a number on.

By hand on Starlette's response: see docs/decisions/0014-streams-by-hand.md.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager

import structlog
from fastapi.sse import format_sse_event
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from agenticai_api.live import Stay, ended_with_client
from agenticai_core.store.base import StoreUnavailable

log = structlog.get_logger(__name__)

RETRY = 2000  # ms that a client waits before it connects again
HEARTBEAT = 15.0  # s between two signs of life


class EventStream(StreamingResponse):
    """Gives a stay's events until it ends; the last thing it says is why, as a comment.

    A page of events is read when the one before has been taken, so memory holds one at most.
    """

    media_type = "text/event-stream"

    def __init__(self, enter: Callable[[], AbstractContextManager[Stay]]) -> None:
        # A proxy that collects answers before it hands them on would hold back every event.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept"}
        super().__init__((), headers=headers)
        self._enter = enter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Entered here and not before, so that there is no way to leave without giving it back.
        with self._enter() as stay, ended_with_client(stay, receive):
            stay.request = scope["state"]
            self.body_iterator = _frames(stay)
            await self.stream_response(send)


async def _frames(stay: Stay) -> AsyncIterator[bytes]:
    yield format_sse_event(retry=RETRY)
    while stay.ending is None:
        try:
            async with asyncio.timeout(HEARTBEAT):
                page = await stay.next()
        except TimeoutError:
            yield format_sse_event(comment="still here")
        except StoreUnavailable as error:
            log.warning("stream.read_failed", project_id=stay.project_id, error=str(error))
            await stay.rest()
        else:
            for event in page:
                if stay.ending is not None:
                    break
                yield format_sse_event(
                    id=str(event.seq), event=event.type, data_str=event.model_dump_json()
                )
    yield format_sse_event(comment=stay.ending)
