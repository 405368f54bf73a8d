"""The application over the memory adapters, and a caller of it."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.fakes.promoted import promote

from agenticai_api.main import create_app
from agenticai_core import auth
from agenticai_core.bootstrap import Services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store.memory import MemoryStore

NEW_PROJECT = {"name": "Bike workshop", "type": "api", "description": "Customers bring bikes."}
TREE = {
    "main.py": b"print('hello')\n",
    "README.md": b"# Bike workshop\n\nRepairs.\n",
    "static/logo.bin": b"\x89PNG\xff\x00",
    "docs/index.html": b"<script>alert(1)</script>",
}


@dataclass
class Api:
    """Calls the application in process; an exception that leaves it fails the test."""

    app: FastAPI
    key: str | None = None
    peer: str = "127.0.0.1"

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._send(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", path, **options)

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = httpx.Headers({"X-API-Key": self.key} if self.key else {})
        headers.update(options.pop("headers", {}))
        transport = httpx.ASGITransport(app=self.app, client=(self.peer, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
            return await client.request(method, path, headers=headers, **options)


@pytest.fixture
def services() -> Services:
    return Services(store=MemoryStore(), files=MemoryFiles(), queue=MemoryQueue())


@pytest.fixture
def app(services: Services) -> FastAPI:
    return create_app(services, Settings())


@pytest.fixture
def key_of(services: Services) -> Any:
    """``key_of(owner, *scopes)`` -> a new key's secret."""

    def create(owner_id: str, *scopes: auth.Scope) -> str:
        return auth.create_api_key(services.store, owner_id, "test", scopes)[1]

    return create


@pytest.fixture
def api(app: FastAPI, key_of: Any) -> Api:
    return Api(app, key_of("alice", "read", "write", "admin"))


@pytest.fixture
def stranger(app: FastAPI, key_of: Any) -> Api:
    return Api(app, key_of("bob", "read", "write", "admin"))


@pytest.fixture
def nobody(app: FastAPI) -> Api:
    return Api(app)


@pytest.fixture
def project_id(api: Api) -> str:
    answer = api.post("/api/projects", json=NEW_PROJECT)
    assert answer.status_code == 201, answer.text
    identity: str = answer.json()["project"]["id"]
    return identity


@pytest.fixture
def built_id(services: Services, project_id: str) -> str:
    """A project whose run has ended well: revision 1 holds `TREE`."""
    promote(services, project_id, TREE)
    return project_id
