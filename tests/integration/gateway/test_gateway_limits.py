"""Clients that send nonsense, too much, too little, or do not read."""

import json
import socket

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from agenticai_core import auth


def test_a_bad_frame_is_named_and_the_third_is_the_last(gateway):
    client = gateway.open()
    client.frame_of("welcome")
    for text in ("{", "[]", '{"type": "modify"}'):
        client.socket.send(text)
    frames, code = client.rest()
    codes = ["INVALID_FRAME", "INVALID_FRAME", "UNKNOWN_TYPE"]
    assert ([frame["code"] for frame in frames], code) == (codes, 4400)


def test_binary_messages_are_bad_frames(gateway):
    client = gateway.open()
    client.frame_of("welcome")
    client.socket.send(b"\x00\x01")
    assert client.frame()["code"] == "INVALID_FRAME"


def test_a_huge_message_is_cut_off(gateway):
    client = gateway.open()
    client.frame_of("welcome")
    client.socket.send("x" * 100_000)
    assert client.rest()[1] == 1009


def test_too_many_messages(start):
    gateway = start(messages_burst=5, messages_per_second=0.001)
    client = gateway.open()
    client.frame_of("welcome")
    for _ in range(6):
        client.send(type="pong")
    frames, code = client.rest()
    assert (frames[-1]["code"], code) == ("RATE_LIMITED", 4029)


def test_acknowledgements_that_move_are_free_and_others_are_not(start, world):
    gateway = start(messages_burst=5, messages_per_second=0.001)
    project = world.project()
    last = world.append(project, 20)
    client = gateway.open(f"?project_id={project}&after=0&client_id=c")
    for seq in client.events(last):
        client.send(type="ack", project_id=project, seq=seq)
    for _ in range(6):
        client.send(type="ack", project_id=project, seq=last)
    assert client.rest()[1] == 4029


def test_a_client_that_does_not_read_is_closed_and_what_it_got_has_no_gap(start, world):
    gateway = start(queue_events=8, slow_seconds=0.2)
    project = world.project()
    for _ in range(8):
        last = world.append(project, 40, "x" * 40_000)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", gateway.port))

    client = gateway.open(f"?project_id={project}&after=0", sock=narrow, compression=None)
    gateway.eventually(lambda: gateway.gateway.hub.watched == 1)
    gateway.eventually(lambda: gateway.gateway.hub.watched == 0)  # given up
    frames, code = client.rest()

    numbers = [frame["seq"] for frame in frames if "seq" in frame]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) < last
    assert (frames[-1]["code"], code) == ("TOO_SLOW", 4008)


def test_a_client_that_never_reads_again_is_let_go(start, world):
    gateway = start(queue_events=8, slow_seconds=0.1, goodbye_seconds=0.1)
    project = world.project()
    for _ in range(8):
        world.append(project, 40, "x" * 40_000)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", gateway.port))
    gateway.open(f"?project_id={project}&after=0", sock=narrow, compression=None)
    gateway.eventually(lambda: gateway.gateway.connections == 1)
    gateway.eventually(lambda: gateway.gateway.connections == 0)


def test_a_client_that_only_reads_is_alive(start):
    client = start(ping_seconds=0.05).open()
    for _ in range(8):  # its library answers the pings of the protocol below
        client.frame_of("ping")


def test_a_peer_that_answers_nothing_is_idle(start, world):
    gateway = start(ping_seconds=0.05)
    frames, code = read_without_answering(gateway.port, world.secret)
    assert code == 4408
    assert (frames[-1]["type"], frames[-1]["code"]) == ("error", "IDLE")


def read_without_answering(port, secret):
    """Frames and close code of a client whose library is hung: it sends nothing, not even pongs."""
    protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/ws"))
    request = protocol.connect()
    request.headers["X-API-Key"] = secret
    protocol.send_request(request)
    received = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"".join(protocol.data_to_send()))
        while data := connection.recv(65536):
            protocol.receive_data(data)
            received += protocol.events_received()
            if protocol.close_rcvd:
                break
    frames = [one for one in received if isinstance(one, Frame)]
    texts = [json.loads(frame.data) for frame in frames if frame.opcode is Opcode.TEXT]
    return texts, protocol.close_rcvd.code


@pytest.mark.parametrize("close", [True, False], ids=["closed", "torn"])
def test_a_client_that_leaves_leaves_nothing_behind(gateway, world, close):
    client = gateway.open(f"?project_id={world.project()}")
    client.frame_of("subscribed")
    if close:
        client.close()
    else:
        client.socket.socket.shutdown(socket.SHUT_RDWR)
    gateway.eventually(lambda: gateway.gateway.connections == gateway.gateway.hub.watched == 0)


def test_a_key_has_only_so_many_sockets(start, world):
    gateway = start(sockets=2)
    first, second = gateway.open(), gateway.open()
    for client in (first, second):
        client.frame_of("welcome")

    frames, code = gateway.open().rest()

    assert (frames[-1]["code"], code) == ("TOO_MANY_SOCKETS", 4029)
    other = auth.create_api_key(world.store, "alice", "another")[1]
    gateway.open(headers={"X-API-Key": other}).frame_of("welcome")
    first.socket.close()
    gateway.eventually(lambda: gateway.health()[1]["connections"] == 2)
    gateway.open().frame_of("welcome")


@pytest.mark.parametrize("scopes", [("admin",), ("write",), ("write", "admin")])
def test_a_key_that_may_not_read_reads_nothing_here_either(start, world, scopes):
    secret = auth.create_api_key(world.store, "alice", "test", scopes)[1]

    frames, code = start().open(headers={"X-API-Key": secret}).rest()

    assert (frames[-1]["code"], code) == ("NOT_ALLOWED", 4403)
