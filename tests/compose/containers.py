"""The system of docker/compose.yaml under a project name and on ports of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agenticai_local.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker" / "compose.yaml"
WORKERS = ("worker-pm", "worker-dev", "worker-qa", "worker-ops")
SERVICES = ("emulator", "api", "websocket", *WORKERS)
_WAIT = 300  # s until all are healthy; where each container copies its image, that takes longest


def docker(*arguments: str, env: dict[str, str] | None = None, seconds: float = 120) -> str:
    """What the command prints; raises with what it complained of."""
    done = subprocess.run(
        ["docker", *arguments],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"docker {' '.join(arguments)}: {done.stderr[-3000:]}")
    return done.stdout


@dataclass
class ComposedSystem:
    """Named as `LocalStack` names things, so that tests of either run on both."""

    project: str
    api_port: int = field(default_factory=free_port)
    websocket_port: int = field(default_factory=free_port)
    emulator_port: int = field(default_factory=free_port)
    api_key: str = ""

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.websocket_port}/ws"

    def compose(self, *arguments: str, seconds: float = 120) -> str:
        command = ("compose", "--file", str(FILE), "--project-name", self.project)
        return docker(*command, *arguments, env=self._environment(), seconds=seconds)

    def up(self) -> None:
        """Start what does not run, and wait until all of it is healthy."""
        try:
            self.compose("up", "--detach", "--no-build", "--wait", seconds=_WAIT)
        except AssertionError:
            sys.stderr.write(self.compose("ps", "--all") + self.compose("logs", "--tail", "40"))
            raise
        self.api_key = self._printed_key()

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of the service's container."""
        return _inspect(self._container(service))

    def stop(self, service: str) -> None:
        docker("stop", self._container(service))

    def start(self, service: str) -> None:
        """The container alone: Compose would run the set-up again, too."""
        docker("start", self._container(service))

    def run_in(self, service: str, *command: str) -> str:
        return self.compose("exec", "--no-TTY", service, *command)

    def kill(self, service: str) -> None:
        """SIGKILL to its first process, as when memory runs out: `docker kill` counts as a stop,
        after which nothing is started again."""
        process = str(self.inspect(service)["State"]["Pid"])
        script = "import os, sys; os.kill(int(sys.argv[1]), 9)"
        image = "agenticai-worker"
        options = ("--rm", "--pid", "host", "--user", "0", "--entrypoint", "python")
        docker("run", *options, image, "-c", script, process)

    def wait_until_healthy(self, service: str, seconds: float = 90) -> None:
        container, deadline = self._container(service), time.monotonic() + seconds
        while _inspect(container)["State"]["Health"]["Status"] != "healthy":
            assert time.monotonic() < deadline, f"{service} is not healthy after {seconds:.0f} s"
            time.sleep(0.2)

    def _container(self, service: str) -> str:
        return self.compose("ps", "--all", "--quiet", service).strip()

    def _printed_key(self) -> str:
        lines = docker("logs", self._container("setup")).splitlines()
        return [line.split()[-1] for line in lines if line.startswith("API key: ")][-1]

    def _environment(self) -> dict[str, str]:
        ports = {
            "AGENTICAI_API_PORT": self.api_port,
            "AGENTICAI_WEBSOCKET_PORT": self.websocket_port,
            "AGENTICAI_EMULATOR_PORT": self.emulator_port,
        }
        # Not those of the user's own system: no model, no key, and nothing of docker/.env.
        plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        engine = {k: v for k, v in os.environ.items() if k.startswith("DOCKER_")}
        own = {name: str(port) for name, port in ports.items()}
        return {**plain, **engine, **own, "COMPOSE_DISABLE_ENV_FILE": "1"}


def _inspect(container: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(docker("inspect", container))
    return found[0]


@contextmanager
def composed(project: str) -> Iterator[ComposedSystem]:
    """Brought up from nothing, and taken down with its volumes whatever happens."""
    system = ComposedSystem(project)
    system.compose("down", "--volumes", "--remove-orphans")
    try:
        system.up()
        yield system
    finally:
        system.compose("down", "--volumes", "--remove-orphans", seconds=_WAIT)
