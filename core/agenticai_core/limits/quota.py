"""An owner's requests of a month: counted in the table by blocks, never more than the quota."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from agenticai_core.clock import now as utc_now
from agenticai_core.limits.bucket import alone
from agenticai_core.limits.verdict import Verdict
from agenticai_core.retrying import retry_conflicts
from agenticai_core.store import keys
from agenticai_core.store.base import (
    ConditionFailed,
    Store,
    StoreConflict,
    StoreUnavailable,
    Update,
    absent,
    at_least,
    less_than,
)

SMALLEST, LARGEST = 10, 100  # requests in a block
BRISK = timedelta(seconds=10)  # a block that is used up sooner is followed by a larger one
IDLE = timedelta(minutes=10)  # what is left of a block goes back when nothing came for so long
REFUSED_FOR = timedelta(seconds=10)  # so long an exhausted quota is not looked at again
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

log = structlog.get_logger(__name__)


@dataclass
class _Block:
    """What this instance holds of one owner's quota of one month. Guarded by its lock."""

    owner_id: str
    month: str
    left: int = 0
    size: int = SMALLEST
    unreserved: int = 0  # of the quota, as of the last look
    reserved_at: datetime = _LONG_AGO
    used_at: datetime = _LONG_AGO
    refused_until: datetime = _LONG_AGO
    retired: bool = False  # no longer the one of its owner and month
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


class MonthlyQuota:
    """At most ``quota`` requests of each owner in a calendar month (UTC), over all instances.

    ``requests`` in the owner's row of the month is what has been reserved, in blocks of 10 to 100:
    it runs ahead of what was really asked by what the instances still hold. They give that back
    when the owner is idle, and at a clean stop; a crash, or an answer of the table that got lost,
    leaves a block counted that nobody asked. Too much may be counted, too little never: a block is
    reserved on condition that it fits, and given back at most once.

    Where the table does not answer, what is reserved may still be used; then `StoreUnavailable`.
    Safe under threads.
    """

    def __init__(
        self,
        store: Store,
        quota: int,
        *,
        instances: Callable[[], int] = alone,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._quota = quota
        self._instances = instances
        self._clock = clock
        self._blocks: dict[tuple[str, str], _Block] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Owners (of a month) in memory: those who asked lately."""
        return len(self._blocks)

    def take(self, owner_id: str) -> Verdict:
        """Count one request. Raises `StoreUnavailable` when a new block cannot be had."""
        while True:
            present = self._clock()
            block = self._block(owner_id, f"{present:%Y-%m}")
            with block.lock:
                if not block.retired:
                    return self._verdict(self._use(block, present), block, present)

    def release_idle(self) -> None:
        """Give back what is left of blocks that were not used for ten minutes, and forget them.

        Raises `StoreUnavailable`; what is left of that one block then stays counted.
        """
        self._release(self._clock() - IDLE)

    def close(self) -> None:
        """Give all back; for a clean stop, when no request is under way.

        Where the table does not answer, nothing more is tried: what is left stays counted.
        """
        try:
            self._release(datetime.max.replace(tzinfo=UTC))
        except (StoreUnavailable, StoreConflict) as error:
            log.warning("limits.blocks_lost", reason=str(error))

    def _release(self, unused_since: datetime) -> None:
        with self._lock:
            blocks = list(self._blocks.values())
        for block in blocks:
            with block.lock:
                if block.used_at > unused_since or block.retired:
                    continue
                self._retire(block)
            self._give_back(block)

    def _block(self, owner_id: str, month: str) -> _Block:
        with self._lock:
            return self._blocks.setdefault((owner_id, month), _Block(owner_id, month))

    def _retire(self, block: _Block) -> None:
        block.retired = True
        with self._lock:
            self._blocks.pop((block.owner_id, block.month), None)

    # ---- with the block's lock held -------------------------------------------------------------

    def _use(self, block: _Block, present: datetime) -> bool:
        block.used_at = present
        if block.left == 0 and present >= block.refused_until:
            self._refill(block, present)
        if block.left == 0:
            return False
        block.left -= 1
        return True

    def _refill(self, block: _Block, present: datetime) -> None:
        brisk = present - block.reserved_at < BRISK
        block.size = min(LARGEST, block.size * 2) if brisk else max(SMALLEST, block.size // 2)
        try:
            block.left = retry_conflicts(lambda: self._reserve(block))
        except ConditionFailed as error:
            raise StoreConflict("others were faster each time") from error
        block.reserved_at = present
        if block.left == 0:
            block.refused_until = present + REFUSED_FOR

    def _reserve(self, block: _Block) -> int:
        """Reserve a block, or as much as is fair of the little that is left; 0 if nothing is."""
        key = keys.usage(block.owner_id, block.month)
        item = self._store.get(key) or {}
        unreserved = self._quota - int(item.get("requests", 0))
        fair = max(1, unreserved // self._instances())
        amount = max(0, min(block.size, fair, unreserved))
        if amount > 0:
            fits = absent("requests") | less_than("requests", self._quota - amount + 1)
            told = {"EntityType": "Usage", "owner_id": block.owner_id, "month": block.month}
            self._store.write(Update(key, set=told, add={"requests": amount}, condition=fits))
        block.unreserved = max(0, unreserved - amount)
        return amount

    def _verdict(self, allowed: bool, block: _Block, present: datetime) -> Verdict:
        start, end = _month(present)
        rest = (end - present).total_seconds()
        return Verdict(
            allowed=allowed,
            limit=self._quota,
            window=int((end - start).total_seconds()),
            remaining=block.left + block.unreserved,
            wait=0.0 if allowed else rest,
            reset=rest,
        )

    # ---- without it -----------------------------------------------------------------------------

    def _give_back(self, block: _Block) -> None:
        """Count ``left`` less, in the month that it was reserved in.

        With a token, because the client sends again what got no answer: given back twice, the
        quota could be exceeded.
        """
        if block.left == 0:
            return
        counted = Update(
            keys.usage(block.owner_id, block.month),
            add={"requests": -block.left},
            condition=at_least("requests", block.left),
        )
        token = str(uuid.uuid4())
        try:
            retry_conflicts(lambda: self._store.write(counted, token=token))
        except ConditionFailed:
            log.warning("limits.usage_row_gone", owner_id=block.owner_id, month=block.month)


def _month(present: datetime) -> tuple[datetime, datetime]:
    """Beginning and end of the month."""
    start = present.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start, (start + timedelta(days=31)).replace(day=1)
