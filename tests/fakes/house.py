"""The whole system in real processes, with a fake Gemini behind it and a proxy before the emulator.

`House` looks at it from outside as a user does, and into its table to see what happened how often.
"""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import psutil
from tests.fakes import notes
from tests.fakes.fault_proxy import FaultProxy
from tests.fakes.gemini import FakeGemini, Hold, serve
from websockets.sync.client import connect as connect_socket

from agenticai_client.sdk import Client
from agenticai_core.bootstrap import Services, connect
from agenticai_core.models import Agent, Task
from agenticai_core.rows import parse
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import Item
from agenticai_local.environment import health_file
from agenticai_local.ports import free_port
from agenticai_local.stack import LocalStack

Json = dict[str, Any]
SECOND_FILE = list(notes.FILES)[1]  # when the model is asked for it, the first one is written
ENDS = frozenset({"project_active", "project_failed", "project_cancelled"})


def wait_for(look: Callable[[], Any], seconds: float = 60, what: str = "it") -> Any:
    """What ``look`` gives once it is true; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)
    return found


class Watcher:
    """A client that follows one project in a thread, as `agenticai watch` does."""

    def __init__(self, client: Client, project_id: str) -> None:
        self.events: list[Json] = []
        self.states: list[str] = []
        self._error: Exception | None = None
        self._client, self._project_id = client, project_id
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        def hear(state: str, reason: str) -> None:
            self.states.append(state)

        def ends(event: Json) -> bool:
            return event["type"] in ENDS

        try:
            with self._client as client:
                for event in client.watch(self._project_id, until=ends, notice=hear):
                    self.events.append(event)
        except Exception as error:
            self._error = error

    def has(self, kind: str) -> bool:
        return any(event["type"] == kind for event in list(self.events))

    def finish(self, seconds: float = 90) -> list[Json]:
        """All events, once the project has ended."""
        self._thread.join(seconds)
        if self._error is not None:
            raise self._error
        assert not self._thread.is_alive(), f"no end within {seconds} s; last: {self.events[-4:]}"
        return self.events


@dataclass
class House:
    stack: LocalStack
    fake: FakeGemini
    proxy: FaultProxy
    services: Services  # on the table itself, past the proxy
    told: list[str]

    # ---- as a user ------------------------------------------------------------------------------

    def client(self) -> Client:
        stack = self.stack
        return Client(stack.api_url, stack.api_key, websocket_url=stack.websocket_url)

    def create(self, **options: Any) -> str:
        with self.client() as client:
            made = client.create_project("Notes", "api", notes.DESCRIPTION, **options)
        return str(made["id"])

    def project(self, project_id: str) -> Json:
        with self.client() as client:
            return client.get_project(project_id)

    def watch(self, project_id: str) -> Watcher:
        return Watcher(self.client(), project_id)

    def history(self, project_id: str) -> list[Json]:
        """The whole log, read once over a plain socket; the log over REST says the same."""
        rest: list[Json] = []
        with self.client() as client:
            while page := client.events(project_id, len(rest))["events"]:
                rest += page
        url = f"{self.stack.websocket_url}?project_id={project_id}&after=0"
        read: list[Json] = []
        with connect_socket(url, additional_headers={"X-API-Key": self.stack.api_key}) as socket:
            while len(read) < len(rest):
                frame = json.loads(socket.recv(timeout=10))
                read += [frame] if "seq" in frame else []
        assert [(event["seq"], event["id"]) for event in read] == [
            (event["seq"], event["id"]) for event in rest
        ]
        return read

    # ---- into the table and the processes -------------------------------------------------------

    def rows(self, project_id: str, prefix: str) -> list[Item]:
        return self.services.store.query(
            keys.project_pk(project_id), prefix=prefix, limit=1000
        ).items

    def task(self, project_id: str, action: str) -> Task:
        tasks = [parse(Task, row) for row in self.rows(project_id, "TASK#")]
        return next(task for task in tasks if task.action.value == action)

    def hold(self, task: str, path: str = "") -> Hold:
        """Hold the model's next answer to this task, and about this file where it has files."""
        wanted = (task, path)
        return self.fake.hold(lambda prompt: notes.asked_for(prompt) == wanted)

    def caller(self, hold: Hold) -> psutil.Process:
        """The process that waits for the held answer."""
        for agent in Agent:
            for process in self.node(agent).children(recursive=True):
                ports = [one.laddr.port for one in process.net_connections() if one.laddr]
                if hold.port in ports:
                    return process
        raise AssertionError("nobody waits for the held answer")

    def node(self, agent: Agent) -> psutil.Process:
        return psutil.Process(self.stack.processes[f"worker-{agent.value}"])

    def tester(self) -> psutil.Process | None:
        """The child of the QA node that has generated tests running, while they run."""
        celery = self.node(Agent.QA).children()
        children = celery[0].children() if celery else []
        return next((child for child in children if _runs_tests(child)), None)

    def polled_since(self, moment: float) -> bool:
        """Whether every node has polled since ``moment`` (of time.time())."""
        files = [health_file(self.stack.folder.run, agent) for agent in Agent]
        return all(file.exists() and file.stat().st_mtime > moment for file in files)

    def ready(self) -> bool:
        """Whether all seven processes run and the API reaches all it needs."""
        if len(self.stack.processes) < 7:
            return False
        try:
            with self.client() as client:
                client.ready()
        except Exception:
            return False
        return True


def _runs_tests(process: psutil.Process) -> bool:
    try:
        family = process.children(recursive=True)
        return any("pytest" in one.cmdline() for one in family)
    except psutil.Error:
        return False


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


@contextmanager
def open_house(folder: Path, **variables: str) -> Iterator[House]:
    """Start everything on a fresh state; ``variables`` go to all services."""
    port = free_port()
    told: list[str] = []
    proxy = FaultProxy(f"http://127.0.0.1:{port}")
    try:
        with serve(FakeGemini(notes.answer, retry_delay="2s")) as fake:
            env = {
                "AGENTICAI_MODEL": "gemini:gemini-2.5-flash",
                "AGENTICAI_GEMINI_ENDPOINT": fake.url,
                "GEMINI_API_KEY": fake.key,
                **variables,
            }
            with LocalStack(
                folder,
                emulator_port=port,
                fresh=True,
                services_endpoint_url=proxy.url,
                extra_env=env,
                tell=told.append,
            ) as stack:
                yield House(stack, fake, proxy, _services(stack), told)
    finally:
        proxy.refuse()


def _services(stack: LocalStack) -> Services:
    direct = stack.variables | {"AWS_ENDPOINT_URL": stack.endpoint_url}
    with mock.patch.dict(os.environ, direct):
        return connect(Settings())


# ---- what must hold afterwards ------------------------------------------------------------------


def check_log(events: list[Json]) -> None:
    """1..n, and no event twice."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [
        one for one, times in Counter(event["id"] for event in events).items() if times > 1
    ] == []


def check_created_once(house: House, project_id: str) -> list[Json]:
    """The project is active and every effect of its creation is there once; its whole history."""
    events = house.history(project_id)
    check_log(events)
    project = house.project(project_id)
    assert (project["status"], project["revision"]) == ("active", 1), project
    assert [row["number"] for row in house.rows(project_id, "REV#")] == [1]
    written = Counter(event["data"]["path"] for event in events if event["type"] == "file_written")
    assert written == Counter([*notes.FILES, *notes.PACKAGE])
    ended = Counter(
        event["data"]["action"] for event in events if event["type"] == "task_succeeded"
    )
    assert ended == Counter(["plan", "generate", "test", "package"])
    kinds = Counter(event["type"] for event in events)
    assert kinds["tests_passed"] == kinds["plan_ready"] == kinds["project_active"] == 1
    assert kinds["task_failed"] == 0
    with house.client() as client:
        assert set(client.files(project_id)) == {*notes.FILES, *notes.PACKAGE}
    wait_for(lambda: len(house.rows(project_id, "FILE#")) == len(written), what="the mirror")
    return events


def seconds_after(moment: float, events: list[Json], kind: str) -> float:
    """How long after ``moment`` (of time.time()) the first event of this kind was written."""
    at = [
        datetime.fromisoformat(event["at"]).timestamp() for event in events if event["type"] == kind
    ]
    return next(stamp - moment for stamp in at if stamp > moment)


def asked(fake: FakeGemini, since: int = 0) -> Mapping[tuple[str, str], int]:
    """How often the model was asked for what, from call number ``since`` on."""
    return Counter(notes.asked_for(call.prompt) for call in fake.calls[since:])
