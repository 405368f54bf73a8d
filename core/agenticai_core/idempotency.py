"""A request that is sent again has its effect once, and gets its answer again.

The client names a request by a key (``Idempotency-Key``). What the use case made is stored under
that key in the same transaction as the effect, so that of two equal requests at once one writes
and the other finds its answer. Only effects are remembered: a request that was refused changed
nothing, and is looked at afresh when it comes again.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from agenticai_core.clock import now
from agenticai_core.errors import AgenticError
from agenticai_core.retrying import retry_conflicts
from agenticai_core.store import keys
from agenticai_core.store.base import Key, Put, Store, Write, absent, less_than

M = TypeVar("M", bound=BaseModel)

KEPT = 24 * 3600  # s


class IdempotencyKeyReused(AgenticError):
    """The key has named another request before."""

    code, status = "IDEMPOTENCY_KEY_REUSED", 422


@dataclass(frozen=True)
class Once:
    """One named request: whose, to which route, and the SHA-256 of its path and body."""

    owner_id: str
    route: str
    key: str
    fingerprint: str
    on_replay: Callable[[], None] = lambda: None

    def replay(self, store: Store, model: type[M]) -> M | None:
        """What the request made when it came before; None: it did not, or over 24 h ago.

        Raises `IdempotencyKeyReused` when the key named another request.
        """
        row = store.get(self._row)
        if row is None:
            return None
        if row["fingerprint"] != self.fingerprint:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used for another request",
                hint="Send a new key for a new request, and the same body for the same key",
            )
        self.on_replay()
        return model.model_validate_json(row["result"])

    def writes(self, result: BaseModel) -> list[Write]:
        """Remember ``result``; goes into the transaction of the effect, and fails it when the
        same request has been here before."""
        at = now().timestamp()
        row = {
            "PK": self._row.pk,
            "SK": self._row.sk,
            "EntityType": "Idempotency",
            "fingerprint": self.fingerprint,
            "result": result.model_dump_json(),
            "ttl": int(at) + KEPT,
        }
        # Expired rows are deleted late, and count as absent. `<`: one that ends now ends first.
        return [Put(row, absent() | less_than("ttl", int(at) + 1))]

    @property
    def _row(self) -> Key:
        digest = hashlib.sha256(self.key.encode()).hexdigest()
        return keys.idempotency(self.owner_id, self.route, digest)


def perform_once(store: Store, once: Once | None, model: type[M], attempt: Callable[[], M]) -> M:
    """What ``attempt`` makes, or what it made when the same request came before.

    ``attempt`` reads, and writes ``once.writes(result)`` in one transaction with its effect; it
    is called again when others were faster.
    """

    def look() -> M | None:
        return once.replay(store, model) if once else None

    def look_first() -> M:
        done = look()
        if done is not None:
            return done
        try:
            return attempt()
        except AgenticError:
            # The same request may have changed the state that this one was refused in.
            done = look()
            if done is None:
                raise
            return done

    return retry_conflicts(look_first)
