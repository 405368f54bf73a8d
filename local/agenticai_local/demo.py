"""``make demo``: one project from a sentence to tested code, changed once, start to end."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agenticai_client.errors import ClientError
from agenticai_client.names import name_from
from agenticai_client.sdk import Client
from agenticai_client.show import LiveView
from agenticai_client.wording import one_line, percent, scores_line
from agenticai_local.check import TestRun, run_tests
from agenticai_local.display import shown
from agenticai_local.download import save_archive
from agenticai_local.errors import LocalError
from agenticai_local.resources import ROOT
from agenticai_local.stack import SANDBOX_PYTHON, LocalStack

DESCRIPTION = (
    "A dog grooming salon. Customers have a name, an email and a phone number. Each dog belongs to "
    "a customer and has a name, a breed and a weight in kg. Appointments are for a dog, have a "
    "start time, an end time and a price, and can be confirmed, cancelled or completed."
)
MODIFICATION = "Add user authentication"
OUTPUT = ROOT / "demo-output"
_BUILT_IN = "template"
_SECONDS = {True: 300.0, False: 1800.0}  # for one run: with the built-in engine, with a model


class DemoFailed(Exception):
    """A step did not do what it is there to show."""


@dataclass(frozen=True)
class Result:
    project: dict[str, Any]
    folder: Path
    files: int
    tests: TestRun
    seconds: dict[str, float]  # step -> how long it took


class Demo:
    """The steps, in order, each timed; ``console`` shows them as they happen."""

    def __init__(self, client: Client, console: Console) -> None:
        self._client = client
        self._console = console
        self._last = 0  # number of the last event that was shown
        self._live = False
        self.seconds: dict[str, float] = {}

    def run(self, name: str, type_: str, description: str, output: Path) -> Result:
        with self._step("Create", f"“{name}”: {description}"):
            project_id = self._create(name, type_, description)
        with self._step("Modify", f"“{MODIFICATION}”"):
            self._modify(project_id)
        with self._step("Download"):
            project = self._client.get_project(project_id)
            folder = save_archive(self._client.archive(project_id), output, project["name"])
            files = self._client.files(project_id)
            self._say(f"{len(files)} files in {shown(folder)}")
        with self._step("Test", "the downloaded project, outside the system"):
            tests = run_tests(folder, SANDBOX_PYTHON)
            if not tests.ok:
                raise DemoFailed(f"Its tests did not pass:\n{tests.output[-3000:]}")
            self._say(f"{tests.passed} tests passed, coverage {percent(tests.coverage)}")
        return Result(project, folder, len(files), tests, self.seconds)

    def _create(self, name: str, type_: str, description: str) -> str:
        project_id: str = self._client.create_project(name, type_, description)["id"]
        self._show(self._client.follow_project(project_id, self._last, self._notice))
        project = self._client.get_project(project_id)
        if project["status"] != "active":
            raise DemoFailed(f"The project is {project['status']}: {_reason(project)}")
        return project_id

    def _modify(self, project_id: str) -> None:
        change = self._client.modify(project_id, MODIFICATION)
        follow = self._client.follow_modification
        self._show(follow(project_id, change["id"], self._last, self._notice))
        change = self._client.get_modification(project_id, change["id"])
        if change["status"] != "applied":
            raise DemoFailed(f"The modification is {change['status']}: {_reason(change)}")

    def _show(self, events: Iterator[dict[str, Any]]) -> None:
        self._live = False
        view = LiveView(self._console, verbose=False)
        with closing(cast(Any, events)), view.running(silent=False):
            for event in events:
                view.show(event)
                self._last = event["seq"]
        if not self._live:
            raise DemoFailed("The progress came by polling: the WebSocket was never connected")

    def _notice(self, state: str, reason: str) -> None:
        self._live = self._live or state == "live"
        if state != "live":
            self._say(f"{state}: {reason}")

    def _say(self, text: str) -> None:
        self._console.print(Text(f"  {text}"), soft_wrap=True)

    @contextmanager
    def _step(self, name: str, detail: str = "") -> Iterator[None]:
        self._console.print(Text.assemble("\n", (name, "bold cyan"), f"  {detail}"))
        started = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - started


def run_demo(name: str, type_: str, description: str, console: Console) -> int:
    """All of it on a system of its own, on free ports and a throw-away state; the exit status."""
    description = description or DESCRIPTION
    name = name or name_from(description)
    state = Path(tempfile.mkdtemp(prefix="agenticai-demo-"))
    started = time.monotonic()
    try:
        with _interruptible(), _deadline(_SECONDS[not os.environ.get("AGENTICAI_MODEL")]):
            result = _on_a_fresh_system(state, name, type_, description, console)
    except (DemoFailed, LocalError, ClientError, TimeoutError) as error:
        _show_failure(error, state, console)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped; everything that was started has ended.")
        shutil.rmtree(state, ignore_errors=True)
        return 130
    shutil.rmtree(state, ignore_errors=True)
    _show_summary(result, time.monotonic() - started, console)
    return 0


def _on_a_fresh_system(
    state: Path, name: str, type_: str, description: str, console: Console
) -> Result:
    def tell(message: str) -> None:
        console.print(message, style="yellow", markup=False)

    started = time.monotonic()
    console.print("Starting the emulator, the API, the gateway and four workers…")
    with LocalStack(state, tell=tell) as stack:
        up = time.monotonic() - started
        console.print(f"  everything is healthy after {up:.1f} s", highlight=False)
        with Client(stack.api_url, stack.api_key, websocket_url=stack.websocket_url) as client:
            demo = Demo(client, console)
            demo.seconds["Start"] = up
            result = demo.run(name, type_, description, OUTPUT)
        console.print("\nStopping everything…")
    return result


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and a closed terminal end it as Ctrl-C does: in order."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` in here when time is up."""

    def late(*_: object) -> None:
        raise TimeoutError(f"It was not done after {seconds:.0f} s")

    before: Any = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _reason(thing: dict[str, Any]) -> str:
    failure = thing.get("failure") or {}
    return (
        ". ".join(filter(None, (failure.get("message"), failure.get("hint")))) or "no reason given"
    )


def _show_failure(error: Exception, state: Path, console: Console) -> None:
    message = getattr(error, "message", "") or str(error)
    console.print(Text(f"\nThe demo failed: {message}", style="bold red"), soft_wrap=True)
    hint = getattr(error, "hint", "")
    if hint:
        console.print(Text(str(hint), style="yellow"))
    console.print(Text(f"Logs of all processes: {state / 'logs'}"))


def _show_summary(result: Result, total: float, console: Console) -> None:
    project, tests = result.project, result.tests
    model = project["model"] or _BUILT_IN
    steps = ", ".join(f"{name.lower()} {took:.1f}" for name, took in result.seconds.items())
    kind = f"({project['type']}, revision {project['revision']})"
    rows = {
        "Project": f"{one_line(project['name'])} {kind}",
        "Files": f"{result.files} in {shown(result.folder)}",
        "Tests passed": f"{tests.passed} of {tests.passed + tests.failed}, run outside the system",
        "Coverage": percent(tests.coverage),
        "Scores": scores_line(project["scores"]),
        "Seconds": f"{total:.1f} ({steps})",
        "Model": "built-in engine, not an LLM" if model == _BUILT_IN else one_line(model),
    }
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), Text(value))
    console.print()
    console.print(Panel(table, title="It works", title_align="left", expand=False))
    _show_next(result.folder, console)


def _show_next(folder: Path, console: Console) -> None:
    lines = [
        f"cd {shown(folder)} && cat README.md",
        'make demo DESCRIPTION="…" TYPE=api NAME="…"      the same with your own words',
        "make up                                          keep the system running",
        '.venv/bin/agenticai new "…"                      then ask it for a project',
    ]
    console.print("How to go on:")
    for line in lines:
        console.print(Text(f"  {line}"), soft_wrap=True)
