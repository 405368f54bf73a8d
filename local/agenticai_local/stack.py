"""The whole system on one machine, as an object: for ``up``, the demo and the tests."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from agenticai_core.clock import now, stamp
from agenticai_core.models import Agent
from agenticai_local import emulator
from agenticai_local.bootstrap import run_bootstrap
from agenticai_local.environment import health_file, service_environment, worker_environment
from agenticai_local.errors import LocalError
from agenticai_local.ports import HOST, choose_port
from agenticai_local.processes import Spec, wait_until
from agenticai_local.resources import ROOT
from agenticai_local.state import StateFolder
from agenticai_local.supervisor import Supervisor

SANDBOX_PYTHON = ROOT / ".venv-sandbox" / "bin" / "python"
WORKERS = tuple(f"worker-{agent.value}" for agent in Agent)
SERVICES = ("api", "websocket", *WORKERS)
NAMES = ("emulator", *SERVICES)

_EMULATOR_SECONDS = 30.0  # until it answers, its state loaded
_SERVICES_SECONDS = 60.0
_COLD_STOP_SECONDS = 15.0  # what a worker takes beyond its drain, at most


class LocalStack:
    """Seven processes on one state folder; ports that are 0 are chosen.

    ``extra_env`` goes to the API, the gateway and the workers, ``process_env`` (name -> variables)
    to one of them. ``services_endpoint_url`` is where they find AWS if not at the emulator itself:
    a proxy in front of it. ``unclean`` says what to do when the emulator was killed the last time.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        api_port: int = 0,
        websocket_port: int = 0,
        emulator_port: int = 0,
        fresh: bool = False,
        unclean: Literal["refuse", "keep"] = "refuse",
        restart: bool = True,
        extra_env: Mapping[str, str] | None = None,
        process_env: Mapping[str, Mapping[str, str]] | None = None,
        services_endpoint_url: str | None = None,
        tell: Callable[[str], None] = lambda message: print(message, file=sys.stderr),
        cancel: threading.Event | None = None,
    ) -> None:
        self.folder = StateFolder(state_dir.resolve())
        self.api_key = ""
        self.variables: dict[str, str] = {}  # what the services' settings are read from
        self._ports = (api_port, websocket_port, emulator_port)
        self._fresh, self._unclean = fresh, unclean
        self._extra_env = dict(extra_env or {})
        self._process_env = {name: dict(env) for name, env in (process_env or {}).items()}
        self._services_endpoint_url = services_endpoint_url
        self._tell = tell
        self._cancel = cancel
        self._restart = restart
        self._supervisor: Supervisor | None = None
        self._held: IO[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # ---- addresses -------------------------------------------------------------------------

    @property
    def api_url(self) -> str:
        return f"http://{HOST}:{self._ports[0]}"

    @property
    def websocket_url(self) -> str:
        return f"ws://{HOST}:{self._ports[1]}/ws"

    @property
    def endpoint_url(self) -> str:
        """The emulator's."""
        return f"http://{HOST}:{self._ports[2]}"

    @property
    def processes(self) -> dict[str, int]:
        """Those that run: name -> process id, which leads a group of its own."""
        return self._running.pids

    def log(self, name: str) -> Path:
        return self.folder.logs / f"{name}.log"

    # ---- start and stop --------------------------------------------------------------------

    def start(self) -> None:
        """Start everything and return when all of it is healthy.

        Raises `LocalError` (with all that was started stopped again), or `Cancelled`.
        """
        self._held = self.folder.lock()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        if not SANDBOX_PYTHON.exists():
            raise LocalError("The environment .venv-sandbox is missing", hint="Run: make setup")
        options = (
            ("the API", "--api-port"),
            ("the WebSocket gateway", "--websocket-port"),
            ("the emulator", "--emulator-port"),
        )
        wanted = zip(self._ports, options, strict=True)
        api, websocket, aws = (choose_port(port, *option) for port, option in wanted)
        self._ports = (api, websocket, aws)
        self._prepare_state()
        self._supervisor = Supervisor(
            self.folder.logs, self._tell, restart=self._restart, cancel=self._cancel
        )
        self._supervisor.start([self._spec("emulator")], _EMULATOR_SECONDS)
        self._bootstrap()
        self._supervisor.start([self._spec(name) for name in SERVICES], _SERVICES_SECONDS)

    def _prepare_state(self) -> None:
        if self._fresh:
            self.folder.wipe()
        self.folder.prepare()
        if self._unclean == "refuse":
            emulator.check_stop(self.folder.emulator)

    def stop(self, hurry: threading.Event | None = None) -> None:
        """Stop in order: the workers hand back what they hold, and the state is saved last.

        ``hurry``, once set, kills what has not ended yet.
        """
        if self._supervisor is not None:
            for names in (WORKERS, ("websocket",), ("api",), ("emulator",)):
                self._supervisor.stop(names, hurry)
            self._supervisor.close()
            self._supervisor = None
        if self._held is not None:
            self._held.close()
            self._held = None

    # ---- single processes ------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """SIGKILL to one process alone; whatever it started is ended when that is noticed."""
        os.kill(self.processes[name], signal.SIGKILL)

    def stop_process(self, name: str) -> None:
        """Stop one process in its own manner; it is not started again."""
        self._running.stop([name])

    def start_process(self, name: str) -> None:
        """Start one process that was stopped, and wait until it is healthy."""
        self._running.start([self._spec(name)], _SERVICES_SECONDS)

    @property
    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise LocalError("The system is not running")
        return self._supervisor

    # ---- what is started -------------------------------------------------------------------

    def _bootstrap(self) -> None:
        previous = self.folder.read_address().get("api_key")
        made = run_bootstrap(self.endpoint_url, "agenticai", "local", previous)
        seen = self._services_endpoint_url or self.endpoint_url
        self.variables = {
            name: value.replace(self.endpoint_url, seen) for name, value in made.variables.items()
        }
        self.api_key = made.api_key
        self.folder.write_address(
            {
                "api_url": self.api_url,
                "websocket_url": self.websocket_url,
                "api_key": self.api_key,
                "pid": os.getpid(),
                "started_at": stamp(now()),
            }
        )

    def _recover_emulator(self) -> None:
        """After the emulator died and was started again: what it forgot is made anew."""
        answers = f"{self.endpoint_url}{emulator.HEALTH}"
        if not wait_until(lambda: emulator.answers(answers), _EMULATOR_SECONDS):
            raise LocalError("the emulator does not answer")
        before = self.api_key
        self._bootstrap()
        self._tell("The emulator has lost what was stored since its last clean stop")
        if self.api_key != before:
            self._tell(f"There is a new API key: {self.api_key}")

    def _spec(self, name: str) -> Spec:
        if name == "emulator":
            return emulator.emulator_spec(
                ROOT, self.folder.emulator, self._ports[2], self._recover_emulator
            )
        if name in WORKERS:
            return self._worker_spec(name, Agent(name.removeprefix("worker-")))
        path = "/health/ready" if name == "api" else "/ws/health"
        port = self._ports[0] if name == "api" else self._ports[1]
        return Spec(
            name=name,
            command=[sys.executable, "-m", f"agenticai_{name}"],
            env=self._with_extra(name, self._service_env()),
            ready=lambda: emulator.answers(f"http://{HOST}:{port}{path}"),
        )

    def _worker_spec(self, name: str, agent: Agent) -> Spec:
        health = health_file(self.folder.run, agent)
        plain = worker_environment(self._service_env(), agent, SANDBOX_PYTHON, self.folder.run)
        env = self._with_extra(name, plain)
        return Spec(
            name=name,
            command=[sys.executable, "-m", "agenticai_worker", agent.value],
            env=env,
            ready=health.exists,
            stop_seconds=float(env["AGENTICAI_DRAIN_SECONDS"]) + _COLD_STOP_SECONDS,
            before_start=lambda: health.unlink(missing_ok=True),
        )

    def _service_env(self) -> dict[str, str]:
        return service_environment(self.variables, self._ports[0], self._ports[1])

    def _with_extra(self, name: str, env: Mapping[str, str]) -> dict[str, str]:
        return {**env, **self._extra_env, **self._process_env.get(name, {})}
