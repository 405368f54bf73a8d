"""The port to object storage. Keys are plain text with ``/``; contents are bytes."""

from collections.abc import Iterator
from typing import Protocol


class Files(Protocol):
    def put(self, key: str, content: bytes, content_type: str = "application/octet-stream") -> None:
        """Write or overwrite one object."""

    def get(self, key: str) -> bytes:
        """The content; raises `agenticai_core.errors.NotFound`."""

    def exists(self, key: str) -> bool: ...

    def list(self, prefix: str) -> Iterator[str]:
        """Keys that start with ``prefix``, in the order of their bytes."""

    def delete_prefix(self, prefix: str) -> int:
        """Remove every object (all its versions) below ``prefix``; how many keys there were."""

    def presign(
        self,
        key: str,
        filename: str,
        seconds: int = 300,
        content_type: str = "application/octet-stream",
    ) -> str:
        """A URL that gives the object to anyone who has it, for a while.

        A browser saves it as ``filename`` and shows it never.
        """
