"""The limits of a request's body: how large, how deep, and how long it may take to come."""

import asyncio
import re
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agenticai_api.errors import BodyTimeout, BodyTooLarge, JsonTooDeep, Refused

MAX_BODY = 1024 * 1024  # bytes
MAX_DEPTH = 32
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_ROUND = bytes.maketrans(b"[{]}", b"(())")
_PLUNGE = b"(" * (MAX_DEPTH + 1)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class BodyLimit:
    """Stops reading a body that breaks a limit, whether or not its length was announced.

    It raises inside the route that reads, in the one kind of error that passes the framework's
    body parser unchanged; the handlers of `errors` do the rest.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            receive = _Body(Headers(scope=scope), receive, self._seconds).receive
        await self._app(scope, receive, send)


class _Body:
    """One body on its way in."""

    def __init__(self, headers: Headers, receive: Receive, seconds: float) -> None:
        announced = headers.get("content-length", "")
        self._announced = int(announced) if announced.isdecimal() else 0
        self._is_json = "json" in headers.get("content-type", "").lower()
        self._receive = receive
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._size = 0
        self._chunks: list[bytes] = []  # of JSON, whose depth shows only in the whole
        self._complete = False

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()  # whether the client has gone: that may take long
        if self._announced > MAX_BODY:
            raise _too_large()
        message = await self._receive_in_time()
        self._take(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._complete and is_too_deep(b"".join(self._chunks)):
            raise Refused(
                JsonTooDeep(
                    f"The body is nested deeper than {MAX_DEPTH} levels",
                    details={"max_depth": MAX_DEPTH},
                )
            )
        return message

    def _take(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > MAX_BODY:
            raise _too_large()
        if self._is_json:
            self._chunks.append(chunk)

    async def _receive_in_time(self) -> Message:
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()):
                return await self._receive()
        except TimeoutError:
            error = BodyTimeout(
                f"The body did not come within {self._seconds:g} s",
                hint="Send it again over a better connection, or send less",
            )
            # What comes of it now would be taken for the next request.
            raise Refused(error, headers={"Connection": "close"}) from None


def is_too_deep(body: bytes) -> bool:
    """Whether JSON is nested deeper than `MAX_DEPTH`; looks at brackets outside strings alone.

    Cheap for the worst body too: each step goes through all of it in C.
    """
    opened = body.count(b"[") + body.count(b"{")
    if opened <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", body).translate(_ROUND, _NO_BRACKETS)
    brackets += b")" * brackets.count(b"(")  # what was not closed is as deep as if it were
    for _ in range(MAX_DEPTH):
        if _PLUNGE in brackets:  # what would take long to work off from the inside
            return True
        brackets = brackets.replace(b"()", b"")  # the innermost level
    return b"()" in brackets


def _too_large() -> Refused:
    return Refused(BodyTooLarge("The body is larger than 1 MB", details={"max_bytes": MAX_BODY}))
