"""Tickets: let a browser open one WebSocket, whose request cannot carry a header of its own.

A ticket lasts 30 s and is good once: to use it is to delete its row, which succeeds for one only.
"""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from agenticai_core import clock, projects
from agenticai_core.auth.authentication import live_key
from agenticai_core.auth.callers import Caller, Scope
from agenticai_core.auth.keys import hash_key
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotAuthenticated
from agenticai_core.models import Model
from agenticai_core.rows import parse
from agenticai_core.store import keys
from agenticai_core.store.base import ConditionFailed, Delete, Put, absent, exists

LIFETIME = 30  # s


@dataclass(frozen=True)
class Ticket:
    secret: str = field(repr=False)
    expires_at: str


class _Grant(Model):
    """What the row of a ticket says."""

    owner_id: str
    key_hash: str
    scopes: tuple[Scope, ...]
    project_id: str | None
    caller_expires_at: str | None  # a token's end is the end of the socket as well
    expires_at: str


def issue_ticket(services: Services, caller: Caller, project_id: str | None = None) -> Ticket:
    """A ticket with the caller's rights, for one project or all. Raises `NotFound`."""
    if project_id is not None:
        projects.get_project(services, caller.owner_id, project_id)
    ticket = secrets.token_urlsafe(32)
    ends = clock.now() + timedelta(seconds=LIFETIME)
    grant = _Grant(
        owner_id=caller.owner_id,
        key_hash=caller.key.hash,
        scopes=caller.scopes,
        project_id=project_id,
        caller_expires_at=caller.expires_at,
        expires_at=clock.stamp(ends),
    )
    key = keys.ticket(hash_key(ticket))
    row = {"PK": key.pk, "SK": key.sk, "EntityType": "Ticket", "ttl": int(ends.timestamp()) + 1}
    services.store.write(Put(row | grant.model_dump(mode="json"), absent()))
    return Ticket(ticket, grant.expires_at)


def redeem_ticket(services: Services, ticket: str) -> Caller:
    """The caller behind a ticket, which is good no more. Raises `NotAuthenticated`."""
    key = keys.ticket(hash_key(ticket))
    item = services.store.get(key)
    if item is None:
        raise _refused()
    grant = parse(_Grant, item)
    try:
        services.store.write(Delete(key, exists()))
    except ConditionFailed:
        raise _refused() from None
    if grant.expires_at <= clock.stamp(clock.now()):
        raise _refused()
    return Caller(
        key=live_key(services, grant.key_hash),
        scopes=grant.scopes,
        means="ticket",
        expires_at=grant.caller_expires_at,
        project_id=grant.project_id,
    )


def _refused() -> NotAuthenticated:
    return NotAuthenticated(
        "This ticket is unknown, used or too old", hint="Get a new one: POST /api/ws-tickets"
    )
