"""The service as a process, over the emulator: waits and streams, until it stops."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from agenticai_core import auth, events, runs
from agenticai_core.bootstrap import Services, connect
from agenticai_core.models import EventDraft
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


class Api:
    """The process, and what its client asks it."""

    def __init__(self, services: Services, running: subprocess.Popen[bytes], address: str) -> None:
        self.services = services
        self.running = running
        self.key, secret = auth.create_api_key(services.store, "alice", "test", ("read", "write"))
        new = runs.NewProject(name="Bikes", type="api", description="Bikes are repaired.")
        self.project = runs.create_project(services, "alice", new).id
        self.path = f"/api/projects/{self.project}/events"
        self.client = httpx.Client(
            transport=httpx.HTTPTransport(retries=8),  # until it listens
            base_url=address,
            headers={"X-API-Key": secret},
            trust_env=False,
            timeout=WAIT,
        )

    def tell(self, name: str) -> int:
        draft = EventDraft(id=name, type="told", data={"at": time.time()})
        return events.append(self.services.store, self.project, [draft])

    def wait(self, after: int, seconds: int = 20) -> httpx.Response:
        return self.client.get(self.path, params={"after": after, "wait": seconds})

    @contextmanager
    def stream(self, last: int | None = None) -> Iterator[Iterator[str]]:
        headers = {"Accept": "text/event-stream"}
        headers |= {} if last is None else {"Last-Event-ID": str(last)}
        with self.client.stream("GET", self.path, headers=headers) as answer:
            assert answer.status_code == 200
            yield answer.iter_lines()

    def stop(self) -> float:
        """Seconds that it took to end well."""
        told = time.monotonic()
        self.running.send_signal(signal.SIGTERM)
        assert self.running.wait(WAIT) == 0
        return time.monotonic() - told


@pytest.fixture
def api(services: Services, process: tuple[subprocess.Popen[bytes], str]) -> Iterator[Api]:
    made = Api(services, *process)
    with made.client:
        yield made


def next_id(lines: Iterator[str]) -> int:
    return int(next(line for line in lines if line.startswith("id: ")).removeprefix("id: "))


def last_comment(lines: Iterator[str]) -> str:
    return [line for line in lines if line.startswith(":")][-1]


def test_a_stream_over_the_table_until_the_process_stops(api: Api) -> None:
    with ThreadPoolExecutor(1) as pool, api.stream() as lines:
        assert next_id(lines) == 1
        runs.cancel(api.services, "alice", api.project)
        assert next_id(lines) == 2
        waiting = pool.submit(api.wait, after=2)
        time.sleep(1)
        assert not waiting.done()
        seconds = api.stop()
        assert last_comment(lines) == ": this instance stops; connect again"
        assert waiting.result(WAIT).json()["events"] == []
    assert seconds < 5


def test_an_event_comes_soon_after_it_happened(api: Api) -> None:
    assert api.wait(after=0).json()["head"] == 1
    late = []
    with ThreadPoolExecutor(1) as pool:
        for number in range(1, 6):
            waiting = pool.submit(api.wait, after=number)
            time.sleep(0.7)
            api.tell(f"n{number}")
            (event,) = waiting.result(WAIT).json()["events"]
            late.append(time.time() - event["data"]["at"])
    # A look is at most 2 s after the one before; the emulator and the machine take their time too.
    assert max(late) < 4


def test_every_event_once_over_many_connections(api: Api) -> None:
    count = 60

    def append() -> None:
        for number in range(count - 1):
            api.tell(f"n{number}")

    seen: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        appending = pool.submit(append)
        while len(seen) < count:
            with api.stream(seen[-1] if seen else None) as lines:
                for _ in range(min(7, count - len(seen))):
                    seen.append(next_id(lines))
        appending.result(WAIT)
    assert seen == list(range(1, count + 1))


def test_a_revoked_key_is_out_within_five_seconds(api: Api) -> None:
    with ThreadPoolExecutor(1) as pool, api.stream() as lines:
        assert next_id(lines) == 1
        waiting = pool.submit(api.wait, after=1)
        time.sleep(1)
        auth.revoke_api_key(api.services, "alice", api.key.id)
        revoked = time.monotonic()
        assert last_comment(lines).startswith(": what you authenticated with is not valid")
        assert waiting.result(WAIT).status_code == 401
        assert time.monotonic() - revoked < 5
