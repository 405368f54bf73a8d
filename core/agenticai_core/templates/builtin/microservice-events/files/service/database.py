"""The tables."""

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import orm

Sessions = Callable[[], orm.Session]


class Moment(sa.types.TypeDecorator[datetime]):
    """A moment in UTC, also where the database keeps no time zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC)


class Row(orm.DeclarativeBase):
    """Base of every table."""


class Order(Row):
    __tablename__ = "orders"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    customer: orm.Mapped[str] = orm.mapped_column(sa.String(200))
    sku: orm.Mapped[str] = orm.mapped_column(sa.String(64), index=True)
    quantity: orm.Mapped[int]
    cancelled: orm.Mapped[bool] = orm.mapped_column(default=False)
    placed_at: orm.Mapped[datetime] = orm.mapped_column(Moment, default=lambda: datetime.now(UTC))


class OutboxRow(Row):
    """An event that waits to be delivered; gone once every subscriber has it."""

    __tablename__ = "outbox"

    position: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    event: orm.Mapped[str] = orm.mapped_column(sa.Text())
    # The subscribers that have it already: addresses, as a JSON list.
    delivered: orm.Mapped[list[str]] = orm.mapped_column(sa.JSON, default=list)

    __table_args__ = ({"sqlite_autoincrement": True},)  # positions are never used again


class InboxRow(Row):
    """The id of an event that has had its effect."""

    __tablename__ = "inbox"

    event_id: orm.Mapped[str] = orm.mapped_column(sa.String(100), primary_key=True)
    handled_at: orm.Mapped[datetime] = orm.mapped_column(Moment, default=lambda: datetime.now(UTC))


def open_sessions(engine: sa.Engine) -> orm.sessionmaker[orm.Session]:
    """The tables are made where they are not there yet."""
    Row.metadata.create_all(engine)
    return orm.sessionmaker(engine, expire_on_commit=False)
