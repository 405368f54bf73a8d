"""The gateway as a process over the real table's interface, with fifty sockets and a kill."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from websockets.sync.client import connect

from agenticai_core import auth, events, runs
from agenticai_core.bootstrap import Services
from agenticai_core.bootstrap import connect as connect_services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import EventDraft, ProjectType
from agenticai_core.queues import MemoryQueue


@contextmanager
def process(port):
    """A gateway that answers; killed at the end if it is still there."""
    variables = {"AGENTICAI_WEBSOCKET_PORT": str(port), "LOG_LEVEL": "WARNING"}
    child = subprocess.Popen(
        [sys.executable, "-m", "agenticai_websocket"], env=os.environ | variables
    )
    try:
        transport = httpx.HTTPTransport(retries=8)  # 0, 0.5, 1, 2, … s apart
        with httpx.Client(transport=transport, trust_env=False) as client:
            assert client.get(f"http://127.0.0.1:{port}/ws/health").status_code == 200
        yield child
    finally:
        child.kill()
        child.wait()


def read(client, count):
    numbers = []
    while len(numbers) < count:
        frame = json.loads(client.recv(timeout=20))
        assert frame["type"] != "error", frame
        numbers += [frame["seq"]] if "seq" in frame else []
    return numbers


@pytest.fixture
def services(emulator_settings):
    store = connect_services(emulator_settings).store
    return Services(store=store, files=MemoryFiles(), queue=MemoryQueue())


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_fifty_clients_and_a_kill_in_the_middle(services, port):
    _, secret = auth.create_api_key(services.store, "alice", "test")
    new = runs.NewProject(name="shop", type=ProjectType.API, description="A shop.")
    project = runs.create_project(services, "alice", new).id

    def append(count):
        drafts = [EventDraft(id=f"t/{n}", type="note") for n in range(count)]
        return events.append(services.store, project, drafts)

    def open_socket(after):
        address = f"ws://127.0.0.1:{port}/ws?project_id={project}&after={after}"
        return connect(address, additional_headers={"X-API-Key": secret}, proxy=None)

    with ExitStack() as stack:
        with process(port) as child:
            clients = [stack.enter_context(open_socket(0)) for _ in range(50)]
            seen = append(20)
            for client in clients:
                assert read(client, seen) == list(range(1, seen + 1))
            child.send_signal(signal.SIGKILL)
            child.wait()
        last = append(5)
        with process(port):
            again = stack.enter_context(open_socket(seen))
            assert read(again, 5) == list(range(seen + 1, last + 1))
            last = append(1)
            assert read(again, 1) == [last]
