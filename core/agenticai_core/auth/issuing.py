"""Keys that are made with a key: new ones, and those that take an old one's place.

A key's secret is stored nowhere. Where the client has named its request (``Idempotency-Key``), it
is derived instead of random, as HMAC-SHA256 of a random nonce and the key's id under the server's
secret: the row of the request holds the nonce, so that the same request shows the same secret
again for 24 hours. Whoever has both the table and the server's secret could derive the secrets of
the last day's keys; neither of the two alone tells anything.

The transaction checks the caller's key, too: what authentication remembers of it may be some
seconds old, and a key that was revoked must not live on in another that it makes.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import Field

from agenticai_core import audit, holdings
from agenticai_core.audit import Details
from agenticai_core.auth.callers import Caller, Scope
from agenticai_core.auth.keys import (
    NEVER_EXPIRES,
    NOT_REVOKED,
    PREFIX,
    find_api_key,
    forgotten_at,
    hash_key,
    is_over,
    key_entry,
    key_put,
    list_api_keys,
    new_key,
    random_secret,
    read_api_key,
)
from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, stamp, stamp_in
from agenticai_core.errors import NotAuthenticated, WrongState
from agenticai_core.idempotency import Once, perform_once
from agenticai_core.ids import new_id
from agenticai_core.models import ApiKey, Model
from agenticai_core.store import keys
from agenticai_core.store.base import Check, Condition, Update, Write, at_least, equals

MAX_OVERLAP = 7 * 24 * 3600  # s
DEFAULT_OVERLAP = 24 * 3600  # s

_NONCE_BYTES = 32


@dataclass(frozen=True)
class NewKey:
    """A key, and the secret that is shown this once."""

    key: ApiKey
    secret: str = field(repr=False)


@dataclass(frozen=True)
class RotatedKey(NewKey):
    """The same, and the key that it replaces, which expires."""

    replaced: ApiKey


class _Issued(Model):
    """What the row of a named request keeps of a new key."""

    key: ApiKey
    nonce: str
    secret: str = Field("", exclude=True, repr=False)  # never kept


class _Rotated(_Issued):
    replaced: ApiKey


def issue_api_key(
    services: Services,
    caller: Caller,
    name: str,
    scopes: Sequence[Scope],
    once: Once | None = None,
) -> NewKey:
    """A new key of the caller's owner, with no scope that the caller lacks.

    Raises `ApiKeyRequired`, `NotAllowed` and `LimitReached`.
    """
    caller.require_key()
    wanted = tuple(dict.fromkeys(scopes))
    caller.require_scopes(wanted)

    def attempt() -> _Issued:
        still_good = _caller_is_good(services, caller)
        _must_have_room(services, caller.owner_id)
        issued = _issue(services, caller.owner_id, name, wanted, once)
        told: Details = {"name": name, "scopes": list(wanted)}
        entry = key_entry(caller.id, issued.key, "key_created", told)
        remembered = once.writes(issued) if once else []
        services.store.write(key_put(issued.key), still_good, audit.audit_write(entry), *remembered)
        audit.log_entry(entry)
        return issued

    issued = perform_once(services.store, once, _Issued, attempt)
    return NewKey(issued.key, _show(services, issued))


def rotate_api_key(
    services: Services,
    caller: Caller,
    key_id: str,
    overlap_seconds: int = DEFAULT_OVERLAP,
    once: Once | None = None,
) -> RotatedKey:
    """A new key of the same name and scopes; the old one expires after the overlap, or earlier
    when it was going to.

    Raises `NotFound`, `ApiKeyRequired`, `NotAllowed` for a key that can do more than the caller,
    `WrongState` for one that is revoked or expired, and `LimitReached`.
    """
    caller.require_key()

    def attempt() -> _Rotated:
        still_good = _caller_is_good(services, caller)
        old = find_api_key(services.store, caller.owner_id, key_id)
        caller.require_scopes(old.scopes)
        _require_live(old)
        _must_have_room(services, caller.owner_id, ending=overlap_seconds == 0)
        ends = min(filter(None, [old.expires_at, stamp_in(overlap_seconds)]))
        issued = _issue(services, old.owner_id, old.name, old.scopes, once)
        replaced = old.model_copy(update={"expires_at": ends})
        rotated = _Rotated(**dict(issued), replaced=replaced)
        told: Details = {"new_key_id": issued.key.id, "expires_at": ends}
        entry = key_entry(caller.id, old, "key_rotated", told)
        writes: list[Write] = [
            Update(
                keys.api_key(old.hash),
                set={"expires_at": ends, "ttl": forgotten_at(ends)},
                condition=_as_seen(old),
            ),
            key_put(issued.key),
            audit.audit_write(entry),
        ]
        if old.hash != caller.key.hash:
            writes.append(still_good)
        services.store.write(*writes, *(once.writes(rotated) if once else []))
        services.key_cache.drop(old.hash)
        audit.log_entry(entry)
        return rotated

    rotated = perform_once(services.store, once, _Rotated, attempt)
    caller.require_scopes(rotated.key.scopes)  # of a replay as well
    return RotatedKey(rotated.key, _show(services, rotated), rotated.replaced)


# ---- secrets ------------------------------------------------------------------------------------


def _issue(
    services: Services, owner_id: str, name: str, scopes: tuple[Scope, ...], once: Once | None
) -> _Issued:
    key_id, nonce = new_id("key"), secrets.token_hex(_NONCE_BYTES)
    secret = _derive(services, nonce, key_id) if once else random_secret()
    key = new_key(owner_id, name, scopes, key_id, secret)
    return _Issued(key=key, nonce=nonce, secret=secret)


def _derive(services: Services, nonce: str, key_id: str) -> str:
    # The label keeps this use of the server's secret apart from the signing of tokens.
    told = f"api-key\0{nonce}\0{key_id}".encode()
    digest = hmac.digest(services.server_secret.value(services.secrets), told, hashlib.sha256)
    return PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _show(services: Services, issued: _Issued) -> str:
    secret = issued.secret or _derive(services, issued.nonce, issued.key.id)
    if not hmac.compare_digest(hash_key(secret), issued.key.hash):
        raise WrongState(  # another server secret has taken its place meanwhile
            "The secret of this key cannot be shown any more",
            hint="Revoke the key, and create another with a new Idempotency-Key",
        )
    return secret


# ---- conditions ---------------------------------------------------------------------------------


def _caller_is_good(services: Services, caller: Caller) -> Check:
    """That the caller's key is good now, and still is when the transaction happens."""
    own = read_api_key(services.store, caller.key.hash)
    if own is None or is_over(own):
        services.key_cache.drop(caller.key.hash)
        raise NotAuthenticated("This API key is not valid any more", hint="Use another one")
    lasts = NEVER_EXPIRES | at_least("expires_at", stamp(now()))
    return Check(keys.api_key(own.hash), NOT_REVOKED & lasts)


def _must_have_room(services: Services, owner_id: str, *, ending: bool = False) -> None:
    """Raise `LimitReached` where one key more (``ending``: and one less) is too many.

    Requests at once may get some more: the limit keeps lists short, nothing depends on it.
    """
    found, most = list_api_keys(services.store, owner_id), services.allowance.keys
    if sum(not is_over(key) for key in found) - ending >= most:
        raise holdings.LimitReached("API keys", most)
    if len(found) >= holdings.ENDED_KEYS * most:
        raise holdings.LimitReached(
            "API keys, with those that ended in the last 90 days", holdings.ENDED_KEYS * most
        )


def _require_live(key: ApiKey) -> None:
    if is_over(key):
        ended = "been revoked" if key.revoked_at else "expired"
        raise WrongState(f"This key has {ended}", hint="Create a new one: POST /api/keys")


def _as_seen(key: ApiKey) -> Condition:
    seen = equals("expires_at", key.expires_at) if key.expires_at else NEVER_EXPIRES
    return NOT_REVOKED & seen
