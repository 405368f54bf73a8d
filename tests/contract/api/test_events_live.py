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

from agenticai_api import live, streams
from agenticai_api.__main__ import Server
from agenticai_api.main import create_app
from agenticai_core import auth, events, runs
from agenticai_core.bootstrap import Services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import EventDraft
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import Page, StoreUnavailable
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
        self.hidden: set[str] = set()  # sort keys that are not visible yet
        self.after_page: Callable[[], object] | None = None  # once, while a page is on its way

    def batch_get(self, keys: Any) -> Any:
        if self.away:
            raise StoreUnavailable("away")
        self.looks += all(key.sk == "HEAD" for key in keys)
        return super().batch_get(keys)

    def query(self, *args: Any, **options: Any) -> Any:
        if self.away:
            raise StoreUnavailable("away")
        self.pages += 1
        page = super().query(*args, **options)
        act, self.after_page = self.after_page, None
        if act:
            act()
        return Page([item for item in page.items if item["SK"] not in self.hidden], page.next)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def services(store: CountingStore) -> Services:
    return Services(store=store, files=MemoryFiles(), queue=MemoryQueue())


@contextmanager
def serving(services: Services, settings: Settings) -> Iterator[tuple[FastAPI, str, Server]]:
    app = create_app(services, settings)
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
def served(services: Services) -> Iterator[tuple[FastAPI, str, Server]]:
    with serving(services, SETTINGS) as one:
        yield one


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


def ask(address: str, project: str, key: str, length: int = 0) -> socket.socket:
    """A connection on which a stream has been asked for; its body, if any, is not sent."""
    connection = socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), timeout=10)
    connection.sendall(
        f"GET {path(project)} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n"
        f"Accept: text/event-stream\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    return connection


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
        pages = store.pages
        tell(services, project, "a")
        assert all(len(one.result(5).json()["events"]) == 1 for one in waiting)
        assert store.pages == pages + 1  # they share the read
    assert logs.waiting == 0


def test_a_wait_ends_with_its_key(
    client: httpx.Client,
    services: Services,
    project: str,
    served: tuple[FastAPI, str, Server],
) -> None:
    owned = auth.list_api_keys(services.store, "alice")[0]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, path(project), params={"after": 1, "wait": 20})
        eventually(lambda: served[0].state.live.waiting == 1)
        auth.revoke_api_key(services, "alice", owned.id)
        answer = waiting.result(6)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "NOT_AUTHENTICATED"


def test_whoever_leaves_while_waiting_leaves_nothing_behind(
    client: httpx.Client, project: str, served: tuple[FastAPI, str, Server]
) -> None:
    logs = served[0].state.live
    for _ in range(3):
        with pytest.raises(httpx.ReadTimeout):
            client.get(path(project), params={"after": 1, "wait": 20}, timeout=0.5)
        eventually(lambda: logs.waiting == 0, 3)  # not after the 20 s


def test_a_wait_is_shorter_than_what_a_request_may_take(
    services: Services, key: str, project: str
) -> None:
    hasty = SETTINGS.model_copy(update={"request_timeout": 4.0})
    with serving(services, hasty) as (_, address, _server):
        answer = httpx.get(
            address + path(project),
            params={"after": 1, "wait": 20},
            headers={"X-API-Key": key},
            timeout=25,
            trust_env=False,
        )
    assert (answer.status_code, answer.json()["events"]) == (200, [])


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_after_the_last_event_of_a_deleted_project_there_is_nothing(
    client: httpx.Client, services: Services, project: str, accept: str
) -> None:
    runs.delete_project(services, "alice", project)
    page = client.get(path(project)).json()
    assert page["events"][-1]["type"] == "project_deleted"
    for after in (page["head"], page["head"] + 5):
        answer = client.get(
            path(project), params={"after": after, "wait": 20}, headers={"Accept": accept}
        )
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "NOT_FOUND"


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


def last_of(found: Iterator[dict[str, Any]]) -> tuple[list[int], str]:
    """What still comes: the events' numbers, and the comment at the end."""
    rest = list(found)
    return list(events_of(iter(rest))), rest[-1]["comment"]


def test_a_stream_ends_with_its_project(
    client: httpx.Client, services: Services, project: str
) -> None:
    with stream(client, project, after=1) as found:
        next(found)
        runs.delete_project(services, "alice", project)
        assert last_of(found) == ([2], "the project has been deleted")


def test_what_comes_while_a_page_is_read_is_given_before_the_end(
    client: httpx.Client, services: Services, store: CountingStore, project: str
) -> None:
    """The deletion is seen by the look at the heads, and its event is not in the page."""

    def delete() -> None:
        runs.delete_project(services, "alice", project)
        looks = store.looks
        eventually(lambda: store.looks >= looks + 2)

    tell(services, project, "a")
    with stream(client, project, after=2) as found:
        next(found)
        store.after_page = delete
        tell(services, project, "b")
        assert last_of(found) == ([3, 4], "the project has been deleted")


def test_a_long_log_is_given_whole_though_its_project_is_deleted(
    client: httpx.Client, services: Services, project: str
) -> None:
    for number in range(5):
        tell(services, project, *(f"{number}/{n}" for n in range(50)))
    runs.delete_project(services, "alice", project)
    with stream(client, project) as found:
        assert last_of(found)[0] == list(range(1, 253))


def test_a_deleted_project_whose_rows_are_gone_ends_its_streams(
    client: httpx.Client, services: Services, store: CountingStore, project: str
) -> None:
    with stream(client, project, after=1) as found:
        next(found)
        store.hidden = {f"EVENT#{number:012}" for number in range(10)}
        runs.delete_project(services, "alice", project)
        assert last_of(found) == ([], "the project has been deleted")


def test_a_quiet_stream_reads_nothing_of_its_own(
    client: httpx.Client, store: CountingStore, project: str
) -> None:
    with stream(client, project, after=1) as found:
        next(found)
        looks, pages = store.looks, store.pages
        eventually(lambda: store.looks >= looks + 10)  # over several looks at its key
        assert store.pages == pages


def test_a_number_that_is_not_visible_yet_is_waited_for_and_not_skipped(
    client: httpx.Client, services: Services, store: CountingStore, project: str
) -> None:
    with stream(client, project, after=1) as found:
        next(found)
        store.hidden = {keys.event(project, 3).sk}
        began, pages = time.monotonic(), store.pages
        tell(services, project, "a", "b", "c")
        numbers = events_of(found)
        assert next(numbers) == 2
        looks = store.looks
        eventually(lambda: store.looks >= looks + 5)
        # Not in a hurry: at most one in each shortest pause.
        assert store.pages - pages <= (time.monotonic() - began) / 0.05 + 2
        store.hidden = set()
        assert [next(numbers), next(numbers)] == [3, 4]


def test_a_stream_ends_with_its_key(
    client: httpx.Client, services: Services, key: str, project: str
) -> None:
    owned = auth.list_api_keys(services.store, "alice")[0]
    with stream(client, project) as found:
        assert next(events_of(found)) == 1
        began = time.monotonic()
        auth.revoke_api_key(services, "alice", owned.id)
        assert last_of(found) == ([], "what you authenticated with is not valid any more")
    assert time.monotonic() - began < 5


def test_a_busy_stream_ends_with_its_key_as_well(
    client: httpx.Client, services: Services, project: str
) -> None:
    owned = auth.list_api_keys(services.store, "alice")[0]
    ended = threading.Event()

    def keep_busy() -> None:
        number = 0
        while not ended.wait(0.05):
            number += 1
            tell(services, project, f"n{number}")

    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(keep_busy)
        try:
            with stream(client, project) as found:
                next(events_of(found))
                auth.revoke_api_key(services, "alice", owned.id)
                began = time.monotonic()
                assert last_of(found)[1].startswith("what you authenticated with")
                assert time.monotonic() - began < 5
        finally:
            ended.set()
        busy.result(5)


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
    monkeypatch.setattr(streams, "HEARTBEAT", 0.1)
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
    caplog: pytest.LogCaptureFixture,
) -> None:
    logs = served[0].state.live
    for _ in range(3):
        with stream(client, project) as found:
            next(events_of(found))
            assert logs.waiting == 1
        eventually(lambda: logs.waiting == 0)
    eventually(lambda: not served[2].server_state.tasks)
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []


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
        assert last_of(found) == ([], "this instance stops; connect again")
        assert waiting.result(5).json()["events"] == []
    assert time.monotonic() - began < 2


def test_a_reader_that_takes_nothing_does_not_hold_up_a_stop(
    client: httpx.Client,
    services: Services,
    key: str,
    project: str,
    served: tuple[FastAPI, str, Server],
) -> None:
    for number in range(100):
        big = EventDraft(id=f"{number}", type="told", data={"text": "x" * 300_000})
        events.append(services.store, project, [big])
    with ask(served[1], project, key) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        stuck = lambda: any(one.flow.write_paused for one in served[2].server_state.connections)  # noqa: E731
        eventually(stuck)
        time.sleep(0.3)
        assert stuck()
        began = time.monotonic()
        served[2].should_exit = True
        eventually(lambda: not served[2].server_state.connections)
        assert time.monotonic() - began < 3


def test_a_head_of_a_stream_ends_at_once(
    client: httpx.Client, project: str, served: tuple[FastAPI, str, Server]
) -> None:
    answer = client.head(path(project), headers=STREAM)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    eventually(lambda: served[0].state.live.waiting == 0)


def test_a_body_that_never_comes_is_no_fault_of_a_stream(
    services: Services, key: str, project: str, caplog: pytest.LogCaptureFixture
) -> None:
    hasty = SETTINGS.model_copy(update={"body_timeout": 0.2})
    with serving(services, hasty) as (_, address, _server), ask(address, project, key, 10) as asked:
        received = asked.recv(1000)
        time.sleep(0.5)  # the time for the body is over
        tell(services, project, "a")
        while b"\nid: 2\n" not in received:
            chunk = asked.recv(1000)
            assert chunk, received
            received += chunk
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []


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
