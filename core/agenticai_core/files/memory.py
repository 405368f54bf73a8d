"""Files in memory, for tests."""

import threading
from collections.abc import Iterator
from urllib.parse import quote, urlencode

from agenticai_core.errors import NotFound


class MemoryFiles:
    """Implements `agenticai_core.files.base.Files`."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def put(self, key: str, content: bytes, content_type: str = "application/octet-stream") -> None:
        del content_type
        with self._lock:
            self._objects[key] = bytes(content)

    def get(self, key: str) -> bytes:
        with self._lock:
            if key not in self._objects:
                raise NotFound(f"No object '{key}'")
            return self._objects[key]

    def exists(self, key: str) -> bool:
        with self._lock:
            return key in self._objects

    def list(self, prefix: str) -> Iterator[str]:
        with self._lock:
            found = sorted(key for key in self._objects if key.startswith(prefix))
        return iter(found)

    def delete_prefix(self, prefix: str) -> int:
        with self._lock:
            doomed = [key for key in self._objects if key.startswith(prefix)]
            for key in doomed:
                del self._objects[key]
        return len(doomed)

    def presign(
        self,
        key: str,
        filename: str,
        seconds: int = 300,
        content_type: str = "application/octet-stream",
    ) -> str:
        told = {"filename": filename, "seconds": seconds, "content_type": content_type}
        return f"memory://bucket/{quote(key)}?{urlencode(told)}"
