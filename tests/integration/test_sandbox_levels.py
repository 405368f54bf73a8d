"""The self-test notices what is missing: each layer is taken away in turn."""

import os
import sys
from pathlib import Path

import pytest

from agenticai_worker import sandbox as package
from agenticai_worker.sandbox import local, selftest
from agenticai_worker.sandbox.base import Command
from agenticai_worker.sandbox.local import LocalSandbox

PYTHON = str(Path(__file__).parents[2] / ".venv-sandbox" / "bin" / "python")
SYSTEM_PYTHON = "/usr/bin/python3"
WEAKEN = {
    "landlock": "landlock.version = lambda libc: 0",
    "seccomp": "seccomp.install = lambda libc: False",
    "reaping": "launcher.Supervisor._kill_everything = lambda self: None",
    "limits": "confine._limit = launcher.Supervisor._verdict = lambda _: None",
}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


def weakened(layers: tuple[str, ...], place: Path, patch: pytest.MonkeyPatch) -> None:
    """Start every run through a launcher that lacks ``layers``."""
    source = Path(package.__file__).parents[2]
    lines = [
        f"import sys; sys.path.append({str(source)!r})",
        "from agenticai_worker.sandbox import confine, landlock, launcher, seccomp",
        *(WEAKEN[layer] for layer in layers),
        "launcher.main()",
    ]
    script = place / "launcher.py"
    script.write_text("\n".join(lines))
    patch.setattr(local, "_LAUNCHER", script)
    patch.setattr(selftest, "_verdicts", {})


def test_without_landlock_files_are_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weakened(("landlock",), tmp_path, monkeypatch)
    sandbox = LocalSandbox(PYTHON)
    assert sandbox.level != "strong"
    assert "landlock" in sandbox.missing
    assert "it can write to folders open to everybody" in sandbox.missing
    assert "it can open sockets" not in sandbox.missing


def test_without_seccomp_there_is_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weakened(("seccomp",), tmp_path, monkeypatch)
    sandbox = LocalSandbox(PYTHON)
    assert sandbox.level == "none"
    assert "it can open sockets" in sandbox.missing


def test_a_daemon_left_behind_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weakened(("reaping",), tmp_path, monkeypatch)
    monkeypatch.setattr(selftest, "_CHILDREN", 2)
    left: list[int] = []
    kill = os.kill

    def note(pid: int, number: int) -> None:
        kill(pid, number)
        left.append(pid)

    monkeypatch.setattr(os, "kill", note)
    sandbox = LocalSandbox(PYTHON)
    monkeypatch.undo()
    assert sandbox.level == "none"
    assert "it can leave a process behind" in sandbox.missing
    os.killpg(os.getpgid(left[0]), 9)


def test_numbers_without_limit_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weakened(("limits",), tmp_path, monkeypatch)
    monkeypatch.setattr(selftest, "_CHILDREN", 150)
    sandbox = LocalSandbox(PYTHON)
    assert sandbox.level == "none"
    assert "it can start any number of processes" in sandbox.missing


def test_a_launcher_that_does_not_start_is_no_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_LAUNCHER", tmp_path / "absent.py")
    monkeypatch.setattr(selftest, "_verdicts", {})
    assert LocalSandbox(PYTHON).level == "none"


@pytest.mark.skipif(
    os.geteuid() != 0 or not Path(SYSTEM_PYTHON).exists(), reason="needs root to change the user"
)
def test_root_gives_a_run_a_user_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weakened(("landlock",), tmp_path, monkeypatch)
    sandbox = LocalSandbox(SYSTEM_PYTHON)
    code = b"import os; os.mkdir('d'); open('d/out', 'w').write(str(os.getuid()))"
    finished = sandbox.run(Command(["python", "main.py"], {"main.py": code}, 10, ["d/out"]))
    assert int(finished.collected["d/out"]) >= 40_000
    # Another user's files are safe even without Landlock; what is open to everybody is not.
    assert sandbox.level == "basic"
    assert sandbox.missing == (
        "a root folder of its own",
        "landlock",
        "it can write to folders open to everybody",
    )
