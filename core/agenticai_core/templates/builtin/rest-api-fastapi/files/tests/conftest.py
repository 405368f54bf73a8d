"""One application for all tests; every test begins with an empty database in memory."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.application import create_app
from app.config import Settings
from app.database import create_engine, create_sessions, create_tables


@pytest.fixture(scope="session")
def service() -> Iterator[TestClient]:
    settings = Settings(_env_file=None, database_url="sqlite://")
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(service: TestClient) -> Iterator[TestClient]:
    engine = create_engine("sqlite://")
    create_tables(engine)
    service.app.state.sessions = create_sessions(engine)
    yield service
    engine.dispose()
