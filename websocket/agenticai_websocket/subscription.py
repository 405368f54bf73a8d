"""One project on one socket: what has been queued, what was acknowledged, and catching up."""

from collections.abc import Awaitable, Callable
from time import monotonic

from agenticai_core.models import Event
from agenticai_websocket.flow import Outbox
from agenticai_websocket.hub import Hub
from agenticai_websocket.protocol import event_frame

MAX_RESENDS = 3


class Subscription:
    """Follows one project for one socket, in order, each event once.

    Either *live*: the hub hands over each new event; or *behind*: it reads the log in pages of
    its own, waiting for room on the socket, until it has reached the hub's mark. Joining happens
    without an await between the comparison and the switch, so nothing falls in between.
    """

    def __init__(
        self,
        hub: Hub,
        outbox: Outbox,
        project_id: str,
        *,
        after: int,
        head_seq: int,
        on_behind: Callable[[], None],
    ) -> None:
        self.project_id = project_id
        self.live = False
        self.over = False  # the project is gone and everything of it has been queued
        self.acked = after
        self.sent = after  # the highest number ever queued
        self._cursor = after  # the last number queued; goes back for a repetition
        self._resends = 0
        self._waiting_since = 0.0
        self._left = False
        self._hub = hub
        self._outbox = outbox
        self._on_behind = on_behind
        self._watch = hub.follow(self, project_id, head_seq)
        self.fall_behind()

    def leave(self) -> None:
        self._left = True
        self.live = False
        self._hub.leave(self, self._watch)

    # ---- what the hub calls -----------------------------------------------------------------

    def deliver(self, seq: int, frame: str) -> None:
        if not self.live or seq <= self._cursor:
            return
        if self._outbox.offer(frame):
            self._queued(seq)
        else:
            self.fall_behind()

    def fall_behind(self) -> None:
        self.live = False
        self._on_behind()

    # ---- catching up ------------------------------------------------------------------------

    async def catch_up(self, wait_for_room: Callable[[], Awaitable[None]]) -> bool:
        """Queue one page of the log, or join the live ones; False when nothing came of it.

        Raises what the store raises, and what ``wait_for_room`` raises.
        """
        if self._cursor >= self._watch.seq:
            self.over = self._watch.closed
            self.live = not self._watch.closed
            return True
        page = await self._hub.read(self.project_id, self._cursor, self._watch.seq)
        if not page:
            self.over = self._watch.closed  # its rows have been removed already
        for event in page:
            await self._queue(event, wait_for_room)
        return bool(page)

    async def _queue(self, event: Event, wait_for_room: Callable[[], Awaitable[None]]) -> None:
        frame = event_frame(event)
        while not self._left:
            if self._outbox.offer(frame):
                self._queued(event.seq)
                return
            await wait_for_room()

    def _queued(self, seq: int) -> None:
        if self.sent == self.acked:
            self._waiting_since = monotonic()
        self._cursor = seq
        self.sent = max(self.sent, seq)

    # ---- acknowledgements -------------------------------------------------------------------

    def acknowledge(self, seq: int) -> bool:
        """Take a cumulative acknowledgement of what was sent; True when it moved something."""
        if seq <= self.acked:
            return False
        self.acked = seq
        self._resends = 0
        self._waiting_since = monotonic()
        return True

    def resend_overdue(self, after_seconds: float) -> bool:
        """Send again what has waited too long for its acknowledgement.

        False when that has been done often enough.
        """
        waiting = self.live and self._outbox.empty and self.acked < self.sent
        if not waiting or monotonic() - self._waiting_since < after_seconds:
            return True
        if self._resends == MAX_RESENDS:
            return False
        self._resends += 1
        self._waiting_since = monotonic()
        self._cursor = self.acked
        self.fall_behind()
        return True
