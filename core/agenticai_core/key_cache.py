"""API keys that were looked at a moment ago, so that authentication costs no read per request."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping

from agenticai_core.models import ApiKey

# With the 2 s between two looks at a socket or stream, a revoked key is out in less than 5 s.
MAX_AGE = 2.5  # s
CAPACITY = 10_000  # keys

Read = Callable[[], Mapping[str, ApiKey]]


class KeyCache:
    """One process' memory of keys that were good, by hash. Safe under threads.

    An entry is as old as the beginning of the read that found it. Only keys that are good are kept:
    a new one works at once.
    """

    def __init__(
        self,
        max_age: float = MAX_AGE,
        *,
        capacity: int = CAPACITY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_age = max_age
        self._capacity = capacity
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, ApiKey]] = OrderedDict()
        self._drops = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key_hash: str) -> ApiKey | None:
        with self._lock:
            entry = self._entries.get(key_hash)
            if entry is None or self._clock() - entry[0] >= self._max_age:
                return None
            return entry[1]

    def refresh(self, hashes: Collection[str], read: Read) -> Mapping[str, ApiKey]:
        """What ``read`` finds of ``hashes``; the others are forgotten."""
        began, drops = self._clock(), self._drops
        found = read()
        with self._lock:
            for key_hash in hashes:
                self._entries.pop(key_hash, None)
            # What was dropped in the meantime may be in ``found`` as it was before.
            if drops == self._drops:
                good = {one: key for one, key in found.items() if key.revoked_at is None}
                self._entries.update({one: (began, key) for one, key in good.items()})
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
        return found

    def drop(self, key_hash: str) -> None:
        """Forget a key that was just changed; reads under way are not kept either."""
        with self._lock:
            self._drops += 1
            self._entries.pop(key_hash, None)
