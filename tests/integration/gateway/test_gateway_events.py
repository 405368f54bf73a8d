"""Replay, then live: every event once and in order, whatever happens meanwhile."""

import threading

import pytest

from agenticai_core import runs
from agenticai_core.store import keys


def up_to(last):
    return list(range(1, last + 1))


def test_a_plain_client_is_welcomed_and_gets_what_is_new(gateway, world):
    project = world.project()
    head = world.head(project)
    client = gateway.open(f"?project_id={project}")

    welcome = client.frame()
    assert (welcome["type"], welcome["protocol"]) == ("welcome", "agenticai.v1")
    assert client.frame() == {
        "type": "subscribed",
        "project_id": project,
        "after": head,
        "head_seq": head,
        "recovered": False,
    }
    world.append(project, text="hello")
    event = client.frame()
    assert event.pop("at")
    assert event == {
        "type": "note",
        "project_id": project,
        "seq": head + 1,
        "id": "t/0",
        "data": {"text": "hello"},
        "request_id": None,
    }


def test_a_replay_joins_the_live_events_without_a_gap_or_a_repeat(gateway, world):
    """Appends go on all the time, while clients come at different moments and places."""
    project = world.project()
    start, rounds = world.head(project), 60
    first = gateway.open(f"?project_id={project}&after=0")

    def append():
        for _ in range(rounds):
            world.append(project, 3)

    writer = threading.Thread(target=append)
    writer.start()
    clients = [first]
    for share in (1, 2, 3):
        gateway.eventually(lambda share=share: world.head(project) > start + 40 * share)
        clients.append(gateway.open(f"?project_id={project}&after={20 * share}"))
    writer.join()

    last = start + 3 * rounds
    assert clients[0].events(last) == up_to(last)
    for share, client in enumerate(clients[1:], start=1):
        assert client.events(last - 20 * share) == up_to(last)[20 * share :]


def test_a_backlog_of_many_pages_and_more_than_the_queue_holds(gateway, world):
    project = world.project()
    while (last := world.append(project, 90)) < 1000:
        pass
    client = gateway.open(f"?project_id={project}&after=0")
    assert client.events(last) == up_to(last)


def test_a_live_client_outlives_a_burst_that_its_queue_cannot_hold(start, world):
    gateway = start(queue_events=8)
    project = world.project()
    client = gateway.open(f"?project_id={project}&after=0")
    client.events(world.head(project))
    last = world.append(project, 90)
    assert client.events(90) == up_to(last)[-90:]


@pytest.mark.parametrize("live", [True, False], ids=["live", "backlog"])
def test_a_gap_is_waited_for_not_skipped(gateway, world, live):
    project = world.project()
    seen = world.head(project)
    if live:
        client = gateway.open(f"?project_id={project}&after=0")
        assert client.events(seen) == up_to(seen)
    world.store.hidden.add(keys.event_sk(seen + 2))
    world.append(project, 4)
    if not live:
        client = gateway.open(f"?project_id={project}&after={seen}")

    assert client.events(1) == [seen + 1]
    reads = len(world.store.log_reads)
    gateway.eventually(lambda: len(world.store.log_reads) > reads + 3)  # it looks again and again
    assert client.nothing_comes(0.1)
    world.store.hidden.clear()
    assert client.events(3) == [seen + 2, seen + 3, seen + 4]


def test_many_clients_of_a_project_share_one_read(gateway, world):
    project = world.project()
    clients = [gateway.open(f"?project_id={project}") for _ in range(3)]
    for client in clients:
        client.frame_of("subscribed")
    world.append(project)
    first = [client.events(1) for client in clients]
    world.store.log_reads.clear()

    world.append(project, 5)

    last = world.head(project)
    assert first == [[last - 5]] * 3
    for client in clients:
        assert client.events(5) == up_to(last)[-5:]
    assert world.store.log_reads == [f"PROJECT#{project}"]


def test_the_heads_of_all_watched_projects_are_read_together(gateway, world):
    client = gateway.open()
    projects = [world.project() for _ in range(5)]
    for project in projects:
        client.subscribe(project)
    expected = {keys.head(project) for project in projects}
    gateway.eventually(lambda: set(world.store.batches[-1]) == expected)


def test_nothing_is_read_while_nobody_watches(gateway, world):
    project = world.project()
    client = gateway.open(f"?project_id={project}")
    client.frame_of("subscribed")
    client.close()
    gateway.eventually(lambda: gateway.gateway.connections == 0)
    reader = gateway.open()
    reader.frame_of("welcome")
    assert gateway.gateway.hub.watched == 0
    world.store.batches.clear()
    reader.subscribe(project)  # the only reads are now this one's head, and polls
    assert {tuple(batch) for batch in world.store.batches} == {(keys.head(project),)}


def test_a_client_that_comes_back_gets_only_what_it_missed(gateway, world):
    project = world.project()
    client = gateway.open(f"?project_id={project}&after=0")
    seen = client.events(world.head(project))[-1]
    client.close()
    last = world.append(project, 3)

    again = gateway.open(f"?project_id={project}&after={seen}")

    assert again.frame_of("subscribed")["recovered"] is True
    assert again.events(3) == up_to(last)[-3:]


def test_a_position_beyond_the_head_is_not_recovered(gateway, world):
    project = world.project()
    head = world.head(project)
    client = gateway.open(f"?project_id={project}&after={head + 7}")
    subscribed = client.frame_of("subscribed")
    assert (subscribed["recovered"], subscribed["after"]) == (False, head)
    world.append(project)
    assert client.events(1) == [head + 1]


def test_one_socket_follows_several_projects(gateway, world):
    one, two = world.project(), world.project()
    client = gateway.open(f"?project_id={one}")
    client.subscribe(two)
    world.append(one)
    first = client.frame()
    world.append(two)
    second = client.frame()
    assert [first["project_id"], second["project_id"]] == [one, two]


def test_subscribing_again_starts_from_the_new_position(gateway, world):
    project = world.project()
    last = world.append(project, 3)
    client = gateway.open(f"?project_id={project}&after=0")
    assert client.events(last) == up_to(last)
    assert client.subscribe(project, after=last - 1)["recovered"] is True
    assert client.events(1) == [last]
    for seq in (last + 1, last + 2):  # each once: the earlier subscription is gone
        world.append(project)
        assert client.events(1) == [seq]


def test_events_wait_out_an_outage_of_the_store(gateway, world):
    project = world.project()
    client = gateway.open(f"?project_id={project}")
    client.frame_of("subscribed")
    world.store.failing = True
    last = world.append(project, 4)
    gateway.eventually(lambda: gateway.health()[1]["store"] == "unavailable")
    assert client.nothing_comes(0.1)
    world.store.failing = False
    assert client.events(4) == up_to(last)[-4:]
    assert gateway.health() == (
        200,
        {"status": "ok", "store": "ok", "connections": 1, "watched": 1},
    )


def test_a_backlog_waits_out_an_outage_too(gateway, world):
    project = world.project()
    last = world.append(project, 3)
    world.store.hidden.add(keys.event_sk(last))
    client = gateway.open(f"?project_id={project}&after=0")
    assert client.events(last - 1) == up_to(last - 1)
    world.store.failing = True
    world.store.hidden.clear()
    gateway.eventually(lambda: gateway.health()[1]["store"] == "unavailable")
    assert client.nothing_comes(0.1)
    world.store.failing = False
    assert client.events(1) == [last]


def test_a_row_that_cannot_be_read_stops_only_its_own_project(gateway, world):
    broken, sound = world.project(), world.project()
    client = gateway.open(f"?project_id={broken}")
    client.subscribe(sound)
    bad = world.append(broken)
    row = world.store.inner.get(keys.event(broken, bad))
    world.store.inner._items[keys.event(broken, bad)] = {"PK": row["PK"], "SK": row["SK"]}
    world.append(sound)
    frames = [client.frame()]
    while frames[-1]["project_id"] == broken:  # it may have been read before it broke
        frames.append(client.frame())
    assert frames[-1]["project_id"] == sound


def test_a_deleted_project_is_told_last_and_the_socket_stays(gateway, world):
    project, other = world.project(), world.project()
    client = gateway.open(f"?project_id={project}")
    client.subscribe(other)
    runs.delete_project(world.services, "alice", project)

    assert client.frame()["type"] == "project_deleted"
    error = client.frame()
    assert (error["type"], error["code"]) == ("error", "PROJECT_DELETED")
    assert error["project_id"] == project
    world.append(other)
    assert client.frame()["project_id"] == other
    assert gateway.gateway.hub.watched == 1


def test_a_client_that_was_away_gets_the_last_events_of_a_deleted_project(gateway, world):
    project = world.project()
    seen = world.head(project)
    runs.delete_project(world.services, "alice", project)
    client = gateway.open(f"?project_id={project}&after={seen}")
    client.frame_of("subscribed")
    assert client.frame()["type"] == "project_deleted"
    assert client.frame()["code"] == "PROJECT_DELETED"
