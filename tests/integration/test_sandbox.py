"""The sandbox against code that means harm, in real processes."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from agenticai_core.errors import UnsafePath
from agenticai_worker.sandbox import local
from agenticai_worker.sandbox.base import Command, Finished
from agenticai_worker.sandbox.local import LocalSandbox, SandboxBroken

PYTHON = str(Path(__file__).parents[2] / ".venv-sandbox" / "bin" / "python")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


@pytest.fixture(scope="module")
def sandbox() -> LocalSandbox:
    return LocalSandbox(PYTHON)


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every run's folder lies below ``tmp_path``; afterwards it and all its processes are gone."""
    tmp_path.chmod(0o755)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(psutil.Process().children())  # an emulator of other tests, for example
    yield
    assert list(tmp_path.glob("agenticai-run-*")) == []
    assert set(psutil.Process().children()) <= before


def run(sandbox: LocalSandbox, code: str, timeout: float = 20, **options: object) -> Finished:
    files = {"main.py": textwrap.dedent(code).encode()}
    command = Command(argv=["python", "main.py"], files=files, timeout=timeout, **options)  # type: ignore[arg-type]
    return sandbox.run(command)


def daemons(token: str) -> list[psutil.Process]:
    """Living processes whose last argument is ``token``."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cmdline()[-1:] == [token]:
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_is_strong_where_the_kernel_has_landlock_and_seccomp(sandbox: LocalSandbox) -> None:
    if not Path("/sys/kernel/security/landlock").exists() and sandbox.level != "strong":
        pytest.skip(f"not here: {sandbox.missing}")
    assert (sandbox.level, sandbox.missing) == ("strong", ())


def test_runs_a_program_with_its_files(sandbox: LocalSandbox) -> None:
    finished = sandbox.run(
        Command(
            argv=["python", "main.py", "x"],
            files={"main.py": b"import sys, a.b; open('out', 'w').write(a.b.C); sys.exit(3)\n",
                   "a/b.py": b"import sys\nC = 'c' + sys.argv[1]\nprint('hello')\n"},
            timeout=20,
            collect=["out", "absent"],
            environment={"EXTRA": "1"},
        )
    )  # fmt: skip
    assert (finished.exit_code, finished.stopped) == (3, None)
    assert (finished.stdout, finished.stderr) == ("hello\n", "")
    assert finished.collected == {"out": b"cx"}
    assert 0 < finished.seconds < 20


def test_refuses_a_path_outside(sandbox: LocalSandbox) -> None:
    with pytest.raises(UnsafePath):
        sandbox.run(Command(argv=["python", "-V"], files={"../x": b""}, timeout=5))


def test_says_when_the_command_does_not_exist(sandbox: LocalSandbox) -> None:
    with pytest.raises((SandboxBroken, OSError)):
        sandbox.run(Command(argv=["/does/not/exist"], files={}, timeout=5))


@pytest.mark.parametrize(
    ("expected", "options", "code"),
    [
        ("timeout", {"timeout": 1}, "while True: pass"),
        (
            "timeout",
            {"timeout": 1},
            """
            import signal, time
            for n in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
                try: signal.signal(n, signal.SIG_IGN)
                except OSError: pass
            time.sleep(600)
            """,
        ),
        ("memory", {"memory_mb": 200}, "x = []\nwhile True: x.append(bytearray(5 << 20))"),
        (
            "memory",
            {"memory_mb": 200},
            """
            import mmap, time
            m = mmap.mmap(-1, 400 << 20)
            for n in range(400): m.write(bytes(1 << 20))
            time.sleep(600)
            """,
        ),
        (
            "disk",
            {"disk_mb": 20},
            """
            for n in range(10**9):
                open(f"f{n}", "wb").write(bytes(1 << 20))
            """,
        ),
        (
            "disk",
            {"disk_mb": 20},
            """
            import os, time
            kept = []
            for n in range(60):
                kept.append(open("f", "wb", buffering=0))
                os.unlink("f")
                kept[-1].write(bytes(1 << 20))
            time.sleep(600)
            """,
        ),
        ("disk", {"disk_mb": 5}, "for n in range(10**9): open(f'e{n}', 'w')"),
    ],
    ids=["loop", "deaf", "memory", "shared-memory", "disk", "deleted-files", "empty-files"],
)  # fmt: skip
def test_stops_what_takes_too_much(
    sandbox: LocalSandbox, expected: str, options: dict[str, float], code: str
) -> None:
    finished = run(sandbox, code, **options)
    assert (finished.stopped, finished.exit_code) == (expected, None)
    assert finished.seconds < 15


def test_stops_a_fork_bomb(sandbox: LocalSandbox) -> None:
    finished = run(sandbox, "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass")
    assert finished.stopped in ("processes", "memory")
    assert finished.seconds < 10


def test_stops_a_flood_of_output_and_keeps_its_end(
    sandbox: LocalSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "OUTPUT_LIMIT", 4 << 20)
    finished = run(sandbox, "while True: print('x' * 1000, flush=False)")
    assert finished.stopped == "output"
    assert len(finished.stdout) == local.OUTPUT_TAIL


def test_has_no_network(sandbox: LocalSandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        finished = run(sandbox, f"import socket; socket.create_connection(('127.0.0.1', {port}))")
    assert finished.exit_code == 1
    assert "PermissionError" in finished.stderr


def test_has_no_namespaces_tracing_or_lasting_memory(sandbox: LocalSandbox) -> None:
    code = """
        import ctypes, errno, os, platform
        libc = ctypes.CDLL(None, use_errno=True)
        def denied(result):
            assert result == -1 and ctypes.get_errno() == errno.EPERM, (result, ctypes.get_errno())
        denied(libc.unshare(0x10000000))
        denied(libc.ptrace(0, 0, 0, 0))
        denied(libc.memfd_create(b"x", 0))
        denied(libc.shmget(0, 4096, 0o1600))
        denied(libc.kill(-1, 0))
        denied(libc.syscall(425, 8, 0))  # io_uring_setup
        if os.fork() == 0:
            denied(libc.setsid())
            denied(libc.setpgid(0, 0))
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
        print("all denied")
        """
    assert run(sandbox, code).stdout == "all denied\n"


def test_environment_holds_no_secret_of_ours(
    sandbox: LocalSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    monkeypatch.setenv("GEMINI_API_KEY", "hush-hush")
    code = """
        import os
        from pathlib import Path
        seen = repr(dict(os.environ))
        for pid in (os.getpid(), os.getppid(), WORKER):
            try: seen += Path(f"/proc/{pid}/environ").read_text()
            except OSError: pass
        print(seen)
        """.replace("WORKER", str(os.getpid()))
    finished = run(sandbox, code)
    assert finished.exit_code == 0
    assert "hush-hush" not in finished.stdout
    assert not [name for name in ("AWS_", "GEMINI", "VIRTUAL_ENV") if name in finished.stdout]


def test_files_of_ours_are_out_of_reach(sandbox: LocalSandbox, tmp_path: Path) -> None:
    if sandbox.level != "strong":
        pytest.skip(f"not here: {sandbox.missing}")
    secret = tmp_path / "secret"
    secret.write_text("hush-hush")
    secret.chmod(0o600)
    code = f"""
        from pathlib import Path
        for attempt in (
            lambda: Path({str(secret)!r}).read_text(),
            lambda: Path({str(tmp_path)!r}, "new").write_text("x"),
            lambda: Path("/tmp/agenticai-escaped").write_text("x"),
            lambda: Path("/dev/shm/agenticai-escaped").write_text("x"),
            lambda: Path("/etc/shadow").read_text(),
            lambda: Path({str(secret)!r}).unlink(),
            lambda: Path("link").hardlink_to({str(secret)!r}),
        ):
            try: print("worked", attempt())
            except OSError: pass
        """
    finished = run(sandbox, code)
    assert (finished.exit_code, finished.stdout) == (0, "")
    assert secret.read_text() == "hush-hush"


def test_the_worker_cannot_be_signalled(sandbox: LocalSandbox) -> None:
    if sandbox.level != "strong":
        pytest.skip(f"not here: {sandbox.missing}")
    code = f"""
        import os
        for pid in ({os.getpid()}, os.getppid()):
            try: os.kill(pid, 0); print("worked")
            except OSError: pass
        """
    finished = run(sandbox, code)
    assert (finished.exit_code, finished.stdout) == (0, "")


DAEMON = """
    import os, subprocess, sys, time
    if os.fork() == 0:
        try: os.setsid()
        except OSError: pass
        if os.fork() == 0:
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "TOKEN"])
            open("started", "w").close()
            time.sleep(600)
        os._exit(0)
    while not os.path.exists("started"): time.sleep(0.01)
    """


def test_daemons_die_with_the_run(sandbox: LocalSandbox) -> None:
    token = f"token-daemon-{os.getpid()}"
    finished = run(sandbox, DAEMON.replace("TOKEN", token), collect=["started"])
    assert (finished.exit_code, finished.stopped) == (0, None)
    assert finished.collected == {"started": b""}
    assert daemons(token) == []


STAYS = DAEMON.rstrip() + "\n    time.sleep(600)\n"


@pytest.mark.chaos
def test_everything_dies_when_the_worker_is_killed(tmp_path: Path) -> None:
    token = f"token-worker-{os.getpid()}"
    program = f"""
        from agenticai_worker.sandbox.base import Command
        from agenticai_worker.sandbox.local import LocalSandbox
        files = {{"main.py": {textwrap.dedent(STAYS.replace("TOKEN", token)).encode()!r}}}
        LocalSandbox({PYTHON!r}).run(Command(["python", "main.py"], files, 600))
        """
    worker = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], env={"TMPDIR": str(tmp_path)}
    )
    try:
        wait_for(lambda: daemons(token))
        assert list(tmp_path.glob("agenticai-run-*"))
    finally:
        worker.kill()
        worker.wait()
    wait_for(lambda: not daemons(token) and not list(tmp_path.glob("agenticai-run-*")))


@pytest.mark.chaos
def test_everything_dies_when_the_launcher_is_killed(sandbox: LocalSandbox) -> None:
    """As the kernel does when memory runs out: the worker lives and clears up."""
    token = f"token-launcher-{os.getpid()}"
    before = set(psutil.Process().children())

    def kill_launcher() -> None:
        wait_for(lambda: daemons(token))
        (launcher,) = set(psutil.Process().children()) - before
        launcher.kill()

    killer = threading.Thread(target=kill_launcher)
    killer.start()
    with pytest.raises(SandboxBroken):
        run(sandbox, STAYS.replace("TOKEN", token), timeout=30)
    killer.join()
    wait_for(lambda: not daemons(token))


def test_an_exception_in_the_worker_ends_the_run(sandbox: LocalSandbox) -> None:
    """As Celery's soft time limit does it: a signal handler raises in the main thread."""

    class TimeLimit(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise TimeLimit

    def send() -> None:
        wait_for(lambda: daemons(token))
        os.kill(os.getpid(), signal.SIGUSR1)

    token = f"token-limit-{os.getpid()}"
    before = signal.signal(signal.SIGUSR1, interrupt)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        with pytest.raises(TimeLimit):
            run(sandbox, STAYS.replace("TOKEN", token), timeout=30)
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, before)
    assert daemons(token) == []


def test_only_regular_files_are_collected(
    sandbox: LocalSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "COLLECT_LIMIT", 1000)
    code = """
        import os
        os.symlink("/etc/passwd", "link")
        os.symlink("/etc", "folder")
        os.mkdir("real"); open("real/passwd", "w").write("fine")
        os.symlink("real", "inside")
        os.mkfifo("pipe")
        open("one", "w").write("x"); os.link("one", "two")
        open("large", "w").write("x" * 1001)
        open("closed", "w").write("x"); os.mkdir("shut"); os.chmod("shut", 0)
        """
    names = [
        "link",
        "folder/passwd",
        "inside/passwd",
        "pipe",
        "one",
        "large",
        "shut",
        "real/passwd",
    ]
    finished = run(sandbox, code, collect=names)
    assert (finished.exit_code, finished.stderr) == (0, "")
    assert finished.collected == {"real/passwd": b"fine"}


def test_event_loops_threads_and_children_work(sandbox: LocalSandbox) -> None:
    code = """
        import asyncio, subprocess, sys, tempfile, threading
        async def main():
            await asyncio.to_thread(print, "thread", flush=True)
            child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print('child')")
            await child.wait()
        asyncio.run(main())
        with tempfile.NamedTemporaryFile() as file: file.write(b"x")
        subprocess.run([sys.executable, "-c", "print('again')"], check=True, timeout=20)
        """
    finished = run(sandbox, code)
    assert (finished.stdout, finished.stderr) == ("thread\nchild\nagain\n", "")
