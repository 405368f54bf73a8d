"""The command line against the fake system: what it prints, what it writes, how it ends."""

import json
import os
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from agenticai_client.cli import app

pytestmark = pytest.mark.usefixtures("alone")


def start(system, *args):
    """The same as a process of its own."""
    command = [sys.executable, "-X", "faulthandler", "-m", "agenticai_client.cli", *args]
    environment = os.environ | {"AGENTICAI_API_URL": system.url, "AGENTICAI_API_KEY": "agk_test"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def end_of(process):
    """What it said on stderr when it has ended; one that hangs is killed and tells where."""
    try:
        return process.communicate(timeout=30)[1]
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        pytest.fail(f"it hangs:\n{process.communicate()[1]}")


def test_new_follows_the_work_and_says_how_it_went(run, system):
    result = run("new", "Appointments for a dog salon with owners", "--token-budget", "500")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "pm   plans" in lines[1]
    assert "dev  wrote main.py (15 B)" in lines[3]
    assert "qa   12 tests passed, coverage 93 %" in lines[4]
    assert lines[-1].startswith(
        "Appointments for a dog salon is ready: 2 files, 12 tests passed, coverage 93 %,"
    )
    assert "class Dog" not in result.stdout
    assert "\x1b" not in result.stdout
    body = system.seen[0].body
    assert body["name"] == "Appointments for a dog salon"
    assert body["token_budget"] == 500
    assert "approval" not in body


def test_verbose_shows_what_the_model_writes(run):
    assert "class Dog: ..." in run("new", "Dogs", "-v").stdout


def test_quiet_shows_the_result_only(run):
    result = run("new", "Dogs", "--quiet")
    assert result.stdout.startswith("Dogs is ready")
    assert result.stderr == ""


def test_new_reads_stdin_and_may_not_wait(run, system):
    result = run("new", "-", "--no-watch", "--name", "Mine", "--approval", input="Dogs\n")
    assert result.exit_code == 0
    (project_id,) = system.projects
    assert result.stdout == f"{project_id}\n"
    assert system.seen[0].body["description"] == "Dogs"
    assert system.seen[0].body["approval"] == "required"


def test_new_with_pull_writes_the_files(run, tmp_path):
    result = run("new", "Dogs", "--pull", "out")
    assert result.exit_code == 0
    assert (tmp_path / "out" / "main.py").read_text() == "print('salon')\n"
    assert "Wrote 2 files to out." in result.stdout


def test_a_failed_project_ends_with_1_its_reason_and_a_hint(run, system):
    system.outcome = "failed"
    result = run("new", "Dogs")
    assert result.exit_code == 1
    assert "the project failed: Two tests fail" in result.stdout
    assert "Two tests fail [TESTS_FAILED]" in result.stderr
    assert "Hint: Say it more simply" in result.stderr


def test_json_is_one_document_and_nothing_else(run, system):
    for args in (
        ["new", "Dogs"],
        ["modify", "@last", "Add a field"],
        ["list"],
        ["show", "@last"],
        ["files", "@last"],
        ["pull", "@last", "there"],
        ["cancel", "@last"],
        ["keys", "list"],
        ["keys", "create", "ci"],
        ["doctor"],
        ["delete", "@last", "--yes"],
    ):
        result = run(*args, "--json")
        assert result.exit_code == 0, (args, result.output)
        assert isinstance(json.loads(result.stdout), dict), args
        assert result.stderr == "", args


def test_watch_as_json_lines(run, system):
    project = system.add_project()
    for _ in range(3):
        system.append(project["id"], "file_written")
    result = run("watch", project["id"], "--after", "1", "--json")
    assert [json.loads(line)["seq"] for line in result.stdout.splitlines()] == [2, 3]


def test_modify_follows_only_what_is_new(run, system):
    project = system.add_project()
    system.append(project["id"], "project_created", {"name": "old"})
    result = run("modify", project["id"], "Add a field")
    assert result.exit_code == 0
    assert "old" not in result.stdout
    assert result.stderr == ""
    assert result.stdout.splitlines()[-1].startswith("The change is applied after")


def test_a_lost_connection_is_told_and_outlasted(run, system):
    async def close(socket, system):
        await socket.close(1012)

    system.scripts = [close]
    result = run("new", "Dogs")
    assert result.exit_code == 0
    assert "No live connection (the socket was closed (1012)); reading the log" in result.stderr
    numbers = [line for line in result.stdout.splitlines() if "plans" in line]
    assert len(numbers) == 1


def test_a_failed_modification_ends_with_1(run, system):
    system.add_project()
    system.outcome = "failed"
    result = run("modify", "@last", "Add a field")
    assert result.exit_code == 1
    assert "Two tests fail" in result.stderr


def test_watching_what_failed_ends_with_1(run, system):
    project = system.add_project(status="failed")
    system.append(project["id"], "project_failed", {"message": "No"})
    assert run("watch", "@last").exit_code == 1


def test_a_list_is_a_table_with_whole_ids(run, system):
    ids = [
        system.add_project(f"Salon {n}", status=s)["id"] for n, s in enumerate(["active", "failed"])
    ]
    lines = run("list").stdout.splitlines()
    assert lines[1].startswith(ids[1])
    assert "Salon 0" in lines[2]
    assert len(run("list", "--status", "failed").stdout.splitlines()) == 2
    assert len(run("list", "--limit", "1").stdout.splitlines()) == 2


def test_an_empty_list_says_how_to_begin(run):
    result = run("list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "agenticai new" in result.stderr


def test_show_tells_status_scores_and_why_it_failed(run, system):
    failure = {"code": "TESTS_FAILED", "message": "Two tests fail", "hint": "Simpler"}
    system.add_project(status="failed", failure=failure)
    out = run("show", "@last").stdout
    for part in ("failed", "coverage 93 %, security 1.00", "Two tests fail", "Hint: Simpler"):
        assert part in out


def test_what_the_system_says_cannot_command_the_terminal(run, system):
    system.add_project("evil\x1b[2Jname", description="two\x1b]0;title\x07\nlines")
    for args in (["show", "@last"], ["list"]):
        out = run(*args).stdout
        assert "\x1b" not in out
        assert "\x07" not in out


def test_files_lists_and_prints(run, system):
    system.add_project()
    assert "tests/test_main.py" in run("files", "@last").stdout
    assert run("files", "@last", "main.py").stdout == "print('salon')\n"
    assert run("files", "@last", "nothing.py").exit_code == 3


def test_pull_takes_the_project_s_name_and_refuses_a_foreign_folder(run, system, tmp_path):
    system.add_project("Dog salon")
    assert run("pull", "@last").exit_code == 0
    assert (tmp_path / "dog-salon" / "tests" / "test_main.py").is_file()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all my work")
    result = run("pull", "@last", "mine")
    assert result.exit_code == 1
    assert "--force" in result.stderr
    assert run("pull", "@last", "mine", "--force").exit_code == 0
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all my work"


def test_delete_asks_first(run, system):
    project = system.add_project()
    assert run("delete", "@last", input="n\n").exit_code == 1
    assert project["id"] in system.projects
    assert run("delete", "@last", input="y\n").exit_code == 0
    assert project["id"] not in system.projects


def test_decisions(run, system):
    system.add_project()
    assert run("approve", "@last").exit_code == 0
    assert run("reject", "@last", "--feedback", "Smaller").exit_code == 0
    assert run("cancel", "@last").exit_code == 0
    said = [request.body for request in system.seen if request.path.endswith("/reject")]
    assert said == [{"feedback": "Smaller"}]


def test_keys(run, system):
    result = run("keys", "create", "ci", "--scope", "read")
    assert result.stdout == "agk_new\n"
    assert system.seen[0].body == {"name": "ci", "scopes": ["read"]}
    assert "key_1" in run("keys", "list").stdout
    assert run("keys", "revoke", "key_1").exit_code == 0


@pytest.mark.parametrize("typed", ["004", "proj_01jd3v9k2m7q8r5s6t7u8v9004", "salon 3", "@last"])
def test_a_project_may_be_named_in_short(run, system, typed):
    for n in range(4):
        system.add_project(f"Salon {n}")
    result = run("show", typed, "--json")
    assert json.loads(result.stdout)["project"]["name"] == "Salon 3"


def test_a_short_name_must_be_clear(run, system):
    system.add_project()
    system.add_project()
    result = run("show", "proj_01jd")
    assert result.exit_code == 2
    assert "fits 2 projects" in result.stderr
    assert run("show", "nothing-like-it").exit_code == 3


def test_exit_codes_of_errors(run, system, unused_port):
    full = "proj_" + "0" * 26
    assert run("show", full).exit_code == 3
    assert run("list", key="wrong").exit_code == 4
    assert run("new", " ").exit_code == 2
    assert run("new", "x", "--type", "nonsense").exit_code == 2
    assert run("nonsense").exit_code == 2
    system.refuse(409, "WRONG_STATE")
    assert run("cancel", full).exit_code == 1
    system.refuse(422, "VALIDATION_ERROR")
    assert run("new", "x").exit_code == 2
    nobody = CliRunner().invoke(
        app, ["list", "--api-url", f"http://127.0.0.1:{unused_port}", "--api-key", "k"]
    )
    assert nobody.exit_code == 5
    nowhere = CliRunner().invoke(app, ["list"])
    assert nowhere.exit_code == 5
    assert "make up" in nowhere.stderr


def test_errors_are_json_on_stderr_under_json(run):
    result = run("show", "proj_" + "0" * 26, "--json")
    assert result.stdout == ""
    answer = json.loads(result.stderr)
    assert (answer["success"], answer["error"]["code"]) == (False, "NOT_FOUND")


def test_every_problem_of_a_refused_request_is_told(run, system):
    errors = [{"field": "name", "message": "is required"}, {"field": "type", "message": "is odd"}]
    system.refuse(422, "VALIDATION_ERROR", message="'name' is required", details={"errors": errors})
    assert "type is odd" in run("new", "x").stderr


def test_help_has_examples_and_exit_codes():
    runner = CliRunner()
    assert "130" in runner.invoke(app, ["--help"]).stdout
    for command in ("new", "list", "show", "watch", "modify", "files", "pull", "delete", "doctor"):
        result = runner.invoke(app, [command, "--help"])
        assert result.exit_code == 0
        assert f"agenticai {command}" in result.stdout


def test_doctor_finds_everything_well(run):
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("✓") == 7
    assert "version 0.1.0" in result.stdout


def test_doctor_names_what_is_wrong(run, system):
    system.socket_refused = 502
    result = run("doctor", "--json", key="wrong")
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert result.exit_code == 1
    assert not checks["API key"]["ok"]
    assert checks["API key"]["hint"]
    assert not checks["WebSocket"]["ok"]
    assert checks["API"]["ok"]


def test_doctor_without_anything_says_how_to_begin():
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "make up" in result.stdout


def test_the_local_file_is_enough(system, tmp_path):
    folder = tmp_path / ".agenticai"
    folder.mkdir()
    address = {"api_url": system.url, "websocket_url": system.websocket_url, "api_key": "agk_test"}
    (folder / "local.json").write_text(json.dumps(address))
    system.add_project()
    assert CliRunner().invoke(app, ["show", "@last"]).exit_code == 0


def test_as_a_process_json_and_exit_codes_fit_for_scripts(system):
    process = start(system, "new", "Dogs", "--json")
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert json.loads(out)["project"]["status"] == "active"
    process = start(system, "show", "proj_" + "0" * 26)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (3, "")
    assert "Error: There is no such project" in err


def test_ctrl_c_leaves_the_watch_and_says_how_to_go_on(system):
    project = system.add_log(3)
    process = start(system, "watch", project["id"])
    for _ in range(3):
        assert "wrote main.py" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    err = end_of(process)
    assert process.returncode == 130
    assert f"agenticai watch {project['id']} --after 3" in err
    assert "Traceback" not in err
