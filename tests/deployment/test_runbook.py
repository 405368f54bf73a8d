"""docs/runbook.md: a section for every alarm, and commands that exist with the options they use."""

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from cfn_flip import load_yaml
from typer.testing import CliRunner

from agenticai_client.cli import app

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
# Of the AWS CLI itself, not of an operation.
GLOBAL = {"--query", "--output", "--region", "--profile"}
NAMED_OTHERWISE = {"s3api": "s3"}  # by botocore


def commands(program: str) -> list[list[str]]:
    """Each call of a program in code blocks and in code within sentences, as words."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", RUNBOOK, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^ *```.*?^ *```", "", RUNBOOK, flags=re.MULTILINE | re.DOTALL)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    found = []
    for text in [*"\n".join(blocks).splitlines(), *spans]:
        for call in re.findall(rf"(?:^|\$\(|\s){program} .*", text):
            plain = re.sub(r"\$\([^)]*\)|\$\{[^}]*\}", "X", call.strip().removeprefix("$("))
            if plain.startswith(program):
                found.append(split(plain))
    return found


def split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # the end of $(…), of which this is the inside
        return shlex.split(text.rsplit(")", 1)[0])


def words_before_options(call: list[str]) -> list[str]:
    end = next((n for n, word in enumerate(call) if word.startswith("-")), len(call))
    return call[1:end]


def options(call: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in call if word.startswith("--")}


@cache
def aws_options(service: str, operation: str) -> set[str]:
    """What the AWS CLI takes: the members of the operation's input, in its spelling."""
    model: Any = botocore.session.get_session().get_service_model(
        NAMED_OTHERWISE.get(service, service)
    )
    [name] = [one for one in model.operation_names if xform_name(one, "-") == operation]
    shape = model.operation_model(name).input_shape
    return {f"--{xform_name(member, '-')}" for member in shape.members}


@cache
def copilot_options(*words: str) -> set[str]:
    program = Path(sys.executable).with_name("copilot")
    told = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True)
    return set(re.findall(r"--[a-z-]+", told.stdout))


@pytest.fixture(scope="module")
def alarms() -> list[str]:
    names = []
    folder = ROOT / "copilot"
    for path in [folder / "environments/addons/alarms.yml", *folder.glob("*/overrides/*.yml")]:
        text = path.read_text()
        names += re.findall(r"AlarmName: !Sub \"?\$\{\w+\}-\$\{\w+\}-([\w${}-]+)", text)
        names = [name.replace("${WorkloadName}", path.parts[-3]) for name in names]
    return names


def test_every_alarm_has_a_section(alarms: list[str]) -> None:
    assert len(alarms) >= 14
    headings = re.findall(r"^### (.+)$", RUNBOOK, re.MULTILINE)
    told = {name for heading in headings for name in heading.split(", ")}
    assert set(alarms) <= told
    assert {name for name in told if re.fullmatch(r"[a-z-]+", name)} <= set(alarms)


def test_every_aws_command_exists_with_its_options() -> None:
    seen = 0
    for call in commands("aws"):
        service, operation = words_before_options(call)[:2]
        given = options(call) - GLOBAL
        if operation == "wait":
            service_model: Any = botocore.session.get_session().get_waiter_model(service)
            waiter = words_before_options(call)[2]
            assert waiter in {xform_name(name, "-") for name in service_model.waiter_names}
        else:
            assert given <= aws_options(service, operation), call
        seen += 1
    assert seen >= 10


def test_every_copilot_command_exists_with_its_options() -> None:
    calls = commands("copilot")
    assert len(calls) >= 8
    for call in calls:
        assert options(call) <= copilot_options(*words_before_options(call)), call


def test_every_command_of_ours_exists_with_its_options() -> None:
    calls = commands("agenticai")
    assert len(calls) >= 10
    for call in calls:
        words = words_before_options(call)
        depth = 2 if words[0] in ("dlq", "keys") else 1
        told = CliRunner().invoke(app, [*words[:depth], "--help"], env={"COLUMNS": "200"})
        assert told.exit_code == 0, call
        for option in options(call):
            assert option in told.output, call


def test_the_parameters_are_those_of_the_templates() -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", RUNBOOK, re.DOTALL)
    given = load_yaml(example)["Parameters"]
    taken = set()
    for path in (ROOT / "copilot/environments/addons").glob("*.yml"):
        taken |= set(load_yaml(path.read_text()).get("Parameters", {}))
    assert set(given) <= taken


def test_every_page_that_it_points_to_exists() -> None:
    for page in re.findall(r"\]\(([\w.-]+\.md)\)", RUNBOOK):
        assert (ROOT / "docs" / page).is_file(), page
