"""The sandbox on this machine: no daemon, no container, no privilege that it could not do without.

A run gets a fresh folder, an interpreter with the curated packages and nothing else. See
`launcher` for how it is watched and `confine` for what it is denied.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from agenticai_core.paths import check_collisions, safe_path
from agenticai_worker.sandbox import identity, rootfs, selftest
from agenticai_worker.sandbox.base import Command, Finished, Level, Stopped
from agenticai_worker.sandbox.environment import RUN_PREFIX, clean_environment
from agenticai_worker.sandbox.folder import read_regular, read_tail, remove_tree
from agenticai_worker.sandbox.orders import GROUP_FILE, Order, Result

OUTPUT_TAIL = 256 << 10  # bytes of stdout and of stderr that are handed back
OUTPUT_LIMIT = 64 << 20  # bytes of both after which a run is killed
COLLECT_LIMIT = 16 << 20  # bytes of one collected file
TASKS = 128  # processes and threads of one run
_GRACE = 30.0  # s that the launcher gets beyond the run's own time
_LAUNCHER = Path(__file__).with_name("launcher.py")
_STOPPED: Mapping[str, Stopped] = {
    name: name for name in ("timeout", "memory", "disk", "output", "processes")
}


class SandboxBroken(RuntimeError):
    """The sandbox itself failed, which says nothing about the code that was to run in it."""


class LocalSandbox:
    """Runs commands under ``python``'s environment (None: this process' own).

    ``root``: a file system for them, with ``python`` at the same path. It is used where this
    process may change its root folder, and left alone elsewhere. ``level`` and ``missing`` come
    from a self-test that runs once per process and interpreter.
    """

    level: Level
    missing: tuple[str, ...]

    def __init__(self, python: str | None = None, root: Path | None = None) -> None:
        self._root = rootfs.usable(root)
        self._python = os.path.abspath(python or sys.executable)  # noqa: PTH100 -- keep the venv's link
        verdict = selftest.examine((self._python, self._root), self._run)
        self.level, self.missing = verdict.level, verdict.missing

    def run(self, command: Command) -> Finished:
        """Run it, wait, and leave no process and no file behind.

        Raises `SandboxBroken` when it could not be run at all, `UnsafePath` for a path that no
        project may have.
        """
        return self._run(command)[0]

    def _run(self, command: Command) -> tuple[Finished, Result]:
        place = rootfs.runs(self._root) if self._root else None
        base = Path(tempfile.mkdtemp(prefix=RUN_PREFIX, dir=place)).resolve()
        try:
            order = self._prepare(base, command)
            result = _launch(order)
            return _finish(base, command, result), result
        finally:
            remove_tree(base)

    def _prepare(self, base: Path, command: Command) -> Order:
        python = self._python if command.argv[0] == "python" else command.argv[0]
        readable, uid = self._sight(python, base)
        work, home = base / "work", base / "home"
        _write_files(work, command.files)
        home.mkdir(mode=0o700)
        if uid is not None:
            base.chmod(0o711)
            _hand_over((work, home), uid)
        return Order(
            argv=[python, *command.argv[1:]],
            environment=clean_environment(python, rootfs.inside(self._root, home))
            | dict(command.environment),
            root=str(self._root) if self._root else None,
            base=str(base),
            work=str(work),
            stdout=str(base / "stdout"),
            stderr=str(base / "stderr"),
            readable=readable,
            writable=[str(work), str(home)],
            uid=uid,
            parent=os.getpid(),
            timeout=command.timeout,
            memory=command.memory_mb << 20,
            disk=command.disk_mb << 20,
            output=OUTPUT_LIMIT,
            tasks=TASKS,
        )

    def _sight(self, python: str, base: Path) -> tuple[list[str], int | None]:
        """What a run may read, and the user that it gets."""
        if self._root:
            return [str(self._root)], identity.own_uid(())
        roots = identity.readable_roots(python)
        return [*identity.SYSTEM, *roots], identity.own_uid((*roots, str(base.parent)))


def _launch(order: Order) -> Result:
    launcher = subprocess.Popen(
        [sys.executable, "-I", "-S", str(_LAUNCHER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.defpath},
        cwd="/",
        start_new_session=True,
        text=True,
    )
    try:
        answer, complaint = launcher.communicate(order.to_json(), order.timeout + _GRACE)
    except BaseException:
        # A time limit of the task, for one. Asked to stop, it takes the command with it.
        launcher.terminate()
        with suppress(subprocess.TimeoutExpired):
            launcher.communicate(timeout=_GRACE)
        raise
    finally:
        if launcher.poll() is None:
            launcher.kill()
            launcher.communicate()
    if launcher.returncode != 0 or not answer:
        _kill_group(Path(order.base, GROUP_FILE))
        raise SandboxBroken(f"the launcher ended with {launcher.returncode}: {complaint[-2000:]}")
    result = Result.from_json(answer)
    if result.error is not None:
        raise SandboxBroken(f"the command could not be started: {result.error}")
    return result


def _kill_group(file: Path) -> None:
    """End what a launcher that was killed left behind; the filter kept all of it in one group."""
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        os.killpg(int(file.read_text()), signal.SIGKILL)


def _finish(base: Path, command: Command, result: Result) -> Finished:
    collected = {
        path: content
        for path in command.collect
        if (content := read_regular(base / "work", safe_path(path), COLLECT_LIMIT)) is not None
    }
    return Finished(
        exit_code=result.exit_code,
        stdout=read_tail(base / "stdout", OUTPUT_TAIL),
        stderr=read_tail(base / "stderr", OUTPUT_TAIL),
        collected=collected,
        seconds=result.seconds,
        stopped=_STOPPED[result.stopped] if result.stopped else None,
    )


def _write_files(work: Path, files: Mapping[str, bytes]) -> None:
    check_collisions(files)
    work.mkdir(mode=0o700)
    for path, content in files.items():
        target = work / safe_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _hand_over(folders: tuple[Path, ...], uid: int) -> None:
    for folder in folders:
        os.chown(folder, uid, uid)
        for parent, folder_names, file_names in os.walk(folder):
            for name in (*folder_names, *file_names):
                os.chown(Path(parent, name), uid, uid)
