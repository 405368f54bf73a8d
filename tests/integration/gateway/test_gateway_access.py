"""Who is let in, who may stay, and what everybody else is told."""

from ipaddress import ip_network

import pytest

from agenticai_core import auth


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "agk_wrong"}, {"Authorization": "Basic x"}])
def test_without_a_valid_key_the_reason_comes_before_the_close(gateway, headers):
    frames, code = gateway.open(headers=headers).rest()
    assert code == 4401
    assert [(frame["type"], frame["code"]) for frame in frames] == [("error", "NOT_AUTHENTICATED")]
    assert frames[0]["hint"]


def test_a_bearer_token_will_do(gateway, world):
    client = gateway.open(headers={"Authorization": f"Bearer {world.secret}"})
    assert client.frame()["type"] == "welcome"


def test_a_key_that_may_not_read_is_refused(gateway, world):
    _, secret = auth.create_api_key(world.store, "alice", "writer", ("write",))
    frames, code = gateway.open(headers={"X-API-Key": secret}).rest()
    assert (frames[0]["code"], code) == ("NOT_ALLOWED", 4403)


def test_a_revoked_key_ends_its_sockets_and_nobody_elses(gateway, world):
    doomed, secret = auth.create_api_key(world.store, "alice", "doomed")
    client = gateway.open(headers={"X-API-Key": secret})
    other = gateway.open()
    client.frame_of("welcome")
    auth.revoke_api_key(world.services, "alice", doomed.id)

    frames, code = client.rest()

    assert (frames[-1]["code"], code) == ("NOT_AUTHENTICATED", 4401)
    other.subscribe(world.project())


def test_a_revoked_key_cannot_subscribe_even_before_the_next_look(start, world):
    gateway = start(recheck_seconds=3600)
    project = world.project()
    client = gateway.open()
    auth.revoke_api_key(world.services, "alice", world.key.id)
    client.send(type="subscribe", project_id=project)
    frames, code = client.rest()
    assert (frames[-1]["code"], code) == ("NOT_AUTHENTICATED", 4401)


def test_an_outage_sends_nobody_away(gateway, world):
    client = gateway.open(f"?project_id={world.project()}")
    client.frame_of("subscribed")
    _, unseen = auth.create_api_key(world.store, "alice", "unseen")
    world.store.failing = True
    gateway.eventually(lambda: gateway.health()[1]["store"] == "unavailable")
    assert client.nothing_comes(0.2)  # several looks at the key
    client.send(type="subscribe", project_id="proj_x")
    assert client.frame()["code"] == "UNAVAILABLE"
    frames, code = gateway.open(headers={"X-API-Key": unseen}).rest()
    assert (frames[0]["code"], code) == ("UNAVAILABLE", 1013)
    world.store.failing = False
    client.subscribe(world.project())


def knock(gateway, key, **headers):
    """The code of the first frame, and how the socket ended if it did."""
    frame = gateway.open(headers={"X-API-Key": key, **headers}).frame()
    return frame.get("code", frame["type"])


def test_guessing_keys_is_slowed_down_and_locks_nobody_out_who_is_known(start, world):
    gateway = start(auth_failure_rate=1, auth_failure_burst=3)
    assert knock(gateway, world.secret) == "welcome"
    told = [knock(gateway, f"guess {n}") for n in range(10)]
    assert told[:3] == ["NOT_AUTHENTICATED"] * 3
    assert "RATE_LIMITED" in told[3:5]
    frames, code = gateway.open(headers={"X-API-Key": "one more"}).rest()
    assert (frames[0]["code"], code) == ("RATE_LIMITED", 4029)
    assert knock(gateway, world.secret) == "welcome"


def test_behind_a_trusted_proxy_each_address_is_counted_for_itself(start, world):
    gateway = start(
        auth_failure_rate=1, auth_failure_burst=2, trusted_proxies=(ip_network("127.0.0.1"),)
    )
    for address in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
        for number in (1, 2):
            told = knock(gateway, f"guess {number}", **{"X-Forwarded-For": address})
            assert told == "NOT_AUTHENTICATED"


def test_a_forwarded_address_is_not_believed_of_just_anybody(start, world):
    gateway = start(auth_failure_rate=1, auth_failure_burst=2)
    told = [
        knock(gateway, f"guess {n}", **{"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(10)
    ]
    assert "RATE_LIMITED" in told


def test_another_owners_project_is_not_found_as_an_absent_one(gateway, world):
    foreign = world.project("bob")
    answers = []
    for project in (foreign, "proj_absent"):
        frames, code = gateway.open(f"?project_id={project}").rest()
        assert (frames[-1]["code"], code) == ("NOT_FOUND", 4403)
        answers.append(frames[-1]["message"].replace(project, "X"))
    assert answers[0] == answers[1]


def test_refused_in_a_frame_the_socket_stays(gateway, world):
    foreign = world.project("bob")
    client = gateway.open()
    client.frame_of("welcome")
    client.send(type="subscribe", project_id=foreign, after=0)
    error = client.frame()
    assert (error["type"], error["code"], error["project_id"]) == ("error", "NOT_FOUND", foreign)
    world.append(foreign)
    assert client.nothing_comes(0.1)
    client.subscribe(world.project())


@pytest.mark.parametrize(
    "query", ["?project_id=a%23b", "?project_id=p&after=-1", "?client_id=a%23b", "?after=x"]
)
def test_a_bad_query_is_named(gateway, query):
    frames, code = gateway.open(query).rest()
    assert (frames[0]["code"], code) == ("INVALID_FRAME", 4400)


def test_a_page_of_another_site_is_refused(start):
    gateway = start(allowed_origins=("https://app.example.com",))
    frames, code = gateway.open(origin="https://evil.example.com").rest()
    assert (frames[0]["code"], code) == ("ORIGIN_NOT_ALLOWED", 4403)
    assert gateway.open(origin="https://app.example.com").frame()["type"] == "welcome"


def test_the_subprotocol_is_spoken_when_offered_and_not_needed(gateway):
    offered = gateway.open(subprotocols=["something.else", "agenticai.v1"])
    assert offered.socket.subprotocol == "agenticai.v1"
    assert gateway.open().socket.subprotocol is None
