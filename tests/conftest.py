"""Fixtures that every tier shares: the repository, the emulator, and resources in it."""

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agenticai_core.settings import Settings

# No test may reach a real account, whatever the machine's own configuration says.
for _name in [name for name in os.environ if name.startswith(("AWS_", "AGENTICAI_"))]:
    del os.environ[_name]
os.environ.update(
    AWS_ACCESS_KEY_ID="local",
    AWS_SECRET_ACCESS_KEY="local",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_REGION="us-east-1",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
    NO_PROXY="127.0.0.1,localhost",
    no_proxy="127.0.0.1,localhost",
)


@pytest.fixture(scope="session")
def repo_root() -> Path:
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def emulator(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an emulator with an empty state, for the whole session."""
    from agenticai_local.emulator import emulator_spec
    from agenticai_local.ports import HOST, free_port
    from agenticai_local.supervisor import Supervisor

    folder, port = tmp_path_factory.mktemp("emulator"), free_port()
    supervisor = Supervisor(folder, print, restart=False)
    try:
        supervisor.start([emulator_spec(repo_root, folder / "data", port)], 30)
        yield f"http://{HOST}:{port}"
    finally:
        supervisor.close()


@pytest.fixture(scope="session")
def aws_resources(emulator: str) -> Callable[[], dict[str, str]]:
    """Makes a table, a bucket and queues of its own at each call; the variables that name them."""
    from agenticai_local.resources import create_resources

    lock = threading.Lock()

    def create() -> dict[str, str]:
        with lock:
            return create_resources(emulator, app=f"test{uuid.uuid4().hex[:8]}", env="local")

    return create


@pytest.fixture
def emulator_variables(aws_resources: Callable[[], dict[str, str]]) -> dict[str, str]:
    """The environment for a process that works on resources of this test alone."""
    return aws_resources()


@pytest.fixture
def emulator_settings(
    emulator_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings for resources of this test alone. This process' environment has them too."""
    for name, value in emulator_variables.items():
        monkeypatch.setenv(name, value)
    return Settings()
