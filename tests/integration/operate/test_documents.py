"""The examples of docs/operations.md and of the commands' own help, run as they stand there."""

import re
import shlex
import uuid
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agenticai_client.cli import app
from agenticai_core import runs
from agenticai_core.bootstrap import connect
from agenticai_core.models import Agent, ProjectType
from agenticai_core.settings import Settings
from agenticai_local.resources import create_resources

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operations.md").read_text()
COMMANDS = ("cost", "first-key", "dlq list", "dlq show", "dlq redrive", "backup", "restore")


def examples():
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture
def application(emulator, monkeypatch, tmp_path):
    """An application with the environments test and prod; prod has a project and a dead letter."""
    name = f"docs{uuid.uuid4().hex[:8]}"
    for env in ("test", "prod"):
        variables = create_resources(emulator, app=name, env=env)
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
    new = runs.NewProject(name="Salon", type=ProjectType.API, description="Dogs")
    services = connect(Settings())
    runs.create_project(services, "me", new)
    settings = Settings()
    queue = settings.queue_url(Agent.DEV).replace("-queue", "-dlq")
    monkeypatch.setenv("SQS_QUEUE_URL_DEV", queue)
    connect(Settings()).queue.send(Agent.DEV, "proj_gone", "run_gone.1.plan")
    for variable in variables:
        if variable.startswith(("DYNAMODB", "S3_", "SQS_", "AGENTICAI_")):
            monkeypatch.delenv(variable)
    (tmp_path / "copilot").symlink_to(ROOT / "copilot")
    monkeypatch.chdir(tmp_path)
    return name


def test_the_examples_work_in_their_order(application):
    told = {}
    for line in examples():
        program, *words = shlex.split(line.replace("--app agenticai", f"--app {application}"))
        assert program == "agenticai"
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, (line, result.output)
        told[line] = result.stdout
    assert len(told) == len(examples()) == 12
    assert "1 dropped" in told[next(line for line in told if "--drop-ended" in line)]
    assert "items and" in told["agenticai backup prod.tar.gz --app agenticai --env prod"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_and_has_an_example(command):
    shown = CliRunner().invoke(app, [*command.split(), "--help"]).stdout
    example = re.search(rf"Example: agenticai {command}\b.*", shown)
    assert example
    assert any(line.startswith(f"agenticai {command}") for line in examples())
    known = set(re.findall(r"--[a-z-]+", shown))
    assert set(re.findall(r"--[a-z-]+", example[0])) <= known
