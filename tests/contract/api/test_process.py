"""The service as a process: it starts without AWS, answers, and ends well when told to."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

DEADLINE = 30  # s


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(port: int, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "agenticai_api"],
        env=os.environ
        | {"AGENTICAI_API_PORT": str(port), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
        | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def service() -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    process = start(port)
    try:
        yield process, port
    finally:
        process.kill()
        process.communicate()


def wait_until_healthy(process: subprocess.Popen[str], port: int) -> None:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the service does not answer")


def test_it_answers_and_stops_with_status_0_on_sigterm(service):
    process, port = service
    wait_until_healthy(process, port)
    ready = httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=DEADLINE, trust_env=False)

    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=DEADLINE)

    assert ready.status_code == 503
    assert "table" in ready.json()["error"]["details"]["failed"]
    assert process.returncode == 0, output
    assert "health.not_ready" in output
    assert "Traceback" not in output


def test_a_port_in_use_is_said_and_ends_it(service):
    process, port = service
    wait_until_healthy(process, port)

    second = start(port)
    output, _ = second.communicate(timeout=DEADLINE)

    assert second.returncode != 0
    assert "address already in use" in output


@pytest.fixture
def service_with() -> Iterator[Callable[..., int]]:
    """Starts services with settings of their own; the port of each."""
    processes = []

    def start_one(**variables: str) -> int:
        port = free_port()
        processes.append(start(port, **variables))
        wait_until_healthy(processes[-1], port)
        return port

    yield start_one
    for process in processes:
        process.kill()
        process.communicate()


def test_a_forged_header_changes_nothing(service_with):
    port = service_with(
        AGENTICAI_HTTPS_REDIRECT="true",
        AGENTICAI_TRUSTED_PROXIES='["192.0.2.0/24"]',
        FORWARDED_ALLOW_IPS="*",  # the server's own setting, which must not open another door
    )

    answer = httpx.get(
        f"http://127.0.0.1:{port}/api/projects",
        headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"},
        trust_env=False,
    )

    assert answer.status_code == 308
    assert answer.headers["Location"] == "https://127.0.0.1/api/projects"


def test_a_slow_sender_is_told_and_cut_off(service_with):
    port = service_with(AGENTICAI_BODY_TIMEOUT="0.5")

    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/projects HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b'Content-Length: 100\r\n\r\n{"name": '
        )
        received = b"".join(iter(lambda: connection.recv(65_536), b""))  # until it is closed

    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"REQUEST_BODY_TIMEOUT" in received
