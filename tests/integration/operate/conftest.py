"""The operator's commands on an environment of the emulator."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from agenticai_client.cli import app
from agenticai_core.bootstrap import Services, connect
from agenticai_core.settings import Settings
from agenticai_operate.places import Place, find_place


@dataclass(frozen=True)
class Environment:
    """An environment with resources of its own; what is called works on this one."""

    variables: Mapping[str, str]
    monkeypatch: pytest.MonkeyPatch

    def enter(self) -> None:
        for name in [name for name in os.environ if name.startswith(("SQS_QUEUE_URL_",))]:
            self.monkeypatch.delenv(name)
        for name, value in self.variables.items():
            self.monkeypatch.setenv(name, value)

    @property
    def services(self) -> Services:
        self.enter()
        return connect(Settings())

    @property
    def place(self) -> Place:
        self.enter()
        return find_place()

    def run(self, *args: str, code: int = 0, **options: Any) -> Result:
        self.enter()
        result = CliRunner().invoke(app, list(args), **options)
        assert result.exit_code == code, (args, result.output, result.exception)
        return result

    def read(self, *args: str, **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(*args, "--json", **options).stdout)
        return found


@pytest.fixture
def new_environment(
    aws_resources: Callable[[], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Environment]:
    """Makes one at each call."""
    return lambda: Environment(aws_resources(), monkeypatch)


@pytest.fixture
def environment(new_environment: Callable[[], Environment]) -> Environment:
    return new_environment()
