"""Requests that wait for what happens next in a project: long polls and streams of events.

All of them in a process share one poller of the logs' heads, which runs while somebody waits.
Each reads what is new from the log itself, at its own pace, so that a slow reader costs nothing.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

import structlog
from fastapi import Request
from fastapi.sse import format_sse_event
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from agenticai_core import events
from agenticai_core.events import Head
from agenticai_core.limits.verdict import TooManyStreams
from agenticai_core.models import Event
from agenticai_core.settings import Settings
from agenticai_core.store.base import Store, StoreUnavailable
from agenticai_core.watch import HeadPoller, contiguous

log = structlog.get_logger(__name__)

MOST = 50  # requests of one API key that wait at the same time
PAGE = 100  # events per read
RETRY = 2000  # ms that a client waits before it connects again
HEARTBEAT = 15.0  # s between two signs of life


class Mark:
    """How far a project's log has come, as the last look saw it; 0 before the first look."""

    def __init__(self) -> None:
        self.seq = 0
        self.closed = False  # deleted: nothing will come after ``seq``
        self.followers = 0
        self._moved = asyncio.Event()

    async def beyond(self, seq: int, seconds: float) -> bool:
        """Wait until the log is longer than ``seq`` or closed; False when the time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.seq <= seq and not self.closed:
                    await self._moved.wait()
        return self.seq > seq or self.closed

    def move(self, head: Head | None) -> bool:
        """Take note of a look; whether it saw anything new."""
        before = (self.seq, self.closed)
        self.closed = head is None or head.closed
        self.seq = max(self.seq, head.seq if head else 0)
        if (self.seq, self.closed) == before:
            return False
        self.wake()
        return True

    def wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


class LiveLogs:
    """Who waits in this process, and for what. Used from one event loop at a time."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self._settings = settings
        self.recheck_seconds = settings.recheck_seconds
        self._marks: dict[str, Mark] = {}
        self._waiting: Counter[str] = Counter()
        self._polling: tuple[HeadPoller, asyncio.Task[None]] | None = None
        self.stopping = False

    @property
    def waiting(self) -> int:
        return self._waiting.total()

    def admit(self, key_id: str) -> Callable[[], None]:
        """Count one more of the key's; raises `TooManyStreams`. The answer ends the count."""
        if self._waiting[key_id] >= MOST:
            raise TooManyStreams(
                f"{MOST} requests of this API key wait for events already",
                hint="Follow several projects over one WebSocket, or close some",
            )
        self._waiting[key_id] += 1

        def release() -> None:
            self._waiting[key_id] -= 1
            self._waiting += Counter()  # forgets the zeros

        return release

    @asynccontextmanager
    async def following(self, project_id: str) -> AsyncIterator[Mark]:
        """The project's mark, looked after as long as somebody follows it."""
        mark = self._marks.setdefault(project_id, Mark())
        mark.followers += 1
        self._poller().wake()
        try:
            yield mark
        finally:
            mark.followers -= 1
            if not mark.followers and self._marks.get(project_id) is mark:
                del self._marks[project_id]
            self._rest()

    def stop(self) -> None:
        """End every wait and stream now: the process is stopping."""
        self.stopping = True
        for mark in self._marks.values():
            mark.closed = True
            mark.wake()

    async def read(self, project_id: str, after: int) -> list[Event]:
        """The next page of the log, as far as it is visible without a gap."""
        found = await asyncio.to_thread(events.read, self.store, project_id, after, limit=PAGE)
        return contiguous(found, after)

    def _poller(self) -> HeadPoller:
        if self._polling is None:
            poller = HeadPoller(self.store, self._settings, lambda: list(self._marks), self._move)
            self._polling = (poller, asyncio.create_task(poller.run()))
        return self._polling[0]

    def _rest(self) -> None:
        """Nobody waits any more, so nobody needs to look."""
        if not self._marks and self._polling is not None:
            self._polling[1].cancel()
            self._polling = None

    async def _move(self, project_id: str, head: Head | None) -> bool:
        mark = self._marks.get(project_id)
        return mark is not None and mark.move(head)


def live_logs_of(request: Request) -> LiveLogs:
    return cast(LiveLogs, request.app.state.live)


class EventStream(StreamingResponse):
    """Server-Sent Events of one project, from after a number until the stream has to end.

    It ends when the project is deleted, when ``allowed`` says no, and when the process stops.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        logs: LiveLogs,
        project_id: str,
        after: int,
        *,
        allowed: Callable[[], Awaitable[bool]],
        recheck: float,
        release: Callable[[], None],
    ) -> None:
        self._logs = logs
        self._project_id = project_id
        self._after = after
        self._allowed = allowed
        self._recheck = recheck
        self._release = release
        # A proxy that collects answers before it hands them on would hold back every event.
        super().__init__(self._frames(), headers={"X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()

    async def _frames(self) -> AsyncIterator[bytes]:
        yield format_sse_event(retry=RETRY)
        spoke = checked = time.monotonic()
        async with self._logs.following(self._project_id) as mark:
            while True:
                async for frame in self._new():
                    yield frame
                    spoke = time.monotonic()
                if mark.closed or self._logs.stopping:
                    break
                if time.monotonic() - checked >= self._recheck:
                    if not await self._allowed():
                        break
                    checked = time.monotonic()
                if time.monotonic() - spoke >= HEARTBEAT:
                    yield format_sse_event(comment="still here")
                    spoke = time.monotonic()
                await mark.beyond(self._after, min(self._recheck, HEARTBEAT))
        yield format_sse_event(comment="the end")

    async def _new(self) -> AsyncIterator[bytes]:
        """One page of what the log has and the reader has not."""
        try:
            page = await self._logs.read(self._project_id, self._after)
        except StoreUnavailable as error:
            log.warning("stream.read_failed", project_id=self._project_id, error=str(error))
            await asyncio.sleep(1)  # the mark is ahead of us, so nothing else makes us wait
            return
        for event in page:
            self._after = event.seq
            yield format_sse_event(
                id=str(event.seq), event=event.type, data_str=event.model_dump_json()
            )
