"""Measures the main job: ``python -m bench.main_job [--projects 10] [--write FILE]``.

Two systems are started one after the other, both with the built-in engine and a fresh state: one
to take the times, one with a counting proxy before the emulator to count AWS calls.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.counting_proxy import CountingProxy
from bench.pages import replace_block

from agenticai_client.sdk import Client
from agenticai_local.environment import service_environment
from agenticai_local.ports import free_port
from agenticai_local.stack import LocalStack

DESCRIPTIONS = (
    ("Tool library", "A tool library: tools have a name, a category and a daily fee. Members have "
     "a name and an email. Members borrow tools from a start date to a due date and return them."),
    ("Bee hives", "Track bee hives. Each hive belongs to an apiary (name, location, altitude). "
     "Inspections record the date, queen seen (yes/no), brood frames, weight in kg and notes."),
    ("Inventory", "Inventory API with warehouses and stock movements"),
    ("Choir", "A choir plans rehearsals: rehearsals have a date, a start time and a room. Singers "
     "have a name, a voice (soprano, alto, tenor or bass) and an email."),
    ("Kiln", "Potters book kiln firings. A firing has a date, a cone, a peak temperature in "
     "degrees and a status (planned, firing, cooling or done)."),
)  # fmt: skip


@dataclass
class Times:
    first_event: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    steps: dict[str, list[dict[str, float]]] = field(default_factory=lambda: defaultdict(list))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=10, help="how many to time (10)")
    parser.add_argument("--counted", type=int, default=3, help="how many to count calls of (3)")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds of idling to count (60)")
    parser.add_argument("--write", type=Path, help="a Markdown file with a block of the main job")
    parser.add_argument("--calls", type=Path, help="a JSON file to write the calls to")
    options = parser.parse_args()
    times = take_times(options.projects)
    busy, idle = count_calls(options.counted, options.idle)
    text = "\n".join([*time_tables(times), *call_tables(busy, idle)])
    print(text)
    if options.write:
        replace_block(options.write, "main job", block(text))
    if options.calls:
        options.calls.write_text(json.dumps(call_data(busy, idle), indent=1) + "\n")


def take_times(projects: int) -> Times:
    times = Times()
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder), fresh=True) as stack:
        client = Client(stack.api_url, stack.api_key, websocket_url=stack.websocket_url)
        make_project(client, 0, Times())  # the first one warms every process up
        for number in range(projects):
            make_project(client, number, times)
    return times


def make_project(client: Client, number: int, times: Times) -> None:
    name, description = DESCRIPTIONS[number % len(DESCRIPTIONS)]
    began = time.monotonic()
    project = client.create_project(name, "api", description)
    for event in client.watch(project["id"]):
        if event["seq"] == 1:
            times.first_event.append(time.monotonic() - began)
        if event["type"] == "task_succeeded":
            times.steps[event["data"]["action"]].append(event["data"])
        if event["type"] == "project_failed":
            raise SystemExit(f"{name} failed: {event['data']}")
        if event["type"] == "project_active":
            times.whole.append(time.monotonic() - began)
            return


def count_calls(projects: int, idle_seconds: float) -> tuple[Counter[str], Counter[str]]:
    """AWS calls per project, and in an idle minute."""
    emulator, proxied = free_port(), free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        CountingProxy(proxied) as proxy,
    ):
        proxy.upstream = f"http://127.0.0.1:{emulator}"
        stack = LocalStack(
            Path(folder), fresh=True, emulator_port=emulator, services_endpoint_url=proxy.url
        )
        with stack:
            client = Client(stack.api_url, stack.api_key, websocket_url=stack.websocket_url)
            make_project(client, 0, Times())
            time.sleep(3)  # what trails behind the first project is not the next one's
            proxy.take()
            for number in range(projects):
                make_project(client, number, Times())
            time.sleep(3)
            busy = proxy.take()
            threading.Event().wait(idle_seconds)
            idle = proxy.take()
    per_project = Counter({name: round(n / projects) for name, n in busy.items()})
    return per_project, Counter({name: round(n * 60 / idle_seconds) for name, n in idle.items()})


def time_tables(times: Times) -> Iterator[str]:
    yield "| what | p50 | p95 | runs |"
    yield "|---|---|---|---|"
    yield row("POST to the first event on the socket, ms", [1000 * t for t in times.first_event])
    yield row("POST to project active, s", times.whole)
    yield ""
    yield "| step | median, s | of it model, s | of it sandbox, s |"
    yield "|---|---|---|---|"
    for action, rows in times.steps.items():
        whole, model, sandbox = (
            median([float(data.get(name, 0)) for data in rows])
            for name in ("seconds", "model_seconds", "sandbox_seconds")
        )
        yield f"| {action} | {whole:.2f} | {model:.2f} | {sandbox:.2f} |"


def call_tables(busy: Counter[str], idle: Counter[str]) -> Iterator[str]:
    yield ""
    yield "| AWS call | per project | per idle minute |"
    yield "|---|---|---|"
    for name in sorted({*busy, *idle}):
        yield f"| {name} | {busy[name]} | {idle[name]} |"
    yield f"| all | {busy.total()} | {idle.total()} |"


def call_data(busy: Counter[str], idle: Counter[str]) -> dict[str, Any]:
    """What `agenticai cost` reckons with."""
    return {
        "measured": f"{datetime.now(UTC):%Y-%m-%d}",
        "by": "make bench",
        "sweep_seconds": float(service_environment({}, 0, 0)["AGENTICAI_SWEEP_SECONDS"]),
        "per_project": {name: busy[name] for name in sorted(busy) if busy[name]},
        "per_idle_minute": {name: idle[name] for name in sorted(idle) if idle[name]},
    }


def row(what: str, values: list[float]) -> str:
    cuts = statistics.quantiles(values, n=20, method="inclusive") if len(values) > 1 else values
    return f"| {what} | {median(values):.1f} | {cuts[-1]:.1f} | {len(values)} |"


def median(values: list[Any]) -> float:
    return float(statistics.median(values)) if values else 0.0


def block(tables: str) -> str:
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    return f"""\
Measured on {datetime.now(UTC):%Y-%m-%d} by `make bench` ({machine}), with the built-in engine and
everything on one machine: the emulator answers a long poll every 100 ms, so each hop over a queue
carries up to 100 ms that a real queue does not have. Machines differ; the command is what counts.

{tables}

The per-project counts cover everything from the request to the mirrored files, the polls of that
time included. Idle calls are those of four worker nodes that poll for 1 or 2 s each; on AWS a poll
waits 20 s, so there are about a tenth of them.
"""


if __name__ == "__main__":
    main()
