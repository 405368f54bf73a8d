"""Measures the images: ``python -m bench.images [--starts 5] [--write FILE]``.

The system of docker/compose.yaml is brought up under a name of its own; then the container of each
service is stopped and started again, several times. The first answer is that to the request of
the health check, asked for every 20 ms from this machine; for a worker, its first poll of a queue.
"""

import argparse
import json
import os
import platform
import re
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from bench.pages import replace_block
from tests.compose.containers import ComposedSystem, composed, docker

BASE = os.environ.get("BASE_IMAGE", "python:3.13-slim")
PATHS = {"api": "/health", "websocket": "/ws/health"}
MEASURED = ("api", "websocket", "worker-qa")
IMAGES = ("api", "websocket", "worker", "emulator", "setup")
LIMIT = 60.0  # s
POLLED = "until [ -e $AGENTICAI_HEALTH_FILE ]; do sleep 0.02; done; date +%s.%N"


@dataclass
class Start:
    """Seconds since the engine started the container."""

    answered: float
    healthy: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5, help="of each service (5)")
    parser.add_argument("--write", type=Path, help="a Markdown file with a block of images")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with composed("agenticai-bench") as system:
        starts = {name: [start(system, name) for _ in range(options.starts)] for name in MEASURED}
    text = report(starts, load)
    print(text)
    if options.write:
        replace_block(options.write, "images", text)


def start(system: ComposedSystem, service: str) -> Start:
    system.stop(service)
    system.start(service)
    began = stamp(system.inspect(service)["State"]["StartedAt"])
    answered = first_answer(system, service) - began
    system.wait_until_healthy(service)
    looks = system.inspect(service)["State"]["Health"]["Log"]
    good = [stamp(look["End"]) for look in looks if look["ExitCode"] == 0]
    healthy = min(end for end in good if end > began)  # the log has those of earlier starts too
    return Start(answered, healthy - began)


def first_answer(system: ComposedSystem, service: str) -> float:
    if service not in PATHS:
        return float(system.run_in(service, "sh", "-c", POLLED))
    port = system.api_port if service == "api" else system.websocket_port
    deadline = time.monotonic() + LIMIT
    with httpx.Client(trust_env=False, timeout=2) as client:
        while not answers(client, f"http://127.0.0.1:{port}{PATHS[service]}"):
            if time.monotonic() > deadline:
                raise AssertionError(f"{service} does not answer")
            time.sleep(0.02)
    return time.time()


def answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def stamp(text: str) -> float:
    """The engine writes nanoseconds."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", text)).timestamp()


def report(starts: dict[str, list[Start]], load: float) -> str:
    base = size(BASE)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    engine = docker("version", "--format", "{{.Server.Version}}").strip()
    lines = [
        f"Measured on {today} by `make bench-images` ({os.cpu_count()} cores,"
        f" {platform.machine()}, Docker {engine},\nload average {load:.1f} before it began)."
        f" The base image has {base:.0f} MB.\n",
        "| image | MB | of it ours |",
        "|---|---|---|",
        *(f"| `agenticai-{name}` | {mb:.0f} | {mb - base:.0f} |" for name, mb in sizes().items()),
        "",
        "| service | start to first answer, s (median; worst) | start to healthy, s |",
        "|---|---|---|",
        *(row(name, found) for name, found in starts.items()),
        "",
        "",
    ]
    return "\n".join(lines)


def row(name: str, starts: list[Start]) -> str:
    answered = [start.answered for start in starts]
    healthy = [start.healthy for start in starts]
    cells = (f"{statistics.median(each):.1f}; {max(each):.1f}" for each in (answered, healthy))
    return f"| {name} | {' | '.join(cells)} |"


def sizes() -> dict[str, float]:
    return {name: size(f"agenticai-{name}") for name in IMAGES}


def size(image: str) -> float:
    """In MB (millions of bytes), uncompressed."""
    return int(json.loads(docker("image", "inspect", image))[0]["Size"]) / 1e6


if __name__ == "__main__":
    main()
