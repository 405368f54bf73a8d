"""The port to secret values. Names are relative: ``jwt-secret``, ``projects/<id>/environment``."""

from typing import Protocol

MAX_VALUE = 4096  # bytes, what Parameter Store keeps without charge


class Secrets(Protocol):
    """Every put makes a new version, 1, 2, …; older ones can still be read.

    Every method raises `agenticai_core.errors.Unavailable` when the store does not answer.
    """

    def get(self, name: str, version: int | None = None) -> str | None:
        """The value, of the latest version or of a given one; None when there is none."""

    def put(self, name: str, value: str) -> int:
        """Store a new version; returns its number."""

    def create(self, name: str, value: str) -> str:
        """Store the first version unless there is a secret already; the value that is kept."""

    def delete(self, name: str) -> None:
        """Remove all versions; a name that is not there is fine."""
