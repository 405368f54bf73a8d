"""The SDK against the real API: every part of it."""

import re
from contextlib import suppress

import httpx
import pytest
from tests.fakes.promoted import promote
from tests.fakes.serving import server_of, serving

from agenticai_api.main import create_app
from agenticai_client.errors import ApiError
from agenticai_client.sdk import Client
from agenticai_core import auth
from agenticai_core.bootstrap import Services, connect
from agenticai_core.models import Failure, ProjectStatus
from agenticai_core.queues import MemoryQueue
from agenticai_core.rows import load, project_item
from agenticai_core.settings import Settings
from agenticai_core.store.base import Put
from agenticai_core.store.memory import MemoryStore

SETTINGS = Settings(log_level="CRITICAL")
TEMPLATE = {
    "name": "Greeter",
    "description": "A program that greets.",
    "category": "cli",
    "type": "api",
    "variables": [{"name": "project_name", "description": "What it is called."}],
    "files": [{"path": "README.md", "content": "# {{ project_name }}\n", "is_template": True}],
}


@pytest.fixture
def services(emulator_settings):
    return Services(MemoryStore(), connect(emulator_settings).files, MemoryQueue())


@pytest.fixture
def client(services):
    _, secret = auth.create_api_key(services.store, "me", "test", ("read", "write", "admin"))
    with (
        serving(server_of(create_app(services, SETTINGS))) as port,
        Client(f"http://127.0.0.1:{port}", secret) as made,
    ):
        yield made


@pytest.fixture
def built(services, client):
    """A project whose creation has ended well, with one file."""
    project_id = client.create_project("Salon", "api", "Dogs", tags=["dogs"])["id"]
    promote(services, project_id, {"main.py": b"print(1)\n"})
    return project_id


def fail(services, project_id):
    """End its creation badly."""
    project = load(services.store, project_id).project
    why = Failure(code="TESTS_FAILED", message="They fail")
    ended = {"status": ProjectStatus.FAILED, "failure": why, "active_run": None}
    services.store.write(
        Put(project_item(project.model_copy(update=ended | {"active_task": None})))
    )


def test_all_that_takes_a_name_is_given_one(client, services, monkeypatch):
    """The OpenAPI document says what takes an Idempotency-Key; nothing else is sent one."""
    document = create_app(services, SETTINGS).openapi()
    taking = {
        path
        for path, methods in document["paths"].items()
        for one in methods.values()
        if any(given["name"].lower() == "idempotency-key" for given in one.get("parameters", []))
    }
    sent = []

    def note(self, request, **_):
        sent.append((request.url.path, "Idempotency-Key" in request.headers))
        raise ApiError("STOP", "far enough", status=400)

    monkeypatch.setattr(httpx.Client, "send", note)
    for call in (
        lambda: client.create_project("x", "api", "y"),
        lambda: client.create_from_template("cli-tool", "x"),
        lambda: client.create_template(**TEMPLATE),
        lambda: client.modify("p", "x"),
        lambda: client.send_message("p", "x"),
        lambda: client.retry("p"),
        lambda: client.rollback("p", 1),
        lambda: client.create_key("x"),
        lambda: client.rotate_key("k"),
        lambda: client.approve("p"),
        lambda: client.reject_modification("p", "m"),
        lambda: client.cancel("p"),
        client.create_token,
        client.create_ticket,
    ):
        with suppress(ApiError):
            call()
    named = {path for path, has_name in sent if has_name}
    assert {re.sub(r"/(p|k)(?=/)", "/{}", path) for path in named} == {
        re.sub(r"\{\w+\}", "{}", path) for path in taking
    }


def test_projects(client, built):
    assert [found["id"] for found in client.list_projects(tag="dogs")] == [built]
    assert list(client.list_projects(tag="cats")) == []
    version = client.get_project(built)["config_version"]
    client.update_project(built, version=version, name="Salon, south")
    with pytest.raises(ApiError) as caught:
        client.update_project(built, version=version, name="Too late")
    assert caught.value.code == "PRECONDITION_FAILED"


def test_messages_and_retries(client, services):
    project_id = client.create_project("Salon", "api", "Dogs")["id"]
    assert client.send_message(project_id, "Dogs have a weight")["id"] == project_id
    fail(services, project_id)
    assert client.retry(project_id)["active_run"]


def test_decisions_on_one_modification(client, built):
    first, second = (client.modify(built, text)["id"] for text in ("Add a", "Add b"))
    assert client.cancel_modification(built, second)["status"] == "cancelled"
    with pytest.raises(ApiError) as caught:
        client.approve_modification(built, first)
    assert caught.value.code == "WRONG_STATE"
    with pytest.raises(ApiError):
        client.reject_modification(built, first, feedback="No")


def test_revisions_and_files(client, built):
    edited = client.write_file(built, "notes/a b.md", b"one\n", revision=1)
    assert edited["revision"]["number"] == 2
    assert client.read_file(built, "notes/a b.md") == b"one\n"
    with pytest.raises(ApiError) as caught:
        client.write_file(built, "x.md", b"two\n", revision=1)
    assert caught.value.code == "PRECONDITION_FAILED"
    assert sorted(client.revision_files(built, 1)) == ["main.py"]
    assert client.read_file(built, "main.py", revision=1) == b"print(1)\n"
    changed = client.diff(built)
    assert [file["path"] for file in changed["files"]] == ["notes/a b.md"]
    assert "+one" in client.diff_text(built, 1, 2, "notes/a b.md")
    back = client.rollback(built, 1, reason="No notes", expected_revision=2)
    assert (back["number"], back["kind"], back["source"]) == (3, "rolled_back", 1)
    assert [found["number"] for found in client.list_revisions(built)] == [3, 2, 1]
    assert client.get_revision(built, 2)["kind"] == "edited"
    client.write_file(built, "b.md", b"b")
    assert client.delete_file(built, "b.md")["revision"]["number"] == 5
    assert client.archive(built)[:2] == client.archive(built, revision=2)[:2] == b"PK"


def test_documentation_in_both_forms(client, built):
    assert client.docs(built).startswith("# Salon")
    assert client.docs(built, html=True).lstrip().lower().startswith("<!doctype html>")


def test_templates(client):
    made = client.create_template(**TEMPLATE)
    assert made["id"] in [found["id"] for found in client.list_templates(category="cli")]
    shown = client.get_template(made["id"])
    assert (shown["name"], shown["files"][0]["path"]) == ("Greeter", "README.md")
    changed = client.update_template(
        made["id"], version=made["version"], **TEMPLATE | {"name": "Hello"}
    )
    assert changed["name"] == "Hello"
    project = client.create_from_template(made["id"], "Ann's greeter", {})
    assert project["template_id"] == made["id"]
    client.delete_template(made["id"])
    with pytest.raises(ApiError):
        client.get_template(made["id"])


def test_the_account(client, built):
    assert client.me()["owner_id"] == "me"
    assert client.usage()["requests"] >= 0
    assert client.usage("2026-01")["month"] == "2026-01"
    made = client.create_key("ci", ["read"])
    rotated = client.rotate_key(made["key"]["id"], 60)
    assert rotated["secret"] != made["secret"]
    actions = [entry["action"] for entry in client.audit()]
    assert actions.count("key_created") >= 2
    token = client.create_token(["read"], 60)
    with Client(client.api_url, token["token"]) as limited:
        assert limited.me()["credential"]["type"] == "token"
        with pytest.raises(ApiError) as caught:
            limited.create_project("x", "api", "y")
    assert caught.value.code == "NOT_ALLOWED"
    assert client.create_ticket(built)["ticket"]
