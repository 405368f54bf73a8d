"""The supervisor, on small processes of its own: started, awaited, restarted, stopped, orphaned."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from agenticai_local.errors import LocalError
from agenticai_local.processes import ManagedProcess, Spec, wait_until
from agenticai_local.supervisor import Cancelled, Supervisor

# Touches its first argument once it is ready, and ends on SIGTERM.
SERVICE = """
    import pathlib, signal, sys, time
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    pathlib.Path(sys.argv[1]).touch()
    print("ready", flush=True)
    while True: time.sleep(1)
"""
STUBBORN = SERVICE.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN")
PARENT = (
    """
    import subprocess, sys
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print("child", child.pid, flush=True)
"""
    + SERVICE
)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, told: list[str]) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path / "logs", told.append)
    yield made
    made.close()


@pytest.fixture
def spec(tmp_path: Path) -> Callable[..., Spec]:
    def make(name: str, program: str = SERVICE, stop_seconds: float = 10) -> Spec:
        flag = tmp_path / f"{name}.ready"
        return Spec(
            name=name,
            command=[sys.executable, "-c", textwrap.dedent(program), str(flag)],
            env={"PATH": os.defpath},
            ready=flag.exists,
            stop_seconds=stop_seconds,
            before_start=lambda: flag.unlink(missing_ok=True),
        )

    return make


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_starts_all_and_stops_those_named(
    supervisor: Supervisor, spec: Callable[..., Spec], told: list[str]
) -> None:
    supervisor.start([spec("a"), spec("b")], 20)
    pids = supervisor.pids
    assert set(pids) == {"a", "b"}
    supervisor.stop(["a"])
    assert gone(pids["a"])
    assert supervisor.pids == {"b": pids["b"]}
    assert told == []


def test_one_that_ends_at_the_start_is_told_with_its_last_lines(
    supervisor: Supervisor, spec: Callable[..., Spec]
) -> None:
    with pytest.raises(LocalError, match=r"a ended with exit code 3(.|\n)*no such thing") as caught:
        supervisor.start([spec("a", "print('no such thing'); raise SystemExit(3)")], 20)
    assert "a.log" in caught.value.hint


def test_one_that_never_gets_ready_is_told_after_the_time_given(
    supervisor: Supervisor, spec: Callable[..., Spec]
) -> None:
    with pytest.raises(LocalError, match="a was not ready after 0 s"):
        supervisor.start([spec("a", "import time; time.sleep(60)")], 0.3)


def test_waiting_can_be_cancelled(tmp_path: Path, spec: Callable[..., Spec]) -> None:
    cancel = threading.Event()
    cancel.set()
    supervisor = Supervisor(tmp_path / "logs", print, cancel=cancel)
    try:
        with pytest.raises(Cancelled):
            supervisor.start([spec("a", "import time; time.sleep(60)")], 20)
    finally:
        supervisor.close()


def test_a_killed_process_is_started_again_and_told(
    supervisor: Supervisor, spec: Callable[..., Spec], told: list[str]
) -> None:
    supervisor.start([spec("a")], 20)
    first = supervisor.pids["a"]
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: supervisor.pids.get("a", first) != first, 20)
    assert told == ["a ended unexpectedly (exit code -9); starting it again in 0.5 s"]


def test_restarts_come_ever_later(
    supervisor: Supervisor, spec: Callable[..., Spec], told: list[str]
) -> None:
    supervisor.start([spec("a")], 20)
    for end in (1, 2):
        assert wait_until(lambda: "a" in supervisor.pids, 20)
        os.kill(supervisor.pids["a"], signal.SIGKILL)
        assert wait_until(lambda end=end: len(told) == end, 20)
    assert [message.rsplit(" ", 2)[1] for message in told] == ["0.5", "1.0"]


def test_without_restart_an_end_is_only_told(
    tmp_path: Path, told: list[str], spec: Callable[..., Spec]
) -> None:
    supervisor = Supervisor(tmp_path / "logs", told.append, restart=False)
    try:
        supervisor.start([spec("a")], 20)
        os.kill(supervisor.pids["a"], signal.SIGKILL)
        assert wait_until(lambda: bool(told), 20)
        assert told == ["a ended unexpectedly (exit code -9)"]
        assert supervisor.pids == {}
    finally:
        supervisor.close()


def test_one_that_does_not_stop_is_killed_and_told(
    supervisor: Supervisor, spec: Callable[..., Spec], told: list[str]
) -> None:
    supervisor.start([spec("a", STUBBORN, stop_seconds=0.3)], 20)
    pid = supervisor.pids["a"]
    supervisor.stop(["a"])
    assert gone(pid)
    assert told == ["a did not stop in time and was killed"]


def test_hurry_does_not_wait(
    supervisor: Supervisor, spec: Callable[..., Spec], told: list[str]
) -> None:
    supervisor.start([spec("a", STUBBORN, stop_seconds=600)], 20)
    hurry = threading.Event()
    hurry.set()
    supervisor.stop(["a"], hurry)
    assert supervisor.pids == {}
    assert told == ["a did not stop in time and was killed"]


def test_what_a_process_started_ends_with_it(
    supervisor: Supervisor, spec: Callable[..., Spec], tmp_path: Path
) -> None:
    supervisor.start([spec("a", PARENT)], 20)
    child = int((tmp_path / "logs" / "a.log").read_text().split()[1])
    assert not gone(child)
    supervisor.stop(["a"])
    assert wait_until(lambda: gone(child), 10)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux' parent-death signal")
def test_a_killed_supervisor_leaves_nothing_behind(tmp_path: Path) -> None:
    program = f"""
        import os, pathlib, sys, time
        from agenticai_local.processes import ManagedProcess, Spec
        code = "import time; time.sleep(60)"
        spec = Spec("a", [sys.executable, "-c", code], {{}}, ready=lambda: True)
        process = ManagedProcess(spec, pathlib.Path({str(tmp_path / "a.log")!r}))
        process.start()
        print(process.pid, flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        assert not gone(child)
        supervisor.kill()
    assert wait_until(lambda: gone(child), 10)


def test_last_lines_are_the_end_of_the_log(tmp_path: Path, spec: Callable[..., Spec]) -> None:
    process = ManagedProcess(spec("a"), tmp_path / "a.log")
    assert process.last_lines() == ""
    process.log.write_text("".join(f"line {n}\n" for n in range(100)))
    assert process.last_lines(2) == "line 98\nline 99"
