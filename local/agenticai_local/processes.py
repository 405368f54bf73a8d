"""One supervised process: its own group, its output in a file, its end awaited."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_CHILD = Path(__file__).with_name("child.py")


def _nothing() -> None:
    """For a hook that is not needed."""


@dataclass(frozen=True)
class Spec:
    """How to start a process, how to know that it works, and how long it may take to stop.

    ``before_start`` runs before each start, ``after_restart`` after each but the first.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    ready: Callable[[], bool]
    stop_seconds: float = 10.0
    before_start: Callable[[], None] = _nothing
    after_restart: Callable[[], None] = _nothing


class ManagedProcess:
    """Starts, watches and ends one process and everything that it started.

    Its standard output and error are appended to ``log``: a file, not a pipe, so that it can end
    in peace when the supervisor is gone.
    """

    def __init__(self, spec: Spec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.started_at = 0.0
        self._ended = False
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen is not None else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs, or when it never did."""
        return self._popen.poll() if self._popen is not None else None

    @property
    def alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        """Start it. Must be called by a thread that outlives it: see ``child.py``."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        wrapper = [sys.executable, "-I", "-S", str(_CHILD), str(os.getpid())]
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                [*wrapper, *self.spec.command],
                env=dict(self.spec.env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone
            )
        self.started_at = time.monotonic()

    def terminate(self) -> None:
        """Ask it to stop; `wait` sees to it that it does."""
        if self.alive and self._popen is not None:
            self._popen.terminate()

    def wait(self, seconds: float, hurry: threading.Event | None = None) -> bool:
        """Wait for its end, then kill what is left of its group; whether it ended by itself.

        ``hurry``, once set, ends the waiting.
        """
        deadline = time.monotonic() + seconds
        while self.alive and time.monotonic() < deadline and not (hurry and hurry.is_set()):
            time.sleep(0.02)
        by_itself = not self.alive
        self.kill_group()
        return by_itself

    def kill_group(self) -> None:
        """Kill it and all it started, as the end of a container would."""
        if self._popen is None or self._ended:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._ended = True  # never again: the system may give its number to another group

    def last_lines(self, count: int = 15) -> str:
        """The end of what it printed."""
        if not self.log.exists():
            return ""
        with self.log.open(errors="replace") as lines:
            return "".join(deque(lines, maxlen=count)).rstrip()


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    """Poll ``condition`` until it holds; False when ``seconds`` have passed."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every)
    return True
