"""Tokens and tickets at the gateway: who gets in, how often, where to, and how long."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agenticai_core import auth, clock
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import Update

V1 = "agenticai.v1"


def caller_of(world: Any) -> auth.Caller:
    return auth.authenticate(world.services, world.secret)


def ticket_for(world: Any, project_id: str | None = None) -> list[str]:
    """The subprotocols with which a browser comes."""
    ticket = auth.issue_ticket(world.services, caller_of(world), project_id).secret
    return [V1, f"agenticai.ticket.{ticket}"]


def refused(client: Any) -> tuple[str, int]:
    frames, code = client.rest()
    return frames[-1]["code"], code


# ---- tickets ------------------------------------------------------------------------------------


def test_a_ticket_lets_in_and_is_not_echoed(gateway, world):
    client = gateway.open(headers={}, subprotocols=ticket_for(world))

    assert client.frame()["type"] == "welcome"
    assert client.socket.subprotocol == V1
    client.subscribe(world.project())


def test_a_used_ticket_is_refused(gateway, world):
    offered = ticket_for(world)
    gateway.open(headers={}, subprotocols=offered).frame_of("welcome")

    again = gateway.open(headers={}, subprotocols=offered)

    assert again.socket.subprotocol == V1
    assert refused(again) == ("NOT_AUTHENTICATED", 4401)


def test_of_two_that_race_for_a_ticket_one_gets_in(gateway, world):
    for _ in range(5):
        offered = ticket_for(world)
        with ThreadPoolExecutor(2) as pool:
            clients = list(
                pool.map(lambda o: gateway.open(headers={}, subprotocols=o), [offered] * 2)
            )
        first = sorted(client.frame()["type"] for client in clients)
        assert first == ["error", "welcome"]


def test_an_old_ticket_is_refused(gateway, world, monkeypatch):
    offered = ticket_for(world)
    late = clock.parse(clock.stamp_in(30))
    monkeypatch.setattr("agenticai_core.clock.now", lambda: late)

    answer = refused(gateway.open(headers={}, subprotocols=offered))

    assert answer == ("NOT_AUTHENTICATED", 4401)


@pytest.mark.parametrize("entry", ["agenticai.ticket.", "agenticai.ticket.wrong", "ticket.x"])
def test_what_is_no_ticket_is_refused(gateway, entry):
    assert refused(gateway.open(headers={}, subprotocols=[V1, entry])) == (
        "NOT_AUTHENTICATED",
        4401,
    )


def test_a_ticket_for_a_project_opens_that_one_only(gateway, world):
    own, other = world.project(), world.project()
    client = gateway.open(f"?project_id={own}", headers={}, subprotocols=ticket_for(world, own))
    client.frame_of("subscribed")

    client.send(type="subscribe", project_id=other)

    while (frame := client.frame())["type"] != "error":
        pass
    assert (frame["code"], frame["project_id"]) == ("NOT_ALLOWED", other)
    world.append(other)
    assert client.nothing_comes(0.1)


def test_a_ticket_for_another_project_is_refused(gateway, world):
    own, other = world.project(), world.project()

    client = gateway.open(f"?project_id={other}", headers={}, subprotocols=ticket_for(world, own))

    assert refused(client) == ("NOT_ALLOWED", 4403)


def test_a_ticket_opens_no_other_owners_project(gateway, world):
    foreign = world.project("bob")

    client = gateway.open(f"?project_id={foreign}", headers={}, subprotocols=ticket_for(world))

    assert refused(client) == ("NOT_FOUND", 4403)


def test_from_another_site_a_ticket_is_no_good_and_stays_good(start, world):
    gateway = start(allowed_origins=("https://app.example.com",))
    offered = ticket_for(world)

    stolen = gateway.open(headers={}, subprotocols=offered, origin="https://evil.example.com")

    assert refused(stolen) == ("ORIGIN_NOT_ALLOWED", 4403)
    own = gateway.open(headers={}, subprotocols=offered, origin="https://app.example.com")
    assert own.frame()["type"] == "welcome"


def test_a_key_in_a_header_comes_before_a_ticket(gateway, world):
    offered = ticket_for(world)

    gateway.open(subprotocols=offered).frame_of("welcome")

    gateway.open(headers={}, subprotocols=offered).frame_of("welcome")


def test_the_key_of_a_ticket_ends_its_socket(gateway, world):
    client = gateway.open(headers={}, subprotocols=ticket_for(world))
    client.frame_of("welcome")

    auth.revoke_api_key(world.services, "alice", world.key.id)

    assert refused(client) == ("NOT_AUTHENTICATED", 4401)


# ---- tokens -------------------------------------------------------------------------------------


def test_a_token_lets_in(gateway, world):
    token = auth.exchange(world.services, caller_of(world), ["read"]).text

    client = gateway.open(headers={"Authorization": f"Bearer {token}"})

    client.frame_of("welcome")
    client.subscribe(world.project())


def test_a_token_that_may_not_read_is_refused(gateway, world):
    token = auth.exchange(world.services, caller_of(world), ["write"]).text

    client = gateway.open(headers={"Authorization": f"Bearer {token}"})

    assert refused(client) == ("NOT_ALLOWED", 4403)


def test_a_token_of_another_environment_is_refused(gateway, world):
    elsewhere = auth.Caller(world.key, ("read",))
    services = world.services.__class__(
        world.store, world.files, world.services.queue, issuer="agenticai/prod"
    )
    token = auth.exchange(services, elsewhere).text

    client = gateway.open(headers={"Authorization": f"Bearer {token}"})

    assert refused(client) == ("NOT_AUTHENTICATED", 4401)


@pytest.mark.parametrize("by", ["token", "ticket"])
def test_a_socket_ends_with_the_token_behind_it(gateway, world, monkeypatch, by):
    token = auth.exchange(world.services, caller_of(world), ["read"], 60)
    headers, offered = {"Authorization": f"Bearer {token.text}"}, None
    if by == "ticket":
        caller = auth.authenticate(world.services, token.text)
        ticket = auth.issue_ticket(world.services, caller).secret
        headers, offered = {}, [V1, f"agenticai.ticket.{ticket}"]
    client = gateway.open(headers=headers, subprotocols=offered)
    client.frame_of("welcome")

    ends = clock.parse(token.expires_at)
    monkeypatch.setattr("agenticai_core.auth.authentication.now", lambda: ends)

    assert refused(client) == ("NOT_AUTHENTICATED", 4401)


# ---- revoked ------------------------------------------------------------------------------------


def test_revoked_by_another_process_a_socket_ends_within_five_seconds(start, world):
    """With the settings as they are, and a memory that does not hear of it."""
    gateway = start(recheck_seconds=Settings().recheck_seconds)
    client = gateway.open()
    client.frame_of("welcome")
    gone = {"revoked_at": clock.stamp(clock.now())}
    began = time.monotonic()
    world.store.write(Update(keys.api_key(world.key.hash), set=gone))

    assert refused(client) == ("NOT_AUTHENTICATED", 4401)

    assert time.monotonic() - began < 5


def test_many_keys_are_looked_at_in_few_reads(start, world):
    secrets = [auth.create_api_key(world.store, "alice", f"n{n}")[1] for n in range(12)]
    gateway = start(recheck_seconds=0.2)
    for secret in secrets:
        gateway.open(headers={"X-API-Key": secret}).frame_of("welcome")

    def looks() -> int:
        return sum(len(batch) == len(secrets) for batch in world.store.batches)

    gateway.eventually(lambda: looks() >= 2)
