from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy import orm

from service.application import create_app
from service.database import OutboxRow, open_sessions
from service.events import Event
from service.settings import Settings

ORDER = {"customer": "Amara", "sku": "tea-250", "quantity": 2}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """An empty database of this test alone."""
    return f"sqlite:///{tmp_path}/test.db"


@pytest.fixture
def client(database_url: str) -> Iterator[TestClient]:
    """The service; it delivers nothing."""
    with TestClient(create_app(Settings(database_url=database_url, relay=False))) as client:
        yield client


@pytest.fixture
def sessions(database_url: str) -> Iterator[orm.sessionmaker[orm.Session]]:
    engine = sa.create_engine(database_url)
    yield open_sessions(engine)
    engine.dispose()


def waiting(sessions: orm.sessionmaker[orm.Session]) -> list[Event]:
    """The events in the outbox, oldest first."""
    with sessions() as session:
        rows = session.scalars(sa.select(OutboxRow).order_by(OutboxRow.position))
        return [Event.model_validate_json(row.event) for row in rows]
