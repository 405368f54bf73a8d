"""``make up``: the whole system kept running in this terminal."""

import signal
import threading

from rich.console import Console
from rich.table import Table

from agenticai_local.display import shown
from agenticai_local.logs import LogFollower, console_sink
from agenticai_local.stack import NAMES, LocalStack
from agenticai_local.supervisor import Cancelled


class StopSignals:
    """Ctrl-C and SIGTERM: the first asks to stop, the second to be quick about it."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.hurry = threading.Event()

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, *_: object) -> None:
        if self.stop.is_set():
            self.hurry.set()
        self.stop.set()


def run_up(stack: LocalStack, signals: StopSignals, console: Console, quiet: bool) -> None:
    """Start, show logs until asked to stop, stop. Raises `LocalError`."""
    follower = LogFollower(stack.folder.logs, list(NAMES), console_sink(console))
    console.print("Starting the emulator, the API, the gateway and four workers…")
    try:
        stack.start()
    except Cancelled:
        console.print("Stopped before everything was up")
        return
    _show_addresses(stack, console)
    if not quiet:
        follower.start()
    try:
        signals.stop.wait()
    finally:
        console.print("\nStopping; work under way is handed back (Ctrl-C again: at once)…")
        stack.stop(signals.hurry)
        if not quiet:
            follower.stop()
    console.print("Everything is stopped; your projects are kept for the next [bold]make up[/bold]")


def _show_addresses(stack: LocalStack, console: Console) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2))
    rows = {
        "API": stack.api_url,
        "API docs": f"{stack.api_url}/docs",
        "WebSocket": stack.websocket_url,
        "API key": stack.api_key,
        "State, logs": shown(stack.folder.path),
    }
    for name, value in rows.items():
        table.add_row(f"[bold]{name}[/bold]", value)
    console.print(table)
    console.print(
        'Try in another terminal: [bold].venv/bin/agenticai new "a library with loans"[/]'
    )
