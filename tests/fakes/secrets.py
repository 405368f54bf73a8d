"""A secret store with troubles."""

from agenticai_core.errors import Unavailable
from agenticai_core.secrets.memory import MemorySecrets


class CountedSecrets(MemorySecrets):
    """Counts the looks, and does not answer while ``away``."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.looks = 0

    def get(self, name: str, version: int | None = None) -> str | None:
        self.looks += 1
        if self.away:
            raise Unavailable("away")
        return super().get(name, version)
