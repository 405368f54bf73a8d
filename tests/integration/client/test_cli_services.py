"""The command line against the real API and gateway, with a worker of a few lines."""

import json
import threading
import time
from contextlib import contextmanager, suppress

import pytest
import uvicorn
from structlog.testing import capture_logs
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


@contextmanager
def serving(server):
    """The port on which the server listens for as long as this lasts."""
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(timeout=20)
    assert not thread.is_alive()


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
        if task.action in (Action.PLAN, Action.ANALYZE):
            plan = Plan(name="Salon", type="api", summary="A salon")
            outputs["plan"] = content.put_plan(files, project_id, plan)
        if task.action in (Action.GENERATE, Action.APPLY):
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
    config = uvicorn.Config(
        create_api(services, SETTINGS), port=0, log_level="critical", lifespan="off"
    )
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
        serving(uvicorn.Server(config)) as api_port,
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
