"""API keys: made once, shown once, stored as a hash; replaced with an overlap, and revoked.

A key's secret is 256 random bits and stored nowhere. Where the client has named its request
(``Idempotency-Key``), the secret is derived instead, as HMAC-SHA256 of a random nonce and the key's
id under the server's secret: the row of the request holds the nonce, so that the same request shows
the same secret again for 24 hours. Whoever has both the table and the server's secret could derive
the secrets of the last day's keys; neither of the two alone tells anything.

An owner who has an admin key that stays (neither revoked nor expiring) keeps one: revoking such a
key checks in the same transaction that another one stays. Two that revoke each other at the same
moment touch the same two rows, so the table lets one of them win, and the other is refused.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import Field

from agenticai_core import audit
from agenticai_core.audit import AuditAction, Details
from agenticai_core.auth.callers import Caller, Scope
from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, stamp, stamp_in
from agenticai_core.errors import NotFound, WrongState
from agenticai_core.idempotency import Once, perform_once
from agenticai_core.ids import new_id
from agenticai_core.models import ApiKey, Model
from agenticai_core.retrying import retry_conflicts
from agenticai_core.rows import parse
from agenticai_core.store import keys
from agenticai_core.store.base import Check, Condition, Item, Put, Store, Update, absent, equals

PREFIX = "agk_"
MAX_OVERLAP = 7 * 24 * 3600  # s
DEFAULT_OVERLAP = 24 * 3600  # s

_NONCE_BYTES = 32
_NEVER_EXPIRES = absent("expires_at") | equals("expires_at", None)
_STAYS = equals("revoked_at", None) & _NEVER_EXPIRES


class LastAdminKey(WrongState):
    """Without this key nobody could make another one."""

    code = "LAST_ADMIN_KEY"


class NewKey(NamedTuple):
    """A key, and the secret that is shown this once."""

    key: ApiKey
    secret: str


class RotatedKey(NamedTuple):
    """The same, and the key that it replaces, which expires."""

    key: ApiKey
    secret: str
    replaced: ApiKey


class _Issued(Model):
    """What the row of a named request keeps of a new key."""

    key: ApiKey
    nonce: str
    secret: str = Field("", exclude=True, repr=False)  # never kept


class _Rotated(_Issued):
    replaced: ApiKey


def hash_key(secret: str) -> str:
    # A key has 256 random bits, so a plain hash is enough: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def create_api_key(
    store: Store, owner_id: str, name: str, scopes: Sequence[Scope] = ("read", "write")
) -> tuple[ApiKey, str]:
    """A new key and its secret, made by whoever has the table itself: an owner's first one."""
    secret = PREFIX + secrets.token_urlsafe(32)
    key = _new_key(owner_id, name, tuple(scopes), new_id("key"), secret)
    entry = _entry(None, key, "key_created", {"name": name, "scopes": list(key.scopes)})
    store.write(Put(_item(key), absent()), audit.audit_write(entry))
    audit.log_entry(entry)
    return key, secret


def issue_api_key(
    services: Services,
    caller: Caller,
    name: str,
    scopes: Sequence[Scope],
    once: Once | None = None,
) -> NewKey:
    """A new key of the caller's owner, with no scope that the caller lacks.

    Raises `ApiKeyRequired` and `NotAllowed`.
    """
    caller.require_key()
    wanted = tuple(dict.fromkeys(scopes))
    caller.require_scopes(wanted)

    def attempt() -> _Issued:
        issued = _issue(services, caller.owner_id, name, wanted, once)
        told: Details = {"name": name, "scopes": list(wanted)}
        entry = _entry(caller.id, issued.key, "key_created", told)
        remembered = once.writes(issued) if once else []
        services.store.write(
            Put(_item(issued.key), absent()), audit.audit_write(entry), *remembered
        )
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
    and `WrongState` for one that is revoked or expired.
    """
    caller.require_key()

    def attempt() -> _Rotated:
        old = _find(services.store, caller.owner_id, key_id)
        caller.require_scopes(old.scopes)
        _require_live(old)
        ends = min(filter(None, [old.expires_at, stamp_in(overlap_seconds)]))
        new = _issue(services, old.owner_id, old.name, old.scopes, once)
        replaced = old.model_copy(update={"expires_at": ends})
        rotated = _Rotated(key=new.key, nonce=new.nonce, secret=new.secret, replaced=replaced)
        told: Details = {"new_key_id": new.key.id, "expires_at": ends}
        entry = _entry(caller.id, old, "key_rotated", told)
        remembered = once.writes(rotated) if once else []
        services.store.write(
            Update(keys.api_key(old.hash), set={"expires_at": ends}, condition=_as_seen(old)),
            Put(_item(new.key), absent()),
            audit.audit_write(entry),
            *remembered,
        )
        services.key_cache.drop(old.hash)
        audit.log_entry(entry)
        return rotated

    rotated = perform_once(services.store, once, _Rotated, attempt)
    caller.require_scopes(rotated.key.scopes)  # of a replay as well
    return RotatedKey(rotated.key, _show(services, rotated), rotated.replaced)


def list_api_keys(store: Store, owner_id: str) -> list[ApiKey]:
    """An owner's keys, the revoked ones too, oldest first."""
    found: list[ApiKey] = []
    start = None
    while True:
        page = store.query(keys.owner_pk(owner_id), index="GSI1", prefix="APIKEY#", start=start)
        found += [parse(ApiKey, item) for item in page.items]
        start = page.next
        if start is None:
            return found


def revoke_api_key(services: Services, owner_id: str, key_id: str, by: str | None = None) -> ApiKey:
    """Revoke for good; revoking again changes nothing. ``by``: the id of the key that does it.

    Raises `NotFound`, and `LastAdminKey` where no other key with the scope ``admin`` would stay.
    """

    def attempt() -> ApiKey:
        key = _find(services.store, owner_id, key_id)
        if key.revoked_at is not None:
            return key
        revoked = key.model_copy(update={"revoked_at": stamp(now())})
        entry = _entry(by, key, "key_revoked", {"name": key.name})
        services.store.write(
            Update(
                keys.api_key(key.hash),
                set={"revoked_at": revoked.revoked_at},
                condition=equals("revoked_at", None),
            ),
            audit.audit_write(entry),
            *_another_admin_stays(services.store, key),
        )
        services.key_cache.drop(key.hash)
        audit.log_entry(entry)
        return revoked

    return retry_conflicts(attempt)


# ---- making one ---------------------------------------------------------------------------------


def _issue(
    services: Services, owner_id: str, name: str, scopes: tuple[Scope, ...], once: Once | None
) -> _Issued:
    key_id, nonce = new_id("key"), secrets.token_hex(_NONCE_BYTES)
    secret = _derive(services, nonce, key_id) if once else PREFIX + secrets.token_urlsafe(32)
    key = _new_key(owner_id, name, scopes, key_id, secret)
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


def _new_key(
    owner_id: str, name: str, scopes: tuple[Scope, ...], key_id: str, secret: str
) -> ApiKey:
    return ApiKey(
        hash=hash_key(secret),
        id=key_id,
        owner_id=owner_id,
        name=name,
        scopes=scopes,
        created_at=stamp(now()),
    )


def _item(key: ApiKey) -> Item:
    at = keys.api_key(key.hash)
    owned = {"GSI1PK": keys.owner_pk(key.owner_id), "GSI1SK": f"APIKEY#{key.created_at}#{key.id}"}
    row = {"PK": at.pk, "SK": at.sk, **owned, "EntityType": "ApiKey"}
    return row | key.model_dump(mode="json")


def _entry(by: str | None, key: ApiKey, action: AuditAction, details: Details) -> audit.AuditEntry:
    return audit.new_entry(key.owner_id, action, key.id, key_id=by, details=details)


# ---- changing one -------------------------------------------------------------------------------


def _find(store: Store, owner_id: str, key_id: str) -> ApiKey:
    """The index names it, the table says how it is now."""
    for key in list_api_keys(store, owner_id):
        if key.id == key_id:
            item = store.get(keys.api_key(key.hash))
            return parse(ApiKey, item) if item else key
    raise NotFound(f"No API key '{key_id}'")


def _require_live(key: ApiKey) -> None:
    ended = "been revoked" if key.revoked_at else "expired"
    if key.revoked_at or (key.expires_at and key.expires_at <= stamp(now())):
        raise WrongState(f"This key has {ended}", hint="Create a new one: POST /api/keys")


def _as_seen(key: ApiKey) -> Condition:
    seen = equals("expires_at", key.expires_at) if key.expires_at else _NEVER_EXPIRES
    return equals("revoked_at", None) & seen


def _another_admin_stays(store: Store, key: ApiKey) -> list[Check]:
    """What has to hold so that ``key`` may go; nothing where it is no admin key that stays."""
    if "admin" not in key.scopes or key.expires_at is not None:
        return []
    for other in list_api_keys(store, key.owner_id):
        if other.id == key.id or "admin" not in other.scopes:
            continue
        if (item := store.get(keys.api_key(other.hash))) and _stays(parse(ApiKey, item)):
            return [Check(keys.api_key(other.hash), _STAYS)]
    raise LastAdminKey(
        "This is your last key with the scope 'admin'",
        hint="Create another one first, or rotate this one with overlap_seconds 0",
    )


def _stays(key: ApiKey) -> bool:
    return key.revoked_at is None and key.expires_at is None
