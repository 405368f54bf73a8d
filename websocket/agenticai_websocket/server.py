"""uvicorn, with three additions that its settings do not reach: see the two classes."""

import socket
from typing import cast

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from agenticai_core.settings import Settings
from agenticai_websocket.connection import LAST_PONG
from agenticai_websocket.gateway import Gateway
from agenticai_websocket.protocol import MAX_MESSAGE_BYTES
from agenticai_websocket.settings import GatewaySettings

LINGER_SECONDS = 10.0


class Protocol(WebSocketsSansIOProtocol):
    """Notes each pong as a sign of life, and lets go of a peer that does not take its last bytes.

    (uvicorn waits for a full send buffer without limit; a peer that never reads would keep it.)
    """

    def handle_pong(self, event: Frame) -> None:
        self.scope["state"][LAST_PONG] = self.loop.time()
        super().handle_pong(event)

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


class Server(uvicorn.Server):
    """Drains before it closes its port, so that health can tell that it is going."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._gateway.drain(lambda: self.force_exit)
        await super().shutdown(sockets)


def create_server(app: Starlette, settings: Settings, options: GatewaySettings) -> Server:
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        ws=Protocol,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_ping_interval=settings.ping_seconds,
        ws_ping_timeout=None,  # the connection decides what idle means, and closes with 4408
        log_config=None,  # or else its own lines, with the headers of handshakes, go past ours
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the application believes those that the settings name
        timeout_graceful_shutdown=5,
    )
    return Server(config, cast(Gateway, app.state.gateway))
