"""Work under way on the command line: messages, retries, decisions on one; help; lists by tag."""

import io
import json
import zipfile

import pytest
from starlette.responses import JSONResponse, Response
from typer.main import get_command
from typer.testing import CliRunner

from agenticai_client.cli import app

pytestmark = pytest.mark.usefixtures("alone")


def test_a_message_is_sent_as_it_is_said(run, system):
    project = system.add_project(status="planning")
    answer = JSONResponse({"project": project}, 202)
    result = run("say", project["id"], "Prices are in euros", answers=[answer])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "heeded" in result.stdout
    (seen,) = system.seen
    assert seen.path == f"/api/projects/{project['id']}/messages"
    assert seen.body == {"text": "Prices are in euros"}
    result = run("say", project["id"], "-", "--json", input="From a pipe\n", answers=[answer])
    assert json.loads(result.stdout)["project"]["id"] == project["id"]
    assert system.seen[-1].body == {"text": "From a pipe"}


def test_an_empty_message_and_one_too_late_are_errors(run, system):
    project = system.add_project()
    assert run("say", project["id"], "  ").exit_code == 2
    assert system.seen == []
    system.refuse(409, "WRONG_STATE", message="Nothing is under way", hint="Ask for a modification")
    result = run("say", project["id"], "Blue")
    assert result.exit_code == 1
    assert "Hint: Ask for a modification" in result.stderr


def test_a_retry_follows_only_what_is_new(run, system):
    project = system.add_project(status="failed")
    system.append(project["id"], "project_failed", {"message": "The old reason"})
    log = JSONResponse({"events": [], "next_after": 0, "head": 1})
    again = JSONResponse({"project": project | {"status": "queued"}}, 202)
    project["status"] = "active"
    system.append(project["id"], "project_retried", {"from": "generate", "units": 2})
    system.append(project["id"], "project_active")
    result = run("retry", project["id"], answers=[log, again])
    assert result.exit_code == 0, result.output
    assert "The old reason" not in result.stdout
    assert "tried again: writes the code; 2 steps of it are done already" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("Salon is ready: 2 files")


def test_a_retry_that_fails_again_ends_with_1(run, system):
    failure = {"code": "NO_IDEA", "message": "Too vague", "hint": None}
    project = system.add_project(status="failed", failure=failure)
    log = JSONResponse({"events": [], "next_after": 0, "head": 0})
    again = JSONResponse({"project": project}, 202)
    result = run("retry", project["id"], answers=[log, again])
    assert result.exit_code == 1
    assert "Too vague [NO_IDEA]" in result.stderr


def test_a_retry_need_not_be_watched_and_may_be_refused(run, system):
    project = system.add_project(status="failed")
    log = JSONResponse({"events": [], "next_after": 0, "head": 0})
    again = JSONResponse({"project": project | {"status": "queued"}}, 202)
    result = run("retry", project["id"], "--no-watch", answers=[log, again])
    assert (result.exit_code, result.stdout) == (0, "Trying it again.\n")
    system.answers.append(log)
    system.refuse(409, "WRONG_STATE", message="It did not fail")
    result = run("retry", project["id"])
    assert result.exit_code == 1
    assert "It did not fail" in result.stderr


@pytest.mark.parametrize(
    ("args", "body", "said"),
    [
        (["approve"], None, "Approved; it goes on.\n"),
        (["reject"], None, "Rejected.\n"),
        (
            ["reject", "--feedback", "Smaller"],
            {"feedback": "Smaller"},
            "Rejected; it is planned again.\n",
        ),
        (["cancel"], None, "Cancelled.\n"),
    ],
)
def test_one_modification_is_decided_on(run, system, args, body, said):
    project = system.add_project()
    decided = {"id": "mod_2", "project_id": project["id"], "status": "cancelled"}
    command, *more = args
    line = [command, project["id"], "--modification", "mod_2", *more]
    answer = JSONResponse({"modification": decided})
    result = run(*line, answers=[answer])
    assert (result.exit_code, result.stdout) == (0, said)
    (seen,) = system.seen
    assert seen.path == f"/api/projects/{project['id']}/modifications/mod_2/{command}"
    assert seen.body == body
    answer = JSONResponse({"modification": decided})
    assert json.loads(run(*line, "--json", answers=[answer]).stdout) == {"modification": decided}


def test_a_list_by_tag(run, system):
    project = system.add_project("Shop")
    listed = JSONResponse({"projects": [project], "next_cursor": None})
    result = run("list", "--tag", "shop", answers=[listed])
    assert "Shop" in result.stdout
    assert system.seen[0].query == {"tag": "shop", "limit": "50"}
    nothing = JSONResponse({"projects": [], "next_cursor": None})
    result = run("list", "--tag", "none", answers=[nothing])
    assert "No such projects." in result.stderr
    assert "agenticai new" not in result.stderr


def test_an_earlier_revision_is_pulled(run, system, tmp_path):
    project = system.add_project()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr("old.py", "old")
    packed = Response(buffer.getvalue(), media_type="application/zip")
    result = run("pull", project["id"], "out", "--revision", "2", answers=[packed])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "old.py").read_text() == "old"
    assert system.seen[0].query == {"revision": "2"}
    assert run("pull", project["id"], "--revision", "0").exit_code == 2


def test_what_was_chosen_is_shown(run, system):
    system.add_project(
        tags=["shop", "small"],
        dependencies=["httpx"],
        environment_vars={"MAIL_KEY": "***"},
        deployment_config={"platform": "aws", "region": "eu-west-1"},
        template_id="cli-tool",
        cost_budget_usd=2.5,
        usage={"input_tokens": 1, "output_tokens": 2, "cost_usd": 0.0042},
    )
    lines = {
        line.split(maxsplit=1)[0]: line.split(maxsplit=1)[1].strip()
        for line in run("show", "@last").stdout.splitlines()
    }
    assert lines["Tags"] == "shop, small"
    assert lines["Packages"] == "httpx"
    assert lines["Environment"] == "MAIL_KEY"
    assert lines["Platform"] == "aws, eu-west-1"
    assert lines["Template"] == "cli-tool"
    assert lines["Cost"] == "0.0042 USD of 2.50"


@pytest.mark.parametrize(
    "args",
    [
        ["new", "Dogs", "--cost-budget", "nan"],
        ["new", "Dogs", "--cost-budget", "inf"],
        ["keys", "rotate", "key_1", "--overlap", "inf"],
        ["keys", "rotate", "key_1", "--overlap", "nan"],
    ],
)
def test_amounts_are_finite(run, system, args):
    result = run(*args)
    assert result.exit_code == 2
    assert "is not a number of anything" in result.output
    assert system.seen == []


def commands(group, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


@pytest.mark.parametrize(("path", "command"), [*commands(get_command(app))], ids=str)
def test_every_command_s_help_says_what_it_does_and_how(path, command):
    told = command.help or ""
    assert told.splitlines()[0].endswith((".", ":"))
    if path not in {("keys", "list")}:  # it takes nothing
        assert f"agenticai {' '.join(path)}" in told
    assert CliRunner().invoke(app, [*path, "--help"]).exit_code == 0
