"""One poller for all who follow logs in a process: looks at the heads of what is watched.

However many follow a project, and however many projects there are up to a hundred, a look is one
consistent read. Looks are far apart while nothing happens, and close together while something does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from agenticai_core import events
from agenticai_core.events import Head
from agenticai_core.models import Event
from agenticai_core.settings import Settings
from agenticai_core.store.base import Store, StoreUnavailable

_log = structlog.get_logger()


class Pace:
    """A pause that starts at ``shortest`` and grows to ``longest`` while nothing happens."""

    def __init__(self, shortest: float, longest: float, growth: float = 1.25) -> None:
        self._shortest = shortest
        self._longest = max(shortest, longest)
        self._growth = growth
        self.seconds = shortest

    def reset(self) -> None:
        self.seconds = self._shortest

    def slow_down(self) -> None:
        self.seconds = min(self._longest, self.seconds * self._growth)


class HeadPoller:
    """Calls ``advance(project_id, head)`` for each of ``watched()``, look after look.

    ``head`` is None once the project is gone; ``advance`` answers whether something moved. An
    outage, or an error of one project's ``advance``, is logged and ends nothing.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        watched: Callable[[], Sequence[str]],
        advance: Callable[[str, Head | None], Awaitable[bool]],
    ) -> None:
        self._store = store
        self._watched = watched
        self._advance = advance
        self._pause = settings.poll_min_seconds
        self._pace = Pace(settings.poll_min_seconds, settings.poll_max_seconds)
        self._woken = asyncio.Event()
        self.failing = False  # the last look did not get through

    def wake(self) -> None:
        """Somebody new is watching: look soon."""
        self._woken.set()

    async def run(self) -> None:
        """Poll until cancelled; nothing that a look raises ends it."""
        while True:
            await self._wait()
            try:
                moved = await self.look()
            except Exception as error:
                log_failure("watch.poll_failed", error)
                self.failing, moved = True, False
            else:
                self.failing = False
            if moved:
                self._pace.reset()
            else:
                self._pace.slow_down()

    async def look(self) -> bool:
        """Look at every head once; True when something moved."""
        ids = self._watched()
        heads = await asyncio.to_thread(events.heads, self._store, ids)
        moved = await asyncio.gather(*(self._try_advance(one, heads.get(one)) for one in ids))
        return any(moved)

    async def _wait(self) -> None:
        """The current pause, cut down to the shortest one by a new follower."""
        try:
            async with asyncio.timeout(self._pace.seconds if self._watched() else None):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()
        self._pace.reset()
        # Not at once: a new follower has just read the head itself, and a thousand that come
        # back together must not make a thousand looks.
        await asyncio.sleep(self._pause)

    async def _try_advance(self, project_id: str, head: Head | None) -> bool:
        """One project's trouble is not the others'."""
        try:
            return await self._advance(project_id, head)
        except Exception as error:
            log_failure("watch.read_failed", error, project_id=project_id)
            return False


def contiguous(found: Iterable[Event], after: int) -> list[Event]:
    """The events that follow ``after`` without a gap: a missing one is only not visible yet."""
    result: list[Event] = []
    for event in found:
        if event.seq != after + len(result) + 1:
            break
        result.append(event)
    return result


def log_failure(key: str, error: Exception, **context: str) -> None:
    """An outage is expected now and then; anything else is shown with its traceback."""
    expected = isinstance(error, StoreUnavailable)
    _log.warning(key, error=str(error) or repr(error), exc_info=not expected, **context)
