"""Short-lived tokens, exchanged from an API key: JWTs that are signed with HMAC-SHA256.

They name the key by its hash, and whoever looks at one looks at the key as well: a token ends with
its key, and with the scopes that the key has.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agenticai_core import clock
from agenticai_core.auth.callers import Caller, Scope
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotAuthenticated
from agenticai_core.ids import new_id

SHORTEST, LONGEST, DEFAULT = 60, 3600, 900  # s
LAST_SECOND = 253_402_300_799  # of the year 9999, s since 1970
LEEWAY = 5  # s that the clocks of instances may differ
MAX_LENGTH = 2048  # characters; ours have some 500
_ALGORITHM = "HS256"
_REQUIRED = ["iss", "aud", "exp", "iat", "jti", "sub"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Token:
    text: str = field(repr=False)
    expires_at: str
    scopes: tuple[Scope, ...]


class Claims(BaseModel):
    """What a token of ours says."""

    model_config = ConfigDict(frozen=True, strict=True)

    owner_id: str = Field(alias="sub")
    key_hash: str = Field(alias="key", pattern=r"^[0-9a-f]{64}$")
    scope: str  # separated by spaces
    exp: int = Field(le=LAST_SECOND)  # s since 1970

    @property
    def scopes(self) -> list[str]:
        return self.scope.split()

    @property
    def expires_at(self) -> str:
        return clock.stamp(datetime.fromtimestamp(self.exp, UTC))


def exchange(
    services: Services,
    caller: Caller,
    scopes: Sequence[Scope] | None = None,
    ttl_seconds: int = DEFAULT,
) -> Token:
    """A token for the caller's API key, with all of its scopes or some.

    Raises `ApiKeyRequired` for a token: it cannot make itself last longer; and `NotAllowed` for
    scopes that the key lacks.
    """
    caller.require_key()
    granted = tuple(dict.fromkeys(caller.scopes if scopes is None else scopes))
    caller.require_scopes(granted)
    issued = clock.now().replace(microsecond=0)
    ends = issued + timedelta(seconds=ttl_seconds)
    if caller.key.expires_at:
        ends = min(ends, clock.parse(caller.key.expires_at).replace(microsecond=0))
    claims: dict[str, Any] = {
        "iss": services.issuer,
        "aud": _audience(services),
        "sub": caller.owner_id,
        "jti": new_id("tok"),
        "iat": issued,
        "exp": ends,
        "key": caller.key.hash,
        "scope": " ".join(granted),
    }
    return Token(jwt.encode(claims, _secret(services), _ALGORITHM), clock.stamp(ends), granted)


def verify(services: Services, text: str) -> Claims:
    """What the token says, if it is ours, meant for here, and not over: else `NotAuthenticated`."""
    if len(text) > MAX_LENGTH:
        raise _refused()
    try:
        claims = jwt.decode(
            text,
            _secret(services),
            algorithms=[_ALGORITHM],
            audience=_audience(services),
            issuer=services.issuer,
            leeway=LEEWAY,
            options={"require": _REQUIRED, "strict_aud": True},
        )
        return Claims.model_validate(claims)
    except jwt.ExpiredSignatureError:
        raise expired() from None
    except (jwt.InvalidTokenError, ValidationError, RecursionError) as error:
        _log.info("tokens.refused", reason=type(error).__name__)
        raise _refused() from None


def expired() -> NotAuthenticated:
    return NotAuthenticated("This token has expired", hint="Get another one: POST /api/tokens")


def _refused() -> NotAuthenticated:
    return NotAuthenticated(
        "This is no valid token", hint="Get one with an API key: POST /api/tokens"
    )


def _audience(services: Services) -> str:
    return f"{services.issuer}/api"


def _secret(services: Services) -> bytes:
    return services.server_secret.value(services.secrets)
