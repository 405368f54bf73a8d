"""How a request came: over HTTPS or not."""

import re
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from agenticai_api.errors import HttpsRequired, render

_HOST = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")


class HttpsOnly:
    """Sends readers to HTTPS and refuses the rest, health checks excepted.

    A redirect would make the client send a body, and the secret in it, a second time; an error
    makes its author mend the address. The scheme is the one that a trusted proxy names, else the
    connection's own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["scheme"] == "https" or _is_health(scope["path"]):
            await self._app(scope, receive, send)
        else:
            await _answer(scope)(scope, receive, send)


def _is_health(path: str) -> bool:
    # The load balancer asks the container itself, in plain HTTP.
    return path in ("/health", "/health/ready")


def _answer(scope: Scope) -> Response:
    host = _HOST.fullmatch(Headers(scope=scope).get("host", ""))
    # A target such as "@elsewhere.example" would become part of the host.
    if scope["method"] in ("GET", "HEAD") and host and scope["raw_path"].startswith(b"/"):
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        target = f"https://{host.group(1)}{(scope['raw_path'] + query).decode('latin-1')}"
        return Response(status_code=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": target})
    error = HttpsRequired(
        "This is answered over HTTPS only",
        hint="Use https:// in the address; a key that was sent here may have been read: rotate it",
    )
    return render(error, scope["state"]["request_id"])
