"""What all models share: the base class, the types, the columns every table has."""

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class UtcDateTime(sa.types.TypeDecorator[dt.datetime]):
    """A moment with its time zone, stored in UTC, in databases that know no zones too."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        return value and value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Any) -> dt.datetime | None:
        return value and value.replace(tzinfo=dt.UTC)


class FixedPoint(sa.types.TypeDecorator[Decimal]):
    """An exact number with two decimals, stored as a whole number of hundredths."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> int | None:
        return None if value is None else int(Decimal(value) * 100)

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(int(value)).scaleb(-2)


def choice(kind: type[enum.StrEnum]) -> sa.Enum:
    """A column that holds the values of an enumeration, as text."""
    return sa.Enum(
        kind, native_enum=False, length=100, values_callable=lambda k: [m.value for m in k]
    )


class Base(orm.DeclarativeBase):
    pass


class Row(Base):
    """A table of ours: an id, and when its rows came and changed."""

    __abstract__ = True

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    created_at: orm.Mapped[dt.datetime] = orm.mapped_column(UtcDateTime(), default=utc_now)
    updated_at: orm.Mapped[dt.datetime] = orm.mapped_column(
        UtcDateTime(), default=utc_now, onupdate=utc_now
    )
