"""All sockets of one process: who is let in, who may stay, and how they leave at a shutdown."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

import structlog
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from agenticai_core import auth, tracing
from agenticai_core.auth import Caller
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotAllowed, NotAuthenticated
from agenticai_core.limits.attempts import Attempts
from agenticai_core.limits.bucket import Buckets
from agenticai_core.limits.verdict import TooManyFailures
from agenticai_core.settings import Settings
from agenticai_websocket.connection import Connection, close
from agenticai_websocket.context import Context
from agenticai_websocket.hub import Hub
from agenticai_websocket.problems import describe, too_many_sockets, unavailable
from agenticai_websocket.protocol import (
    SUBPROTOCOL,
    BadFrame,
    CloseCode,
    Goodbye,
    Problem,
    Query,
    Subscribe,
    parse_query,
)
from agenticai_websocket.settings import GatewaySettings

log = structlog.get_logger(__name__)

LONGEST_DRAIN_STEP = 0.25  # s between two closes: slower would spare nobody
TICKET_PREFIX = "agenticai.ticket."
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class Gateway:
    def __init__(self, services: Services, settings: Settings, options: GatewaySettings) -> None:
        self.hub = Hub(services.store, settings)
        self.draining = False
        self._context = Context(services, settings, options, self.hub)
        self._connections: set[Connection] = set()
        # Of this process: the gateways do not count each other.
        failures = Buckets(settings.auth_failure_rate, settings.auth_failure_burst)
        self._attempts = Attempts(failures)

    @property
    def connections(self) -> int:
        return len(self._connections)

    # ---- letting in -----------------------------------------------------------------------------

    async def serve(self, websocket: WebSocket) -> None:
        """One socket from its upgrade to its end."""
        if self.draining:
            answer = PlainTextResponse("restarting", 503, headers={"Retry-After": "1"})
            await websocket.send_denial_response(answer)
            return
        offered = websocket.scope.get("subprotocols", [])
        # Accepted even when it will be refused: browsers hide the status of a refused upgrade
        # from their scripts, but show a close code and the error frame before it.
        await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        with suppress(WebSocketDisconnect):
            try:
                query, caller = await self._admit(websocket)
                self._must_have_room(caller)
            except Goodbye as goodbye:
                await close(websocket, goodbye)
                return
            await self._run(websocket, query, caller)

    async def _admit(self, websocket: WebSocket) -> tuple[Query, Caller]:
        """What is asked, and who asks; raises `Goodbye` for whom is not let in."""
        origin = websocket.headers.get("origin")
        host = websocket.headers.get("host", "")
        if origin and not origin_allowed(origin, host, self._context.settings.allowed_origins):
            hint = "Add the origin to AGENTICAI_ALLOWED_ORIGINS."
            problem = Problem("ORIGIN_NOT_ALLOWED", f"Not from {origin[:200]}.", hint)
            raise Goodbye(CloseCode.FORBIDDEN, problem)
        with tracing.socket_span("connect"):
            caller = await self._authorise(partial(self._identify, websocket))
        try:
            return parse_query(dict(websocket.query_params)), caller
        except BadFrame as bad:
            raise Goodbye(CloseCode.BAD_MESSAGE, bad.problem) from None

    def _identify(self, websocket: WebSocket) -> Caller:
        address = websocket.client.host if websocket.client else ""
        credential = presented_secret(websocket) or presented_ticket(websocket)
        with self._attempts.attempt(address, credential):
            return identify(self._context.services, websocket)

    async def _authorise(self, look: Callable[[], Caller]) -> Caller:
        """The caller that ``look`` finds, when it may read; else raises `Goodbye`."""
        try:
            return _reader(await asyncio.to_thread(look))
        except NotAuthenticated as error:
            raise Goodbye(CloseCode.NOT_AUTHENTICATED, describe(error)) from None
        except NotAllowed as error:
            raise Goodbye(CloseCode.FORBIDDEN, describe(error)) from None
        except TooManyFailures as error:
            raise Goodbye(CloseCode.RATE_LIMITED, describe(error)) from None
        except Exception as error:
            log.warning("gateway.authentication_failed", error=str(error))
            raise Goodbye(CloseCode.TRY_AGAIN_LATER, unavailable()) from None

    def _must_have_room(self, caller: Caller) -> None:
        most = self._context.options.sockets
        if sum(other.caller.id == caller.id for other in self._connections) >= most:
            raise too_many_sockets(most)

    async def _run(self, websocket: WebSocket, query: Query, caller: Caller) -> None:
        connection = Connection(websocket, self._context, caller, query.client_id)
        first = (
            Subscribe(project_id=query.project_id, after=query.after) if query.project_id else None
        )
        self._connections.add(connection)
        if self.draining:  # it began while this one was on its way in
            connection.end(Goodbye(CloseCode.RESTART))
        try:
            await connection.run(first)
        finally:
            self._connections.discard(connection)

    # ---- staying --------------------------------------------------------------------------------

    async def recheck(self) -> None:
        """Look again at every key in use, and close the sockets of those that are no good now."""
        while True:
            await asyncio.sleep(self._context.settings.recheck_seconds)
            connections = list(self._connections)
            for connection, goodbye in await asyncio.to_thread(self._recheck, connections):
                connection.end(goodbye)

    def _recheck(self, connections: list[Connection]) -> list[tuple[Connection, Goodbye]]:
        """Those that have to go. The table is read once for every hundred keys."""
        services = self._context.services
        ended = []
        try:
            auth.refresh(services, [connection.caller for connection in connections])
            for connection in connections:
                try:
                    auth.recheck(services, connection.caller)
                except NotAuthenticated as error:
                    goodbye = Goodbye(CloseCode.NOT_AUTHENTICATED, describe(error))
                    ended.append((connection, goodbye))
        except Exception as error:  # an outage is no reason to send anybody away
            log.warning("gateway.recheck_failed", error=str(error) or repr(error))
        return ended

    # ---- leaving --------------------------------------------------------------------------------

    async def drain(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Refuse new sockets and close the others, spread so that they do not come back at once.

        ``hurry`` is asked between two closes, and ends the spreading.
        """
        self.draining = True
        waiting = list(self._connections)
        pause = self._context.options.drain_seconds / max(1, len(waiting))
        log.info("gateway.draining", connections=len(waiting))
        for connection in waiting:
            connection.end(Goodbye(CloseCode.RESTART))
            if not hurry():
                await asyncio.sleep(min(pause, LONGEST_DRAIN_STEP))
        deadline = asyncio.get_running_loop().time() + self._context.options.goodbye_seconds
        while self._connections and not hurry() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)


def identify(services: Services, websocket: WebSocket) -> Caller:
    """Who asks for the upgrade: by a header, or by a ticket as a browser does.

    Raises `NotAuthenticated`. A ticket is used up by this.
    """
    secret = presented_secret(websocket)
    ticket = presented_ticket(websocket)
    if ticket and not secret:
        return auth.redeem_ticket(services, ticket)
    return auth.authenticate(services, secret)


def presented_secret(websocket: WebSocket) -> str:
    """The API key or token of the upgrade request; empty when there is none."""
    if key := websocket.headers.get("x-api-key"):
        return key.strip()
    scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def presented_ticket(websocket: WebSocket) -> str:
    """The ticket among the subprotocols, which is what a browser can set; it is never echoed."""
    for entry in websocket.scope.get("subprotocols", []):
        if entry.startswith(TICKET_PREFIX):
            return str(entry.removeprefix(TICKET_PREFIX))
    return ""


def _reader(caller: Caller) -> Caller:
    if "read" not in caller.scopes:
        raise NotAllowed("This API key may not read.", hint="Use one with the scope 'read'.")
    return caller


def origin_allowed(origin: str, host: str, allowed: tuple[str, ...]) -> bool:
    """Whether a page of ``origin`` may connect. With no list: only our own host, or this machine.

    Only browsers send an Origin, and they cannot be made to send a false one.
    """
    if allowed:
        return origin in allowed
    try:
        parts = urlsplit(origin)
        name = parts.hostname
    except ValueError:
        return False
    return name is not None and (parts.netloc.lower() == host.lower() or name in _LOCAL_HOSTS)
