"""A project in memory with one queued task, and stores that lose answers."""

from dataclasses import dataclass
from typing import Any

import pytest

from agenticai_core import events, runs
from agenticai_core.bootstrap import Services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import Event, Project, Task
from agenticai_core.queues import MemoryQueue
from agenticai_core.rows import load, parse
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import StoreUnavailable, Update, Write
from agenticai_core.store.memory import MemoryStore
from agenticai_worker.lease import Lease, take


class LossyStore(MemoryStore):
    """Loses the answers to the next ``lose`` writes: they happen, and the caller is not told."""

    def __init__(self) -> None:
        super().__init__()
        self.lose = 0
        self.down = False
        self.writes = 0
        self.refused = 0

    def write(self, *writes: Write, token: str | None = None) -> None:
        if self.down:
            self.refused += 1
            raise StoreUnavailable("down")
        super().write(*writes, token=token)
        self.writes += 1
        if self.lose:
            self.lose -= 1
            raise StoreUnavailable("the answer was lost")


@dataclass
class World:
    """One project whose first task waits to be taken."""

    store: LossyStore
    files: MemoryFiles
    queue: MemoryQueue
    settings: Settings
    project_id: str = ""
    task_id: str = ""

    @property
    def services(self) -> Services:
        return Services(self.store, self.files, self.queue)

    def create(self, **options: Any) -> "World":
        fields = {"name": "N", "type": "api", "description": "d"} | options
        new = runs.NewProject.model_validate(fields)
        self.project_id = runs.create_project(self.services, "me", new).id
        self.task_id = self.queue.sent[-1][2]
        return self

    def take(self) -> Lease | None:
        return take(self.services, self.settings, self.project_id, self.task_id)

    def taken(self) -> Lease:
        lease = self.take()
        assert lease is not None
        return lease

    def expire(self) -> None:
        """The worker that holds the lease has died a while ago."""
        past = "2020-01-01T00:00:00.000000Z"
        key = keys.task(self.project_id, self.task_id)
        index = keys.by_due(past, self.project_id, self.task_id)
        fields = {"lease_until": past, "due_at": past, "GSI2SK": index["GSI2SK"]}
        self.store.write(Update(key, set=fields))

    @property
    def project(self) -> Project:
        return load(self.store, self.project_id).project

    @property
    def task(self) -> Task:
        row = self.store.get(keys.task(self.project_id, self.task_id))
        assert row is not None
        return parse(Task, row)

    @property
    def log(self) -> list[Event]:
        return events.read(self.store, self.project_id, 0, limit=10_000)

    def told(self, type_: str) -> list[dict[str, Any]]:
        return [event.data for event in self.log if event.type == type_]


@pytest.fixture
def world() -> World:
    return World(LossyStore(), MemoryFiles(), MemoryQueue(), Settings()).create()
