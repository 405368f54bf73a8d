"""The rules of items."""

from typing import Any

from sqlalchemy import orm

from app import models, rows
from app.errors import Conflict
from app.schemas.item_schema import ItemCreate, ItemQuery


def create(session: orm.Session, values: ItemCreate) -> models.Item:
    row = models.Item(**values.model_dump())
    return rows.save(session, row)


def find_page(session: orm.Session, query: ItemQuery) -> dict[str, Any]:
    conditions = rows.conditions(
        query,
        equal={
            "status": models.Item.status,
        },
        search=(
            models.Item.name,
            models.Item.description,
        ),
    )
    return rows.page(session, models.Item, query, conditions)


def change(session: orm.Session, row_id: int, values: dict[str, Any]) -> models.Item:
    """Set the given attributes, and check the result as a whole."""
    row = rows.find(session, models.Item, row_id)
    for name, value in values.items():
        setattr(row, name, value)
    return rows.save(session, row)


def remove(session: orm.Session, row_id: int) -> None:
    rows.remove(session, rows.find(session, models.Item, row_id))


def publish(session: orm.Session, row_id: int) -> models.Item:
    """Item: draft → published."""
    row = rows.find(session, models.Item, row_id)
    if row.status not in {models.ItemStatus.DRAFT}:
        raise Conflict(
            f"Cannot publish an item that is '{row.status}'; it must be 'draft'", status=row.status
        )
    row.status = models.ItemStatus.PUBLISHED
    return rows.save(session, row)


def archive(session: orm.Session, row_id: int) -> models.Item:
    """Item: published → archived."""
    row = rows.find(session, models.Item, row_id)
    if row.status not in {models.ItemStatus.PUBLISHED}:
        raise Conflict(
            f"Cannot archive an item that is '{row.status}'; it must be 'published'",
            status=row.status,
        )
    row.status = models.ItemStatus.ARCHIVED
    return rows.save(session, row)
