"""The Copilot folder, rendered once for all test processes."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deployment.rendered import Rendered


@pytest.fixture(scope="session")
def rendered(repo_root: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Rendered:
    """Every template that `copilot … package` makes of copilot/, rendered without AWS."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent  # of all of pytest-xdist's processes
    folder, done = shared / "rendered", shared / "rendered.done"
    with (shared / "rendered.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            _render(repo_root, folder)
            done.touch()
    return Rendered(folder)


def _render(repo_root: Path, folder: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "tests.deployment.render", str(folder)],
        cwd=repo_root,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert process.returncode == 0, process.stderr
