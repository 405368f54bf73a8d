"""Start processes, wait until they work, start again those that end, stop them in order."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agenticai_local.errors import LocalError
from agenticai_local.processes import ManagedProcess, Spec

_EVERY = 0.1
_FIRST_DELAY = 0.5  # before a restart; doubled with each end, up to the longest
_LONGEST_DELAY = 15.0
_SETTLED = 60.0  # after so long a life, an end counts as the first again


class Cancelled(Exception):
    """The user asked to stop while things were being started."""


class Supervisor:
    """``tell`` takes messages for the user. With ``restart``, what ends is started again."""

    def __init__(
        self,
        log_folder: Path,
        tell: Callable[[str], None],
        *,
        restart: bool = True,
        cancel: threading.Event | None = None,
    ) -> None:
        self.restart = restart
        self._log_folder = log_folder
        self._tell = tell
        self._cancel = cancel or threading.Event()
        self._processes: dict[str, ManagedProcess] = {}
        self._watched: set[str] = set()
        self._ends: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._lock = threading.RLock()
        self._closed = threading.Event()
        # Children die with the thread that started them, so one thread starts them all.
        self._launcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="launcher")
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self._watcher.start()

    @property
    def pids(self) -> dict[str, int]:
        """Those that run: name -> process id, which is also its group's."""
        running = {name: process for name, process in self._processes.items() if process.alive}
        return {name: process.pid for name, process in running.items() if process.pid is not None}

    def last_lines(self, name: str) -> str:
        return self._processes[name].last_lines()

    def start(self, specs: Sequence[Spec], seconds: float) -> None:
        """Start all, then wait until each is ready.

        Raises `LocalError` when one ends or is not ready in time, `Cancelled` on request.
        """
        for spec in specs:
            self._launch(spec)
        deadline = time.monotonic() + seconds
        for spec in specs:
            self._await(self._processes[spec.name], deadline, seconds)
        with self._lock:
            self._watched.update(spec.name for spec in specs)

    def stop(self, names: Iterable[str], hurry: threading.Event | None = None) -> None:
        """Ask those that run to stop, all at once, and see to it that they do."""
        with self._lock:
            chosen = [self._processes[name] for name in names if name in self._processes]
            for process in chosen:
                self._watched.discard(process.spec.name)
                self._due.pop(process.spec.name, None)
        for process in chosen:
            process.terminate()
        since = time.monotonic()
        for process in chosen:
            left = process.spec.stop_seconds - (time.monotonic() - since)
            if not process.wait(left, hurry):
                self._tell(f"{process.spec.name} did not stop in time and was killed")

    def close(self) -> None:
        """Kill whatever is left and end the threads."""
        self._closed.set()
        self._watcher.join()
        for process in self._processes.values():
            process.kill_group()
        self._launcher.shutdown()

    def _launch(self, spec: Spec) -> None:
        spec.before_start()
        process = ManagedProcess(spec, self._log_folder / f"{spec.name}.log")
        self._launcher.submit(process.start).result()
        self._processes[spec.name] = process

    def _await(self, process: ManagedProcess, deadline: float, seconds: float) -> None:
        while not process.spec.ready():
            if self._cancel.is_set():
                raise Cancelled
            if not process.alive:
                raise self._failure(process, f"ended with exit code {process.exit_code}")
            if time.monotonic() > deadline:
                raise self._failure(process, f"was not ready after {seconds:.0f} s")
            time.sleep(0.05)

    def _failure(self, process: ManagedProcess, what: str) -> LocalError:
        lines = process.last_lines() or "(it printed nothing)"
        return LocalError(
            f"{process.spec.name} {what}. Its last lines:\n{lines}",
            hint=f"The whole log: {process.log}",
        )

    def _watch(self) -> None:
        while not self._closed.wait(_EVERY):
            for name in sorted(self._watched):
                with self._lock:
                    if name in self._watched:
                        self._look_at(name)

    def _look_at(self, name: str) -> None:
        process = self._processes[name]
        if process.alive:
            return
        if name not in self._due:
            self._note_end(process)
        if name in self._due and time.monotonic() >= self._due[name]:
            del self._due[name]
            self._start_again(process.spec)

    def _note_end(self, process: ManagedProcess) -> None:
        """Tell the user, end what it left behind, and plan its restart."""
        name = process.spec.name
        process.kill_group()
        lived = time.monotonic() - process.started_at
        self._ends[name] = 1 if lived > _SETTLED else self._ends.get(name, 0) + 1
        what = f"{name} ended unexpectedly (exit code {process.exit_code})"
        if not self.restart:
            self._watched.discard(name)
            self._tell(what)
            return
        delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** (self._ends[name] - 1))
        self._due[name] = time.monotonic() + delay
        self._tell(f"{what}; starting it again in {delay:.1f} s")

    def _start_again(self, spec: Spec) -> None:
        try:
            self._launch(spec)
            spec.after_restart()
        except (LocalError, OSError) as error:
            self._tell(f"{spec.name} could not be started again: {error}")
