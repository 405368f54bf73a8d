"""What can be done with orders. Each writes its event in the transaction of its effect."""

from collections.abc import Sequence
from typing import Annotated

import sqlalchemy as sa
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import orm

from service.database import Order, OutboxRow
from service.events import Event, make_event

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Sku = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]


class NewOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    customer: Text
    sku: Sku
    quantity: int = Field(ge=1, le=1000)


class OrderView(NewOrder):
    model_config = ConfigDict(from_attributes=True)

    id: int
    cancelled: bool
    placed_at: AwareDatetime


def place_order(session: orm.Session, new: NewOrder) -> Order:
    """Store an order and the event that tells of it."""
    with session.begin():
        order = Order(**new.model_dump())
        session.add(order)
        session.flush()
        data = {"order_id": order.id, "sku": order.sku, "quantity": order.quantity}
        _tell(session, make_event("order.placed", data))
    return order


def list_orders(session: orm.Session, limit: int, after: int = 0) -> Sequence[Order]:
    """Orders by id, those after ``after``."""
    query = sa.select(Order).where(Order.id > after).order_by(Order.id).limit(limit)
    return session.scalars(query).all()


def cancel_orders_of(session: orm.Session, sku: str) -> int:
    """Cancel the open orders of an article; how many. The caller's transaction."""
    query = sa.select(Order).where(Order.sku == sku, Order.cancelled.is_(False)).order_by(Order.id)
    orders = session.scalars(query).all()
    for order in orders:
        order.cancelled = True
        _tell(session, make_event("order.cancelled", {"order_id": order.id, "sku": order.sku}))
    return len(orders)


def _tell(session: orm.Session, event: Event) -> None:
    session.add(OutboxRow(event=event.model_dump_json()))
