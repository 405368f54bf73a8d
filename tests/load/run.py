"""Load on the REST API: ``python tests/load/run.py [--seconds 600]``; exit code 1 when it fails.

Three scenarios: ten requests a second for ``--seconds``, a hundred requests within ten seconds,
and a hundred at the same moment. None may fail, and in the first two the 95th percentile must be
below ``--limit``. The workers are stopped meanwhile: on one machine they would compete with the API
for its processors.
"""

import argparse
import csv
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agenticai_client.sdk import Client
from agenticai_local.environment import base_environment
from agenticai_local.stack import WORKERS, LocalStack

SCENARIO = Path(__file__).with_name("locustfile.py")


@dataclass(frozen=True)
class Scenario:
    user: str
    users: int
    seconds: int
    limit: float  # ms, for the 95th percentile


@dataclass(frozen=True)
class Result:
    requests: int
    failures: int
    median: float  # ms, as the others
    p95: float
    worst: float

    def passes(self, scenario: Scenario) -> bool:
        return self.requests > 0 and self.failures == 0 and self.p95 < scenario.limit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="of the steady load (600)")
    parser.add_argument("--limit", type=float, default=500, help="ms, of the 95th percentile (500)")
    parser.add_argument("--write", type=Path, help="a Markdown file to write the results to")
    options = parser.parse_args()
    scenarios = [
        Scenario("Steady", 10, options.seconds, options.limit),
        Scenario("Burst", 100, 12, options.limit),
        Scenario("AtOnce", 100, 10, limit=10_000.0),
    ]
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder), fresh=True) as stack:
        project_id = make_project(stack)
        results = [run(scenario, stack, project_id) for scenario in scenarios]
    for scenario, result in zip(scenarios, results, strict=True):
        print(line(scenario, result))
    if options.write:
        options.write.write_text(page(scenarios, results))
    passed = all(map(Result.passes, results, scenarios))
    return 0 if passed else 1


def line(scenario: Scenario, result: Result) -> str:
    return (
        f"{scenario.user}: {result.requests} requests in {scenario.seconds} s, "
        f"{result.failures} failures, p50 {result.median:.0f} ms, p95 {result.p95:.0f} ms, "
        f"slowest {result.worst:.0f} ms: {'passed' if result.passes(scenario) else 'FAILED'}"
    )


def page(scenarios: list[Scenario], results: list[Result]) -> str:
    found = "\n".join(f"- {line(*both)}" for both in zip(scenarios, results, strict=True))
    return f"""# The REST API under load

Measured on {datetime.now(UTC):%Y-%m-%d} by `make load ARGS="--write docs/performance-load.md"`
({os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}; emulator, API and
Locust share them). Steady: ten clients that ask once a second each, for lists, projects, events,
files, changes and new projects. Burst: a hundred requests within ten seconds. AtOnce: a hundred at
the same moment.

{found}
"""


def make_project(stack: LocalStack) -> str:
    client = Client(stack.api_url, stack.api_key, websocket_url=stack.websocket_url)
    project = client.create_project("Rooms", "api", "Rooms have a name and a size.")
    for _ in client.follow_project(project["id"]):
        pass
    for name in WORKERS:
        stack.stop_process(name)
    return str(project["id"])


def run(scenario: Scenario, stack: LocalStack, project_id: str) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "locust", "-f", str(SCENARIO), scenario.user),
            *("--headless", "--only-summary", "--loglevel", "WARNING", "--exit-code-on-error", "0"),
            *("--host", stack.api_url, "--csv", f"{folder}/load"),
            *("--users", str(scenario.users), "--spawn-rate", str(scenario.users)),
            *("--run-time", f"{scenario.seconds}s"),
        ]
        variables = {"API_KEY": stack.api_key, "PROJECT_ID": project_id}
        subprocess.run(command, env={**base_environment(os.environ), **variables}, check=True)
        with Path(folder, "load_stats.csv").open() as lines:
            total = next(row for row in csv.DictReader(lines) if row["Name"] == "Aggregated")
    return Result(
        requests=int(total["Request Count"]),
        failures=int(total["Failure Count"]),
        median=float(total["50%"]),
        p95=float(total["95%"]),
        worst=float(total["Max Response Time"]),
    )


if __name__ == "__main__":
    sys.exit(main())
