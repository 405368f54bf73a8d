"""Tickets: good once, for half a minute, for what their caller may."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from agenticai_core import auth, clock, runs
from agenticai_core.auth import tickets
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotAuthenticated, NotFound
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import ProjectType
from agenticai_core.queues import MemoryQueue
from agenticai_core.store import keys
from agenticai_core.store.base import Item, Key, Update
from agenticai_core.store.memory import MemoryStore


@pytest.fixture
def services() -> Services:
    return Services(MemoryStore(), MemoryFiles(), MemoryQueue())


def caller_of(services: Services, owner: str = "alice") -> auth.Caller:
    _, secret = auth.create_api_key(services.store, owner, "laptop", ["read", "write"])
    return auth.authenticate(services, secret)


def project_of(services: Services, owner: str) -> str:
    new = runs.NewProject(name="shop", type=ProjectType.API, description="A shop.")
    return runs.create_project(services, owner, new).id


def test_it_opens_what_its_caller_may(services: Services) -> None:
    caller = caller_of(services)

    found = auth.redeem_ticket(services, auth.issue_ticket(services, caller).secret)

    assert (found.key, found.scopes, found.means) == (caller.key, ("read", "write"), "ticket")
    assert (found.project_id, found.expires_at) == (None, None)


def test_it_is_good_once(services: Services) -> None:
    ticket = auth.issue_ticket(services, caller_of(services)).secret
    auth.redeem_ticket(services, ticket)

    with pytest.raises(NotAuthenticated):
        auth.redeem_ticket(services, ticket)


def test_of_many_at_once_one_gets_in(services: Services) -> None:
    ticket = auth.issue_ticket(services, caller_of(services)).secret

    def redeem(_: int) -> bool:
        try:
            return bool(auth.redeem_ticket(services, ticket))
        except NotAuthenticated:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(redeem, range(32))) == 1


def test_whoever_has_seen_it_too_late_is_refused(services: Services) -> None:
    """Both have read the row; only one deletes it."""
    ticket = auth.issue_ticket(services, caller_of(services)).secret
    row = services.store.get(keys.ticket(auth.hash_key(ticket)))
    auth.redeem_ticket(services, ticket)

    class Stale(MemoryStore):
        def get(self, key: Key) -> Item | None:
            return row

    with pytest.raises(NotAuthenticated):
        auth.redeem_ticket(Services(Stale(), MemoryFiles(), MemoryQueue()), ticket)


def test_after_thirty_seconds_it_is_no_good(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = auth.issue_ticket(services, caller_of(services))
    ends = clock.parse(ticket.expires_at)
    assert timedelta(seconds=29) < ends - clock.now() <= timedelta(seconds=tickets.LIFETIME)

    monkeypatch.setattr("agenticai_core.clock.now", lambda: ends)

    with pytest.raises(NotAuthenticated):
        auth.redeem_ticket(services, ticket.secret)


def test_the_ticket_itself_is_stored_nowhere(services: Services) -> None:
    ticket = auth.issue_ticket(services, caller_of(services)).secret

    row = services.store.get(keys.ticket(auth.hash_key(ticket)))

    assert row is not None
    assert ticket not in str(row)


@pytest.mark.parametrize("ticket", ["", "x", "a" * 43, "agk_" + "x" * 43])
def test_what_never_was_one_is_refused(services: Services, ticket: str) -> None:
    with pytest.raises(NotAuthenticated):
        auth.redeem_ticket(services, ticket)


def test_a_key_is_no_ticket(services: Services) -> None:
    _, secret = auth.create_api_key(services.store, "alice", "laptop")

    with pytest.raises(NotAuthenticated):
        auth.redeem_ticket(services, secret)


def test_it_is_for_one_project_when_asked(services: Services) -> None:
    own = project_of(services, "alice")

    ticket = auth.issue_ticket(services, caller_of(services), own).secret

    assert auth.redeem_ticket(services, ticket).project_id == own


@pytest.mark.parametrize("foreign", [True, False])
def test_for_anothers_project_as_for_none_there_is_no_ticket(
    services: Services, foreign: bool
) -> None:
    project_id = project_of(services, "bob") if foreign else "proj_none"

    with pytest.raises(NotFound):
        auth.issue_ticket(services, caller_of(services), project_id)


def test_the_key_of_a_ticket_ends_it(services: Services) -> None:
    caller = caller_of(services)
    unused, used = (auth.issue_ticket(services, caller).secret for _ in range(2))
    inside = auth.redeem_ticket(services, used)
    auth.revoke_api_key(services, "alice", caller.id)

    with pytest.raises(NotAuthenticated, match="revoked"):
        auth.redeem_ticket(services, unused)
    with pytest.raises(NotAuthenticated, match="revoked"):
        auth.recheck(services, inside)


def test_a_ticket_of_a_token_ends_with_the_token(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = auth.exchange(services, caller_of(services), ["read"], 60)
    caller = auth.authenticate(services, token.text)
    inside = auth.redeem_ticket(services, auth.issue_ticket(services, caller).secret)
    assert (inside.scopes, inside.expires_at) == (("read",), token.expires_at)
    assert auth.recheck(services, inside)

    later: Any = clock.parse(token.expires_at)
    monkeypatch.setattr("agenticai_core.auth.authentication.now", lambda: later)

    with pytest.raises(NotAuthenticated, match="expired"):
        auth.recheck(services, inside)


def test_a_key_that_expires_ends_it_too(services: Services) -> None:
    caller = caller_of(services)
    inside = auth.redeem_ticket(services, auth.issue_ticket(services, caller).secret)
    past = {"expires_at": clock.stamp_in(-1)}
    services.store.write(Update(keys.api_key(caller.key.hash), set=past))
    auth.refresh(services, [inside])

    with pytest.raises(NotAuthenticated, match="expired"):
        auth.recheck(services, inside)
