"""A user's whole way: create, watch, modify, download, run. Real processes, real queues."""

import io
import json
import os
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from agenticai_local.stack import LocalStack

DEADLINE = 90.0  # s


@pytest.fixture
def api(stack: LocalStack) -> Iterator[httpx.Client]:
    key = {"X-API-Key": stack.api_key}
    with httpx.Client(base_url=stack.api_url, headers=key, timeout=10, trust_env=False) as client:
        yield client


def updates_until(stack: LocalStack, project_id: str, *ends: str) -> list[dict[str, Any]]:
    """Every event from the first on, read as a plain WebSocket client reads them."""
    updates: list[dict[str, Any]] = []
    deadline = time.monotonic() + DEADLINE
    url = f"{stack.websocket_url}?project_id={project_id}&after=0"
    with connect(url, additional_headers={"X-API-Key": stack.api_key}) as socket:
        while time.monotonic() < deadline:
            frame = json.loads(socket.recv(timeout=deadline - time.monotonic()))
            if "seq" in frame:
                updates.append(frame)
            if frame["type"] in ends:
                return updates
    raise AssertionError(f"none of {ends} came; the last events: {updates[-3:]}")


def test_complete_project_creation(stack: LocalStack, api: httpx.Client, tmp_path: Path) -> None:
    # 1. Create a project from a sentence.
    made = api.post(
        "/api/projects",
        json={
            "name": "Inventory API",
            "type": "api",
            "description": "Inventory API with warehouses and stock movements",
        },
    )
    assert made.status_code == 201, made.text
    project_id = made.json()["project"]["id"]

    # 2. Ask for a modification while it is still being written: it waits for its turn.
    asked = api.post(
        f"/api/projects/{project_id}/modify", json={"request": "Add user authentication"}
    )
    assert asked.status_code == 202, asked.text
    modification = asked.json()["modification"]["id"]

    # 3. Receive everything live, to the end of the modification.
    updates = updates_until(
        stack, project_id, "modification_complete", "project_failed", "modification_failed"
    )
    assert updates[-1]["type"] == "modification_complete", updates[-1]
    assert [update["seq"] for update in updates] == list(range(1, len(updates) + 1))
    kinds = {update["type"] for update in updates}
    assert {"plan_ready", "file_written", "tests_passed", "project_active"} <= kinds

    # 4. The project and its modification say so too.
    project = api.get(f"/api/projects/{project_id}").json()["project"]
    assert (project["status"], project["revision"]) == ("active", 2)
    assert project["scores"]["test_coverage"] > 0.85
    changed = api.get(f"/api/projects/{project_id}/modifications/{modification}").json()
    assert changed["modification"]["status"] == "applied"
    assert changed["modification"]["impact_analysis"]["affected_files"]

    # 5. Download the files, and run their tests outside the system.
    assert "main.py" in api.get(f"/api/projects/{project_id}/files").json()["files"]
    run_the_projects_tests(api, project_id, tmp_path)

    # 6. Delete it: it is gone, and so are its files.
    assert api.delete(f"/api/projects/{project_id}").status_code == 200
    wait_until_gone(api, project_id)
    listed = api.get("/api/projects").json()["projects"]
    assert project_id not in [project["id"] for project in listed]


def run_the_projects_tests(api: httpx.Client, project_id: str, folder: Path) -> None:
    link = api.get(f"/api/projects/{project_id}/archive")
    assert link.status_code == 307
    archive = httpx.get(link.headers["Location"], trust_env=False)  # the bucket needs no key
    zipfile.ZipFile(io.BytesIO(archive.content)).extractall(folder)
    python = Path(__file__).resolve().parents[2] / ".venv-sandbox" / "bin" / "python"
    ran = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-1000:]
    assert " passed" in ran.stdout


def test_complete_project_creation_from_a_template(
    stack: LocalStack, api: httpx.Client, tmp_path: Path
) -> None:
    # 1. Create a project from a template.
    made = api.post(
        "/api/projects/from-template",
        json={
            "template_id": "rest-api-fastapi",
            "project_name": "My API",
            "variables": {"db_name": "mydb"},
        },
    )
    assert made.status_code == 201, made.text
    project_id = made.json()["project"]["id"]

    # 2. Request a modification.
    asked = api.post(
        f"/api/projects/{project_id}/modify", json={"request": "Add user authentication"}
    )
    assert asked.status_code == 202, asked.text

    # 3. Receive updates live, to the end of both.
    updates = updates_until(
        stack, project_id, "modification_complete", "project_failed", "modification_failed"
    )
    assert updates[-1]["type"] == "modification_complete", updates[-1]
    kinds = [update["type"] for update in updates]
    assert kinds.index("file_written") < kinds.index("tests_passed") < kinds.index("project_active")
    assert "plan_ready" not in kinds

    # 4. It has both, and keeps what the template was given.
    project = api.get(f"/api/projects/{project_id}").json()["project"]
    assert (project["status"], project["revision"]) == ("active", 2)
    assert "main.py" in api.get(f"/api/projects/{project_id}/files").json()["files"]
    run_the_projects_tests(api, project_id, tmp_path)
    assert (tmp_path / "app" / "auth.py").exists()
    assert "sqlite:///mydb.db" in (tmp_path / "app" / "config.py").read_text()
    assert (tmp_path / "README.md").read_text().startswith("# My API\n")


def test_a_project_that_cannot_be_tested_here_is_not_said_to_be(
    stack: LocalStack, api: httpx.Client
) -> None:
    new = {"template_id": "web-app-react", "project_name": "Tasks"}
    project_id = api.post("/api/projects/from-template", json=new).json()["project"]["id"]
    updates = updates_until(stack, project_id, "project_active", "project_failed")

    kinds = {update["type"] for update in updates}
    assert updates[-1]["type"] == "project_active", updates[-1]
    assert "tests_unverifiable" in kinds
    assert not kinds & {"tests_passed", "tests_failed", "repair_requested"}
    project = api.get(f"/api/projects/{project_id}").json()["project"]
    assert set(project["scores"].values()) == {None}

    # What the built-in engine has not written, it does not change.
    path = f"/api/projects/{project_id}"
    asked = api.post(f"{path}/modify", json={"request": "Add user authentication"}).json()
    updates_until(stack, project_id, "modification_rejected", "modification_complete")
    refused = api.get(f"{path}/modifications/{asked['modification']['id']}").json()
    assert "language model" in refused["modification"]["failure"]["message"]


def test_a_template_that_fails_ends_its_project_with_file_and_line(
    stack: LocalStack, api: httpx.Client
) -> None:
    template = {
        "name": "Bad",
        "description": "Divides by nothing.",
        "category": "other",
        "type": "api",
        "files": [{"path": "a.txt", "content": "one\n{{ 1 / 0 }}\n"}],
    }
    identity = api.post("/api/templates", json=template).json()["template"]["id"]
    new = {"template_id": identity, "project_name": "Bad"}
    project_id = api.post("/api/projects/from-template", json=new).json()["project"]["id"]
    updates_until(stack, project_id, "project_active", "project_failed")

    failure = api.get(f"/api/projects/{project_id}").json()["project"]["failure"]
    assert failure["code"] == "TEMPLATE_FAILED"
    assert "a.txt, line 2: division by zero" in failure["message"]


def test_a_request_that_is_not_understood_changes_nothing(
    stack: LocalStack, api: httpx.Client
) -> None:
    new = {"name": "Notes", "type": "api", "description": "Notes with a title and a text"}
    project_id = api.post("/api/projects", json=new).json()["project"]["id"]
    updates_until(stack, project_id, "project_active", "project_failed")
    before = api.get(f"/api/projects/{project_id}/files").json()["files"]
    request = {"request": "Make it sparkle like the morning dew"}
    asked = api.post(f"/api/projects/{project_id}/modify", json=request).json()["modification"]
    updates_until(stack, project_id, "modification_rejected", "modification_complete")
    refused = api.get(f"/api/projects/{project_id}/modifications/{asked['id']}").json()
    assert refused["modification"]["status"] == "rejected"
    assert refused["modification"]["failure"]["code"] == "REQUEST_NOT_UNDERSTOOD"
    assert api.get(f"/api/projects/{project_id}/files").json()["files"] == before


def wait_until_gone(api: httpx.Client, project_id: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while api.get(f"/api/projects/{project_id}").status_code != 404:
        assert time.monotonic() < deadline, "the project is still there"
        time.sleep(0.2)
