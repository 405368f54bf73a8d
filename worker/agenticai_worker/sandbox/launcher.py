"""Runs one untrusted command, watches it, and ends only when nothing of it is left.

Started as ``python -I -S launcher.py`` with an `Order` on stdin; answers a `Result` on stdout.
It is a process of its own between the worker and the command, so that it can adopt and kill
whatever the command leaves behind without touching the worker's other children, and so that the
worker (threads, signal handlers and all) never forks by itself. When the worker dies, it
kills the command, removes the folder and ends. When it is killed itself, the command dies by
PR_SET_PDEATHSIG, and the worker kills what the command had started.
"""

import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

# -I leaves the package's own folder out. Last, so that nothing in it hides the standard library.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from agenticai_worker.sandbox import watch
from agenticai_worker.sandbox.confine import confine, load_libc
from agenticai_worker.sandbox.folder import remove_tree
from agenticai_worker.sandbox.orders import GROUP_FILE, Order, Result

_PR_SET_CHILD_SUBREAPER = 36
_TICK = 0.05  # s between two looks at processes and memory
_DISK_TICK = 0.25
_SLOWEST_TICK = 0.5
_SHARE = 20  # a look may cost one part in so many: where many processes run, looks become rarer
_DISK_SHARE = 4
_ABANDONED = "abandoned"


class Supervisor:
    """One command from its start to the end of its last process."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.exit_code: int | None = None
        self.told_to_stop = False
        self.next_disk_look = 0.0
        self.pause = _TICK
        self.started = time.monotonic()
        self.wake_reader, self.wake_writer = os.pipe()
        self.pid = 0

    def run(self) -> Result:
        self._prepare()
        missing, error = self._start()
        stopped = None
        while self.exit_code is None and stopped is None:
            select.select([self.wake_reader], [], [], self.pause)
            with suppress(BlockingIOError):
                os.read(self.wake_reader, 512)
            self._reap()
            stopped = self._verdict() if self.exit_code is None else None
        seconds = time.monotonic() - self.started
        self._kill_everything()
        if stopped == _ABANDONED:
            remove_tree(Path(self.order.base))
        return Result(None if stopped else self.exit_code, stopped, seconds, missing, error)

    def _prepare(self) -> None:
        if sys.platform == "linux":
            load_libc().prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        for end in (self.wake_reader, self.wake_writer):
            os.set_blocking(end, False)
        # A child's end or a request to stop wakes the loop at once.
        signal.set_wakeup_fd(self.wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.told_to_stop = True

    def _start(self) -> tuple[list[str], str | None]:
        """Fork and wait until the command runs; the layers it had to do without, or an error."""
        reader, writer = os.pipe()  # closes by itself at exec
        supervisor = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _become(self.order, supervisor, writer)
        Path(self.order.base, GROUP_FILE).write_text(str(self.pid))
        os.close(writer)
        with os.fdopen(reader) as answers:
            lines = answers.read().splitlines()
        self.started = time.monotonic()
        missing = [line.removeprefix("missing ") for line in lines if line.startswith("missing ")]
        errors = [line.removeprefix("error ") for line in lines if line.startswith("error ")]
        return missing, errors[0] if errors else None

    def _reap(self) -> bool:
        """Collect the dead, adopted ones too; whether any child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.pid:
                self.exit_code = os.waitstatus_to_exitcode(status)

    def _verdict(self) -> str | None:
        """Why it must end now, or None."""
        now = time.monotonic()
        if self.told_to_stop or os.getppid() != self.order.parent:
            return _ABANDONED
        if now - self.started > self.order.timeout:
            return "timeout"
        if _size(self.order.stdout) + _size(self.order.stderr) > self.order.output:
            return "output"
        processes = watch.descendants(os.getpid())
        self._pace(time.monotonic() - now, now)
        if sum(process.threads for process in processes) > self.order.tasks:
            return "processes"
        if sum(process.resident for process in processes) > self.order.memory:
            return "memory"
        return "disk" if self._disk_is_full(processes) else None

    def _pace(self, cost: float, now: float) -> None:
        left = self.started + self.order.timeout - now
        self.pause = min(max(_TICK, _SHARE * cost), _SLOWEST_TICK, max(left, 0.0) + 0.001)

    def _disk_is_full(self, processes: list[watch.Process]) -> bool:
        now = time.monotonic()
        if now < self.next_disk_look:
            return False
        used = watch.disk_use(self.order.writable, processes, self.order.disk)
        self.next_disk_look = now + max(_DISK_TICK, _DISK_SHARE * (time.monotonic() - now))
        return used > self.order.disk

    def _kill_everything(self) -> None:
        """The group at once (the filter lets nobody leave it), then whoever is still there."""
        while True:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            for process in watch.descendants(os.getpid()):
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            if not self._reap():  # no child, and so, for a subreaper, no descendant
                return
            time.sleep(0.002)


def _become(order: Order, supervisor: int, status: int) -> None:
    try:
        for layer in confine(order, supervisor):
            os.write(status, f"missing {layer}\n".encode())
        os.execvpe(order.argv[0], order.argv, order.environment)  # noqa: S606
    except BaseException as error:
        os.write(status, f"error {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(126)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except FileNotFoundError:
        return 0


def main() -> None:
    order = Order.from_json(sys.stdin.read())
    sys.stdout.write(Supervisor(order).run().to_json())


if __name__ == "__main__":
    main()
