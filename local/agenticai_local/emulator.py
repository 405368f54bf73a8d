"""The local emulator of AWS: how it is started, and whether it was stopped cleanly.

It keeps the table in memory and writes it on SIGTERM; the bucket's objects are written at once.
After a SIGKILL the table is as old as the last clean stop while the bucket is not.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx

from agenticai_local.errors import LocalError, UncleanStop
from agenticai_local.ports import HOST
from agenticai_local.processes import Spec
from agenticai_local.resources import CREDENTIALS

HEALTH = "/_ministack/health"
VENV = ".venv-emulator"
ACCOUNT = "000000000000"
_STARTED = "started"
# Written last to first when it stops; all of them newer than the start means a clean stop.
_SAVED = ("dynamodb.json", "sqs.json", "s3.json", "cloudformation.json")
_STOP_SECONDS = 30.0  # it saves its state, and a large table takes a while


def emulator_spec(
    root: Path, folder: Path, port: int, after_restart: Callable[[], None] = lambda: None
) -> Spec:
    """How to start it: the one place that knows which emulator this is.

    ``folder`` takes its state. Raises `LocalError` when its environment is missing.
    """
    python = root / VENV / "bin" / "python"
    if not python.exists():
        raise LocalError(f"The emulator's environment {VENV} is missing", hint="Run: make setup")
    return Spec(
        name="emulator",
        command=[str(python), "-m", "ministack"],
        env=_environment(folder, port),
        ready=lambda: answers(f"http://{HOST}:{port}{HEALTH}"),
        stop_seconds=_STOP_SECONDS,
        before_start=lambda: _note_start(folder),
        after_restart=after_restart,
    )


def _environment(folder: Path, port: int) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(folder),  # its pid file
        "PYTHONUNBUFFERED": "1",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "s3"),
        "LOG_LEVEL": "ERROR",
        **CREDENTIALS,  # by which links to the bucket are signed: it checks that
        # Listeners and container clean-up that nothing here needs.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",
    }


def check_stop(folder: Path) -> None:
    """Raise `UncleanStop` if the last run was killed."""
    if stopped_uncleanly(folder):
        raise UncleanStop(
            "The emulator was killed the last time it ran: what was stored since its last clean "
            "stop is gone from the table, while the bucket still has it",
            hint="Start empty: make up FRESH=1. Or go on with what is left: make up KEEP=1",
        )


def _note_start(folder: Path) -> None:
    if not (folder / "state" / _SAVED[-1]).exists():
        wipe(folder)  # objects of a bucket that nothing knows any more: killed in its first run
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _STARTED).touch()


def stopped_uncleanly(folder: Path) -> bool:
    """Whether it was started after the last time that it saved all of its state."""
    started = folder / _STARTED
    if not started.exists():
        return False
    saved = [folder / "state" / name for name in _SAVED]
    since = started.stat().st_mtime_ns
    return not all(path.exists() and path.stat().st_mtime_ns >= since for path in saved)


def wipe(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def answers(url: str) -> bool:
    """Whether a GET is answered with a 200 within two seconds, straight, past any proxy."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
