"""Live events that survive a broken connection: each event once, in order, nothing left out.

The socket is the fast way and the log behind the REST API the sure one: what the socket skips is
read there, and while there is no socket the log is polled.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from agenticai_client.errors import ApiError, ClientError, ConnectionFailed
from agenticai_client.find import is_loopback

SUBPROTOCOL = Subprotocol("agenticai.v1")
PAGE = 100
Json = dict[str, Any]
# Close codes after which trying again is no use; the error frame before says more.
_REFUSALS = {
    4401: ("NOT_AUTHENTICATED", 401, "The key is not valid, or no longer."),
    4403: ("NOT_ALLOWED", 403, "This key may not see this project."),
}
_MISSING = frozenset({"NOT_FOUND", "PROJECT_DELETED"})


class ReadEvents(Protocol):
    def __call__(self, project_id: str, after: int, limit: int, wait: int = 0) -> Json:
        """A page of the log: ``{"events": […], "next_after", "head"}``. One attempt, no retries.

        An empty page may be held back for ``wait`` seconds, in case something comes.
        """


@dataclass(frozen=True)
class Pace:
    """Times in seconds."""

    backoff: float = 0.5  # before the first reconnect; doubles, with jitter
    max_backoff: float = 15.0
    poll: float = 1.0  # between two reads of the log while there is no socket, at least
    hold: float = 5.0  # that the API may hold back an empty page, in case something comes
    idle: float = 75.0  # without any frame: the gateway pings every 20
    patience: float = 120.0  # with neither socket nor API, before giving up
    connect: float = 5.0


class _SocketLost(Exception):
    """The socket is of no more use; the reason is fit to be shown."""


class EventStream:
    """An iterator over one project's events after ``after``. ``last`` is where to resume.

    Raises `ApiError` when the key is not accepted or the project is gone, `ConnectionFailed` when
    nothing answers from the start or for longer than ``pace.patience``. ``notice(state, reason)``
    hears of changes: "live", "polling", "offline".
    """

    def __init__(
        self,
        project_id: str,
        after: int,
        *,
        read: ReadEvents,
        websocket_url: str,
        api_key: str,
        pace: Pace,
        notice: Callable[[str, str], None] | None = None,
    ) -> None:
        self.last = after
        self._project_id = project_id
        self._read = read
        self._url = websocket_url
        self._api_key = api_key
        self._pace = pace
        self._notice = notice
        self._state = ""
        self._problem: Json = {}  # what the gateway's last error frame said
        self._failures = 0
        self._reached_at: float | None = None  # when anything answered last

    def __iter__(self) -> Iterator[Json]:
        while True:
            try:
                yield from self._from_socket()
            except _SocketLost as lost:
                yield from self._from_log(self._next_delay(), str(lost))

    # ---- the socket ------------------------------------------------------------------------------

    def _from_socket(self) -> Iterator[Json]:
        with self._open() as socket:
            if socket.subprotocol != SUBPROTOCOL:
                raise _SocketLost(f"the gateway does not speak {SUBPROTOCOL}")
            self._enter("live")
            opened = self._reached_at = time.monotonic()
            while True:
                yield from self._accept(socket, self._receive(socket))
                if time.monotonic() - opened > self._pace.max_backoff:
                    self._failures = 0

    def _open(self) -> ClientConnection:
        query = urlencode({"project_id": self._project_id, "after": self.last})
        with _socket_errors():
            return open_socket(f"{self._url}?{query}", self._api_key, self._pace.connect)

    def _accept(self, socket: ClientConnection, frame: Json) -> Iterator[Json]:
        self._reached_at = time.monotonic()
        seq = frame.get("seq")
        if not isinstance(seq, int):
            self._obey(socket, frame)
            return
        if seq > self.last + 1:
            yield from self._fill_gap(seq - 1)
        if seq > self.last + 1:
            raise _SocketLost(f"event {self.last + 1} is missing")
        self._failures = 0
        yield from self._deliver([frame])

    def _obey(self, socket: ClientConnection, frame: Json) -> None:
        """Frames about the socket itself; those that say nothing to us are let pass."""
        if frame.get("type") == "ping":
            with _socket_errors():
                socket.send('{"type": "pong"}')
        if frame.get("type") == "error":
            self._problem = frame
            if frame.get("code") == "PROJECT_DELETED":  # the socket stays open, and silent
                raise _refusal(frame, *_REFUSALS[4403])

    def _receive(self, socket: ClientConnection) -> Json:
        with _socket_errors(self._problem):
            text = socket.recv(timeout=self._pace.idle)
        try:
            frame = json.loads(text)
        except ValueError as error:
            raise _SocketLost("the gateway sent something that is not JSON") from error
        if not isinstance(frame, dict):
            raise _SocketLost("the gateway sent a frame that is not an object")
        return frame

    def _fill_gap(self, upto: int) -> Iterator[Json]:
        while self.last < upto:
            try:
                page = self._read(self._project_id, self.last, PAGE)
            except ClientError as error:  # polling meets it again, and decides
                raise _SocketLost(error.message) from error
            before = self.last
            yield from self._deliver(page["events"])
            if self.last == before:
                return

    # ---- the log over REST -----------------------------------------------------------------------

    def _from_log(self, seconds: float, reason: str) -> Iterator[Json]:
        """Poll for ``seconds``: at least once, so that a flapping socket still makes progress."""
        until = time.monotonic() + seconds
        while True:
            asked, pause = time.monotonic(), self._pace.poll
            hold = max(0.0, min(self._pace.hold, until - asked))
            try:
                page = self._read(self._project_id, self.last, PAGE, int(hold))
            except ClientError as error:
                pause = max(pause, self._outlast(error))
            else:
                self._reached_at = time.monotonic()
                self._enter("polling", reason)
                yield from self._deliver(page["events"])
                more = self.last < page["head"] and page["events"]
                pause = 0.0 if more else pause - (time.monotonic() - asked)
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(max(0.0, min(pause, left)))

    def _outlast(self, error: ClientError) -> float:
        """How long to wait after a passing error; raises it when it is not, or has lasted."""
        asked: float | None = None
        if isinstance(error, ApiError):
            passing, asked = error.transient, error.retry_after
        else:
            passing = isinstance(error, ConnectionFailed)
        if not passing or self._reached_at is None:
            raise error
        if time.monotonic() - self._reached_at > self._pace.patience:
            raise error
        self._enter("offline", error.message)
        return asked or 0.0

    # ---- both ------------------------------------------------------------------------------------

    def _deliver(self, events: list[Json]) -> Iterator[Json]:
        """Pass on what comes next; drop what was passed on; stop at a gap."""
        for event in events:
            if event["seq"] == self.last + 1:
                self.last += 1
                yield event

    def _enter(self, state: str, reason: str = "") -> None:
        if state != self._state and self._notice:
            self._notice(state, reason)
        self._state = state

    def _next_delay(self) -> float:
        delay = min(self._pace.max_backoff, self._pace.backoff * 2.0**self._failures)
        self._failures = min(self._failures + 1, 16)
        return delay * random.uniform(0.5, 1)  # noqa: S311  spreads clients, guards nothing


def open_socket(url: str, api_key: str, timeout: float) -> ClientConnection:
    """A connected socket; raises what `websockets` and the system raise."""
    return connect(
        url,
        subprotocols=[SUBPROTOCOL],
        additional_headers={"X-API-Key": api_key},
        open_timeout=timeout,
        close_timeout=1,
        max_size=4 * 2**20,
        proxy=None if is_loopback(url) else True,
    )


@contextmanager
def _socket_errors(problem: Json | None = None) -> Iterator[None]:
    """Turn the socket's errors into `_SocketLost`, or `ApiError` where trying again is no use."""
    try:
        yield
    except ConnectionClosed as closed:
        code = closed.rcvd.code if closed.rcvd else 1006
        if code in _REFUSALS:
            raise _refusal(problem or {}, *_REFUSALS[code]) from closed
        raise _SocketLost(f"the socket was closed ({code})") from closed
    except InvalidStatus as refused:
        raise _SocketLost(f"the gateway answered {refused.response.status_code}") from refused
    except TimeoutError as error:
        raise _SocketLost("the gateway did not answer in time") from error
    except (OSError, WebSocketException) as error:
        raise _SocketLost(str(error) or type(error).__name__) from error


def _refusal(problem: Json, code: str, status: int, message: str) -> ApiError:
    code = str(problem.get("code") or code)
    return ApiError(
        code,
        str(problem.get("message") or message),
        status=404 if code in _MISSING else status,
        hint=problem.get("hint"),
    )
