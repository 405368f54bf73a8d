"""What one process' sockets follow: reads what is new in each log once and hands it to all.

The log in the table is the only source, so gateways need no coordination, and an outage of the
store costs time but no event: the next look goes on where the last one ended.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from agenticai_core import events, metrics
from agenticai_core.clock import now, parse
from agenticai_core.models import Event
from agenticai_core.settings import Settings
from agenticai_core.store.base import Store
from agenticai_core.watch import HeadPoller, contiguous
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


class Hub:
    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._watches: dict[str, Watch] = {}
        self.poller = HeadPoller(store, settings, lambda: list(self._watches), self._move)

    @property
    def failing(self) -> bool:
        """Whether the last look did not get through."""
        return self.poller.failing

    @property
    def watched(self) -> int:
        return len(self._watches)

    def follow(self, follower: Follower, project_id: str, head_seq: int) -> Watch:
        """Start to follow; ``head_seq`` is the mark if nobody else follows the project."""
        watch = self._watches.setdefault(project_id, Watch(project_id, head_seq))
        watch.followers.add(follower)
        self.poller.wake()
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
        """Poll until cancelled."""
        await self.poller.run()

    async def _move(self, project_id: str, head: events.Head | None) -> bool:
        watch = self._watches.get(project_id)
        return watch is not None and await self._advance(watch, head)

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
    lag = (now() - parse(event.at)).total_seconds()
    metrics.record(metrics.EVENTS_LAG, round(max(0.0, lag) * 1000, 1))
    log.debug(
        "event.sent",
        project_id=event.project_id,
        request_id=event.request_id,
        seq=event.seq,
        followers=len(watch.followers),
    )
    for follower in list(watch.followers):
        follower.deliver(event.seq, frame)
    watch.seq = event.seq
