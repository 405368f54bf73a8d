"""docker/compose.yaml, really brought up: a user's whole way, and what containers add to it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.compose.containers import SERVICES, WORKERS, ComposedSystem, docker
from tests.e2e import test_project_creation_flow as flow

from agenticai_client.sdk import Client

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]
PASSES = {"type": "api", "description": "Beehives with a name. Inspections of a hive have a date."}
ENDS = ("project_active", "project_failed")

# The way that a user of `make up` goes, through the containers.
api = flow.api
test_complete_project_creation = flow.test_complete_project_creation
test_complete_project_creation_from_a_template = flow.test_complete_project_creation_from_a_template


@pytest.fixture
def client(stack: ComposedSystem) -> Iterator[Client]:
    with Client(stack.api_url, stack.api_key, websocket_url=stack.websocket_url) as client:
        yield client


def test_a_killed_worker_is_started_again_and_its_work_is_done(
    stack: ComposedSystem, client: Client
) -> None:
    before = stack.inspect("worker-qa")["RestartCount"]
    project_id = client.create_project("Hives", **PASSES)["id"]
    seen = []
    for event in client.watch(project_id, until=lambda event: event["type"] in ENDS):
        seen.append(event)
        if event["type"] == "task_started" and event["data"]["action"] == "test":
            stack.kill("worker-qa")

    assert seen[-1]["type"] == "project_active", seen[-1]
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert "tests_passed" in {event["type"] for event in seen}
    assert stack.inspect("worker-qa")["RestartCount"] == before + 1
    stack.wait_until_healthy("worker-qa")


def test_projects_and_key_outlive_the_containers(stack: ComposedSystem, client: Client) -> None:
    project_id = client.create_project("Hives", **PASSES)["id"]
    list(client.watch(project_id, until=lambda event: event["type"] in ENDS))
    files = client.files(project_id)
    key = stack.api_key
    stack.compose("down", seconds=180)
    stack.up()

    assert stack.api_key == key
    assert client.get_project(project_id)["status"] == "active"
    assert client.files(project_id) == files
    assert b"Hives" in client.read_file(project_id, "README.md")


def test_generated_code_is_well_confined(stack: ComposedSystem) -> None:
    look = ("python", "-m", "agenticai_worker.sandbox")
    assert stack.run_in("worker-qa", *look).strip() == "strong"


def test_as_root_it_is_well_confined_without_landlock(stack: ComposedSystem) -> None:
    """The way it runs on Fargate, whose kernel need not have Landlock."""
    image = stack.inspect("worker-qa")["Config"]["Image"]
    as_root = ("run", "--rm", "--user", "0", "--entrypoint", "python", image)
    program = Path(__file__).with_name("without_landlock.py").read_text()
    seen = json.loads(docker(*as_root, "-c", program))
    assert seen["level"] == "strong"
    assert seen["passed"] == 3
    assert seen["test_coverage"] == seen["performance_score"] == 1.0
    assert seen["security_score"] > 0.9


@pytest.mark.parametrize("service", SERVICES)
def test_no_container_has_privileges(stack: ComposedSystem, service: str) -> None:
    status = stack.run_in(service, "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert fields["Uid"].split() == ["10001"] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    assert stack.inspect(service)["HostConfig"]["ReadonlyRootfs"]


@pytest.mark.parametrize("service", ["api", "websocket", *WORKERS])
def test_a_stop_is_clean(stack: ComposedSystem, service: str) -> None:
    try:
        stack.stop(service)
        assert stack.inspect(service)["State"]["ExitCode"] == 0
    finally:
        stack.start(service)
        stack.wait_until_healthy(service)


def test_no_compiler_and_no_installer_of_ours(stack: ComposedSystem) -> None:
    for service in SERVICES:
        look = (
            "for name in gcc cc ld /app/bin/pip /sandbox/bin/pip; do command -v $name; done; true"
        )
        assert stack.run_in(service, "sh", "-c", look) == "", service


def test_a_service_has_no_code_of_another(stack: ComposedSystem) -> None:
    look = (
        "import pkgutil; print(*(m.name for m in pkgutil.iter_modules() if 'agenticai' in m.name))"
    )
    for service, own in (("api", "api"), ("websocket", "websocket"), ("worker-qa", "worker")):
        found = set(stack.run_in(service, "python", "-c", look).split())
        assert found == {"agenticai_core", f"agenticai_{own}"}
