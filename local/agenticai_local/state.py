"""The state folder: what is in it, who uses it, and the file by which clients find the system."""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from agenticai_local import emulator
from agenticai_local.errors import LocalError


@dataclass(frozen=True)
class StateFolder:
    path: Path

    @property
    def emulator(self) -> Path:
        return self.path / "emulator"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def address_file(self) -> Path:
        """``{api_url, websocket_url, api_key, pid, started_at}``, readable by its owner only."""
        return self.path / "local.json"

    def lock(self) -> IO[str]:
        """Hold the folder until the returned file is closed; raises `LocalError` when in use."""
        self.path.mkdir(parents=True, exist_ok=True)
        held = (self.path / "lock").open("a")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            held.close()
            raise LocalError(
                f"The system already runs on the state in {self.path}"
                f" (process {self.read_address().get('pid', 'unknown')})",
                hint="Use that one, stop it with Ctrl-C, or choose another --state-dir",
            ) from error
        return held

    def prepare(self) -> None:
        """Make the folders, and keep each process' log of the last run as ``.log.1``."""
        for folder in (self.logs, self.run):
            folder.mkdir(parents=True, exist_ok=True)
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))

    def wipe(self) -> None:
        """Forget every project and key."""
        emulator.wipe(self.emulator)
        self.address_file.unlink(missing_ok=True)

    def read_address(self) -> dict[str, Any]:
        """What the address file says; empty when there is none, or none that can be read."""
        try:
            address = json.loads(self.address_file.read_text())
        except (OSError, ValueError):
            return {}
        return address if isinstance(address, dict) else {}

    def write_address(self, address: dict[str, Any]) -> None:
        """Replace the address file at once, never readable by others."""
        fresh = self.address_file.with_suffix(".tmp")
        fresh.unlink(missing_ok=True)
        opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w") as file:
            json.dump(address, file, indent=2)
        fresh.replace(self.address_file)
