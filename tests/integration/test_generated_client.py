"""A client that a stranger generates from the OpenAPI document works with the live service."""

import contextlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.fakes.serving import server_of, serving

from agenticai_api.main import create_app
from agenticai_core import auth
from agenticai_core.bootstrap import Services, connect
from agenticai_core.settings import Settings

PACKAGE = "agenticai_generated"
# What the generator has no words for is bytes or text to it.
CONFIG = {
    "content_type_overrides": {
        "application/zip": "application/octet-stream",
        "text/plain": "application/octet-stream",
        "text/event-stream": "text/plain",
    },
    "post_hooks": [],
}


@pytest.fixture
def services(emulator_settings: Settings) -> Services:
    return connect(emulator_settings)


@pytest.fixture
def url(services: Services, emulator_settings: Settings) -> Iterator[str]:
    """The address of the service, over the emulator."""
    app = create_app(services, emulator_settings)
    with serving(server_of(app)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def generated(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package, generated from what the service says of itself. A warning is a failure."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps(CONFIG))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--url", f"{url}/openapi.json", "--meta", "none", "--fail-on-warning"),
            *("--config", str(config), "--output-path", str(tmp_path / PACKAGE)),
        ],
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    yield SimpleNamespace(
        root=importlib.import_module(PACKAGE),
        models=importlib.import_module(f"{PACKAGE}.models"),
        **{
            name: importlib.import_module(f"{PACKAGE}.api.projects.{name}_project")
            for name in ("create", "get", "update", "delete")
        },
        list=importlib.import_module(f"{PACKAGE}.api.projects.list_projects"),
    )
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def client_with(generated: Any, url: str) -> Iterator[Callable[[str], Any]]:
    """``client_with(secret)`` -> a client that sends this API key."""
    with contextlib.ExitStack() as opened:

        def open_one(secret: str) -> Any:
            client = generated.root.AuthenticatedClient(
                base_url=url,
                token=secret,
                prefix="",
                auth_header_name="X-API-Key",
                httpx_args={"trust_env": False},
            )
            return opened.enter_context(client)

        yield open_one


def test_a_project_lives_and_ends_through_a_generated_client(generated, client_with, services):
    models = generated.models
    client = client_with(auth.create_api_key(services.store, "alice", "generated")[1])
    wish = models.CreateProject(
        name="Bike workshop", type_=models.ProjectType.API, description="Customers bring bikes."
    )

    created = generated.create.sync(client=client, body=wish)
    assert isinstance(created, models.ProjectAnswer)
    project_id = created.project.id
    assert created.project.type_ is models.ProjectType.API

    read = generated.get.sync(project_id, client=client)
    assert read.project.name == "Bike workshop"

    listed = generated.list.sync(client=client, limit=5)
    assert [one.id for one in listed.projects] == [project_id]

    change = models.UpdateProject(name="Bike workshop, south")
    updated = generated.update.sync_detailed(project_id, client=client, body=change)
    assert updated.status_code == 200
    assert updated.parsed.project.name == "Bike workshop, south"
    assert updated.parsed.project.description == "Customers bring bikes."

    stale = generated.update.sync(project_id, client=client, body=change, if_match='"1"')
    assert isinstance(stale, models.ErrorAnswer)
    assert stale.error.code == "PRECONDITION_FAILED"

    deleted = generated.delete.sync(project_id, client=client)
    assert deleted.project.status is models.ProjectStatus.DELETING


def test_errors_are_parsed_as_what_they_are(generated, client_with, services):
    client = client_with(auth.create_api_key(services.store, "alice", "generated")[1])

    absent = generated.get.sync_detailed("proj_none", client=client)
    refused = generated.get.sync("proj_none", client=client_with("agk_wrong"))

    assert absent.status_code == 404
    assert isinstance(absent.parsed, generated.models.ErrorAnswer)
    assert absent.parsed.error.code == "NOT_FOUND"
    assert absent.parsed.request_id == absent.headers["X-Request-Id"]
    assert refused.error.code == "NOT_AUTHENTICATED"
