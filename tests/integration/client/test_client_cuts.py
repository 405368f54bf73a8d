"""The SDK against the real API, whose answers get lost once the work is done."""

import pytest
from tests.fakes.promoted import promote
from tests.fakes.serving import server_of, serving

from agenticai_api.main import create_app
from agenticai_client.errors import ApiError, ConnectionFailed
from agenticai_client.sdk import Client
from agenticai_core import auth
from agenticai_core.bootstrap import Services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store.memory import MemoryStore

SETTINGS = Settings(log_level="CRITICAL")
TEMPLATE = {
    "name": "Greeter",
    "description": "A program that greets.",
    "category": "cli",
    "type": "api",
    "variables": [],
    "files": [{"path": "README.md", "content": "# Hello\n"}],
}


class Losing:
    """Lets the API do what it is asked, but loses its answers.

    In place of an answer the connection is torn, or with ``bad_gateway`` a 502 comes.
    """

    def __init__(self, app):
        self.app = app
        self.server = None
        self.losses = 0  # so many of the next answers
        self.bad_gateway = False
        self.seen = []

    async def __call__(self, scope, receive, send):
        self.seen.append((scope["method"], scope["path"]))
        if not self.losses:
            await self.app(scope, receive, send)
            return
        self.losses -= 1

        async def swallow(message):
            pass

        await self.app(scope, receive, swallow)
        if self.bad_gateway:
            await send({"type": "http.response.start", "status": 502, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        for connection in list(self.server.server_state.connections):
            connection.transport.abort()


@pytest.fixture
def services():
    return Services(MemoryStore(), MemoryFiles(), MemoryQueue())


@pytest.fixture
def wire(services):
    return Losing(create_app(services, SETTINGS))


@pytest.fixture
def client(services, wire):
    _, secret = auth.create_api_key(services.store, "me", "test", ("read", "write", "admin"))
    wire.server = server_of(wire)
    with (
        serving(wire.server) as port,
        Client(f"http://127.0.0.1:{port}", secret) as made,
    ):
        yield made


@pytest.fixture
def built(services, client, wire):
    """A project at rest with one file."""
    project_id = client.create_project("Salon", "api", "Dogs")["id"]
    promote(services, project_id, {"main.py": b"print(1)\n", "old.py": b""})
    wire.seen.clear()
    return project_id


@pytest.mark.parametrize("bad_gateway", [False, True], ids=["cut", "502"])
@pytest.mark.parametrize(
    ("path", "create", "listed"),
    [
        (
            "/api/projects",
            lambda client: client.create_project("Salon", "api", "Dogs"),
            Client.list_projects,
        ),
        (
            "/api/templates",
            lambda client: client.create_template(**TEMPLATE),
            Client.list_templates,
        ),
        ("/api/keys", lambda client: client.create_key("ci", ["read"]), Client.list_keys),
    ],
    ids=["project", "template", "key"],
)
def test_a_creation_is_made_once(client, wire, path, create, listed, bad_gateway):
    before = len(list(listed(client)))
    wire.seen.clear()
    wire.losses, wire.bad_gateway = 2, bad_gateway
    assert create(client)
    assert wire.seen == [("POST", path)] * 3
    assert len(list(listed(client))) == before + 1


def test_a_secret_whose_answer_was_cut_off_is_still_told(client, wire):
    wire.losses = 1
    made = client.create_key("ci", ("read",))
    assert [key["id"] for key in client.list_keys()].count(made["key"]["id"]) == 1
    with Client(client.api_url, made["secret"]) as other:
        assert other.me()["owner_id"] == "me"


def test_a_modification_and_a_rollback_are_made_once(client, built, wire):
    client.write_file(built, "main.py", b"print(2)\n")
    wire.losses = 1
    assert client.rollback(built, 1)["number"] == 3
    assert len(list(client.list_revisions(built))) == 3
    wire.losses = 1
    modification = client.modify(built, "Add a field")
    assert [each["id"] for each in client.list_modifications(built)] == [modification["id"]]


def test_a_file_is_written_once(client, built, wire):
    wire.losses = 1
    assert client.write_file(built, "new.py", b"1")["revision"]["number"] == 2
    assert client.get_project(built)["revision"] == 2


def test_a_call_that_twice_is_more_than_once_is_not_repeated(client, built, wire):
    wire.losses = 1
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
    wire.losses = 1
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
