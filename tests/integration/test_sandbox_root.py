"""The sandbox with a root folder of its own, on a kernel without Landlock."""

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.test_sandbox_levels import SYSTEM_PYTHON, weakened

from agenticai_worker.sandbox import privileges, rootfs
from agenticai_worker.sandbox.base import Command
from agenticai_worker.sandbox.local import LocalSandbox

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not Path(SYSTEM_PYTHON).exists(),
    reason="needs root, and an interpreter that everybody may run",
)
LISTING = """
import json, os
seen = {"/": sorted(os.listdir("/")), "uid": os.getuid(), "work": os.getcwd()}
seen["home"] = os.environ["HOME"]
try:
    os.listdir("/runs")
except PermissionError:
    seen["runs"] = "closed"
with open(os.devnull, "w") as null:
    null.write("x")
open("out.json", "w").write(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system with the system's interpreter and nothing else."""
    place = tmp_path_factory.mktemp("rootfs")
    place.chmod(0o755)
    python = Path(SYSTEM_PYTHON).resolve()
    library = Path("/usr/lib") / python.name
    shared = [str(path) for path in (library / "lib-dynload").glob("*.so")]
    found = subprocess.run(["ldd", python, *shared], capture_output=True, text=True, check=True)
    needed = {Path(path) for path in re.findall(r"(?:=> |^\t)(/\S+)", found.stdout, re.MULTILINE)}
    for path in {python, *needed}:
        target = place / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    shutil.copytree(
        library,
        place / library.relative_to("/"),
        symlinks=True,
        ignore=shutil.ignore_patterns("test", "config-*", "idlelib"),
    )
    (place / "usr" / "bin" / "python3").symlink_to(python.name)
    return place


@pytest.fixture
def no_landlock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weakened(("landlock",), tmp_path, monkeypatch)


@pytest.fixture(autouse=True)
def nothing_left(root: Path) -> Iterator[None]:
    yield
    runs = rootfs.runs(root)
    assert not runs.exists() or list(runs.iterdir()) == []


@pytest.mark.usefixtures("no_landlock")
def test_it_is_strong_without_landlock(root: Path) -> None:
    sandbox = LocalSandbox(SYSTEM_PYTHON, root)
    assert (sandbox.level, sandbox.missing) == ("strong", ())


def test_it_is_strong_with_landlock_too(root: Path) -> None:
    assert LocalSandbox(SYSTEM_PYTHON, root).level == "strong"


@pytest.mark.usefixtures("no_landlock")
def test_a_run_sees_nothing_of_ours(root: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    ours = tmp_path / "open-to-everybody"
    ours.write_text("secret")
    ours.chmod(0o644)
    code = f"{LISTING}\nopen({str(ours)!r})\n"
    command = Command(["python", "main.py"], {"main.py": code.encode()}, 10, ["out.json"])
    finished = LocalSandbox(SYSTEM_PYTHON, root).run(command)
    assert "FileNotFoundError" in finished.stderr
    seen = finished.collected["out.json"].decode()
    assert '"runs": "closed"' in seen
    assert re.search(r'"work": "/runs/agenticai-run-\w+/work"', seen)
    assert re.search(r'"home": "/runs/agenticai-run-\w+/home"', seen)
    assert "proc" not in seen
    assert int(re.search(r'"uid": (\d+)', seen)[1]) >= 40_000  # type: ignore[index]


@pytest.mark.usefixtures("no_landlock")
def test_a_folder_open_to_everybody_is_noticed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = root / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    try:
        sandbox = LocalSandbox(SYSTEM_PYTHON, root)
        assert list(folder.iterdir()) == []
    finally:
        folder.rmdir()
    assert sandbox.level == "basic"
    assert "it can write to folders open to everybody" in sandbox.missing


def test_devices_are_made_once_and_are_devices(root: Path) -> None:
    for _ in range(2):
        assert rootfs.usable(root) == root
    for name, numbers in rootfs.DEVICES.items():
        status = Path(rootfs.below(str(root), name)).stat()
        assert stat.S_ISCHR(status.st_mode)
        assert (os.major(status.st_rdev), os.minor(status.st_rdev)) == numbers


def test_a_root_that_is_not_there_is_left_alone(tmp_path: Path) -> None:
    assert rootfs.usable(tmp_path / "absent") is None
    assert rootfs.usable(None) is None


def test_without_the_right_to_use_it_it_is_left_alone(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privileges, "_effective", lambda: ~(1 << privileges.SYS_CHROOT))
    assert rootfs.usable(root) is None
    monkeypatch.setattr(privileges, "_effective", lambda: 1 << privileges.SYS_CHROOT)
    assert rootfs.usable(root) is None
