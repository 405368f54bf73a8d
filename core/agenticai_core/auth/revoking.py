"""Keys that end, and the admin key that stays.

An owner who has an admin key that stays (neither revoked nor expiring) keeps one: revoking such a
key checks in the same transaction that another one stays. Two that revoke each other at the same
moment touch the same two rows, so the table lets one of them win, and the other is refused.
"""

from agenticai_core import audit
from agenticai_core.auth.keys import (
    NEVER_EXPIRES,
    NOT_REVOKED,
    find_api_key,
    forgotten_at,
    key_entry,
    list_api_keys,
    read_api_key,
)
from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, stamp
from agenticai_core.errors import WrongState
from agenticai_core.models import ApiKey
from agenticai_core.retrying import retry_conflicts
from agenticai_core.store import keys
from agenticai_core.store.base import Check, Store, Update


class LastAdminKey(WrongState):
    """Without this key nobody could make another one."""

    code = "LAST_ADMIN_KEY"


def revoke_api_key(services: Services, owner_id: str, key_id: str, by: str | None = None) -> ApiKey:
    """Revoke for good; revoking again changes nothing. ``by``: the id of the key that does it.

    Raises `NotFound`, and `LastAdminKey` where no other key with the scope ``admin`` would stay.
    """

    def attempt() -> ApiKey:
        key = find_api_key(services.store, owner_id, key_id)
        if key.revoked_at is not None:
            return key
        ended = stamp(now())
        revoked = key.model_copy(update={"revoked_at": ended})
        entry = key_entry(by, key, "key_revoked", {"name": key.name})
        changed = {"revoked_at": ended, "ttl": forgotten_at(ended)}
        services.store.write(
            Update(keys.api_key(key.hash), set=changed, condition=NOT_REVOKED),
            audit.audit_write(entry),
            *_another_admin_stays(services.store, key),
        )
        services.key_cache.drop(key.hash)
        audit.log_entry(entry)
        return revoked

    return retry_conflicts(attempt)


def _another_admin_stays(store: Store, key: ApiKey) -> list[Check]:
    """What has to hold so that ``key`` may go; nothing where it is no admin key that stays."""
    if "admin" not in key.scopes or key.expires_at is not None:
        return []
    for other in list_api_keys(store, key.owner_id):
        if other.id == key.id or "admin" not in other.scopes:
            continue
        current = read_api_key(store, other.hash)
        if current and current.revoked_at is None and current.expires_at is None:
            return [Check(keys.api_key(other.hash), NOT_REVOKED & NEVER_EXPIRES)]
    raise LastAdminKey(
        "This is your last key with the scope 'admin'",
        hint="Create another one first, or rotate this one with overlap_seconds 0",
    )
