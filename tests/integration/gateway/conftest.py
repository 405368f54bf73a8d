"""A gateway on a real port over a store in memory, and what its tests do to both."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from agenticai_core import auth, events, runs
from agenticai_core.bootstrap import Services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import EventDraft, ProjectType
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store.base import Item, Key, Page, StoreUnavailable, Write
from agenticai_core.store.memory import MemoryStore
from agenticai_websocket.gateway import Gateway
from agenticai_websocket.main import create_app
from agenticai_websocket.server import Server, create_server
from agenticai_websocket.settings import GatewaySettings

Frame = dict[str, Any]
WAIT = 10.0  # s; longer than anything here takes, short enough to fail


def eventually(holds: Callable[[], Any]) -> None:
    """Wait until it holds; fail when it does not within `WAIT`."""
    until = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < until, "this never came true"
        time.sleep(0.005)


class TroubledStore:
    """A `MemoryStore` that can fail, hide events for a while, and counts what is read."""

    def __init__(self) -> None:
        self.inner = MemoryStore()
        self.failing = False
        self.hidden: set[str] = set()  # sort keys that are not visible yet
        self.log_reads: list[str] = []  # the partition of each query for events
        self.batches: list[list[Key]] = []

    def get(self, key: Key) -> Item | None:
        self._fail()
        return self.inner.get(key)

    def batch_get(self, keys: Sequence[Key]) -> list[Item]:
        self._fail()
        self.batches.append(list(keys))
        return self.inner.batch_get(keys)

    def query(
        self,
        pk: str,
        *,
        index: str | None = None,
        prefix: str = "",
        after: str | None = None,
        upto: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
        start: Mapping[str, str] | None = None,
    ) -> Page:
        self._fail()
        if after is not None and after.startswith("EVENT#"):
            self.log_reads.append(pk)
        page = self.inner.query(
            pk,
            index=index,
            prefix=prefix,
            after=after,
            upto=upto,
            limit=limit,
            newest_first=newest_first,
            start=start,
        )
        return Page([item for item in page.items if item["SK"] not in self.hidden], page.next)

    def write(self, *writes: Write, token: str | None = None) -> None:
        self._fail()
        self.inner.write(*writes, token=token)

    def _fail(self) -> None:
        if self.failing:
            raise StoreUnavailable("the table does not answer")


@dataclass
class World:
    """What the gateway under test looks at."""

    store: TroubledStore = field(default_factory=TroubledStore)
    files: MemoryFiles = field(default_factory=MemoryFiles)

    def __post_init__(self) -> None:
        self.services = Services(store=self.store, files=self.files, queue=MemoryQueue())
        self.key, self.secret = auth.create_api_key(self.store, "alice", "test")

    def project(self, owner: str = "alice") -> str:
        """A new project; its creation is event 1 (and some more)."""
        new = runs.NewProject(name="shop", type=ProjectType.API, description="A shop.")
        return runs.create_project(self.services, owner, new).id

    def append(self, project_id: str, count: int = 1, text: str = "") -> int:
        """Events appended by one transaction, past any trouble; returns the last number."""
        drafts = [EventDraft(id=f"t/{n}", type="note", data={"text": text}) for n in range(count)]
        return events.append(self.store.inner, project_id, drafts)

    def head(self, project_id: str) -> int:
        return events.heads(self.store.inner, [project_id])[project_id].seq


class Client:
    """A socket to the gateway that fails the test when nothing comes in time."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def send(self, **frame: Any) -> None:
        self.socket.send(json.dumps(frame))

    def frame(self, *, timeout: float = WAIT) -> Frame:
        """The next frame, of whatever type."""
        result = json.loads(self.socket.recv(timeout=timeout))
        assert isinstance(result, dict)
        return result

    def frame_of(self, type_: str) -> Frame:
        """The next frame of that type; others before it are skipped, errors fail the test."""
        while (found := self.frame())["type"] != type_:
            assert found["type"] != "error", found
        return found

    def events(self, count: int) -> list[int]:
        """The sequence numbers of the next events; an error among them fails the test."""
        numbers: list[int] = []
        while len(numbers) < count:
            found = self.frame()
            assert found["type"] != "error", found
            if "seq" in found:
                numbers.append(found["seq"])
        return numbers

    def subscribe(self, project_id: str, after: int | None = None) -> Frame:
        given = {} if after is None else {"after": after}
        self.send(type="subscribe", project_id=project_id, **given)
        while (found := self.frame_of("subscribed"))["project_id"] != project_id:
            pass  # an earlier one, of the query string
        return found

    def nothing_comes(self, seconds: float) -> bool:
        try:
            self.frame(timeout=seconds)
        except TimeoutError:
            return True
        return False

    def rest(self) -> tuple[list[Frame], int]:
        """What still comes until the gateway closes, and the close code."""
        frames: list[Frame] = []
        try:
            while True:
                frames.append(self.frame())
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return frames, closed.rcvd.code

    def close(self) -> None:
        self.socket.close()


@dataclass
class Running:
    """A gateway that serves."""

    world: World
    server: Server
    gateway: Gateway
    thread: threading.Thread
    port: int
    clients: ExitStack = field(default_factory=ExitStack)  # every one, to be closed

    def open(
        self, query: str = "", *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Client:
        """A client, authenticated as alice unless ``headers`` are given."""
        if headers is None:
            headers = {"X-API-Key": self.world.secret}
        address = f"ws://127.0.0.1:{self.port}/ws{query}"
        connecting = connect(
            address, additional_headers=headers, proxy=None, close_timeout=1, **options
        )
        return Client(self.clients.enter_context(connecting))

    def health(self) -> tuple[int, Frame]:
        answer = httpx.get(f"http://127.0.0.1:{self.port}/ws/health", trust_env=False)
        return answer.status_code, answer.json()

    eventually = staticmethod(eventually)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(WAIT)
        assert not self.thread.is_alive()


@contextmanager
def running(
    world: World, settings: Mapping[str, Any], options: Mapping[str, Any]
) -> Iterator[Running]:
    fast = Settings(
        poll_min_seconds=0.01, poll_max_seconds=0.05, recheck_seconds=0.05, log_level="WARNING"
    ).model_copy(update=dict(settings))  # not validated: tests go beyond what users may
    own = GatewaySettings(**{"port": 0, "drain_seconds": 0, **options})
    app = create_app(world.services, fast, own)
    server = create_server(app, fast, own)
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    gateway = Running(world, server, app.state.gateway, thread, port)
    try:
        yield gateway
    finally:
        gateway.clients.close()
        gateway.stop()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def start(world: World) -> Iterator[Callable[..., Running]]:
    """Starts a gateway: keywords named as in `GatewaySettings` are its own, the others core's."""
    with ExitStack() as stack:

        def begin(**given: Any) -> Running:
            own = {k: v for k, v in given.items() if k in GatewaySettings.model_fields}
            core = {k: v for k, v in given.items() if k not in own}
            return stack.enter_context(running(world, core, own))

        yield begin


@pytest.fixture
def gateway(start: Callable[..., Running]) -> Running:
    return start()
