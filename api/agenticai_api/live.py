"""Requests that wait for what happens next in a project: long polls and streams of events.

All of them in a process share one poller of the logs' heads and one look at each key, and both run
only while somebody waits. Each reads what is new from the log itself, at its own pace, so that a
slow reader costs nothing; those that are at the same place share the read.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import structlog
from fastapi import Request
from starlette.types import Receive

from agenticai_api.errors import Refused
from agenticai_core import auth, events
from agenticai_core.auth import Caller
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotAuthenticated
from agenticai_core.events import Head
from agenticai_core.limits.verdict import TooManyStreams
from agenticai_core.models import Event
from agenticai_core.settings import Settings
from agenticai_core.watch import HeadPoller, Pace, contiguous

log = structlog.get_logger(__name__)

MOST = 50  # requests of one API key that wait at the same time
PAGE = 100  # events per read


class Ending(StrEnum):
    """Why a request waits no longer, in words for its client."""

    DELETED = "the project has been deleted"
    REVOKED = "what you authenticated with is not valid any more"
    STOPPING = "this instance stops; connect again"
    LEFT = "the client has left"


class Mark:
    """How far a project's log has come, as far as this process knows."""

    def __init__(self) -> None:
        self.seq = 0
        self.closed = False  # deleted: nothing will come after ``seq``
        self._moved = asyncio.Event()

    async def moved(self) -> None:
        """Wait until there is a reason to look at the mark again."""
        await self._moved.wait()

    def move(self, head: Head | None) -> bool:
        """Take note of a look; whether it saw anything new."""
        before = (self.seq, self.closed)
        self.closed = self.closed or head is None or head.closed
        self.seq = max(self.seq, head.seq if head else 0)
        if (self.seq, self.closed) == before:
            return False
        self.wake()
        return True

    def wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


@dataclass(eq=False)
class Stay:
    """One request that waits: its place in the log, and whether it may stay.

    ``after`` is the last event that it was given; ``ending`` is None for as long as it may wait.
    """

    logs: "LiveLogs"
    mark: Mark
    caller: Caller
    project_id: str
    after: int
    pace: Pace
    ending: Ending | None = None
    request: object = None  # a stream's ``scope["state"]``, by which its connection is found

    def end(self, ending: Ending) -> None:
        """Let it wait no longer; the first reason counts."""
        self.ending = self.ending or ending
        self.mark.wake()

    async def next(self, limit: int = PAGE) -> list[Event]:
        """The next events, at most ``limit``, as soon as there are any; none once it has ended.

        May be cancelled at any time and called again. Raises what the store raises.
        """
        while self.ending is None:
            if self.mark.seq <= self.after and not self.mark.closed:
                await self.mark.moved()
                continue
            page = await self.logs.read(self.project_id, self.after, limit)
            if page:
                self.after = page[-1].seq
                self.pace.reset()
                return page
            if self.mark.closed:  # all has been read, or its rows have been removed already
                self.end(Ending.DELETED)
            else:  # it is not visible yet
                await self.rest()
        return []

    async def rest(self) -> None:
        """Do nothing for a while, a longer one each time that nothing came of it."""
        await asyncio.sleep(self.pace.seconds)
        self.pace.slow_down()


class LiveLogs:
    """Who waits in this process, and for what. Used from one event loop at a time."""

    def __init__(self, services: Services, settings: Settings) -> None:
        self._services = services
        self._settings = settings
        self._marks: dict[str, Mark] = {}
        self._stays: set[Stay] = set()
        self._reads: dict[tuple[str, int, int], asyncio.Future[list[Event]]] = {}
        self._poller = self._new_poller()
        self._tasks: list[asyncio.Task[None]] = []
        self.stopping = False

    @property
    def waiting(self) -> int:
        return len(self._stays)

    @property
    def requests(self) -> list[object]:
        """Of the streams: each one's ``scope["state"]``."""
        return [stay.request for stay in self._stays if stay.request is not None]

    @property
    def longest_wait(self) -> float:
        """Seconds: an answer must still come before the request's time is up."""
        return self._settings.request_timeout * 0.75

    @contextmanager
    def stay(self, caller: Caller, project_id: str, after: int, head: Head) -> Iterator[Stay]:
        """A place to wait in, after event ``after``; ``head`` is where the log was just now.

        Raises `TooManyStreams`.
        """
        if sum(stay.caller.id == caller.id for stay in self._stays) >= MOST:
            raise TooManyStreams(
                f"{MOST} requests of this API key wait for events already",
                hint="Follow several projects over one WebSocket, or close some",
            )
        mark = self._marks.setdefault(project_id, Mark())
        mark.move(head)
        stay = Stay(
            logs=self,
            mark=mark,
            caller=caller,
            project_id=project_id,
            after=after,
            pace=Pace(self._settings.poll_min_seconds, self._settings.poll_max_seconds, growth=2),
        )
        if self.stopping:
            stay.end(Ending.STOPPING)
        self._stays.add(stay)
        self._work()
        try:
            yield stay
        finally:
            self._stays.discard(stay)
            if not any(other.mark is mark for other in self._stays):
                del self._marks[project_id]
            self._rest()

    def stop(self) -> None:
        """End every wait and stream now: the process is stopping."""
        self.stopping = True
        for stay in self._stays:
            stay.end(Ending.STOPPING)

    async def read(self, project_id: str, after: int, limit: int) -> list[Event]:
        """The next page of the log, as far as it is visible without a gap.

        Whoever asks for what is being read already gets the same.
        """
        wanted = (project_id, after, limit)
        reading = self._reads.get(wanted)
        if reading is None:
            reading = asyncio.ensure_future(self._read_now(*wanted))
            self._reads[wanted] = reading
            reading.add_done_callback(lambda done: self._forget(wanted, done))
        return await asyncio.shield(reading)  # one who leaves does not end it for the others

    async def _read_now(self, project_id: str, after: int, limit: int) -> list[Event]:
        found = await asyncio.to_thread(
            events.read, self._services.store, project_id, after, limit=limit
        )
        return contiguous(found, after)

    def _forget(self, wanted: tuple[str, int, int], done: asyncio.Future[list[Event]]) -> None:
        del self._reads[wanted]
        if not done.cancelled():
            done.exception()  # all who asked may have left: then nobody else looks at it

    # ---- what runs while somebody waits ---------------------------------------------------------

    def _work(self) -> None:
        if not self._tasks:
            self._poller = self._new_poller()
            runs = (self._poller.run(), self._recheck())
            self._tasks = [asyncio.create_task(one) for one in runs]
        self._poller.wake()

    def _rest(self) -> None:
        """Nobody waits any more, so nobody needs to look."""
        if not self._stays:
            for task in self._tasks:
                task.cancel()
            self._tasks = []

    def _new_poller(self) -> HeadPoller:
        return HeadPoller(
            self._services.store, self._settings, lambda: list(self._marks), self._move
        )

    async def _move(self, project_id: str, head: Head | None) -> bool:
        mark = self._marks.get(project_id)
        return mark is not None and mark.move(head)

    async def _recheck(self) -> None:
        """Look again at all keys in use, and send those away whose key is good no more."""
        while True:
            await asyncio.sleep(self._settings.recheck_seconds)
            try:
                refused = await asyncio.to_thread(_refused, self._services, list(self._stays))
            except Exception as error:  # the store is away: no reason to send anybody away
                log.warning("live.recheck_failed", error=str(error))
                continue
            for stay in refused:
                stay.end(Ending.REVOKED)


def _refused(services: Services, stays: list[Stay]) -> list[Stay]:
    auth.refresh(services, [stay.caller for stay in stays])
    return [stay for stay in stays if not _may_stay(services, stay.caller)]


def _may_stay(services: Services, caller: Caller) -> bool:
    try:
        return "read" in auth.recheck(services, caller).scopes
    except NotAuthenticated:
        return False


def live_logs_of(request: Request) -> LiveLogs:
    return cast(LiveLogs, request.app.state.live)


@contextmanager
def ended_with_client(stay: Stay, receive: Receive) -> Iterator[None]:
    """Meanwhile, a client that leaves ends the stay."""
    watching = asyncio.create_task(_end_with_client(stay, receive))
    try:
        yield
    finally:
        watching.cancel()


async def _end_with_client(stay: Stay, receive: Receive) -> None:
    with suppress(Refused):  # a body, which nobody needs, breaks a limit
        while (await receive())["type"] != "http.disconnect":
            pass
        stay.end(Ending.LEFT)
