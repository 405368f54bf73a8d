"""Measures the REST API beside bare routes: ``python -m bench.api [--requests 300]``.

Both services run at once on one emulator and are asked in turn, one request each, so that what
disturbs the machine disturbs both. The ratio of the medians is our overhead: authentication,
limits, validation, models, error handling, logs. Processor time is counted for each process, so
requests per second of one core do not depend on what else runs. That both make the same AWS calls
is counted first, in a run of its own through a proxy; where they differ nothing is measured.
"""

import argparse
import http.client
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
from bench.counting_proxy import CountingProxy

from agenticai_client.sdk import Client
from agenticai_local.emulator import answers
from agenticai_local.environment import base_environment
from agenticai_local.ports import HOST, free_port
from agenticai_local.processes import wait_until
from agenticai_local.stack import SERVICES, LocalStack

UNLIMITED = {
    "AGENTICAI_RATE_LIMIT": "100000",
    "AGENTICAI_RATE_BURST": "100000",
    "AGENTICAI_MONTHLY_QUOTA": "1000000000",
}
BODY = {"name": "Bench", "type": "api", "description": "Rooms have a name and a size."}
BLOCK = 25  # requests to one service between two readings of its processor time
COUNTED = 5  # requests to one service while its AWS calls are counted
WORST = 1.5  # the ratio that we mean to stay below


@dataclass(frozen=True)
class Route:
    name: str
    method: str
    path: str
    body: dict[str, str] | None = None


@dataclass
class Measured:
    seconds: list[float] = field(default_factory=list)
    cpu: float = 0.0  # s of processor time for all of them

    def percentile(self, percent: int) -> float:
        """In milliseconds."""
        return statistics.quantiles(self.seconds, n=100, method="inclusive")[percent - 1] * 1000

    @property
    def per_core(self) -> float:
        """Requests that one core could answer in a second."""
        return len(self.seconds) / self.cpu if self.cpu else 0.0


class Service:
    """One service, asked over one connection that stays open, as clients do."""

    def __init__(self, port: int, pid: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection(HOST, port)
        self._headers = headers
        self._pid = pid

    def ask(self, route: Route) -> float:
        """Seconds that the answer took; raises when it is an error."""
        body = json.dumps(route.body) if route.body else None
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        began = time.perf_counter()
        self._connection.request(route.method, route.path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        took = time.perf_counter() - began
        if answer.status >= 300:
            raise RuntimeError(f"{route.name}: {answer.status} {text[:300]!r}")
        return took

    def cpu(self) -> float:
        leader = psutil.Process(self._pid)
        times = [one.cpu_times() for one in (leader, *leader.children(recursive=True))]
        return sum(one.user + one.system for one in times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=300, help="to each route of each (300)")
    parser.add_argument("--write", type=Path, help="a Markdown file to write the table to")
    options = parser.parse_args()
    compare_calls()
    found = measure(max(BLOCK, options.requests))
    text = "\n".join(table(found))
    print(text)
    if options.write:
        options.write.write_text(page(text))
    return 0


def compare_calls() -> None:
    """Ends the program when a bare route makes other AWS calls than ours."""
    emulator = free_port()
    with CountingProxy(free_port()) as proxy:
        proxy.upstream = f"http://{HOST}:{emulator}"
        with both_services(emulator_port=emulator, services_endpoint_url=proxy.url) as (
            project_id,
            *services,
        ):
            for route in routes(project_id):
                ours, bare = (count_calls(proxy, service, route) for service in services)
                if ours != bare:
                    sys.exit(f"{route.name} makes {dict(ours)}, the bare route {dict(bare)}")


def count_calls(proxy: CountingProxy, service: Service, route: Route) -> Counter[str]:
    """AWS calls of one request; what a process does now and then is rounded off."""
    service.ask(route)
    proxy.take()
    for _ in range(COUNTED):
        service.ask(route)
    return +Counter({name: round(n / COUNTED) for name, n in proxy.take().items()})


def measure(requests: int) -> dict[str, tuple[Measured, Measured]]:
    with both_services() as (project_id, ours, bare):
        return {
            route.name: measure_route(route, ours, bare, requests) for route in routes(project_id)
        }


@contextmanager
def both_services(
    *, emulator_port: int = 0, services_endpoint_url: str | None = None
) -> Iterator[tuple[str, Service, Service]]:
    """A finished project's id, our service and the bare one, and nothing else that runs."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalStack(
            Path(folder),
            fresh=True,
            extra_env=UNLIMITED,
            emulator_port=emulator_port,
            services_endpoint_url=services_endpoint_url,
        ) as stack,
    ):
        project_id = make_project(stack)
        for name in SERVICES:
            if name != "api":
                stack.stop_process(name)  # nothing else may work on what is created
        with bare_service(stack) as bare:
            port = int(stack.api_url.rsplit(":", 1)[1])
            ours = Service(port, stack.processes["api"], {"X-API-Key": stack.api_key})
            yield project_id, ours, bare


def routes(project_id: str) -> list[Route]:
    one = f"/api/projects/{project_id}"
    return [
        Route("GET a project", "GET", one),
        Route("GET a page of 20 projects", "GET", "/api/projects"),
        Route("GET a page of events", "GET", f"{one}/events"),
        Route("GET the list of files", "GET", f"{one}/files"),
        Route("PUT a project", "PUT", one, {"description": "Rooms have a name."}),
        Route("POST a project", "POST", "/api/projects", BODY),
    ]


def make_project(stack: LocalStack) -> str:
    """A finished project with files and events, and 20 more for the list."""
    client = Client(stack.api_url, stack.api_key, websocket_url=stack.websocket_url)
    project = client.create_project(**BODY)
    for _ in client.follow_project(project["id"]):
        pass
    stack.stop_process("worker-pm")
    for _ in range(20):
        client.create_project(**BODY)
    return str(project["id"])


def measure_route(
    route: Route, ours: Service, bare: Service, requests: int
) -> tuple[Measured, Measured]:
    for _ in range(20):  # warm
        ours.ask(route), bare.ask(route)
    measured = (Measured(), Measured())
    services = (ours, bare)
    for _ in range(requests // BLOCK):
        before = [service.cpu() for service in services]
        for _ in range(BLOCK):
            for service, result in zip(services, measured, strict=True):
                result.seconds.append(service.ask(route))
        for service, result, cpu in zip(services, measured, before, strict=True):
            result.cpu += service.cpu() - cpu
    return measured


@contextmanager
def bare_service(stack: LocalStack) -> Iterator[Service]:
    port = free_port()
    uvicorn = ["-m", "uvicorn", "bench.bare_api:app", "--port", str(port), "--no-access-log"]
    process = subprocess.Popen(
        [sys.executable, *uvicorn, "--log-level", "warning"],
        cwd=Path(__file__).parents[1],
        env={**base_environment(os.environ), **stack.variables},
    )
    try:
        if not wait_until(lambda: answers(f"http://{HOST}:{port}/api/projects"), 30):
            raise RuntimeError("the bare service does not start")
        yield Service(port, process.pid, {})
    finally:
        process.terminate()
        process.wait(10)


def table(found: dict[str, tuple[Measured, Measured]]) -> list[str]:
    lines = [
        "| route | p50, ms | p95, ms | p99, ms | bare p50, ms | bare p95, ms | ratio of p50 | "
        "requests/s a core | bare | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, (ours, bare) in found.items():
        mine = [f"{ours.percentile(percent):.1f}" for percent in (50, 95, 99)]
        theirs = [f"{bare.percentile(percent):.1f}" for percent in (50, 95)]
        slower = ours.percentile(50) / bare.percentile(50)
        cores = [f"{ours.per_core:.0f}", f"{bare.per_core:.0f}"]
        costlier = bare.per_core / ours.per_core
        cells = [name, *mine, *theirs, f"{slower:.2f}", *cores, f"{costlier:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    worst = max(ours.percentile(50) / bare.percentile(50) for ours, bare in found.values())
    lines += ["", f"Worst ratio of medians: {worst:.2f} (we mean to stay below {WORST})."]
    return lines


def page(text: str) -> str:
    return f"""# Performance of the REST API

Measured on {datetime.now(UTC):%Y-%m-%d} by `make bench-api` ({os.cpu_count()} cores, Python
{platform.python_version()}, {platform.system()}). Each route is asked beside a bare FastAPI route
that makes the same calls to the same emulator (`bench/bare_api.py`; the program counts them and
compares), in turn, over one connection.
The emulator's answers take most of the time; requests a second of one core count the service's own
processor time alone. Machines differ; the ratios are what counts.

{text}
"""


if __name__ == "__main__":
    sys.exit(main())
