"""The same request fifty times at once, to a process over the emulator's table."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.contract.api.conftest import NEW_PROJECT, TREE
from tests.fakes.api_process import api_process
from tests.fakes.promoted import promote

from agenticai_core import auth
from agenticai_core.bootstrap import Services, connect
from agenticai_core.models import Failure, ProjectStatus
from agenticai_core.rows import load, project_item
from agenticai_core.settings import Settings
from agenticai_core.store.base import Put

AT_ONCE = 50
VARIABLES = {"AGENTICAI_RATE_LIMIT": "1000", "AGENTICAI_RATE_BURST": "5000", "LOG_LEVEL": "WARNING"}
TEMPLATE = {
    "name": "Greeter",
    "description": "A program that greets.",
    "category": "cli",
    "type": "api",
    "files": [{"path": "a.py", "content": "print()"}],
}


@pytest.fixture
def services(emulator_settings: Settings) -> Services:
    return connect(emulator_settings)


@pytest.fixture
def client(services: Services) -> Iterator[httpx.Client]:
    secret = auth.create_api_key(services.store, "alice", "test", ("read", "write", "admin"))[1]
    with api_process(VARIABLES, {"X-API-Key": secret}) as (client, _):
        yield client


class World:
    """What the requests are about, fresh for each route."""

    def __init__(self, client: httpx.Client, services: Services) -> None:
        self._client = client
        self._services = services

    def create(self, path: str, body: Any, kind: str) -> str:
        made = self._client.post(path, json=body).json()
        return str(made[kind]["id"])

    def project(self, state: str) -> str:
        identity = self.create("/api/projects", NEW_PROJECT, "project")
        if state == "built":
            promote(self._services, identity, TREE)
            promote(self._services, identity, TREE | {"new.py": b"x = 1\n"})
        if state == "failed":
            project = load(self._services.store, identity).project
            changes = {
                "status": ProjectStatus.FAILED,
                "active_run": None,
                "active_task": None,
                "failure": Failure(code="TESTS_FAILED", message="They did"),
            }
            failed = project.model_copy(update=changes)
            self._services.store.write(Put(project_item(failed)))
        return identity

    def body(self, path: str) -> Any:
        bodies = {
            "/api/projects": NEW_PROJECT,
            "/api/templates": TEMPLATE,
            "/api/keys": {"name": "more", "scopes": ["read"]},
            "messages": {"text": "In euros."},
            "modify": {"request": "Add a report."},
            "rollback": {"revision": 1},
        }
        if path.endswith("from-template"):
            identity = self.create("/api/templates", TEMPLATE, "template")
            return {"template_id": identity, "project_name": "Greeter"}
        return bodies.get(path) or bodies.get(path.rsplit("/", 1)[-1])

    def address(self, path: str) -> str:
        states = {"modify": "built", "rollback": "built", "retry": "failed"}
        return path.format(
            project_id=self.project(states.get(path.rsplit("/", 1)[-1], "new")),
            key_id=self.create("/api/keys", {"name": "old", "scopes": ["read"]}, "key"),
        )


def named_routes(document: dict[str, Any]) -> list[str]:
    """Paths whose POST takes an ``Idempotency-Key``."""
    return [
        path
        for path, operations in document["paths"].items()
        for parameter in operations.get("post", {}).get("parameters", [])
        if parameter["name"].lower() == "idempotency-key"
    ]


def test_fifty_equal_requests_at_once_have_one_effect_and_one_answer(client, services):
    world = World(client, services)
    paths = named_routes(client.get("/openapi.json").json())
    assert len(paths) >= 9

    for path in paths:
        address, body = world.address(path), world.body(path)
        asked = client.build_request(
            "POST",
            address,
            headers={"Idempotency-Key": "the-same"},
            **({} if body is None else {"json": body}),
        )
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda _, asked=asked: client.send(asked), range(AT_ONCE)))

        told = {answer.text for answer in answers}
        assert len(told) == 1, (path, told)
        assert answers[0].status_code in (201, 202), (path, told)
        replayed = Counter("Idempotent-Replayed" in answer.headers for answer in answers)
        assert replayed == {True: AT_ONCE - 1, False: 1}, path
