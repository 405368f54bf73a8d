"""Acknowledgements, for clients that name themselves."""

from agenticai_core.store import keys


def stored(world, project):
    item = world.store.inner.get(keys.cursor("alice", "laptop", project))
    return item and item["seq"]


def test_a_client_without_a_memory_gets_what_it_missed(gateway, world):
    project = world.project()
    client = gateway.open(f"?project_id={project}&client_id=laptop")
    head = client.frame_of("subscribed")["head_seq"]
    world.append(project, 3)
    client.events(3)
    client.send(type="ack", project_id=project, seq=head + 1)
    gateway.eventually(lambda: stored(world, project) == head + 1)
    client.close()
    world.append(project)

    again = gateway.open(f"?project_id={project}&client_id=laptop")

    assert again.frame_of("subscribed")["recovered"] is True
    assert again.events(3) == [head + 2, head + 3, head + 4]


def test_what_was_never_acknowledged_is_kept_from_the_first_visit_on(gateway, world):
    project = world.project()
    client = gateway.open(f"?project_id={project}&client_id=laptop")
    head = client.frame_of("subscribed")["head_seq"]
    gateway.eventually(lambda: stored(world, project) == head)
    client.close()
    world.append(project, 2)
    again = gateway.open(f"?project_id={project}&client_id=laptop")
    assert again.events(2) == [head + 1, head + 2]


def test_unacknowledged_events_are_sent_three_times_more_then_the_socket_is_closed(start, world):
    gateway = start(ack_seconds=0.1)
    project = world.project()
    client = gateway.open(f"?project_id={project}&client_id=laptop")
    head = client.frame_of("subscribed")["head_seq"]
    world.append(project, 2)
    frames, code = client.rest()
    numbers = [frame["seq"] for frame in frames if "seq" in frame]
    assert numbers == [head + 1, head + 2] * 4
    assert (frames[-1]["code"], code) == ("NOT_ACKNOWLEDGED", 4008)
    assert stored(world, project) == head


def test_an_acknowledgement_stops_the_repetition_of_what_came_before_it(start, world):
    gateway = start(ack_seconds=0.1)
    project = world.project()
    client = gateway.open(f"?project_id={project}&client_id=laptop")
    client.frame_of("subscribed")
    last = world.append(project, 3)
    client.events(3)
    client.send(type="ack", project_id=project, seq=last - 1)
    assert client.events(1) == [last]
    client.send(type="ack", project_id=project, seq=last)
    assert client.nothing_comes(0.3)


def test_a_cursor_moves_forward_only_and_never_past_what_was_sent(gateway, world):
    project = world.project()
    client = gateway.open(f"?project_id={project}&client_id=laptop")
    client.frame_of("subscribed")
    last = world.append(project, 2)
    client.events(2)
    client.send(type="ack", project_id=project, seq=last + 1)
    assert client.frame()["code"] == "INVALID_ACK"
    client.send(type="ack", project_id=project, seq=last)
    gateway.eventually(lambda: stored(world, project) == last)
    client.send(type="ack", project_id=project, seq=last - 1)
    client.subscribe(project, after=0)  # answered after the acknowledgement has been dealt with
    client.close()
    gateway.eventually(lambda: gateway.gateway.connections == 0)
    assert stored(world, project) == last


def test_an_acknowledgement_survives_an_outage(gateway, world):
    project = world.project()
    client = gateway.open(f"?project_id={project}&client_id=laptop")
    client.frame_of("subscribed")
    last = world.append(project)
    client.events(1)
    gateway.eventually(lambda: stored(world, project) == last - 1)
    world.store.failing = True
    client.send(type="ack", project_id=project, seq=last)
    gateway.eventually(lambda: gateway.health()[1]["store"] == "unavailable")
    world.store.failing = False
    gateway.eventually(lambda: stored(world, project) == last)


def test_acknowledgements_need_a_name_and_a_subscription(gateway, world):
    project = world.project()
    nameless = gateway.open(f"?project_id={project}")
    nameless.frame_of("subscribed")
    nameless.send(type="ack", project_id=project, seq=1)
    assert nameless.frame()["code"] == "NO_CLIENT_ID"
    client = gateway.open("?client_id=laptop")
    client.frame_of("welcome")
    client.send(type="ack", project_id=project, seq=1)
    assert client.frame()["code"] == "NOT_SUBSCRIBED"
