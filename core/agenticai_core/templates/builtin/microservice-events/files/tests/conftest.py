from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy import orm

from service.application import create_app
from service.database import OutboxRow, create_engine, open_sessions
from service.events import Event
from service.settings import Settings

ORDER = {"customer": "Amara", "sku": "tea-250", "quantity": 2}


@pytest.fixture
def client() -> Iterator[TestClient]:
    """The service over an empty database in memory; nothing is delivered."""
    with TestClient(create_app(Settings(database_url="sqlite://", relay=False))) as client:
        yield client


@pytest.fixture
def sessions() -> Iterator[orm.sessionmaker[orm.Session]]:
    engine = create_engine("sqlite://")
    yield open_sessions(engine)
    engine.dispose()


def waiting(sessions: orm.sessionmaker[orm.Session]) -> list[Event]:
    """The events in the outbox, oldest first."""
    with sessions() as session:
        rows = session.scalars(sa.select(OutboxRow).order_by(OutboxRow.position))
        return [Event.model_validate_json(row.event) for row in rows]
