"""API keys: 256 random bits, made once, shown once, stored as a hash."""

import hashlib
import secrets
from collections.abc import Sequence

from agenticai_core import audit, holdings
from agenticai_core.audit import AuditAction, AuditEntry, Details
from agenticai_core.auth.callers import Scope
from agenticai_core.clock import now, stamp
from agenticai_core.clock import parse as parse_time
from agenticai_core.errors import NotFound
from agenticai_core.ids import new_id
from agenticai_core.models import ApiKey
from agenticai_core.rows import parse
from agenticai_core.store import keys
from agenticai_core.store.base import Put, Store, absent, equals

PREFIX = "agk_"

NOT_REVOKED = equals("revoked_at", None)
NEVER_EXPIRES = absent("expires_at") | equals("expires_at", None)


def hash_key(secret: str) -> str:
    # A key has 256 random bits, so a plain hash is enough: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def random_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def create_api_key(
    store: Store, owner_id: str, name: str, scopes: Sequence[Scope] = ("read", "write")
) -> tuple[ApiKey, str]:
    """A new key and its secret, made by whoever has the table itself: an owner's first one."""
    secret = random_secret()
    key = new_key(owner_id, name, tuple(scopes), new_id("key"), secret)
    entry = key_entry(None, key, "key_created", {"name": name, "scopes": list(key.scopes)})
    store.write(key_put(key), audit.audit_write(entry))
    audit.log_entry(entry)
    return key, secret


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


def find_api_key(store: Store, owner_id: str, key_id: str) -> ApiKey:
    """An owner's key as it is now: the index names it, the table says the rest.

    Raises `NotFound`.
    """
    for key in list_api_keys(store, owner_id):
        if key.id == key_id:
            return read_api_key(store, key.hash) or key
    raise NotFound(f"No API key '{key_id}'")


def read_api_key(store: Store, key_hash: str) -> ApiKey | None:
    item = store.get(keys.api_key(key_hash))
    return parse(ApiKey, item) if item else None


def is_over(key: ApiKey) -> bool:
    """Whether it is revoked or has expired."""
    expired = key.expires_at is not None and key.expires_at <= stamp(now())
    return key.revoked_at is not None or expired


def forgotten_at(ended: str) -> int:
    """When the row of a key goes that ended then; s since 1970."""
    return int(parse_time(ended).timestamp()) + holdings.KEY_KEPT


def new_key(
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


def key_put(key: ApiKey) -> Put:
    at = keys.api_key(key.hash)
    owned = {"GSI1PK": keys.owner_pk(key.owner_id), "GSI1SK": f"APIKEY#{key.created_at}#{key.id}"}
    row = {"PK": at.pk, "SK": at.sk, **owned, "EntityType": "ApiKey"}
    return Put(row | key.model_dump(mode="json"), absent())


def key_entry(by: str | None, key: ApiKey, action: AuditAction, details: Details) -> AuditEntry:
    """For the audit log: what the key with the id ``by`` did to ``key``."""
    return audit.new_entry(key.owner_id, action, key.id, key_id=by, details=details)
