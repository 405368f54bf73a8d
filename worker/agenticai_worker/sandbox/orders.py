"""What the worker tells the launcher and what it hears back, as JSON over stdin and stdout.

Standard library only: the launcher runs with ``-I -S`` and sees no installed package.
"""

import json
from dataclasses import asdict, dataclass

GROUP_FILE = "group"  # in the run's folder: the command's process group, once it exists


@dataclass(frozen=True)
class Order:
    """One confined run. Sizes in bytes, times in seconds, paths absolute.

    Those in ``argv`` and ``environment`` are as the command sees them, below ``root``; all others
    as the launcher does.
    """

    argv: list[str]
    environment: dict[str, str]
    root: str | None  # the command's root folder; None: ours
    base: str  # the run's own folder, removed by the launcher only when the worker is gone
    work: str  # current folder of the command
    stdout: str
    stderr: str
    readable: list[str]  # what may be read and executed
    writable: list[str]  # what may be written too, and is counted by the disk watchdog
    uid: int | None  # None: keep ours
    parent: int  # the worker's process id
    timeout: float
    memory: int
    disk: int
    output: int
    tasks: int  # processes and threads together

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Order":
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Result:
    """How it ended. ``missing`` names the layers that this kernel or user could not have."""

    exit_code: int | None
    stopped: str | None
    seconds: float
    missing: list[str]
    error: str | None  # the command could not be started

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Result":
        return cls(**json.loads(text))
