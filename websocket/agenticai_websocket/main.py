"""The ASGI application: `/ws` and `/ws/health`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from agenticai_core.bootstrap import Services
from agenticai_core.settings import Settings
from agenticai_websocket.gateway import Gateway
from agenticai_websocket.settings import GatewaySettings


def create_app(
    services: Services, settings: Settings, options: GatewaySettings | None = None
) -> Starlette:
    """The gateway as an application; `app.state.gateway` is the `Gateway` behind it."""
    gateway = Gateway(services, settings, options or GatewaySettings())

    async def health(_: Request) -> JSONResponse:
        """503 while draining: the load balancer then sends nobody here any more.

        An outage of the store shows, but changes nothing: a restart would not mend it.
        """
        body = {
            "status": "draining" if gateway.draining else "ok",
            "store": "unavailable" if gateway.hub.failing else "ok",
            "connections": gateway.connections,
            "watched": gateway.hub.watched,
        }
        return JSONResponse(body, 503 if gateway.draining else 200)

    app = Starlette(
        routes=[Route("/ws/health", health), WebSocketRoute("/ws", gateway.serve)],
        lifespan=_lifespan(gateway),
    )
    app.state.gateway = gateway
    if settings.trusted_proxies:  # whose client is the one that attempts are counted of
        trusted = [str(network) for network in settings.trusted_proxies]
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=trusted)
    return app


def _lifespan(gateway: Gateway) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(gateway.hub.run()), asyncio.create_task(gateway.recheck())]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return lifespan
