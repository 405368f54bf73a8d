"""What routes are given: the services, who is calling, paging, the version an update expects."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Header, Path, Query, Request, Response, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator
from structlog.contextvars import bind_contextvars

from agenticai_api.throttle import throttle_of
from agenticai_core import auth
from agenticai_core.bootstrap import Services
from agenticai_core.errors import (
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PreconditionFailed,
    ValidationFailed,
)
from agenticai_core.idempotency import Once
from agenticai_core.settings import Settings


class InvalidIdempotencyKey(ValidationFailed):
    """The header `Idempotency-Key` is no such key."""

    code = "INVALID_IDEMPOTENCY_KEY"


_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# A proxy that compresses turns a strong tag into a weak one; it still names the same version.
_VERSION_TAG = re.compile(r'(?:W/)?"(\d{1,15})"')

_key_header = APIKeyHeader(
    name="X-API-Key", scheme_name="ApiKey", description="An API key", auto_error=False
)
_bearer = HTTPBearer(
    scheme_name="Bearer",
    description="The same API key, or a token of `POST /api/tokens`",
    auto_error=False,
)


async def get_services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


ServicesDep = Annotated[Services, Depends(get_services)]


async def _get_settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


SettingsDep = Annotated[Settings, Depends(_get_settings)]


def _authenticate(
    request: Request,
    services: ServicesDep,
    key: Annotated[str | None, Security(_key_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> auth.Caller:
    secret = key or (bearer.credentials if bearer else "")
    if not secret:
        raise NotAuthenticated(
            "This needs an API key", hint="Send it as 'X-API-Key: …' or 'Authorization: Bearer …'"
        )
    throttle = throttle_of(request)
    with throttle.attempt(request, secret):
        caller = auth.authenticate(services, secret)
    request.state.owner_id = caller.owner_id
    throttle.admit(request, caller)
    return caller


CallerDep = Annotated[auth.Caller, Depends(_authenticate)]


def _requires(scope: auth.Scope) -> Callable[[auth.Caller], str]:
    async def owner_with_scope(request: Request, caller: CallerDep) -> str:
        # For the lines of this request: the server runs each in a context of its own.
        project_id = request.path_params.get("project_id")
        known = {"user_id": caller.owner_id} | ({"project_id": project_id} if project_id else {})
        bind_contextvars(**known)
        if scope not in caller.scopes:
            raise NotAllowed(
                f"You lack the scope '{scope}'",
                hint=f"Use a key with the scope '{scope}'",
                details={"required_scope": scope, "scopes": list(caller.scopes)},
            )
        return caller.owner_id

    return owner_with_scope  # type: ignore[return-value]


# Each is the caller's owner id, given only to a key with that scope.
Reader = Annotated[str, Depends(_requires("read"))]
Writer = Annotated[str, Depends(_requires("write"))]
Admin = Annotated[str, Depends(_requires("admin"))]


def _known_form(identity: str) -> str:
    # No id of ours looks otherwise, so it is nobody's, and it never becomes part of a table key.
    if not _ID.fullmatch(identity):
        raise NotFound("There is no such id")
    return identity


Id = Annotated[str, AfterValidator(_known_form)]
ProjectId = Annotated[Id, Path(description="A project's id.", examples=["proj_01jd3v9k2m7q8r5s"])]
ModificationId = Annotated[Id, Path(description="A modification's id.")]
KeyId = Annotated[Id, Path(description="An API key's id (not the key itself).")]


@dataclass(frozen=True)
class Paging:
    """Which page of a list: at most ``limit`` items, from where ``cursor`` says."""

    limit: int
    cursor: str | None


async def _paging(
    limit: Annotated[int, Query(ge=1, le=100, description="At most this many.")] = 20,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Paging:
    # A function of its own, because the framework sends classes to a thread.
    return Paging(limit, cursor)


PagingDep = Annotated[Paging, Depends(_paging)]


async def _expected_version(
    if_match: Annotated[
        str | None,
        Header(description="The `ETag` that the change is based on; else it is refused."),
    ] = None,
) -> int | None:
    """The version in ``If-Match``; None where any will do. A tag we never gave is an old one."""
    if if_match is None or if_match.strip() == "*":
        return None
    tag = _VERSION_TAG.fullmatch(if_match.strip())
    if tag is None:
        raise PreconditionFailed(
            "If-Match holds no ETag of this project", hint="Send the ETag of your last GET"
        )
    return int(tag.group(1))


ExpectedVersion = Annotated[int | None, Depends(_expected_version)]


_REQUEST_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')


async def _once(
    request: Request,
    response: Response,
    caller: CallerDep,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Names this request, so that sending it again within 24 h has no second "
            "effect and gets the same answer. 1 to 255 visible characters, such as a UUID.",
            examples=["8e03978e-40d5-43e8-bc93-6894a57f9324"],
            json_schema_extra={"pattern": f"^{_REQUEST_KEY.pattern}$"},
        ),
    ] = None,
) -> Once | None:
    """The request's name, where the client gave it one (bare or as a quoted string)."""
    if idempotency_key is None:
        return None
    named = _REQUEST_KEY.fullmatch(idempotency_key.strip())
    if named is None:
        raise InvalidIdempotencyKey(
            "Idempotency-Key has 1 to 255 visible ASCII characters", hint="Send a UUID"
        )

    def tell() -> None:
        response.headers["Idempotent-Replayed"] = "true"

    body = await request.body()
    return Once(
        owner_id=caller.owner_id,
        route=f"{request.method} {request.scope['route'].path}",
        key=named.group(1),
        fingerprint=_fingerprint(named.group(1), request.url.path, body),
        on_replay=tell,
    )


def _fingerprint(key: str, path: str, body: bytes) -> str:
    """Of what is asked, not of how its JSON is spaced or ordered.

    The key is stored nowhere, so that whoever reads the table cannot try what secrets a body had.
    """
    try:
        told = json.dumps(json.loads(body), sort_keys=True).encode()
    except (ValueError, RecursionError):
        told = body  # validation refuses it anyway, where the route takes a body at all
    return hashlib.sha256(b"\0".join([key.encode(), path.encode(), told])).hexdigest()


OnceDep = Annotated[Once | None, Depends(_once)]
