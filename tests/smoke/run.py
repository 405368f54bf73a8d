"""A user's way through a running system with its command line: create, change, download, delete.

``AGENTICAI_API_URL`` and ``AGENTICAI_API_KEY`` say where it is; nothing else is needed of it, so it
works on a deployment as well as on ``make up``. What it made is deleted again, also when it fails.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("agenticai")
STEP_SECONDS = 900.0  # longer than an agent may take
DESCRIPTION = "A tool library: members borrow tools until a due date"
CHANGE = "Add user authentication"


class SmokeFailed(Exception):
    """What the system should do and did not."""


def main() -> int:
    try:
        call("doctor")
        project = begin()
        try:
            follow(project)
            change(project)
            download(project)
        finally:
            call("delete", project, "--yes")
    except SmokeFailed as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    say("deleted; all of it passed")
    return 0


def begin() -> str:
    options = ("--name", "Smoke test", "--tag", "smoke", "--no-watch", "--json")
    project = str(json.loads(call("new", DESCRIPTION, *options))["project"]["id"])
    say(f"began {project}")
    return project


def follow(project: str) -> None:
    call("watch", project)
    status = json.loads(call("show", project, "--json"))["project"]["status"]
    must(status == "active", f"the project is {status}")
    say("created")


def change(project: str) -> None:
    made: Any = json.loads(call("modify", project, CHANGE, "--json"))
    status = made["modification"]["status"]
    must(status == "applied", f"the modification is {status}")
    say("changed")


def download(project: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        call("pull", project, f"{folder}/project")
        must((Path(folder) / "project" / "main.py").exists(), "the archive has no main.py")
    say("downloaded")


def call(*arguments: str) -> str:
    """What the command prints."""
    done = _run([str(COMMAND), *arguments])
    must(done.returncode == 0, f"agenticai {arguments[0]} said: {done.stderr or done.stdout}")
    return done.stdout


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=STEP_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SmokeFailed(f"{command[1]} took more than {STEP_SECONDS:.0f} s") from error


def must(held: bool, what: str) -> None:
    if not held:
        raise SmokeFailed(what)


def say(what: str) -> None:
    sys.stdout.write(f"smoke: {what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
