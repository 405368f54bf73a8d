"""A real worker node, ``python -m agenticai_worker pm``, with an agent that a test steers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agenticai_core import events, projects, runs
from agenticai_core.bootstrap import Services, connect
from agenticai_core.models import Event, Project, Task
from agenticai_core.rows import parse
from agenticai_core.settings import Settings
from agenticai_core.store import keys


def wait_for(look: Callable[[], Any], seconds: float = 30) -> Any:
    """What ``look`` gives once it is true; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def children(pid: int) -> set[int]:
    """All descendants of a process that are alive."""
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found |= {int(entry.name)} | children(int(entry.name))
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class Node:
    """One node in the resources of one test; what it wrote and what it left in the table."""

    def __init__(self, folder: Path, repo_root: Path) -> None:
        self.folder = folder
        self.services: Services = connect(Settings())
        self.health = folder / "health"
        self._root = repo_root
        self._processes: list[subprocess.Popen[bytes]] = []
        (folder / "replies").touch()

    def start(self, **variables: str) -> "subprocess.Popen[bytes]":
        """Start a node and wait until it polls."""
        self.health.unlink(missing_ok=True)
        env = {
            **os.environ,
            "PYTHONPATH": str(self._root / "tests" / "fakes" / "agents_path"),
            "FAKE_AGENT_FOLDER": str(self.folder),
            "AGENTICAI_MODEL": f"replay:{self.folder / 'replies'}",
            "AGENTICAI_HEALTH_FILE": str(self.health),
            "AGENTICAI_SQS_WAIT_SECONDS": "1",
            "AGENTICAI_LEASE_SECONDS": "3",
            "AGENTICAI_HEARTBEAT_SECONDS": "1",
            "AGENTICAI_SWEEP_SECONDS": "1",
            **variables,
        }
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "agenticai_worker", "pm"],
                env=env,
                cwd=self._root,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._processes.append(process)
        wait_for(lambda: self.health.exists() or process.poll() is not None)
        assert process.poll() is None, (self.folder / "log").read_text()
        return process

    def log(self, event: str) -> list[dict[str, Any]]:
        """What the node logged under this name."""
        lines = (self.folder / "log").read_text().splitlines()
        records = [json.loads(line) for line in lines if line.startswith("{")]
        return [record for record in records if record.get("event_type") == event]

    def units(self) -> list[str]:
        """The units that were worked on, in order; one that was done twice is there twice."""
        file = self.folder / "units"
        return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []

    def create(self) -> str:
        """A project whose plan waits for approval: one task for this node."""
        new = {"name": "N", "type": "api", "description": "d", "approval": "required"}
        return runs.create_project(self.services, "me", runs.NewProject.model_validate(new)).id

    def project(self, project_id: str) -> Project:
        return projects.get_project(self.services, "me", project_id)

    def task(self, project_id: str) -> Task:
        page = self.services.store.query(keys.project_pk(project_id), prefix="TASK#")
        return parse(Task, page.items[0])

    def events(self, project_id: str) -> list[Event]:
        return events.read(self.services.store, project_id, 0, limit=1000)

    def wait_planned(self, project_id: str, seconds: float = 30) -> None:
        wait_for(lambda: self.project(project_id).status == "awaiting_approval", seconds)

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def node(tmp_path: Path, repo_root: Path, emulator_settings: Settings) -> Iterator[Node]:
    made = Node(tmp_path, repo_root)
    try:
        yield made
    finally:
        made.close()
