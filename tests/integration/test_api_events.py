"""The service as a process, over the emulator: what waits for events ends when it stops."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from agenticai_core import auth, runs
from agenticai_core.bootstrap import Services, connect
from agenticai_core.settings import Settings

WAIT = 30.0  # s; longer than anything here takes


@pytest.fixture
def services(emulator_settings: Settings) -> Services:
    return connect(emulator_settings)


@pytest.fixture
def process(services: Services) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    started = subprocess.Popen(
        [sys.executable, "-m", "agenticai_api"],
        env=os.environ | {"AGENTICAI_API_PORT": port, "LOG_LEVEL": "WARNING"},
    )
    try:
        yield started, f"http://127.0.0.1:{port}"
    finally:
        started.kill()
        started.wait(WAIT)


def test_a_stream_over_the_table_until_the_process_stops(
    services: Services, process: tuple[subprocess.Popen[bytes], str]
) -> None:
    running, address = process
    _, key = auth.create_api_key(services.store, "alice", "test", ("read", "write"))
    new = runs.NewProject(name="Bikes", type="api", description="Bikes are repaired.")
    project = runs.create_project(services, "alice", new).id
    headers = {"X-API-Key": key, "Accept": "text/event-stream"}
    transport = httpx.HTTPTransport(retries=8)  # until it listens
    with (
        httpx.Client(
            transport=transport, base_url=address, trust_env=False, timeout=WAIT
        ) as client,
        client.stream("GET", f"/api/projects/{project}/events", headers=headers) as answer,
    ):
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("id:")) == "id: 1"
        runs.cancel(services, "alice", project)
        assert next(line for line in lines if line.startswith("id:")) == "id: 2"
        running.send_signal(signal.SIGTERM)
        told = time.monotonic()
        assert not any(line.startswith("id:") for line in lines)  # it ends, whole
        assert running.wait(WAIT) == 0
        assert time.monotonic() - told < 10
