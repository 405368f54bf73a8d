"""The state folder and its address file; logs that are followed; what the processes are told."""

import json
import stat
import threading
from pathlib import Path

import pytest

from agenticai_core.models import Agent
from agenticai_core.settings import Settings
from agenticai_local.environment import (
    base_environment,
    health_file,
    service_environment,
    worker_environment,
)
from agenticai_local.errors import LocalError
from agenticai_local.logs import LogFollower
from agenticai_local.processes import wait_until
from agenticai_local.state import StateFolder


def test_the_address_file_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    for key in ("one", "two"):
        folder.write_address({"api_key": key})
        assert stat.S_IMODE(folder.address_file.stat().st_mode) == 0o600
        assert folder.read_address() == {"api_key": key}
    assert list(tmp_path.iterdir()) == [folder.address_file]


@pytest.mark.parametrize("content", ["", "{", "[1]", '"text"'])
def test_an_address_file_that_cannot_be_read_counts_as_none(tmp_path: Path, content: str) -> None:
    folder = StateFolder(tmp_path)
    folder.address_file.write_text(content)
    assert folder.read_address() == {}


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    held = folder.lock()
    folder.write_address({"pid": 123})
    with pytest.raises(LocalError, match=r"already runs .*process 123") as caught:
        StateFolder(tmp_path / "state").lock()
    assert "--state-dir" in caught.value.hint
    held.close()
    folder.lock().close()


def test_wiping_forgets_data_and_key_but_keeps_logs(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    folder.prepare()
    (folder.emulator / "state").mkdir(parents=True)
    folder.write_address({"api_key": "old"})
    (folder.logs / "api.log").write_text("said\n")
    folder.wipe()
    assert not folder.emulator.exists()
    assert folder.read_address() == {}
    folder.prepare()
    assert (folder.logs / "api.log.1").read_text() == "said\n"


class Seen:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        with self.lock:
            self.lines.append((name, line))


def test_new_lines_are_handed_on_whole_and_old_ones_not(tmp_path: Path) -> None:
    log, seen = tmp_path / "api.log", Seen()
    log.write_text("of the last run\n")
    follower = LogFollower(tmp_path, ["api", "absent"], seen)
    follower.start()
    with log.open("a") as writer:
        writer.write("first\nhal")
        writer.flush()
        assert wait_until(lambda: seen.lines == [("api", "first")], 10)
        writer.write("f\n")
    follower.stop()
    assert seen.lines == [("api", "first"), ("api", "half")]


def test_a_long_log_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agenticai_local.logs._MAX_BYTES", 20)
    log, seen = tmp_path / "api.log", Seen()
    follower = LogFollower(tmp_path, ["api"], seen)
    follower.start()
    with log.open("ab") as writer:
        for n in range(10):
            writer.write(f"line {n}\n".encode())
            writer.flush()
            assert wait_until(lambda n=n: ("api", f"line {n}") in seen.lines, 10)
    follower.stop()
    assert [line for _, line in seen.lines] == [f"line {n}" for n in range(10)]
    assert log.stat().st_size < 50
    assert "line" in log.with_suffix(".log.1").read_text()


USER = {
    "PATH": "/bin",
    "AWS_PROFILE": "production",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AGENTICAI_API_KEY": "of another system",
    "AGENTICAI_MODEL": "gemini:gemini-2.5-flash",
    "GEMINI_API_KEY": "secret",
    "HTTPS_PROXY": "http://proxy",
}


def test_no_process_gets_the_users_account_or_secrets() -> None:
    env = base_environment(USER)
    assert env["PATH"] == "/bin"
    assert not {"AWS_PROFILE", "AWS_SECRET_ACCESS_KEY", "GEMINI_API_KEY"} & set(env)
    assert env["AWS_CONFIG_FILE"] == env["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert "127.0.0.1" in env["NO_PROXY"]


def test_only_workers_get_the_model_and_its_key(tmp_path: Path) -> None:
    services = service_environment({"DYNAMODB_TABLE_NAME": "t"}, 8000, 8080)
    worker = worker_environment(services, Agent.QA, Path("/python"), tmp_path, USER)
    assert "GEMINI_API_KEY" not in services
    assert worker["GEMINI_API_KEY"] == "secret"
    assert worker["AGENTICAI_MODEL"] == "gemini:gemini-2.5-flash"
    assert "AGENTICAI_API_KEY" not in worker
    assert worker["AGENTICAI_HEALTH_FILE"] == str(health_file(tmp_path, Agent.QA))


def test_settings_read_what_the_processes_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = service_environment({"DYNAMODB_TABLE_NAME": "t"}, 8123, 8080)
    for name, value in worker_environment(services, Agent.PM, Path("/python"), tmp_path).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.table == "t"
    assert settings.sandbox_python == "/python"
    assert settings.allowed_origins == ("http://127.0.0.1:8123", "http://localhost:8123")
    assert settings.heartbeat_seconds * 2 < settings.lease_seconds
    assert json.loads(services["AGENTICAI_ALLOWED_ORIGINS"]) == list(settings.allowed_origins)
