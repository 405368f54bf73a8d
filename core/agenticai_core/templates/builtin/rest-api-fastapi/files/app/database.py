"""The database: engine, sessions, and the session that a request works with."""

from collections.abc import Iterator
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Request
from sqlalchemy import event, orm

from app.models.base import Base


def create_engine(url: str) -> sa.Engine:
    """An engine; on SQLite with foreign keys checked, and one shared database in memory."""
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True)
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": 30}}
    if url in ("sqlite://", "sqlite:///:memory:"):
        options["poolclass"] = sa.StaticPool
    engine = sa.create_engine(url, **options)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver likes
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_mode = WAL")  # whoever reads stops nobody who writes
        # SQLite's own knows the letters A to Z alone.
        connection.create_function("lower", 1, lambda text: text and text.lower())

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def create_tables(engine: sa.Engine) -> None:
    Base.metadata.create_all(engine)


def create_sessions(engine: sa.Engine) -> orm.sessionmaker[orm.Session]:
    return orm.sessionmaker(engine, expire_on_commit=False)


def open_session(request: Request) -> Iterator[orm.Session]:
    """A session for one request: committed when it succeeds, rolled back when it does not.

    Requests that write take turns on SQLite, so that none decides on what another is changing.
    """
    with request.app.state.sessions.begin() as session:
        if request.method not in ("GET", "HEAD"):
            session.connection(execution_options={"writes": True})
        yield session


# Committed before the answer is sent, so that an answer never tells of what did not last.
Database = Annotated[orm.Session, Depends(open_session, scope="function")]
