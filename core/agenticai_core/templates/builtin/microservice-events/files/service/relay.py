"""Delivers what is in the outbox: at least once, oldest first."""

import asyncio
import logging
from collections.abc import Sequence

import httpx
import sqlalchemy as sa
from sqlalchemy import orm

from service.database import OutboxRow, Sessions

log = logging.getLogger(__name__)

BATCH = 100
MOST_SECONDS = 60.0  # between two tries


class Relay:
    """One per outbox: a second one would deliver in another order."""

    def __init__(
        self,
        sessions: Sessions,
        client: httpx.AsyncClient,
        subscribers: Sequence[str],
        seconds: float,
    ) -> None:
        self._sessions = sessions
        self._client = client
        self._subscribers = subscribers
        self._seconds = seconds

    async def run(self) -> None:
        """Until it is cancelled."""
        delay = self._seconds
        while True:
            good = await self.deliver()
            delay = self._seconds if good else min(2 * delay, MOST_SECONDS)
            await asyncio.sleep(delay)

    async def deliver(self) -> bool:
        """Send what waits; False: something was refused, and all after it still waits."""
        rows = await asyncio.to_thread(self._read)
        for row in rows:
            for address in self._subscribers:
                if address in row.delivered:
                    continue
                if not await self._send(address, row):
                    return False
                row.delivered = [*row.delivered, address]
                await asyncio.to_thread(self._remember, row)
            await asyncio.to_thread(self._remove, row)
        return True

    async def _send(self, address: str, row: OutboxRow) -> bool:
        headers = {"Content-Type": "application/json"}
        try:
            answer = await self._client.post(address, content=row.event, headers=headers)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            log.warning("event %s was not taken by %s: %s", row.position, address, error)
            return False
        return True

    def _read(self) -> list[OutboxRow]:
        with self._sessions() as session:
            query = sa.select(OutboxRow).order_by(OutboxRow.position).limit(BATCH)
            return list(session.scalars(query))

    def _remember(self, row: OutboxRow) -> None:
        self._write(
            sa.update(OutboxRow)
            .where(OutboxRow.position == row.position)
            .values(delivered=row.delivered)
        )

    def _remove(self, row: OutboxRow) -> None:
        self._write(sa.delete(OutboxRow).where(OutboxRow.position == row.position))

    def _write(self, statement: sa.Update | sa.Delete) -> None:
        with self._sessions() as session, session.begin():
            session.execute(statement)


def count_waiting(session: orm.Session) -> int:
    """How many events have not reached every subscriber."""
    return session.scalar(sa.select(sa.func.count()).select_from(OutboxRow)) or 0
