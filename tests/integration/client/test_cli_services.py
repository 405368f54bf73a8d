"""The command line against the real API and gateway, with a worker of a few lines."""

import json
import threading
import time
from contextlib import suppress

import pytest
from structlog.testing import capture_logs
from tests.fakes.serving import server_of, serving
from typer.testing import CliRunner

from agenticai_api.main import create_app as create_api
from agenticai_client.cli import app
from agenticai_core import auth, content, runs
from agenticai_core.bootstrap import Services, connect
from agenticai_core.errors import AgenticError
from agenticai_core.models import Action, Failure, Impact, Outcome
from agenticai_core.plans import Plan
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store.memory import MemoryStore
from agenticai_websocket.main import create_app as create_gateway
from agenticai_websocket.server import create_server
from agenticai_websocket.settings import GatewaySettings
from agenticai_worker.lease import take

SETTINGS = Settings(poll_min_seconds=0.02, poll_max_seconds=0.05, log_level="CRITICAL")


class Worker:
    """Does every task at once: one file, and another with each change."""

    def __init__(self, services):
        self.services = services
        self.failure = None
        self.stopped = threading.Event()
        self.done = 0

    def run(self):
        queue = self.services.queue
        while not self.stopped.wait(0.01):
            while len(queue.sent) > self.done:
                _, project_id, task_id, _ = queue.sent[self.done]
                self.done += 1
                lease = take(self.services, SETTINGS, project_id, task_id)
                if lease is not None:
                    self.work(project_id, lease.task)

    def work(self, project_id, task):
        outcome = Outcome(failure=self.failure) if self.failure else self.outcome(project_id, task)
        with suppress(AgenticError):  # cancelled or deleted meanwhile
            runs.advance(self.services, project_id, task.id, task.fence, outcome)

    def outcome(self, project_id, task):
        files = self.services.files
        outputs = {}
        if task.action in (Action.PLAN, Action.ANALYZE, Action.RENDER):
            plan = Plan(name="Salon", type="api", summary="A salon")
            outputs["plan"] = content.put_plan(files, project_id, plan)
        if task.action in (Action.GENERATE, Action.APPLY, Action.RENDER):
            tree = {"main.py": b"print('salon')\n", f"{task.action}.txt": b"x"}
            outputs["manifest"] = content.put_tree(files, project_id, tree)
        return Outcome(
            outputs=outputs,
            impact=Impact(understood=True) if task.action is Action.ANALYZE else None,
            tests_passed=True if task.action is Action.TEST else None,
        )


@pytest.fixture
def world(monkeypatch, tmp_path, emulator_settings):
    """Both services and the worker, found through a local file as `make up` writes it.

    The bucket is the emulator's: archives are fetched from there.
    """
    services = Services(MemoryStore(), connect(emulator_settings).files, MemoryQueue())
    scopes = ("read", "write", "admin")
    _, secret = auth.create_api_key(services.store, "me", "test", scopes)
    api = server_of(create_api(services, SETTINGS))
    options = GatewaySettings(port=0, drain_seconds=0.1)
    gateway = create_server(create_gateway(services, SETTINGS, options), SETTINGS, options)
    worker = Worker(services)
    thread = threading.Thread(target=worker.run)
    for name in ("AGENTICAI_API_URL", "AGENTICAI_API_KEY", "AGENTICAI_WEBSOCKET_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    # The services log to stdout, which in here is the command line's as well.
    with (
        capture_logs(),
        serving(api) as api_port,
        serving(gateway) as gateway_port,
    ):
        address = {
            "api_url": f"http://127.0.0.1:{api_port}",
            "websocket_url": f"ws://127.0.0.1:{gateway_port}/ws",
            "api_key": secret,
        }
        (tmp_path / ".agenticai").mkdir()
        (tmp_path / ".agenticai" / "local.json").write_text(json.dumps(address))
        thread.start()
        yield worker
        worker.stopped.set()
        thread.join(timeout=10)
    assert not thread.is_alive()


def run(*args, code=0):
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == code, (args, result.output)
    return result


def read(*args):
    return json.loads(run(*args, "--json").stdout)


def test_from_a_sentence_to_files_and_a_change(world, tmp_path):
    made = run("new", "Appointments for a dog salon", "--pull", "out")
    assert "pm   plans" in made.stdout
    assert "No live connection" not in made.stderr
    assert (tmp_path / "out" / "main.py").is_file()
    changed = run("modify", "@last", "Add a field")
    assert "The change is applied" in changed.stdout
    assert "apply.txt" in read("files", "@last")["files"]
    run("pull", "@last", "out")
    assert (tmp_path / "out" / "apply.txt").is_file()
    assert not (tmp_path / "out" / "generate.txt").exists()
    shown = read("show", "@last")
    assert shown["project"]["revision"] == 2
    assert shown["modifications"][0]["status"] == "applied"
    numbers = [
        json.loads(line)["seq"] for line in run("watch", "@last", "--json").stdout.splitlines()
    ]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_failure_is_told_with_its_reason(world):
    world.failure = Failure(code="NO_IDEA", message="Too vague", hint="Name things")
    result = run("new", "Things", code=1)
    assert "Too vague [NO_IDEA]" in result.stderr
    assert "Hint: Name things" in result.stderr


def test_approval_lets_the_work_go_on(world):
    run("new", "Dogs", "--approval", "--no-watch")
    deadline = time.monotonic() + 10
    while read("show", "@last")["project"]["status"] != "awaiting_approval":
        assert time.monotonic() < deadline
    run("approve", "@last")
    run("watch", "@last")
    assert read("show", "@last")["project"]["status"] == "active"


def test_lists_keys_and_doctor(world):
    run("new", "Dogs", "--name", "Salon")
    run("new", "Bees", "--name", "Hives")
    assert [p["name"] for p in read("list", "--status", "active")["projects"]] == ["Hives", "Salon"]
    assert read("list", "--type", "web")["projects"] == []
    created = read("keys", "create", "ci", "--scope", "read")
    assert run("list", "--api-key", created["secret"]).exit_code == 0
    run("new", "x", "--api-key", created["secret"], code=4)
    run("keys", "revoke", created["key"]["id"])
    run("list", "--api-key", created["secret"], code=4)
    assert run("doctor").stdout.count("✓") == 7


def test_delete_and_what_is_not_there(world):
    project = read("new", "Dogs")["project"]
    assert read("delete", "@last", "--yes")["project"]["status"] == "deleting"
    assert "project_deleted" in run("watch", project["id"], "--json").stdout
    run("watch", "proj_" + "0" * 26, code=3)
    run("new", "Dogs", "--name", "x" * 101, code=2)


def wait_for(status, what="project"):
    """The status of the newest project, or of its newest modification."""
    deadline = time.monotonic() + 10
    while True:
        shown = read("show", "@last")
        found = shown["project"] if what == "project" else shown["modifications"][0]
        if found["status"] == status:
            return found
        assert time.monotonic() < deadline, found


def test_from_a_folder_to_a_template_to_a_project(world, tmp_path):
    folder = tmp_path / "greeter"
    (folder / "files").mkdir(parents=True)
    told = {"name": "Greeter", "description": "Greets.", "category": "cli", "type": "data"}
    variables = [{"name": "greeting", "description": "What it says", "pattern": "[A-Z][a-z]+"}]
    (folder / "template.json").write_text(json.dumps(told | {"variables": variables}))
    (folder / "files" / "main.py.j2").write_text("print({{ greeting | quoted }})\n")
    template = run("templates", "create", "greeter").stdout.strip()
    assert template in run("templates", "list", "--category", "cli").stdout
    assert "main.py" in run("templates", "show", template).stdout
    refused = run("new", "--template", template, "--name", "Hi", "--var", "color=red", code=2)
    assert "'variables.greeting' is required" in refused.stderr
    assert "variables.color is not a variable" in refused.stderr
    made = run("new", "--template", template, "--name", "Hi", "--var", "greeting=Moin")
    assert "dev  fills the template in" in made.stdout
    project = read("show", "@last")["project"]
    assert (project["name"], project["type"], project["status"]) == ("Hi", "data", "active")
    assert project["template_id"] == template
    run("templates", "delete", template, "--yes")
    run("templates", "show", template, code=3)
    (folder / "files" / "main.py.j2").write_text("{{ nobody }}")
    assert "'nobody' is not declared" in run("templates", "create", "greeter", code=2).stderr


def test_a_project_with_all_that_can_be_chosen(world, monkeypatch):
    monkeypatch.setenv("MAIL_KEY", "correct horse")
    chosen = ["--tag", "shop", "--dependency", "httpx>=0.27", "--env", "MAIL_KEY"]
    where = ["--platform", "aws", "--region", "eu-west-1", "--cost-budget", "2.5"]
    made = run("new", "Dogs", *chosen, *where)
    shown = run("show", "@last").stdout
    for part in ("shop", "httpx>=0.27", "MAIL_KEY", "aws, eu-west-1", "of 2.50"):
        assert part in shown
    run("new", "Bees")
    assert [project["name"] for project in read("list", "--tag", "shop")["projects"]] == ["Dogs"]
    told = run("watch", read("list", "--tag", "shop")["projects"][0]["id"], "--json").stdout
    assert "horse" not in made.output + shown + told
    assert "cost_budget_usd" in run("new", "x", "--cost-budget", "-1", code=2).stderr


def test_a_failed_project_is_tried_again_from_where_it_stopped(world):
    world.failure = Failure(code="WORKER_LOST", message="The worker was lost")
    run("new", "Dogs", code=1)
    world.failure = None
    again = run("retry", "@last")
    assert "tried again: plans" in again.stdout
    assert "The worker was lost" not in again.stdout
    assert "is ready" in again.stdout
    assert "Error:" in run("retry", "@last", code=1).stderr


def test_one_says_something_into_a_run_and_hears_if_it_was_not_heeded(world):
    run("new", "Dogs", "--approval", "--no-watch")
    wait_for("awaiting_approval")
    run("say", "@last", "Prices are in euros")
    run("approve", "@last")
    seen = run("watch", "@last").stdout
    assert "you say: Prices are in euros" in seen
    assert "not heeded: Prices are in euros (" in seen
    assert "Error:" in run("say", "@last", "Too late", code=1).stderr


def test_each_modification_is_decided_on_by_its_id(world):
    run("new", "Dogs", "--approval", "--no-watch")
    wait_for("awaiting_approval")
    run("approve", "@last")
    run("watch", "@last")
    first = read("modify", "@last", "Add a field", "--no-watch")["modification"]["id"]
    wait_for("awaiting_approval", "modification")
    second = read("modify", "@last", "Add another", "--no-watch")["modification"]["id"]
    decided = read("cancel", "@last", "--modification", second)["modification"]
    assert (decided["id"], decided["status"]) == (second, "cancelled")
    assert "Error:" in run("approve", "@last", "--modification", second, code=1).stderr
    run("approve", "@last", "--modification", "mod_nothing", code=3)
    run("approve", "@last", "--modification", first)
    run("watch", "@last")
    statuses = {each["id"]: each["status"] for each in read("show", "@last")["modifications"]}
    assert statuses == {first: "applied", second: "cancelled"}
    third = read("modify", "@last", "A third", "--no-watch")["modification"]["id"]
    wait_for("awaiting_approval", "modification")
    rejected = read("reject", "@last", "--modification", third)["modification"]
    assert (rejected["id"], rejected["status"]) == (third, "rejected")


def test_an_earlier_revision_comes_as_it_was(world, tmp_path):
    run("new", "Dogs")
    run("modify", "@last", "Add a field")
    run("pull", "@last", "old", "--revision", "1")
    assert (tmp_path / "old" / "generate.txt").is_file()
    assert not (tmp_path / "old" / "apply.txt").exists()
    run("pull", "@last", "none", "--revision", "9", code=3)


def test_what_cannot_be_undone_is_in_the_log(world):
    created = read("keys", "create", "ci", "--scope", "read")
    run("keys", "revoke", created["key"]["id"])
    project = read("new", "Dogs")["project"]["id"]
    run("delete", "@last", "--yes")
    done = [(entry["action"], entry["subject"]) for entry in read("audit")["entries"]]
    key = created["key"]["id"]
    expected = [("project_deleted", project), ("key_revoked", key), ("key_created", key)]
    assert done[:3] == expected
    assert created["secret"] not in run("audit").stdout
    reader = read("keys", "create", "reader", "--scope", "read", "--scope", "write")["secret"]
    run("audit", "--api-key", reader, code=4)
