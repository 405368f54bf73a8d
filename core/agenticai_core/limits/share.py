"""How many instances of a service live, so that each can hold its share of a limit."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from agenticai_core.clock import now as utc_now
from agenticai_core.clock import parse, stamp
from agenticai_core.ids import new_id
from agenticai_core.store import keys
from agenticai_core.store.base import Delete, Put, Store, StoreConflict, StoreUnavailable

BEAT = 10.0  # s between two heartbeats
MISSED = 3  # beats, after which an instance counts as dead
_ROW_KEPT = 3600  # s until the table removes a dead instance's row
_STOPPING = 5.0  # s that a stop waits for the heartbeat under way

log = structlog.get_logger(__name__)


class Instances:
    """The living instances of ``service``, this one included; 1 until the first `beat`.

    Each keeps a row alive. Without an answer from the table the last count stays.
    """

    def __init__(
        self,
        store: Store,
        service: str,
        *,
        beat_seconds: float = BEAT,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.beat_seconds = beat_seconds
        self._store = store
        self._service = service
        self._expiry = timedelta(seconds=MISSED * beat_seconds)
        self._clock = clock
        self._key = keys.instance(service, new_id("inst"))
        self._count = 1

    def count(self) -> int:
        return self._count

    def beat(self) -> None:
        """Tell that this instance lives, then count. In this order, of two that start at the same
        moment at least one sees both. Raises `StoreUnavailable`."""
        present = self._clock()
        self._store.write(Put(self._row(present)))
        rows = self._read()
        living = {sk for sk, expires_at in rows.items() if parse(expires_at) > present}
        self._count = len(living | {self._key.sk})

    def leave(self) -> None:
        """Be counted no longer; a beat after that would join again."""
        self._store.write(Delete(self._key))

    def _row(self, present: datetime) -> dict[str, object]:
        expires = present + self._expiry
        return {
            "PK": self._key.pk,
            "SK": self._key.sk,
            "EntityType": "Instance",
            "expires_at": stamp(expires),
            "ttl": int(expires.timestamp()) + _ROW_KEPT,
        }

    def _read(self) -> dict[str, str]:
        rows: dict[str, str] = {}
        start = None
        while True:
            page = self._store.query(keys.instances_pk(self._service), start=start)
            rows |= {item["SK"]: item["expires_at"] for item in page.items}
            start = page.next
            if start is None:
                return rows


class Heartbeat:
    """A thread that keeps an instance alive, and does what else is due at each beat."""

    def __init__(self, instances: Instances, chores: Callable[[], None]) -> None:
        self._instances = instances
        self._chores = chores
        self._answered = False  # the table, at the last beat
        self._first = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self, patience: float) -> None:
        """Start, and wait for the first beat, but at most ``patience`` seconds: a table that does
        not answer must not keep a service from starting."""
        self._thread.start()
        self._first.wait(patience)

    def stop(self) -> None:
        """End the thread and leave, so that the others need not wait for the row to expire."""
        self._stopping.set()
        self._thread.join(_STOPPING)
        if self._thread.is_alive() or not self._answered:
            return  # the table does not answer: the row expires by itself
        try:
            self._instances.leave()
        except (StoreUnavailable, StoreConflict) as error:
            log.warning("limits.leave_failed", reason=str(error))

    def _run(self) -> None:
        while True:
            self._answered = self._beat()
            self._first.set()
            if self._stopping.wait(self._instances.beat_seconds):
                return

    def _beat(self) -> bool:
        try:
            self._instances.beat()
            self._chores()
        except (StoreUnavailable, StoreConflict) as error:
            log.warning("limits.beat_failed", reason=str(error))
            return False
        except Exception:  # a heart that stops would leave this share to the others, and keep it
            log.exception("limits.beat_failed")
            return False
        return True
