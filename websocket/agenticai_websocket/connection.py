"""One socket: what it sends, what it is sent, and every reason for which it ends.

Several loops run side by side in one task group; the first that raises ends them all. `Goodbye`
says how the socket is closed, and a lost socket ends without a word.
"""

import asyncio
from contextlib import suppress
from time import monotonic

import structlog
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from agenticai_core.auth import Caller
from agenticai_core.clock import now, stamp
from agenticai_websocket import problems, protocol
from agenticai_websocket.acks import Acknowledgements
from agenticai_websocket.context import Context
from agenticai_websocket.flow import Outbox, TokenBucket
from agenticai_websocket.protocol import Ack, BadFrame, CloseCode, Goodbye, Problem, Subscribe
from agenticai_websocket.subscriptions import Subscriptions

log = structlog.get_logger(__name__)

LAST_PONG = "last_pong"  # in the scope's state: when the peer last answered a protocol ping
MAX_BAD_FRAMES = 3
MISSED_PINGS = 3


class Connection:
    """An accepted socket of an authenticated client."""

    def __init__(
        self,
        websocket: WebSocket,
        context: Context,
        caller: Caller,
        client_id: str | None,
    ) -> None:
        options = context.options
        self.caller = caller
        self._websocket = websocket
        self._context = context
        self._outbox = Outbox(options.queue_events, options.queue_bytes)
        self._acks = (
            Acknowledgements(context.services.store, caller.owner_id, client_id)
            if client_id
            else None
        )
        self._subscriptions = Subscriptions(context, self._outbox, caller, self._acks)
        self._client_id = client_id
        self._ending: asyncio.Future[Goodbye] = asyncio.get_running_loop().create_future()
        self._bucket = TokenBucket(options.messages_per_second, options.messages_burst, monotonic())
        self._bad_frames = 0
        self._heard_at = monotonic()

    def end(self, goodbye: Goodbye) -> None:
        """Close the socket from outside; the first reason counts."""
        if not self._ending.done():
            self._ending.set_result(goodbye)

    async def run(self, first: Subscribe | None) -> None:
        """Serve the socket until it ends. ``first``: the subscription of the query string."""
        goodbye: Goodbye | None = None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._receive(first))
                group.create_task(self._outbox.pump(self._websocket.send_text))
                group.create_task(self._subscriptions.catch_up())
                group.create_task(self._heartbeat())
                group.create_task(self._until_ended())
                if self._acks:
                    group.create_task(self._acks.save_forever())
                    group.create_task(self._subscriptions.resend())
        except* WebSocketDisconnect:
            pass
        except* Goodbye as raised:
            goodbye = _first(raised)
        except* Exception:
            log.exception("connection.failed")
            goodbye = Goodbye(CloseCode.INTERNAL_ERROR)
        finally:
            self._subscriptions.leave()
        if goodbye:
            await self._say(goodbye)
        if self._acks:
            await self._acks.save()

    async def _say(self, goodbye: Goodbye) -> None:
        if goodbye.code is CloseCode.TOO_SLOW:
            self._outbox.clear()  # it would only keep the close frame from being read
        limit = self._context.options.goodbye_seconds
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(limit):
                await self._outbox.flush(self._websocket.send_text)
                await close(self._websocket, goodbye)

    # ---- what comes in --------------------------------------------------------------------------

    async def _receive(self, first: Subscribe | None) -> None:
        self._outbox.push(
            protocol.welcome_frame(
                ping_seconds=self._context.settings.ping_seconds, client_id=self._client_id
            )
        )
        if first and (problem := await self._subscriptions.start(first)):
            raise problems.refused(problem)
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            self._heard_at = monotonic()
            await self._handle(message)

    async def _handle(self, message: Message) -> None:
        try:
            text = message.get("text")
            if text is None:
                raise BadFrame("INVALID_FRAME", "Binary messages are not part of this protocol.")
            frame = protocol.parse_frame(text)
        except BadFrame as bad:
            self._count()
            self._refuse_frame(bad.problem)
            return
        if isinstance(frame, Ack):
            self._acknowledge(frame)
            return
        self._count()
        if isinstance(frame, Subscribe) and (problem := await self._subscriptions.start(frame)):
            self._outbox.push(protocol.error_frame(problem))

    def _count(self) -> None:
        if not self._bucket.take(monotonic()):
            raise problems.rate_limited(self._context.options.messages_per_second)

    def _refuse_frame(self, problem: Problem) -> None:
        self._bad_frames += 1
        if self._bad_frames >= MAX_BAD_FRAMES:
            raise Goodbye(CloseCode.BAD_MESSAGE, problem)
        self._outbox.push(protocol.error_frame(problem))

    def _acknowledge(self, ack: Ack) -> None:
        moved = self._subscriptions.acknowledge(ack)
        if moved is True:
            return  # free of the rate limit: there can be no more of these than events
        self._count()
        if isinstance(moved, Problem):
            self._outbox.push(protocol.error_frame(moved))

    # ---- what goes out by itself ----------------------------------------------------------------

    async def _heartbeat(self) -> None:
        pause = self._context.settings.ping_seconds
        while True:
            await asyncio.sleep(pause)
            if monotonic() - self._last_sign_of_life() > MISSED_PINGS * pause:
                raise problems.idle(MISSED_PINGS * pause)
            self._outbox.push(protocol.ping_frame(stamp(now())))

    def _last_sign_of_life(self) -> float:
        # Libraries answer protocol pings by themselves: a client that only reads is alive, too.
        pong_at: float = self._websocket.scope.get("state", {}).get(LAST_PONG, 0.0)
        return max(self._heard_at, pong_at)

    async def _until_ended(self) -> None:
        raise await self._ending


async def close(websocket: WebSocket, goodbye: Goodbye) -> None:
    """Name the problem in an ``error`` frame, then close with the code."""
    problem = goodbye.problem
    if problem:
        await websocket.send_text(protocol.error_frame(problem))
    await websocket.close(goodbye.code, problem.code if problem else goodbye.code.name)


def _first(group: BaseExceptionGroup[Goodbye]) -> Goodbye:
    """The first reason of a group (the task group puts its exceptions in flat)."""
    first = group.exceptions[0]
    return first if isinstance(first, Goodbye) else _first(first)
