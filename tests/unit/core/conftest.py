from collections.abc import Callable

import pytest

from agenticai_core import runs
from agenticai_core.bootstrap import Services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import Project
from agenticai_core.queues import MemoryQueue
from agenticai_core.store.memory import MemoryStore


@pytest.fixture
def services() -> Services:
    return Services(MemoryStore(), MemoryFiles(), MemoryQueue())


@pytest.fixture
def create(services: Services) -> Callable[..., Project]:
    """Creates a project of the owner "me"."""

    def make(**options: object) -> Project:
        fields = {"name": "Shop", "type": "api", "description": "A shop"} | options
        return runs.create_project(services, "me", runs.NewProject.model_validate(fields))

    return make
