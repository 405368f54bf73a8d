"""Keeping a named client's acknowledgements: gathered in memory, written one after another."""

import asyncio

import structlog

from agenticai_core.store.base import Store
from agenticai_websocket.cursors import move_cursor, read_cursor

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0


class Acknowledgements:
    """One connection's cursors. A lost write costs a repetition, never an event."""

    def __init__(self, store: Store, owner_id: str, client_id: str) -> None:
        self._store = store
        self._owner_id = owner_id
        self._client_id = client_id
        self._unsaved: dict[str, int] = {}
        self._moved = asyncio.Event()

    async def load(self, project_id: str) -> int | None:
        """Where the client stopped the last time; None when it was never here."""
        return await asyncio.to_thread(
            read_cursor, self._store, self._owner_id, self._client_id, project_id
        )

    def moved(self, project_id: str, seq: int) -> None:
        self._unsaved[project_id] = max(seq, self._unsaved.get(project_id, 0))
        self._moved.set()

    async def save_forever(self) -> None:
        while True:
            await self._moved.wait()
            self._moved.clear()
            if not await self.save():
                await asyncio.sleep(RETRY_SECONDS)
                self._moved.set()

    async def save(self) -> bool:
        """Write what has moved since; False when something could not be written."""
        for project_id, seq in list(self._unsaved.items()):
            try:
                await asyncio.to_thread(
                    move_cursor, self._store, self._owner_id, self._client_id, project_id, seq
                )
            except Exception as error:
                log.warning("acks.not_saved", error=str(error), project_id=project_id)
                return False
            if self._unsaved.get(project_id) == seq:
                del self._unsaved[project_id]
        return True
