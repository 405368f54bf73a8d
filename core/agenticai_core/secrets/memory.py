"""Secrets in memory, for tests."""

import threading


class MemorySecrets:
    """Implements `agenticai_core.secrets.base.Secrets`."""

    def __init__(self) -> None:
        self._versions: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def get(self, name: str, version: int | None = None) -> str | None:
        with self._lock:
            versions = self._versions.get(name, [])
            number = len(versions) if version is None else version
            return versions[number - 1] if 1 <= number <= len(versions) else None

    def put(self, name: str, value: str) -> int:
        with self._lock:
            versions = self._versions.setdefault(name, [])
            versions.append(value)
            return len(versions)

    def create(self, name: str, value: str) -> str:
        with self._lock:
            return self._versions.setdefault(name, [value])[-1]

    def delete(self, name: str) -> None:
        with self._lock:
            self._versions.pop(name, None)
