"""What Compose runs before the services, as a process against the real emulator."""

import stat
import subprocess
import sys
from pathlib import Path

from agenticai_local.environment import base_environment
from agenticai_local.resources import CREDENTIALS, create_resources


def run_setup(endpoint_url: str, key_file: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "agenticai_local.setup", str(key_file)],
        env={**base_environment(), **CREDENTIALS, "AWS_ENDPOINT_URL": endpoint_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_prints_the_key_that_it_keeps(emulator: str, tmp_path: Path) -> None:
    key_file = tmp_path / "api-key"
    first = run_setup(emulator, key_file)
    assert first.returncode == 0, first.stderr
    key = key_file.read_text()
    assert first.stdout == f"API key: {key}\n"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [key_file]

    again = run_setup(emulator, key_file)
    assert again.stdout == first.stdout
    assert "audit.key_created" not in again.stderr


def test_a_key_that_the_table_does_not_know_is_replaced(emulator: str, tmp_path: Path) -> None:
    key_file = tmp_path / "api-key"
    key_file.write_text("agk_of-another-emulator")
    done = run_setup(emulator, key_file)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"API key: {key_file.read_text()}\n"
    assert key_file.read_text() != "agk_of-another-emulator"


def test_compose_names_what_it_makes(emulator: str) -> None:
    made = create_resources(emulator)
    assert made["DYNAMODB_TABLE_NAME"] == "agenticai-local-data"
    assert made["S3_BUCKET_NAME"] == "agenticai-local-code-000000000000"
    assert made["SQS_QUEUE_URL_PM"].endswith("/000000000000/agenticai-local-pm-queue")


def test_it_says_in_a_line_what_went_wrong(tmp_path: Path) -> None:
    done = run_setup("http://127.0.0.1:9", tmp_path / "api-key")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert "http://127.0.0.1:9" in line
