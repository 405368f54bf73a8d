"""Each port's adapters: in memory, and the real one against the emulator."""

from collections.abc import Callable

import pytest

from agenticai_core.bootstrap import Services, connect
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store.memory import MemoryStore


@pytest.fixture(scope="session")
def _emulated(aws_resources: Callable[[], dict[str, str]]) -> Services:
    # One table for all contract tests: every test works in partitions of its own.
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_resources().items():
            patch.setenv(name, value)
        return connect(Settings())


@pytest.fixture(params=["memory", "aws"])
def services(request: pytest.FixtureRequest) -> Services:
    if request.param == "memory":
        return Services(MemoryStore(), MemoryFiles(), MemoryQueue())
    emulated: Services = request.getfixturevalue("_emulated")
    return Services(emulated.store, emulated.files, MemoryQueue(), secrets=emulated.secrets)
