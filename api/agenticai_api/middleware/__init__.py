"""What happens around every request, from the outside in."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from agenticai_api.errors import METHODS
from agenticai_api.middleware.body import BodyLimit
from agenticai_api.middleware.context import REQUEST_ID, RequestContext
from agenticai_api.middleware.duration import TimeLimit
from agenticai_api.middleware.head import HeadAsGet
from agenticai_api.middleware.transport import HttpsOnly
from agenticai_api.throttle import RateLimitHeaders
from agenticai_core.settings import Settings

_ASKED = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "Last-Event-ID",
    "X-API-Key",
    REQUEST_ID,
]
_TOLD = [
    "Content-Disposition",
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    REQUEST_ID,
]


def install(app: FastAPI, settings: Settings) -> None:
    """The last one added is the outermost."""
    app.add_middleware(BodyLimit, seconds=settings.body_timeout)
    app.add_middleware(HeadAsGet)
    app.add_middleware(TimeLimit, seconds=settings.request_timeout)
    if settings.allowed_origins:
        # Browsers send no credentials of their own (cookies): the page has the key, or it has not.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=METHODS,
            allow_headers=_ASKED,
            expose_headers=_TOLD,
        )
    if settings.https_redirect:
        app.add_middleware(HttpsOnly)
    app.add_middleware(RequestContext)
    app.add_middleware(RateLimitHeaders)
    if settings.trusted_proxies:
        trusted = [str(network) for network in settings.trusted_proxies]
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=trusted)
