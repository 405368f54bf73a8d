"""The Copilot folder, rendered once for all test processes."""

import fcntl

import pytest
from tests.deployment.rendered import Rendered, render_apart


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Rendered:
    """Every template that `copilot … package` makes of copilot/, rendered without AWS."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent  # of all of pytest-xdist's processes
    folder, done = shared / "rendered", shared / "rendered.done"
    with (shared / "rendered.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            render_apart(folder)
            done.touch()
    return Rendered(folder)
