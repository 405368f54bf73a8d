"""How long a request may take until its answer starts."""

import asyncio

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agenticai_api.errors import RequestTimeout, render

log = structlog.get_logger(__name__)


class TimeLimit:
    """Answers 504 when no answer has started in time; one that has started is never cut.

    The work itself is not cancelled: most routes run in a thread, which nothing can stop, and
    each change is one transaction, done or not done. It goes on, its place in the thread pool
    taken until it ends, and what it would have answered is dropped.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(receive, send)
        work = asyncio.ensure_future(self._app(scope, answer.receive, answer.send))
        try:
            await asyncio.wait({work}, timeout=self._seconds)
            if not work.done() and not answer.started:
                await self._give_up(answer, scope, receive, send)
            await work
        finally:
            work.cancel()  # of use only when this was cancelled itself: the server is stopping

    async def _give_up(self, answer: "_Answer", scope: Scope, receive: Receive, send: Send) -> None:
        answer.abandoned = True
        log.warning("request.timeout", method=scope["method"], path=scope["path"])
        error = RequestTimeout(
            f"There was no answer within {self._seconds:g} s",
            hint="It may still take effect: look before you ask again, or send an Idempotency-Key",
        )
        await render(error, scope["state"]["request_id"])(scope, receive, send)


class _Answer:
    """What the work sends, until it is given up: then it finds the client gone."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.started = False
        self.abandoned = False

    async def send(self, message: Message) -> None:
        if not self.abandoned:
            self.started = True
            await self._send(message)

    async def receive(self) -> Message:
        if self.abandoned:
            return {"type": "http.disconnect"}
        return await self._receive()
