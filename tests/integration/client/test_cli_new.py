"""Beginning projects on the command line: templates, choices, and secrets that stay secret."""

import json
import os
import pty
import subprocess
import sys

import pytest
from starlette.responses import JSONResponse

pytestmark = pytest.mark.usefixtures("alone")

SECRET = "correct horse battery"


@pytest.fixture(autouse=True)
def _no_secret(monkeypatch):
    monkeypatch.delenv("MAIL_KEY", raising=False)


@pytest.fixture
def made(system):
    """The next request makes a project from a template."""

    def answer(**fields):
        project = system.add_project(**fields)
        system.answers.append(JSONResponse({"project": project}, 201))
        return project

    return answer


def test_all_that_can_be_chosen_is_sent(run, system, monkeypatch):
    monkeypatch.setenv("MAIL_KEY", SECRET)
    chosen = ["--tag", "shop", "--tag", "small", "--dependency", "httpx>=0.27", "--env", "MAIL_KEY"]
    where = ["--platform", "aws", "--region", "eu-west-1", "--cost-budget", "2.5"]
    result = run("new", "Dogs", *chosen, *where, "--no-watch")
    assert result.exit_code == 0, result.output
    assert system.seen[0].body == {
        "name": "Dogs",
        "type": "api",
        "description": "Dogs",
        "tags": ["shop", "small"],
        "dependencies": ["httpx>=0.27"],
        "environment_vars": {"MAIL_KEY": SECRET},
        "deployment_config": {"platform": "aws", "region": "eu-west-1"},
        "cost_budget_usd": 2.5,
    }
    assert SECRET not in result.output


def test_what_was_not_chosen_is_left_to_the_system(run, system):
    run("new", "Dogs", "--region", "eu-west-1", "--no-watch")
    assert system.seen[0].body == {
        "name": "Dogs",
        "type": "api",
        "description": "Dogs",
        "deployment_config": {"region": "eu-west-1"},
    }


def test_an_empty_value_in_the_environment_is_a_value(run, system, monkeypatch):
    monkeypatch.setenv("MAIL_KEY", "")
    run("new", "Dogs", "--env", "MAIL_KEY", "--no-watch")
    assert system.seen[0].body["environment_vars"] == {"MAIL_KEY": ""}


def test_a_value_in_the_command_is_refused_and_not_repeated(run, system):
    result = run("new", "Dogs", "--env", f"MAIL_KEY={SECRET}")
    assert result.exit_code == 2
    assert "MAIL_KEY" in result.output
    assert "horse" not in result.output
    assert system.seen == []


def test_a_value_that_nobody_can_be_asked_for_is_missed(run, system):
    result = run("new", "Dogs", "--env", "MAIL_KEY")
    assert result.exit_code == 2
    assert "MAIL_KEY is not in your environment" in " ".join(result.output.split())
    assert system.seen == []


def test_on_a_terminal_the_value_is_asked_for_and_not_shown(system):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "agenticai_client.cli", "new", "Dogs", "--env", "MAIL_KEY"]
    process = subprocess.Popen(
        [*command, "--no-watch"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        start_new_session=True,
        env=os.environ | {"AGENTICAI_API_URL": system.url, "AGENTICAI_API_KEY": "agk_test"},
    )
    try:
        shown = b""
        while b"MAIL_KEY: " not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, f"{SECRET}\n".encode())
        out, _ = process.communicate(timeout=30)
        os.close(theirs)
        shown += os.read(ours, 1000)
    finally:
        process.kill()
        os.close(ours)
    assert process.returncode == 0
    assert system.seen[0].body["environment_vars"] == {"MAIL_KEY": SECRET}
    assert "horse" not in out + shown.decode()


def test_from_a_template(run, system, made):
    project = made(name="Counter", template_id="cli-tool")
    variables = ["--var", "command=count", "--var", "project_description=a=b, and more"]
    result = run("new", "--template", "cli-tool", "--name", "Counter", *variables, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["project"]["id"] == project["id"]
    assert (system.seen[0].method, system.seen[0].path) == ("POST", "/api/projects/from-template")
    assert system.seen[0].body == {
        "template_id": "cli-tool",
        "project_name": "Counter",
        "variables": {"command": "count", "project_description": "a=b, and more"},
    }


def test_from_a_template_with_a_description_and_choices(run, system, made):
    made()
    described = ["new", "Counts the words of a text", "--template", "cli-tool", "--tag", "tool"]
    assert run(*described, "--approval", "--no-watch").exit_code == 0
    body = system.seen[0].body
    assert body["project_name"] == "Counts the words of a text"
    assert body["description"] == "Counts the words of a text"
    assert (body["tags"], body["approval"]) == (["tool"], "required")


def test_what_a_template_refuses_is_told_line_by_line(run, system):
    errors = [
        {"field": "variables.command", "message": "is required"},
        {"field": "variables.colour", "message": "is not a variable of this template"},
    ]
    message = "'variables.command' is required"
    system.refuse(422, "VALIDATION_ERROR", message=message, details={"errors": errors})
    result = run("new", "--template", "cli-tool", "--name", "x", "--var", "colour=red")
    assert result.exit_code == 2
    assert message in result.stderr
    assert "variables.colour is not a variable" in result.stderr


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ([], "say what to build"),
        (["Dogs", "--var", "a=b"], "only a --template has variables"),
        (["--template", "t"], "the project needs a name"),
        (["--template", "t", "--name", "n", "--type", "web"], "a template has a kind of its own"),
        (["--template", "t", "--name", "n", "--var", "command"], "'command' is not NAME=VALUE"),
        (["--template", "t", "--name", "n", "--var", "=x"], "'=x' is not NAME=VALUE"),
        (["--template", "t", "--name", "n", "--var", "a=1", "--var", "a=2"], "a is given twice"),
        (["Dogs", "--platform", "moon"], "'moon' is not one of"),
        (["Dogs", "--pull", "x", "--no-watch"], "the files are there at the end only"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_sent(run, system, args, told):
    result = run("new", *args)
    assert result.exit_code == 2
    assert told in " ".join(result.output.replace("│", " ").split())
    assert system.seen == []
