"""Every error in one form: business errors, refused requests, unknown routes, our own faults."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from agenticai_api.schemas.base import ErrorAnswer
from agenticai_core.clock import now, stamp
from agenticai_core.errors import AgenticError, NotAuthenticated, Unavailable, ValidationFailed
from agenticai_core.limits.verdict import TooManyRequests, TooManyStreams
from agenticai_core.store.base import StoreConflict, StoreUnavailable

log = structlog.get_logger(__name__)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
DESCRIPTIONS = {
    400: "The body is not JSON, or nested too deep.",
    401: "No API key, or an unknown or revoked one.",
    402: "The project's budget does not cover it.",
    403: "The API key lacks the scope.",
    404: "There is no such thing, or it belongs to somebody else.",
    405: "The path has other methods; `Allow` names them.",
    408: "The body did not come in time.",
    409: "The state does not allow it now.",
    412: "`If-Match` names an older version.",
    413: "The body is larger than 1 MB.",
    415: "The body's content type is not JSON.",
    422: "The request breaks a rule; `details.errors` says where.",
    429: "Too many requests, or the month's are used up; `Retry-After` says how long to wait.",
    500: "A fault of ours; the request id finds it in the logs.",
    503: "Something this needs does not answer now; try again.",
    504: "It took too long; it may still take effect.",
}
_RETRY_LATER = {"Retry-After": "1"}
_TEXT = {"schema": {"type": "string"}}
_LIMIT_HEADERS = {
    "Retry-After": {
        "description": "Seconds until the next request is allowed.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit": {
        "description": "Per policy: what remains (`r`), the seconds until all of it is back (`t`).",
        **_TEXT,
    },
    "RateLimit-Policy": {
        "description": "Per policy: the quota (`q`) and its window in seconds (`w`).",
        **_TEXT,
    },
}
_HEADERS = {429: {"headers": _LIMIT_HEADERS}}
_QUOTED = re.compile(r"'([^']*)'")
_MOST_TOLD = 100  # problems of one request: a body of 1 MB can have half a million


class MalformedBody(AgenticError):
    """The body cannot be read as JSON."""

    code, status = "MALFORMED_BODY", 400


class JsonTooDeep(AgenticError):
    """Objects and lists in the body are nested deeper than anything here needs."""

    code, status = "JSON_TOO_DEEP", 400


class HttpsRequired(AgenticError):
    """The request came in clear text and is more than a reader's, so it is not redirected."""

    code, status = "HTTPS_REQUIRED", 403


class RouteNotFound(AgenticError):
    """No route has this path."""

    code, status = "ROUTE_NOT_FOUND", 404


class MethodNotAllowed(AgenticError):
    """The path is there, with other methods: `Allow` names them."""

    code, status = "METHOD_NOT_ALLOWED", 405


class BodyTimeout(AgenticError):
    """The body came too slowly."""

    code, status = "REQUEST_BODY_TIMEOUT", 408


class BodyTooLarge(AgenticError):
    """The body is larger than 1 MB."""

    code, status = "BODY_TOO_LARGE", 413


class UnsupportedMediaType(AgenticError):
    """The body is not announced as what it has to be."""

    code, status = "UNSUPPORTED_MEDIA_TYPE", 415


class RequestTimeout(AgenticError):
    """No answer was ready in time; what was asked for may still take effect."""

    code, status = "REQUEST_TIMEOUT", 504


class InternalError(AgenticError):
    """A fault of ours: the request id finds it in our logs, and nothing of its inside is told."""

    code, status = "INTERNAL_ERROR", 500

    def __init__(self) -> None:
        super().__init__(
            "Something went wrong on our side",
            hint="Try again; if it happens again, report the request id",
        )


class Refused(HTTPException):
    """An error that is raised while the body is read: the framework lets no other kind through."""

    def __init__(self, error: AgenticError, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error.status, headers=headers)
        self.error = error


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that can end in these errors."""
    return {
        status: {"model": ErrorAnswer, "description": DESCRIPTIONS[status]}
        | _HEADERS.get(status, {})
        for status in statuses
    }


def render(
    error: AgenticError, request_id: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer to a request that ended in ``error``."""
    body: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "details": error.details,
    }
    if error.hint:
        body["hint"] = error.hint
    content = {
        "success": False,
        "error": body,
        "request_id": request_id,
        "timestamp": stamp(now()),
    }
    return JSONResponse(content, error.status, headers=_headers_of(error) | dict(headers or {}))


def install(app: FastAPI) -> None:
    """Render every exception that a route can end in; what is left is `RequestContext`'s."""
    app.add_exception_handler(AgenticError, _on_business_error)
    app.add_exception_handler(RequestValidationError, _on_refused_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(StoreUnavailable, _on_outage)
    app.add_exception_handler(StoreConflict, _on_outage)


def _headers_of(error: AgenticError) -> dict[str, str]:
    if isinstance(error, NotAuthenticated):
        return {"WWW-Authenticate": 'Bearer realm="agenticai"'}
    if isinstance(error, TooManyRequests | TooManyStreams):
        return {"Retry-After": str(error.retry_after)}
    return dict(_RETRY_LATER) if isinstance(error, Unavailable) else {}


def _request_id(request: Request) -> str:
    return cast(str, request.state.request_id)


async def _on_business_error(request: Request, error: Exception) -> JSONResponse:
    problem = cast(AgenticError, error)
    if isinstance(problem, Unavailable) and problem.__cause__ is not None:
        return await _on_outage(request, problem)
    return render(problem, _request_id(request))


async def _on_outage(request: Request, error: Exception) -> JSONResponse:
    """AWS's own words hold addresses and account numbers: they are for the log."""
    log.warning("request.outage", reason=str(error))
    outage = Unavailable("Something this needs does not answer now", hint="Try again in a moment")
    return render(outage, _request_id(request))


async def _on_http_error(request: Request, error: Exception) -> Response:
    problem = cast(HTTPException, error)
    if problem.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _name_methods(request)
    return render(_translate(problem, request), _request_id(request), problem.headers)


def _name_methods(request: Request) -> Response:
    """What the path does answer to: as an error, or as all that OPTIONS asks for."""
    allowed = _allowed_methods(request)
    headers = {"Allow": ", ".join(allowed)}
    if request.method == "OPTIONS":
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    error = MethodNotAllowed(
        f"{request.method} is not allowed here", details={"allowed_methods": allowed}
    )
    return render(error, _request_id(request), headers)


def _translate(problem: HTTPException, request: Request) -> AgenticError:
    if isinstance(problem, Refused):
        return problem.error
    if problem.status_code == HTTPStatus.NOT_FOUND:
        return RouteNotFound(
            f"There is nothing at {request.method} {request.url.path[:200]}",
            hint="/docs lists what there is",
        )
    # What FastAPI raises by itself: a body that is no text, or nested beyond any sense.
    if problem.status_code == HTTPStatus.BAD_REQUEST:
        return MalformedBody("The body cannot be read as JSON")
    return InternalError()


def _allowed_methods(request: Request) -> list[str]:
    """All methods of the path that is meant; the framework would name those of its first route.

    A path of which less is left open wins: `/projects/from-template` is no project's id.
    """
    found = [
        route
        for route in iter_route_contexts(request.app.routes)
        if route.methods and route.path_regex.match(request.url.path)
    ]
    meant = min((route.path_format or "" for route in found), key=lambda path: path.count("{"))
    methods = {
        method for route in found if route.path_format == meant for method in route.methods or ()
    }
    if "GET" in methods:
        methods.add("HEAD")
    return [method for method in METHODS if method in methods] + ["OPTIONS"]


async def _on_refused_request(request: Request, error: Exception) -> JSONResponse:
    return render(_explain(cast(RequestValidationError, error)), _request_id(request))


def _explain(error: RequestValidationError) -> AgenticError:
    problems = error.errors()
    first = problems[0]
    if first["type"] == "json_invalid":
        return MalformedBody(
            f"The body is not JSON: {first['ctx']['error']}", details={"position": first["loc"][-1]}
        )
    if tuple(first["loc"]) == ("body",) and isinstance(first.get("input"), bytes):
        return UnsupportedMediaType(
            "The body is not announced as JSON", hint="Send 'Content-Type: application/json'"
        )
    told = [_describe(problem) for problem in problems[:_MOST_TOLD]]
    return _validation_failed(told, len(problems))


def _validation_failed(problems: Sequence[dict[str, Any]], number: int) -> ValidationFailed:
    """``number``: of all problems, of which ``problems`` are the first."""
    first = problems[0]
    message = f"'{first['field']}' {first['message']}"
    if number > 1:
        where = "in details.errors" if number == len(problems) else "like it"
        message += f" ({number - 1} more {where})"
    about_first = {name: value for name, value in first.items() if name != "message"}
    return ValidationFailed(message, details=about_first | {"errors": list(problems)})


def _describe(problem: Mapping[str, Any]) -> dict[str, Any]:
    """Field, what is wrong with it, and what would be right; never what was sent."""
    # ("body", "scopes", 0) -> "scopes.0"; the body as a whole is "body".
    field = ".".join(str(part) for part in problem["loc"][1:]) or str(problem["loc"][0])
    kind = problem["type"]
    if kind in ("enum", "literal_error"):
        allowed = _QUOTED.findall(problem["ctx"]["expected"])
        message = f"must be one of {', '.join(allowed)}"
        return {"field": field, "message": message, "allowed_values": allowed}
    return {"field": field, "message": _wording(kind, problem["msg"])}


def _wording(kind: str, message: str) -> str:
    known = {"missing": "is required", "extra_forbidden": "is not a known field"}
    if kind in known:
        return known[kind]
    plain = message.removeprefix("Value error, ")
    for start in ("Input should", "String should", "List should"):
        plain = plain.replace(start, "should", 1)
    return plain
