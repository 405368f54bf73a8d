"""One poller for all sockets: looks at the heads of the watched logs and hands on what is new.

The log in the table is the only source, so gateways need no coordination, and an outage of the
store costs time but no event: the next look goes on where the last one ended.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from agenticai_core import events
from agenticai_core.models import Event
from agenticai_core.settings import Settings
from agenticai_core.store.base import Store, StoreUnavailable
from agenticai_websocket.flow import Pace
from agenticai_websocket.protocol import event_frame

log = structlog.get_logger(__name__)

PAGE = 100  # events per read


class Follower(Protocol):
    """A socket's subscription as the hub sees it."""

    live: bool  # it has everything up to the watch's mark and wants what comes next

    def deliver(self, seq: int, frame: str) -> None:
        """Take the event if it is new to this follower. Never waits, never raises."""

    def fall_behind(self) -> None:
        """Read on from the log yourself until the watch's mark is reached."""


@dataclass(eq=False)
class Watch:
    """A project that somebody follows. ``seq`` is the mark: live followers have all up to it."""

    project_id: str
    seq: int
    closed: bool = False  # deleted: nothing will come after ``seq``
    followers: set[Follower] = field(default_factory=set)


def contiguous(found: Iterable[Event], after: int) -> list[Event]:
    """The events that follow ``after`` without a gap: a missing one is only not visible yet."""
    result: list[Event] = []
    for event in found:
        if event.seq != after + len(result) + 1:
            break
        result.append(event)
    return result


class Hub:
    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._pause = settings.poll_min_seconds
        self._pace = Pace(settings.poll_min_seconds, settings.poll_max_seconds)
        self._woken = asyncio.Event()
        self._watches: dict[str, Watch] = {}
        self.failing = False  # the last look did not get through

    @property
    def watched(self) -> int:
        return len(self._watches)

    def follow(self, follower: Follower, project_id: str, head_seq: int) -> Watch:
        """Start to follow; ``head_seq`` is the mark if nobody else follows the project."""
        watch = self._watches.setdefault(project_id, Watch(project_id, head_seq))
        watch.followers.add(follower)
        self._woken.set()
        return watch

    def leave(self, follower: Follower, watch: Watch) -> None:
        watch.followers.discard(follower)
        if not watch.followers and self._watches.get(watch.project_id) is watch:
            del self._watches[watch.project_id]

    async def head(self, project_id: str) -> events.Head | None:
        """The project's head now; None when it is gone."""
        heads = await asyncio.to_thread(events.heads, self._store, [project_id])
        return heads.get(project_id)

    async def read(self, project_id: str, after: int, upto: int) -> list[Event]:
        """The next page of the log, as far as it is visible without a gap."""
        found = await asyncio.to_thread(
            events.read, self._store, project_id, after, upto=upto, limit=PAGE
        )
        return contiguous(found, after)

    async def run(self) -> None:
        """Poll until cancelled; nothing that a look raises ends it."""
        while True:
            await self._wait()
            try:
                moved = await self._look()
            except Exception as error:
                _log_failure("hub.poll_failed", error)
                self.failing, moved = True, False
            else:
                self.failing = False
            if moved:
                self._pace.reset()
            else:
                self._pace.slow_down()

    async def _wait(self) -> None:
        """The current pause, cut down to the shortest one by a new follower."""
        try:
            async with asyncio.timeout(self._pace.seconds if self._watches else None):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()
        self._pace.reset()
        # Not at once: a new follower has just read the head itself, and a thousand that come
        # back together must not make a thousand looks.
        await asyncio.sleep(self._pause)

    async def _look(self) -> bool:
        """Look at every head once; True when something moved."""
        watches = list(self._watches.values())
        ids = [watch.project_id for watch in watches]
        heads = await asyncio.to_thread(events.heads, self._store, ids)
        moved = await asyncio.gather(
            *(self._try_advance(watch, heads.get(watch.project_id)) for watch in watches)
        )
        return any(moved)

    async def _try_advance(self, watch: Watch, head: events.Head | None) -> bool:
        """One project's trouble is not the others'."""
        try:
            return await self._advance(watch, head)
        except Exception as error:
            _log_failure("hub.read_failed", error, project_id=watch.project_id)
            return False

    async def _advance(self, watch: Watch, head: events.Head | None) -> bool:
        if head is None or head.closed:
            self._end(watch, head)
            return True
        start = watch.seq
        while watch.seq < head.seq:
            if not any(follower.live for follower in watch.followers):
                watch.seq = head.seq  # whoever there is reads on alone, up to the new mark
                break
            page = await self.read(watch.project_id, watch.seq, head.seq)
            if not page:
                log.info("hub.gap", project_id=watch.project_id, after=watch.seq, head=head.seq)
                break
            for event in page:
                _dispatch(watch, event)
        return watch.seq > start

    def _end(self, watch: Watch, head: events.Head | None) -> None:
        """The project is being deleted: let each follower read what is left, then take leave."""
        watch.closed = True
        watch.seq = max(watch.seq, head.seq if head else 0)
        if self._watches.get(watch.project_id) is watch:
            del self._watches[watch.project_id]
        for follower in list(watch.followers):
            follower.fall_behind()


def _dispatch(watch: Watch, event: Event) -> None:
    """Hand on one event and move the mark, with no await between: nobody can join in the middle."""
    frame = event_frame(event)
    for follower in list(watch.followers):
        follower.deliver(event.seq, frame)
    watch.seq = event.seq


def _log_failure(key: str, error: Exception, **context: str) -> None:
    expected = isinstance(error, StoreUnavailable)
    log.warning(key, error=str(error) or repr(error), exc_info=not expected, **context)
