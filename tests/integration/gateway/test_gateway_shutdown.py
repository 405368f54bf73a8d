"""Health, and leaving in order."""

import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from websockets.exceptions import InvalidStatus


def test_health_tells_what_is_connected(gateway, world):
    empty = {"status": "ok", "store": "ok", "connections": 0, "watched": 0}
    assert gateway.health() == (200, empty)
    gateway.open(f"?project_id={world.project()}").frame_of("subscribed")
    assert gateway.health() == (200, empty | {"connections": 1, "watched": 1})


def test_draining_turns_newcomers_away_and_closes_the_others_one_by_one(start, world):
    gateway = start(drain_seconds=2)
    clients = [gateway.open() for _ in range(4)]
    for client in clients:
        client.frame_of("welcome")
    gateway.server.should_exit = True
    gateway.eventually(lambda: gateway.gateway.draining)

    status, body = gateway.health()
    assert (status, body["status"]) == (503, "draining")
    assert body["connections"] > 0  # not all at once
    with pytest.raises(InvalidStatus) as refused:
        gateway.open()
    assert refused.value.response.status_code == 503
    assert [client.rest()[1] for client in clients] == [1012] * 4


def test_a_drained_client_has_everything_that_was_queued_for_it(start, world):
    gateway = start()
    project = world.project()
    last = world.append(project, 50)
    client = gateway.open(f"?project_id={project}&after=0")
    assert client.events(last) == list(range(1, last + 1))
    gateway.stop()
    assert client.rest() == ([], 1012)


def test_the_process_serves_and_ends_cleanly_on_sigterm():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {"AGENTICAI_WEBSOCKET_PORT": str(port), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    process = subprocess.Popen(
        [sys.executable, "-m", "agenticai_websocket"], env=os.environ | variables
    )
    try:
        transport = httpx.HTTPTransport(retries=8)  # 0, 0.5, 1, 2, … s apart
        with httpx.Client(transport=transport, trust_env=False) as client:
            answer = client.get(f"http://127.0.0.1:{port}/ws/health")
        assert answer.json()["status"] == "ok"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
