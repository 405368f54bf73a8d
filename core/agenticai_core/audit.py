"""Who did what that cannot be undone: rows written in the transaction of the deed itself.

Entries outlive what they speak of. They hold ids and names, never a secret.
"""

from typing import Literal

import structlog
from pydantic import Field

from agenticai_core import pages
from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, stamp
from agenticai_core.ids import new_id
from agenticai_core.models import Model
from agenticai_core.rows import parse
from agenticai_core.store import keys
from agenticai_core.store.base import Put, absent

AuditAction = Literal["key_created", "key_rotated", "key_revoked", "project_deleted"]
Details = dict[str, str | int | list[str] | None]

_log = structlog.get_logger(__name__)


class AuditEntry(Model):
    """One deed. ``subject`` is the id of what it was done to."""

    id: str
    owner_id: str
    at: str
    action: AuditAction
    key_id: str | None  # of the API key that did it; None: done by the system or at its shell
    subject: str
    details: Details = Field(default_factory=dict)


def new_entry(
    owner_id: str,
    action: AuditAction,
    subject: str,
    *,
    key_id: str | None = None,
    details: Details | None = None,
) -> AuditEntry:
    """An entry of this moment; it exists once the transaction with its `audit_write` is done."""
    return AuditEntry(
        id=new_id("aud"),
        owner_id=owner_id,
        at=stamp(now()),
        action=action,
        key_id=key_id,
        subject=subject,
        details=details or {},
    )


def audit_write(entry: AuditEntry) -> Put:
    """The write that keeps ``entry``, to go into the transaction of what it tells of."""
    key = keys.audit(entry.owner_id, entry.at, entry.id)
    row = {"PK": key.pk, "SK": key.sk, "EntityType": "AuditEntry"}
    return Put(row | entry.model_dump(mode="json"), absent())


def list_entries(
    services: Services, owner_id: str, *, limit: int = 20, cursor: str | None = None
) -> tuple[list[AuditEntry], str | None]:
    """A page of an owner's entries, newest first, and the cursor of the next."""
    scope = f"audit/{owner_id}"
    page = services.store.query(
        keys.owner_pk(owner_id),
        prefix="AUDIT#",
        limit=limit,
        newest_first=True,
        start=pages.decode(services, cursor, scope),
    )
    found = [parse(AuditEntry, item) for item in page.items]
    return found, pages.encode(services, page.next, scope)


def log_entry(entry: AuditEntry) -> None:
    """The same for the logs; call it once the transaction is done."""
    _log.info(f"audit.{entry.action}", **entry.model_dump(exclude={"action"}, mode="json"))
