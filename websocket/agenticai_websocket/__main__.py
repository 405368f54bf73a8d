"""`python -m agenticai_websocket`: the gateway as a process, until SIGTERM or Ctrl-C."""

import signal
import sys
from types import FrameType

import structlog

from agenticai_core import metrics, tracing
from agenticai_core.bootstrap import connect
from agenticai_core.settings import Settings
from agenticai_core.telemetry import configure_logging
from agenticai_websocket.main import create_app
from agenticai_websocket.server import create_server
from agenticai_websocket.settings import GatewaySettings


def main() -> None:
    # The server catches these while it runs, drains, and raises them again: that is a clean end.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, _leave)
    settings = Settings()
    configure_logging(settings, "websocket")
    metrics.configure(settings, "websocket")
    tracing.configure(settings, "websocket")
    options = GatewaySettings()
    app = create_app(connect(settings), settings, options)
    metrics.watch(metrics.CONNECTIONS, lambda: app.state.gateway.connections)
    log = structlog.get_logger(__name__)
    log.info("websocket.starting", host=options.host, port=options.port)
    create_server(app, settings, options).run()
    log.info("websocket.stopped")


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
