"""Waiting for events over REST: long polls and streams, on a server with real connections."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from agenticai_api import live
from agenticai_api.__main__ import Server
from agenticai_api.main import create_app
from agenticai_core import auth, events, runs
from agenticai_core.bootstrap import Services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import EventDraft
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store.base import StoreUnavailable
from agenticai_core.store.memory import MemoryStore

SETTINGS = Settings(
    poll_min_seconds=0.05, poll_max_seconds=0.2, recheck_seconds=0.3, rate_burst=100_000
)
STREAM = {"Accept": "text/event-stream"}


class CountingStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.pages = 0
        self.away = False

    def batch_get(self, keys: Any) -> Any:
        if self.away:
            raise StoreUnavailable("away")
        self.looks += all(key.sk == "HEAD" for key in keys)
        return super().batch_get(keys)

    def query(self, *args: Any, **options: Any) -> Any:
        if self.away:
            raise StoreUnavailable("away")
        self.pages += 1
        return super().query(*args, **options)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def services(store: CountingStore) -> Services:
    return Services(store=store, files=MemoryFiles(), queue=MemoryQueue())


@pytest.fixture
def served(services: Services) -> Iterator[tuple[FastAPI, str, Server]]:
    app = create_app(services, SETTINGS)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on")
        server = Server(config, app.state.live)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        eventually(lambda: server.started)
        yield app, f"http://127.0.0.1:{listener.getsockname()[1]}", server
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def key(services: Services) -> str:
    return auth.create_api_key(services.store, "alice", "test", ("read", "write"))[1]


@pytest.fixture
def client(served: tuple[FastAPI, str, Server], key: str) -> Iterator[httpx.Client]:
    headers = {"X-API-Key": key}
    with httpx.Client(base_url=served[1], headers=headers, timeout=25, trust_env=False) as made:
        yield made


@pytest.fixture
def project(services: Services) -> str:
    new = runs.NewProject(name="Bikes", type="api", description="Bikes are repaired.")
    return runs.create_project(services, "alice", new).id


def eventually(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def tell(services: Services, project: str, *names: str) -> int:
    drafts = [EventDraft(id=name, type="told", data={"name": name}) for name in names]
    return events.append(services.store, project, drafts)


def path(project: str) -> str:
    return f"/api/projects/{project}/events"


@contextmanager
def stream(
    client: httpx.Client, project: str, *, after: int = 0, headers: dict[str, str] | None = None
) -> Iterator[Iterator[dict[str, Any]]]:
    with client.stream(
        "GET", path(project), params={"after": after}, headers=STREAM | (headers or {})
    ) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield frames(answer)


def frames(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """As the standard says: fields up to an empty line; comments are told as such."""
    frame: dict[str, Any] = {}
    for line in answer.iter_lines():
        if not line:
            if frame:
                yield frame
            frame = {}
            continue
        name, _, value = line.partition(":")
        frame[name or "comment"] = value.removeprefix(" ")


def events_of(found: Iterator[dict[str, Any]]) -> Iterator[int]:
    for frame in found:
        if "data" in frame:
            event = json.loads(frame["data"])
            assert (str(event["seq"]), event["type"]) == (frame["id"], frame["event"])
            yield event["seq"]


# ---- long polls ---------------------------------------------------------------------------------


def test_what_is_there_is_not_waited_for(client: httpx.Client, project: str) -> None:
    began = time.monotonic()
    answer = client.get(path(project), params={"wait": 20})
    assert answer.json()["events"][0]["seq"] == 1
    assert time.monotonic() - began < 5


def test_a_wait_ends_with_the_event(
    client: httpx.Client, services: Services, store: CountingStore, project: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, path(project), params={"after": 1, "wait": 20})
        eventually(lambda: store.looks > 1)
        assert not waiting.done()
        tell(services, project, "a")
        answer = waiting.result(5).json()
    assert [event["seq"] for event in answer["events"]] == [2]
    assert (answer["next_after"], answer["head"]) == (2, 2)


def test_a_wait_ends_empty_when_the_time_is_up(client: httpx.Client, project: str) -> None:
    answer = client.get(path(project), params={"after": 1, "wait": 1})
    assert answer.status_code == 200
    assert answer.json() == {"events": [], "next_after": 1, "head": 1}


@pytest.mark.parametrize("wait", ["21", "-1", "x"])
def test_a_wait_has_its_bounds(client: httpx.Client, project: str, wait: str) -> None:
    assert client.get(path(project), params={"wait": wait}).status_code == 422


def test_a_deletion_ends_the_wait(
    client: httpx.Client, services: Services, store: CountingStore, project: str
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, path(project), params={"after": 1, "wait": 20})
        eventually(lambda: store.looks > 1)
        runs.delete_project(services, "alice", project)
        found = waiting.result(5).json()["events"]
    assert found[-1]["type"] == "project_deleted"


def test_thirty_who_wait_look_as_often_as_one(
    client: httpx.Client,
    services: Services,
    store: CountingStore,
    project: str,
    served: tuple[FastAPI, str, Server],
) -> None:
    logs = served[0].state.live
    with ThreadPoolExecutor(30) as pool:
        ask = lambda: client.get(path(project), params={"after": 1, "wait": 20})  # noqa: E731
        waiting = [pool.submit(ask) for _ in range(30)]
        eventually(lambda: logs.waiting == 30)
        before, began = store.looks, time.monotonic()
        eventually(lambda: store.looks >= before + 5)
        # One look at most in each shortest pause, however many wait.
        assert store.looks - before <= (time.monotonic() - began) / 0.05 + 1
        tell(services, project, "a")
        assert all(len(one.result(5).json()["events"]) == 1 for one in waiting)
    assert logs.waiting == 0


def test_nobody_looks_when_nobody_waits(
    client: httpx.Client, store: CountingStore, project: str
) -> None:
    client.get(path(project), params={"after": 1, "wait": 1})
    before = store.looks
    time.sleep(0.5)  # five pauses of a poller that had not gone
    assert store.looks == before


# ---- streams ------------------------------------------------------------------------------------


def test_a_stream_gives_everything_once_while_more_comes(
    client: httpx.Client, services: Services, project: str
) -> None:
    def append() -> None:
        for number in range(60):
            tell(services, project, f"a{number}", f"b{number}")

    with ThreadPoolExecutor(1) as pool, stream(client, project) as found:
        appending = pool.submit(append)
        numbers = events_of(found)
        seen = [next(numbers) for _ in range(121)]
        appending.result(10)
    assert seen == list(range(1, 122))


def test_a_stream_begins_with_the_time_to_wait_before_the_next(
    client: httpx.Client, project: str
) -> None:
    with stream(client, project) as found:
        assert next(found) == {"retry": "2000"}


def test_a_stream_is_taken_up_after_the_last_event_received(
    client: httpx.Client, services: Services, project: str
) -> None:
    tell(services, project, "a", "b", "c")
    with stream(client, project, after=1, headers={"Last-Event-ID": "3"}) as found:
        assert next(events_of(found)) == 4


@pytest.mark.parametrize("number", ["x", "-1", "1.5"])
def test_a_last_event_that_is_no_number_is_refused(
    client: httpx.Client, project: str, number: str
) -> None:
    answer = client.get(path(project), headers=STREAM | {"Last-Event-ID": number})
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("text/event-stream;q=0.5, application/json", "application/json"),
    ],
)
def test_whoever_does_not_prefer_a_stream_gets_json(
    client: httpx.Client, project: str, accept: str, kind: str
) -> None:
    answer = client.get(path(project), headers={"Accept": accept})
    assert answer.headers["content-type"] == kind


def test_a_foreign_project_is_an_ordinary_404(
    client: httpx.Client, services: Services, project: str
) -> None:
    _, secret = auth.create_api_key(services.store, "bob", "test", ("read",))
    for project_id in (project, "proj_none"):
        answer = client.get(path(project_id), headers=STREAM | {"X-API-Key": secret})
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_a_stream_ends_with_its_project(
    client: httpx.Client, services: Services, project: str
) -> None:
    with stream(client, project) as found:
        numbers = events_of(found)
        assert next(numbers) == 1
        runs.delete_project(services, "alice", project)
        assert list(numbers)[-1] >= 2


def test_a_stream_ends_with_its_key(
    client: httpx.Client, services: Services, key: str, project: str
) -> None:
    owned = auth.list_api_keys(services.store, "alice")[0]
    with stream(client, project) as found:
        assert next(events_of(found)) == 1
        began = time.monotonic()
        auth.revoke_api_key(services, "alice", owned.id)
        assert [frame for frame in found if "data" in frame] == []
    assert time.monotonic() - began < 5


def test_a_stream_outlives_an_outage(
    client: httpx.Client, services: Services, store: CountingStore, project: str
) -> None:
    with stream(client, project) as found:
        numbers = events_of(found)
        assert next(numbers) == 1
        store.away = True
        time.sleep(0.3)  # some looks fail
        store.away = False
        tell(services, project, "a")
        assert next(numbers) == 2


def test_a_quiet_stream_shows_that_it_lives(
    client: httpx.Client, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT", 0.1)
    with stream(client, project, after=1) as found:
        next(found)
        assert next(found) == {"comment": "still here"}


def test_a_key_has_a_bounded_number_of_streams(
    client: httpx.Client, services: Services, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST", 2)
    _, other = auth.create_api_key(services.store, "alice", "other", ("read",))
    with stream(client, project), stream(client, project):
        refused = client.get(path(project), headers=STREAM)
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "TOO_MANY_STREAMS"
        assert int(refused.headers["retry-after"]) > 0
        waiting = client.get(path(project), params={"after": 1, "wait": 1})
        assert waiting.status_code == 429
        with stream(client, project, headers={"X-API-Key": other}):
            pass


def test_whoever_leaves_leaves_nothing_behind(
    client: httpx.Client,
    services: Services,
    project: str,
    served: tuple[FastAPI, str, Server],
) -> None:
    logs = served[0].state.live
    for _ in range(3):
        with stream(client, project) as found:
            next(events_of(found))
            assert logs.waiting == 1
        eventually(lambda: logs.waiting == 0)


def test_a_stop_ends_streams_and_waits(
    client: httpx.Client, project: str, served: tuple[FastAPI, str, Server]
) -> None:
    app, _, server = served
    with ThreadPoolExecutor(1) as pool, stream(client, project) as found:
        next(events_of(found))
        waiting = pool.submit(client.get, path(project), params={"after": 1, "wait": 20})
        eventually(lambda: app.state.live.waiting == 2)
        began = time.monotonic()
        server.should_exit = True
        assert [frame for frame in found if "data" in frame] == []
        assert waiting.result(5).json()["events"] == []
    assert time.monotonic() - began < 5


def test_a_slow_reader_is_read_for_at_its_own_pace(
    client: httpx.Client,
    services: Services,
    store: CountingStore,
    project: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it does not take is not read from the log either, so nothing is queued for it."""
    monkeypatch.setattr(live, "PAGE", 5)
    big = {"text": "x" * 200_000}
    for number in range(40):
        drafts = [EventDraft(id=f"{number}/{n}", type="told", data=big) for n in range(5)]
        events.append(services.store, project, drafts)
    with stream(client, project) as found:
        numbers = events_of(found)
        assert next(numbers) == 1
        seen = -1
        while seen != store.pages:  # until the connection takes no more
            seen = store.pages
            time.sleep(0.3)
        assert seen < 38  # of 41 pages
        assert [next(numbers) for _ in range(200)] == list(range(2, 202))
