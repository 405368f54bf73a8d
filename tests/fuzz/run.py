"""Fuzz the live service: ``python tests/fuzz/run.py [--seconds 120] [--seed N] [-- OPTION …]``.

An emulator and the API as processes of their own, projects in several states, then schemathesis
with every phase and every check over the OpenAPI document that the service gives. What follows
``--`` goes to schemathesis. Exit code 1 when anything was found.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from agenticai_core import content, runs
from agenticai_core.bootstrap import Services, connect
from agenticai_core.clock import now, stamp
from agenticai_core.models import Failure, ProjectStatus, ProjectType, Revision
from agenticai_core.rows import load, project_item, revision_item
from agenticai_core.settings import Settings
from agenticai_core.store.base import Put
from agenticai_local.bootstrap import run_bootstrap
from agenticai_local.emulator import answers, emulator_spec
from agenticai_local.environment import base_environment, service_environment
from agenticai_local.ports import HOST, free_port
from agenticai_local.processes import Spec
from agenticai_local.resources import ROOT
from agenticai_local.supervisor import Supervisor

HERE = Path(__file__).parent
OWNER = "local"  # whose key the bootstrap makes
PROJECTS = 240
STATES = (
    ProjectStatus.ACTIVE,
    ProjectStatus.AWAITING_APPROVAL,
    ProjectStatus.FAILED,
    ProjectStatus.QUEUED,
)
NO_LIMIT = {
    "AGENTICAI_RATE_LIMIT": "1000000",
    "AGENTICAI_RATE_BURST": "1000000",
    "AGENTICAI_MONTHLY_QUOTA": "1000000000",
    "AGENTICAI_MAX_PROJECTS": "1000000000",
    "AGENTICAI_MAX_TEMPLATES": "1000000000",
    "AGENTICAI_MAX_KEYS": "1000000000",
    "AGENTICAI_AUTH_FAILURE_RATE": "1000000",
    "AGENTICAI_AUTH_FAILURE_BURST": "1000000",
}
TREE = {
    "main.py": b"print('hello')\n",
    "README.md": b"# Bike workshop\n\nRepairs.\n",
    "static/logo.bin": b"\x89PNG\xff\x00",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, help="for all of it (no limit)")
    parser.add_argument("--seed", type=int, help="repeats a run")
    parser.add_argument("more", nargs="*", help="options for schemathesis, after --")
    options = parser.parse_args()
    more = list(options.more)
    if options.seconds:
        more += ["--max-time", str(options.seconds)]
    if options.seed is not None:
        more += ["--seed", str(options.seed)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        supervisor = Supervisor(folder / "logs", print, restart=False)
        try:
            return fuzz(folder, supervisor, more)
        finally:
            supervisor.stop(["api", "emulator"])
            supervisor.close()


def fuzz(folder: Path, supervisor: Supervisor, more: list[str]) -> int:
    aws, port = free_port(), free_port()
    supervisor.start([emulator_spec(ROOT, folder / "emulator", aws)], 30)
    made = run_bootstrap(f"http://{HOST}:{aws}", "agenticai", "local", None)
    os.environ.update(made.variables)
    services = connect(Settings())
    projects = make_projects(services)
    (folder / "projects.json").write_text(json.dumps(projects))
    url = f"http://{HOST}:{port}"
    api = Spec(
        name="api",
        command=[sys.executable, "-m", "agenticai_api"],
        env=service_environment(made.variables, port, free_port()) | NO_LIMIT,
        ready=lambda: answers(f"{url}/health/ready"),
    )
    supervisor.start([api], 60)
    code = run_schemathesis(folder, url, made.api_key, more)
    tell_faults(folder / "logs" / "api.log")
    return tell(folder, code)


def make_projects(services: Services) -> list[str]:
    """As many in each state; their ids."""
    ids = []
    for number in range(PROJECTS):
        wish = runs.NewProject(
            name=f"Workshop {number}", type=ProjectType.API, description="Customers bring bikes."
        )
        project = runs.create_project(services, OWNER, wish)
        prepare(services, project.id, STATES[number % len(STATES)])
        ids.append(project.id)
    return ids


def prepare(services: Services, project_id: str, state: ProjectStatus) -> None:
    """As if its run had come as far."""
    project = load(services.store, project_id).project
    manifest = content.put_tree(services.files, project_id, TREE)
    revisions = [
        Revision(
            project_id=project_id,
            number=number,
            parent=number - 1,
            manifest_key=manifest,
            author_task=f"create.{number}",
            summary=f"Number {number}",
            created_at=stamp(now()),
        )
        for number in (1, 2)
    ]
    ended: dict[str, Any] = {"active_run": "create"}
    if state is ProjectStatus.ACTIVE:
        ended = {"active_run": None, "revision": 2}
    if state is ProjectStatus.FAILED:
        ended = {"active_run": None, "failure": Failure(code="WORKER_LOST", message="Lost")}
    made = project.model_copy(update={"status": state, **ended})
    services.store.write(Put(project_item(made)), *(Put(revision_item(one)) for one in revisions))


def run_schemathesis(folder: Path, url: str, key: str, more: list[str]) -> int:
    keys = httpx.get(f"{url}/api/keys", headers={"X-API-Key": key}, trust_env=False).json()["keys"]
    variables = {
        "FUZZ_URL": url,
        "FUZZ_KEY": key,
        "FUZZ_KEY_ID": keys[0]["id"],  # there is no other yet
        "FUZZ_PROJECTS": str(folder / "projects.json"),
        "PYTHONPATH": str(HERE),
    }
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml"),
        *("run", f"{url}/openapi.json", "--checks", "all", "--no-color"),
        *("--phases", "examples,coverage,fuzzing,stateful"),
        *("--report", "json", "--report-json-path", folder / "report.json"),
        *("--generation-database", "none", *more),
    ]
    env = base_environment() | variables
    return subprocess.run(
        [str(one) for one in command], env=env, cwd=folder, check=False
    ).returncode


def tell_faults(log: Path) -> None:
    """The tracebacks of what the service itself did not foresee, each once."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    faults = {line["exception"]: line for line in lines if "exception" in line}
    for trace, line in faults.items():
        print(f"{line.get('method')} {line.get('path')}: {line['event']}\n{trace[-2000:]}")


def tell(folder: Path, code: int) -> int:
    """Sum up: the cases, the failures, and what never succeeded."""
    report = json.loads((folder / "report.json").read_text())
    cases, failures = report["test_cases"]["generated"], report["test_cases"]["unique_failures"]
    print(f"{report['operations']['tested']} operations, {cases} cases, {failures} failures")
    for failure in report["failures"]:
        print(f"  {failure['title']}: {', '.join(failure['operations'])}")
    for name, phases in sorted(report["valid_rates"].items()):
        if not any(phase["accepted"] for phase in phases.values()):
            print(f"  {name} had no success outside the stateful phase")
    return code


if __name__ == "__main__":
    sys.exit(main())
