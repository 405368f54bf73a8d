"""A request's id, its log line, its safe headers, and the answer to what nobody foresaw."""

import re
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agenticai_api.errors import InternalError, render
from agenticai_core import auth, metrics
from agenticai_core.ids import new_id

REQUEST_ID = "X-Request-Id"
_KEY = re.compile(rf"{auth.PREFIX}[A-Za-z0-9_-]{{20,}}")
_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# What a page of ours says for itself stays. Generated files come from here too: whatever they
# hold, a browser runs none of it.
_SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Of this host alone: the owner's other hosts may have no certificate yet.
_HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}

log = structlog.get_logger(__name__)


class RequestContext:
    """Gives a request its id, logs how it ended, and answers for what nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await _Exchange(self._app, scope, request_id).run(receive, send)


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, scope: Scope, request_id: str) -> None:
        self._app = app
        self._scope = scope
        self._request_id = request_id
        self._status: int | None = None

    async def run(self, receive: Receive, send: Send) -> None:
        started = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
                self._add_headers(message)
            await send(message)

        try:
            await self._app(self._scope, receive, send_with_headers)
        except Exception:
            if self._status is not None:
                raise  # half an answer is out: the server can only cut the connection
            log.exception("request.failed", method=self._scope["method"], path=self._path)
            answer = render(InternalError(), self._request_id)
            await answer(self._scope, receive, send_with_headers)
        self._log_end(time.perf_counter() - started)

    @property
    def _path(self) -> str:
        """As it may be logged: without a key that somebody has put into an address."""
        return _KEY.sub(f"{auth.PREFIX}***", self._scope["path"])

    def _add_headers(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        headers[REQUEST_ID] = self._request_id
        wanted = _SAFE_HEADERS | (_HTTPS_ONLY if self._scope["scheme"] == "https" else {})
        for name, value in wanted.items():
            headers.setdefault(name, value)

    def _log_end(self, seconds: float) -> None:
        # A load balancer asks every few seconds; that is not worth a line.
        is_health = self._path.startswith("/health")
        if not is_health:
            self._measure(seconds)
        write = log.debug if is_health else log.info
        write(
            "request.done",
            method=self._scope["method"],
            path=self._path,
            status=self._status,
            milliseconds=round(seconds * 1000, 1),
            user_id=self._scope["state"].get("owner_id"),
        )

    def _measure(self, seconds: float) -> None:
        metrics.record(metrics.REQUESTS)
        # Zero too: a rate needs a value where there was no error.
        metrics.record(metrics.SERVER_ERRORS, int(self._status is None or self._status >= 500))
        if not self._path.endswith("/events"):  # which may wait, as long as the client wants
            metrics.record(metrics.LATENCY, round(seconds * 1000, 1))


def _request_id(scope: Scope) -> str:
    """The caller's own id where it is fit for logs and headers, else a new one."""
    given = Headers(scope=scope).get(REQUEST_ID, "")
    return given if _SANE_ID.fullmatch(given) else new_id("req")
