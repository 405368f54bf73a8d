"""``requirements/setup``: quick when done, rebuilt when half-made, clear when it cannot."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REAL = sys._base_executable  # type: ignore[attr-defined]  # of which this environment was made


@pytest.fixture
def place(tmp_path: Path, repo_root: Path) -> Path:
    """A project with an empty lock."""
    (tmp_path / "requirements").mkdir()
    shutil.copy(repo_root / "requirements" / "setup", tmp_path / "requirements" / "setup")
    (tmp_path / "requirements" / "empty.lock").write_text("# nothing\n")
    return tmp_path


def setup(place: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["requirements/setup", ".venv", "requirements/empty.lock"],
        cwd=place,
        env={"PATH": os.environ["PATH"], "PYTHON": REAL} | env,
        capture_output=True,
        text=True,
        check=False,
    )


def fake_python(folder: Path, script: str) -> str:
    path = folder / "python-fake"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.slow
def test_made_once_then_left_alone_then_rebuilt_when_it_must_be(place: Path) -> None:
    done = setup(place)
    assert done.returncode == 0, done.stderr
    assert (place / ".venv" / "bin" / "pip").exists()
    mine = place / ".venv" / "mine"
    mine.touch()
    assert setup(place).stdout == ""
    assert mine.exists()

    (place / ".venv" / ".complete").unlink()  # as an interrupted run leaves it
    assert "Making .venv" in setup(place).stdout
    assert not mine.exists()

    (place / "requirements" / "empty.lock").write_text("# nothing, in other words\n")
    assert "Making .venv" in setup(place).stdout
    (place / ".venv" / "bin" / "python").unlink()  # the interpreter was removed
    assert "Making .venv" in setup(place).stdout


def test_a_failed_installation_leaves_no_stamp(place: Path) -> None:
    lock = place / "requirements" / "empty.lock"
    lock.write_text(f"no-such-package==1 --hash=sha256:{'0' * 64}\n")
    done = setup(place, PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)
    assert done.returncode == 1
    assert "could not be installed" in done.stderr
    assert not (place / ".venv" / ".complete").exists()


def test_a_python_that_is_too_old_is_refused(place: Path) -> None:
    done = setup(place, PYTHON=fake_python(place, "exit 1"))
    assert done.returncode == 1
    assert "is not a Python 3.11 or newer" in done.stderr
    assert not (place / ".venv").exists()


def test_no_python_at_all_is_told_with_the_way_out(place: Path) -> None:
    tools = place / "tools"
    tools.mkdir()
    for tool in ("bash", "env", "dirname", "cat", "cksum", "tr", "grep"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    done = setup(place, PATH=str(tools), PYTHON="")
    assert done.returncode == 1
    assert "Python 3.11 or newer was not found" in done.stderr
    assert "PYTHON=" in done.stderr


def test_a_python_without_venv_is_told_with_the_package(place: Path) -> None:
    script = f'case "$2" in *ensurepip*) exit 1;; esac; exec {REAL} "$@"'
    done = setup(place, PYTHON=fake_python(place, script))
    assert done.returncode == 1
    assert "lacks the modules venv and ensurepip" in done.stderr
    assert "python3-venv" in done.stderr
