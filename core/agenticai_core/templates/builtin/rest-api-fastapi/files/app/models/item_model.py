"""Something that the service keeps."""

import enum
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy import orm

from app.models.base import FixedPoint, Row, choice


class ItemStatus(enum.StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Item(Row):
    __tablename__ = "items"

    name: orm.Mapped[str] = orm.mapped_column(sa.String(200), unique=True)
    price: orm.Mapped[Decimal | None] = orm.mapped_column(FixedPoint())
    status: orm.Mapped[ItemStatus] = orm.mapped_column(choice(ItemStatus), default=ItemStatus.DRAFT)
    description: orm.Mapped[str | None] = orm.mapped_column(sa.Text())
