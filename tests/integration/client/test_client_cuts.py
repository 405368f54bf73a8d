"""The SDK against the real API, over a connection that is cut once the work is done."""

import threading
import time

import pytest
import uvicorn

from agenticai_api.main import create_app
from agenticai_client.errors import ApiError, ConnectionFailed
from agenticai_client.sdk import Client
from agenticai_core import auth, content
from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, stamp
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import ProjectStatus, Revision
from agenticai_core.queues import MemoryQueue
from agenticai_core.rows import load, project_item, revision_item
from agenticai_core.settings import Settings
from agenticai_core.store.base import Put
from agenticai_core.store.memory import MemoryStore

SETTINGS = Settings(log_level="CRITICAL")


class Cutting:
    """Lets the API do what it is asked, but tears the connection in place of the answer."""

    def __init__(self, app):
        self.app = app
        self.server = None
        self.cuts = 0  # so many of the next requests
        self.seen = []

    async def __call__(self, scope, receive, send):
        self.seen.append((scope["method"], scope["path"]))
        if not self.cuts:
            await self.app(scope, receive, send)
            return
        self.cuts -= 1

        async def swallow(message):
            pass

        await self.app(scope, receive, swallow)
        for connection in list(self.server.server_state.connections):
            connection.transport.abort()


@pytest.fixture
def services():
    return Services(MemoryStore(), MemoryFiles(), MemoryQueue())


@pytest.fixture
def wire(services):
    return Cutting(create_app(services, SETTINGS))


@pytest.fixture
def client(services, wire):
    _, secret = auth.create_api_key(services.store, "me", "test", ("read", "write", "admin"))
    config = uvicorn.Config(wire, port=0, log_level="critical", lifespan="off")
    wire.server = server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    with Client(f"http://127.0.0.1:{port}", secret) as made:
        yield made
    server.should_exit = True
    thread.join(timeout=20)
    assert not thread.is_alive()


@pytest.fixture
def built(services, client, wire):
    """A project at rest with one file."""
    project_id = client.create_project("Salon", "api", "Dogs")["id"]
    project = load(services.store, project_id).project
    tree = {"main.py": b"print(1)\n", "old.py": b""}
    revision = Revision(
        project_id=project_id,
        number=1,
        parent=0,
        manifest_key=content.put_tree(services.files, project_id, tree),
        author_task="run_1.01.plan",
        summary="It",
        created_at=stamp(now()),
    )
    rest = {"status": ProjectStatus.ACTIVE, "revision": 1, "active_run": None, "active_task": None}
    services.store.write(Put(project_item(project.model_copy(update=rest))))
    services.store.write(Put(revision_item(revision)))
    wire.seen.clear()
    return project_id


def test_a_creation_is_made_once(client, wire):
    wire.cuts = 2
    made = client.create_project("Salon", "api", "Dogs")
    assert [found["id"] for found in client.list_projects()] == [made["id"]]
    assert wire.seen[:3] == [("POST", "/api/projects")] * 3


def test_a_secret_whose_answer_was_cut_off_is_still_told(client, wire):
    wire.cuts = 1
    made = client.create_key("ci", ("read",))
    assert [key["id"] for key in client.list_keys()].count(made["key"]["id"]) == 1
    with Client(client.api_url, made["secret"]) as other:
        assert other.me()["owner_id"] == "me"


def test_a_modification_and_a_rollback_are_made_once(client, built, wire):
    client.write_file(built, "main.py", b"print(2)\n")
    wire.cuts = 1
    assert client.rollback(built, 1)["number"] == 3
    assert len(list(client.list_revisions(built))) == 3
    wire.cuts = 1
    modification = client.modify(built, "Add a field")
    assert [each["id"] for each in client.list_modifications(built)] == [modification["id"]]


def test_a_file_is_written_once(client, built, wire):
    wire.cuts = 1
    assert client.write_file(built, "new.py", b"1")["revision"]["number"] == 2
    assert client.get_project(built)["revision"] == 2


def test_a_call_that_twice_is_more_than_once_is_not_repeated(client, built, wire):
    wire.cuts = 1
    with pytest.raises(ConnectionFailed) as caught:
        client.create_token(("read",))
    assert caught.value.sent
    assert wire.seen == [("POST", "/api/tokens")]


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (lambda client, built: client.write_file(built, "new.py", b"1", revision=1), 412),
        (lambda client, built: client.delete_file(built, "old.py", revision=1), 412),
        (lambda client, built: client.delete_file(built, "old.py"), 404),
        (lambda client, built: client.update_project(built, version=1, name="New"), 412),
    ],
    ids=["write_file", "delete_file on a revision", "delete_file", "update_project"],
)
def test_a_refusal_of_the_repetition_tells_that_it_may_be_done(client, built, wire, call, status):
    wire.cuts = 1
    with pytest.raises(ApiError) as caught:
        call(client, built)
    assert caught.value.status == status
    assert "may have been carried out" in (caught.value.hint or "")
    assert client.get_project(built)["config_version"] + client.get_project(built)["revision"] == 3


def test_a_refusal_of_the_first_attempt_keeps_its_own_hint(client, built, wire):
    with pytest.raises(ApiError) as caught:
        client.write_file(built, "new.py", b"1", revision=7)
    assert caught.value.status == 412
    assert "may have been" not in (caught.value.hint or "")


def test_an_attempt_that_was_surely_not_carried_out_leaves_the_hint_alone(system):
    system.refuse(429, "RATE_LIMITED", headers={"Retry-After": "0"})
    system.refuse(412, "PRECONDITION_FAILED", hint="Read it again")
    with system.client() as client, pytest.raises(ApiError) as caught:
        client.update_project("proj_1", version=1, name="New")
    assert caught.value.hint == "Read it again"
    assert len(system.seen) == 2
