"""What every service does with rows: find, list, store, remove."""

from collections.abc import Mapping
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import orm

from app.errors import NotFound
from app.models.base import Row
from app.schemas.base import ListQuery

R = TypeVar("R", bound=Row)


def find(session: orm.Session, model: type[R], row_id: int) -> R:
    """The row, or a 404."""
    row = session.get(model, row_id)
    if row is None:
        raise NotFound(f"There is no {label(model)} {row_id}", id=row_id)
    return row


def save(session: orm.Session, row: R) -> R:
    """Write the row now, so that a conflict shows here, and read it back as it is stored."""
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def remove(session: orm.Session, row: Row) -> None:
    """Delete the row; a 409 as long as others refer to it."""
    session.delete(row)
    session.flush()


def page(
    session: orm.Session, model: type[R], query: ListQuery, conditions: list[Any]
) -> dict[str, Any]:
    """One page of those rows that meet the conditions, and how many there are in all."""
    statement = sa.select(model).where(*conditions)
    total = session.scalar(sa.select(sa.func.count()).select_from(statement.subquery()))
    column = getattr(model, query.sort.removeprefix("-"))
    order = column.desc() if query.sort.startswith("-") else column.asc()
    chosen = statement.order_by(order, model.id).limit(query.limit).offset(query.offset)
    items = session.scalars(chosen).all()
    return {"items": items, "total": total, "limit": query.limit, "offset": query.offset}


def conditions(
    query: ListQuery,
    *,
    equal: Mapping[str, Any] | None = None,
    at_least: Mapping[str, Any] | None = None,
    at_most: Mapping[str, Any] | None = None,
    search: tuple[Any, ...] = (),
) -> list[Any]:
    """SQL conditions from those parameters that were given: parameter -> column."""
    given = query.model_dump(exclude_none=True)
    found = [column == given[name] for name, column in (equal or {}).items() if name in given]
    found += [column >= given[name] for name, column in (at_least or {}).items() if name in given]
    found += [column <= given[name] for name, column in (at_most or {}).items() if name in given]
    if "q" in given:
        found.append(sa.or_(*(column.icontains(given["q"], autoescape=True) for column in search)))
    return found


def label(model: type[Row]) -> str:
    """``StockMovement`` -> ``stock movement``."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in model.__name__).strip()
