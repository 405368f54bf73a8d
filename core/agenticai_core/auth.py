"""API keys: made once, shown once, stored as a hash."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Literal

from agenticai_core.clock import now, stamp
from agenticai_core.errors import NotAuthenticated, NotFound
from agenticai_core.ids import new_id
from agenticai_core.models import ApiKey
from agenticai_core.store import keys
from agenticai_core.store.base import ConditionFailed, Item, Put, Store, Update, absent, equals

Scope = Literal["read", "write", "admin"]
PREFIX = "agk_"


def hash_key(secret: str) -> str:
    # A key has 256 random bits, so a plain hash is enough: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def create_api_key(
    store: Store, owner_id: str, name: str, scopes: Sequence[Scope] = ("read", "write")
) -> tuple[ApiKey, str]:
    """A new key and its secret, which nothing can show again."""
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        hash=hash_key(secret),
        id=new_id("key"),
        owner_id=owner_id,
        name=name,
        scopes=tuple(scopes),
        created_at=stamp(now()),
    )
    at = keys.api_key(key.hash)
    owned = {"GSI1PK": keys.owner_pk(owner_id), "GSI1SK": f"APIKEY#{key.created_at}#{key.id}"}
    row = {"PK": at.pk, "SK": at.sk, **owned, "EntityType": "ApiKey"}
    store.write(Put(row | key.model_dump(mode="json"), absent()))
    return key, secret


def authenticate(store: Store, secret: str) -> ApiKey:
    """The key behind ``secret``; raises `NotAuthenticated` when unknown or revoked.

    The table finds it by its hash, so no secret is ever compared, in constant time or not.
    """
    hint = "Send it as 'X-API-Key: …' or 'Authorization: Bearer …'"
    item = store.get(keys.api_key(hash_key(secret))) if secret else None
    if item is None:
        raise NotAuthenticated("No such API key", hint=hint)
    key = _from_item(item)
    if key.revoked_at is not None:
        raise NotAuthenticated("This API key has been revoked", hint="Ask for a new one")
    return key


def list_api_keys(store: Store, owner_id: str) -> list[ApiKey]:
    """An owner's keys, the revoked ones too, oldest first."""
    found: list[ApiKey] = []
    start = None
    while True:
        page = store.query(keys.owner_pk(owner_id), index="GSI1", prefix="APIKEY#", start=start)
        found += [_from_item(item) for item in page.items]
        start = page.next
        if start is None:
            return found


def revoke_api_key(store: Store, owner_id: str, key_id: str) -> ApiKey:
    """Revoke for good; revoking again changes nothing. Raises `NotFound`."""
    for key in list_api_keys(store, owner_id):
        if key.id == key_id:
            at = stamp(now())
            try:
                store.write(
                    Update(
                        keys.api_key(key.hash),
                        set={"revoked_at": at},
                        condition=equals("revoked_at", None),
                    )
                )
            except ConditionFailed:
                return key
            return key.model_copy(update={"revoked_at": at})
    raise NotFound(f"No API key '{key_id}'")


def _from_item(item: Item) -> ApiKey:
    return ApiKey.model_validate({name: item[name] for name in ApiKey.model_fields})
