"""Flow control: a bounded queue of frames, and a rate limit."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from agenticai_websocket.problems import too_slow


class Outbox:
    """What waits to be sent to one socket: bounded in frames and bytes, in order.

    Frames are ASCII text. Used from one event loop only.
    """

    def __init__(self, max_frames: int, max_bytes: int) -> None:
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames: deque[str] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()

    @property
    def empty(self) -> bool:
        return not self._frames

    def offer(self, frame: str) -> bool:
        """Queue the frame, or answer False when there is no room (any one frame fits if empty)."""
        full = len(self._frames) >= self._max_frames or self._bytes + len(frame) > self._max_bytes
        if self._frames and full:
            self._roomy.clear()
            return False
        self._append(frame)
        return True

    def push(self, frame: str) -> None:
        """Queue a small control frame even when events fill the queue.

        Raises `Goodbye` for a client that leaves even these unread.
        """
        if len(self._frames) >= 2 * self._max_frames:
            raise too_slow()
        self._append(frame)

    def _append(self, frame: str) -> None:
        self._frames.append(frame)
        self._bytes += len(frame)
        self._filled.set()

    async def room(self) -> None:
        """Wait until the queue is at most half full, so that live events find a place too."""
        await self._roomy.wait()

    async def flush(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Send what is queued. A frame leaves the queue after it was sent: a cancelled flush
        can be taken up again without a gap or a repeat."""
        while self._frames:
            await send(self._frames[0])
            self._bytes -= len(self._frames.popleft())
            if len(self._frames) <= self._max_frames // 2 and self._bytes <= self._max_bytes // 2:
                self._roomy.set()
        self._filled.clear()

    async def pump(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Send whatever comes, forever."""
        while True:
            await self._filled.wait()
            await self.flush(send)

    def clear(self) -> None:
        self._frames.clear()
        self._bytes = 0


class TokenBucket:
    """``rate`` takes a second in the long run, ``burst`` at once. Times in seconds."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = now

    def take(self, now: float) -> bool:
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
