"""Run the service: ``python -m agenticai_api``."""

import asyncio
import signal
import socket
import sys

import structlog
import uvicorn
from pydantic_settings import BaseSettings, SettingsConfigDict

from agenticai_api.live import LiveLogs
from agenticai_api.main import create_app
from agenticai_api.traces import trace_requests
from agenticai_core import metrics, tracing
from agenticai_core.bootstrap import connect
from agenticai_core.settings import Settings
from agenticai_core.telemetry import configure_logging

LAST_WORDS = 1.0  # s that streams have to end once told to stop
GRACE = 25  # s for requests under way once told to stop; a container is killed after 30


class Address(BaseSettings):
    """Where the service listens."""

    model_config = SettingsConfigDict(env_prefix="AGENTICAI_", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    api_port: int = 8000


class Server(uvicorn.Server):
    """Ends the requests that wait for events before it waits for the others to end."""

    def __init__(self, config: uvicorn.Config, live: LiveLogs) -> None:
        super().__init__(config)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.stop()
        cutting = asyncio.create_task(self._cut_unread_streams())
        await super().shutdown(sockets)
        cutting.cancel()

    async def _cut_unread_streams(self) -> None:
        """Whoever does not even take a stream's last words would hold up the stop."""
        await asyncio.sleep(LAST_WORDS)
        streams = [id(request) for request in self._live.requests]
        for connection in list(self.server_state.connections):
            scope = getattr(connection, "scope", None) or {}
            if id(scope.get("state")) in streams:
                connection.transport.abort()


def main() -> None:
    settings, address = Settings(), Address()
    configure_logging(settings, "api")
    metrics.configure(settings, "api")
    # uvicorn finishes what is under way and then raises the signal once more: that is a good end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    traced = tracing.configure(settings, "api")
    app = create_app(connect(settings), settings)
    if traced:
        trace_requests(app)
    log = structlog.get_logger(__name__)
    log.info("api.starting", host=address.host, port=address.api_port)
    config = uvicorn.Config(
        app,
        host=address.host,
        port=address.api_port,
        log_config=None,
        access_log=False,  # `RequestContext` writes a better line
        server_header=False,
        proxy_headers=False,  # `middleware` believes those that the settings name
        timeout_graceful_shutdown=GRACE,
    )
    Server(config, app.state.live).run()
    log.info("api.stopped")


if __name__ == "__main__":
    main()
