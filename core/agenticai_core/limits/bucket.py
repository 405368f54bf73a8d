"""Token buckets in process memory: a rate that holds, and a burst that may come at once."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from agenticai_core.limits.verdict import Verdict

CAPACITY = 10_000  # buckets in memory: about 3 MB
Clock = Callable[[], float]  # seconds that never go back


def alone() -> int:
    """The number of instances where there is but one."""
    return 1


@dataclass(slots=True)
class _Bucket:
    level: float
    filled_at: float


class Buckets:
    """One bucket per name, each with this instance's share of ``rate`` per second and ``burst``.

    In any ``t`` seconds a bucket admits at most ``burst + rate * t``, both divided by the number
    of ``instances``, but not to less than one. The names used longest ago are forgotten beyond
    ``capacity``; who comes back finds a full bucket, as after ``burst / rate`` seconds anyway.
    Safe under threads.
    """

    def __init__(
        self,
        rate: float,
        burst: int,
        *,
        instances: Callable[[], int] = alone,
        clock: Clock = time.monotonic,
        capacity: int = CAPACITY,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._instances = instances
        self._clock = clock
        self._capacity = capacity
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._buckets)

    @property
    def limit(self) -> int:
        """At most so many at once, over all instances."""
        return self._burst

    @property
    def window(self) -> int:
        """Seconds in which an empty bucket is full again, rounded up."""
        return math.ceil(self._burst / self._rate)

    def take(self, name: str) -> Verdict:
        """Take one token of ``name``, if there is one."""
        instances = self._instances()
        with self._lock:
            bucket = self._filled(name, instances)
            allowed = bucket.level >= 1
            if allowed:
                bucket.level -= 1
            return self._verdict(allowed, bucket.level, instances)

    def put_back(self, name: str) -> None:
        """Undo one `take` that was allowed."""
        instances = self._instances()
        with self._lock:
            bucket = self._filled(name, instances)
            bucket.level = min(self._share(self._burst, instances), bucket.level + 1)

    def _filled(self, name: str, instances: int) -> _Bucket:
        """The bucket as of now, as the one that was used last."""
        burst, now = self._share(self._burst, instances), self._clock()
        bucket = self._buckets.setdefault(name, _Bucket(burst, now))
        self._buckets.move_to_end(name)
        gained = max(0.0, now - bucket.filled_at) * self._share(self._rate, instances)
        bucket.level = min(burst, bucket.level + gained)
        bucket.filled_at = now
        if len(self._buckets) > self._capacity:
            self._buckets.popitem(last=False)
        return bucket

    def _verdict(self, allowed: bool, level: float, instances: int) -> Verdict:
        rate = self._share(self._rate, instances)
        return Verdict(
            allowed=allowed,
            limit=self.limit,
            window=self.window,
            # What the others have left is not known: as much as here, if requests go round.
            remaining=min(self._burst, int(level) * instances),
            wait=0.0 if allowed else (1 - level) / rate,
            reset=(self._share(self._burst, instances) - level) / rate,
        )

    @staticmethod
    def _share(whole: float, instances: int) -> float:
        return max(1.0, whole / instances)
