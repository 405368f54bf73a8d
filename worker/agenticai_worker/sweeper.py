"""The sweeper's loop: beside every worker node, of which a lease lets one act at a time."""

import threading
import uuid

import structlog

from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, stamp, stamp_in
from agenticai_core.store import keys
from agenticai_core.store.base import ConditionFailed, Put, absent, equals, less_than
from agenticai_core.sweeping import sweep

_log = structlog.get_logger()


class Sweeper:
    """Sends due tasks again every ``seconds``, as long as it holds the lease."""

    def __init__(self, services: Services, seconds: float) -> None:
        self._services = services
        self._seconds = seconds
        self._me = uuid.uuid4().hex

    def run(self, stop: threading.Event) -> None:
        """Sweep until ``stop`` is set. An outage is logged and outlived."""
        while not stop.wait(self._seconds):
            try:
                if self._lead():
                    sweep(self._services)
            except Exception as error:  # the loop is what brings lost work back: it must go on
                _log.warning("sweeper.failed", error=str(error)[:300])

    def _lead(self) -> bool:
        """Take or keep the lease; it lasts three rounds, so a dead holder is soon replaced."""
        key = keys.lease("sweeper")
        free = absent() | equals("holder", self._me) | less_than("until", stamp(now()))
        item = {
            "PK": key.pk,
            "SK": key.sk,
            "EntityType": "Lease",
            "holder": self._me,
            "until": stamp_in(3 * self._seconds),
        }
        try:
            self._services.store.write(Put(item, free))
        except ConditionFailed:
            return False
        return True
