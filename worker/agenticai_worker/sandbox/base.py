"""The port to a sandbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Level = Literal["strong", "basic", "none"]
_WEAKEST_FIRST: tuple[Level, ...] = ("none", "basic", "strong")
Stopped = Literal["timeout", "memory", "disk", "output", "processes"]


def suffices(level: Level, required: Level) -> bool:
    """Whether a sandbox of ``level`` is at least as strong as ``required``."""
    return _WEAKEST_FIRST.index(level) >= _WEAKEST_FIRST.index(required)


@dataclass(frozen=True)
class Command:
    """What to run: ``argv`` (its first word is replaced by the curated interpreter when it is
    "python") in a fresh folder that holds ``files`` (path -> content)."""

    argv: Sequence[str]
    files: Mapping[str, bytes]
    timeout: float  # wall clock, s
    collect: Sequence[str] = ()  # paths to read back afterwards
    environment: Mapping[str, str] = field(default_factory=dict)
    memory_mb: int = 1024
    disk_mb: int = 256


@dataclass(frozen=True)
class Finished:
    exit_code: int | None  # None when it was stopped
    stdout: str  # the last 256 KiB
    stderr: str
    collected: Mapping[str, bytes]  # those of ``collect`` that exist, are files, and fit the cap
    seconds: float
    stopped: Stopped | None = None


class Sandbox(Protocol):
    @property
    def level(self) -> Level: ...
    @property
    def missing(self) -> tuple[str, ...]:
        """What keeps it from being "strong"."""

    def run(self, command: Command) -> Finished:
        """Run it, wait, and leave no process and no file behind."""
