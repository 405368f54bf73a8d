"""From what a client presents to the caller, at once and as long as it stays connected."""

import hmac
from collections.abc import Collection
from dataclasses import replace

from agenticai_core.auth import tokens
from agenticai_core.auth.callers import Caller
from agenticai_core.auth.keys import hash_key, read_api_key
from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, stamp
from agenticai_core.errors import NotAuthenticated
from agenticai_core.models import ApiKey
from agenticai_core.rows import parse
from agenticai_core.store import keys

_BATCH = 100


def authenticate(services: Services, secret_or_token: str) -> Caller:
    """The caller behind an API key or a token; `NotAuthenticated` when it is no good (any more).

    What the table said of the key may be 2.5 s old (`key_cache`).
    """
    if "." in secret_or_token:  # which no key has
        claims = tokens.verify(services, secret_or_token)
        key = live_key(services, claims.key_hash)
        if claims.owner_id != key.owner_id:
            raise _unknown()
        scopes = tuple(scope for scope in key.scopes if scope in claims.scopes)
        return Caller(key, scopes, "token", claims.expires_at)
    if not secret_or_token:
        raise _unknown()
    key = live_key(services, hash_key(secret_or_token))
    return Caller(key, key.scopes)


def recheck(services: Services, caller: Caller) -> Caller:
    """Whether the caller may still be here. Raises `NotAuthenticated`."""
    if _is_past(caller.expires_at):
        raise tokens.expired()
    return replace(caller, key=live_key(services, caller.key.hash))


def refresh(services: Services, callers: Collection[Caller]) -> None:
    """Read the keys of many callers together, so that the `recheck`s after it read nothing."""
    hashes = list(dict.fromkeys(caller.key.hash for caller in callers))
    for start in range(0, len(hashes), _BATCH):
        _read_many(services, hashes[start : start + _BATCH])


def live_key(services: Services, key_hash: str) -> ApiKey:
    """The key with this hash. Raises `NotAuthenticated` when unknown, revoked or expired.

    The table finds it by the hash, which tells nothing of a secret of 256 random bits; the
    comparison in constant time is for whatever may stand between us and the table one day.
    """
    key = services.key_cache.get(key_hash) or _read_one(services, key_hash)
    if key is None or not hmac.compare_digest(key.hash, key_hash):
        raise _unknown()
    if key.revoked_at is not None:
        raise NotAuthenticated("This API key has been revoked", hint="Ask for a new one")
    if _is_past(key.expires_at):
        raise NotAuthenticated("This API key has expired", hint="Use the one that replaced it")
    return key


def _read_one(services: Services, key_hash: str) -> ApiKey | None:
    def read() -> dict[str, ApiKey]:
        key = read_api_key(services.store, key_hash)
        return {key.hash: key} if key else {}

    return services.key_cache.refresh([key_hash], read).get(key_hash)


def _read_many(services: Services, hashes: list[str]) -> None:
    def read() -> dict[str, ApiKey]:
        rows = services.store.batch_get([keys.api_key(one) for one in hashes])
        return {row["hash"]: parse(ApiKey, row) for row in rows}

    services.key_cache.refresh(hashes, read)


def _is_past(moment: str | None) -> bool:
    return moment is not None and moment <= stamp(now())


def _unknown() -> NotAuthenticated:
    hint = "Send it as 'X-API-Key: …' or 'Authorization: Bearer …'"
    return NotAuthenticated("No such API key", hint=hint)
