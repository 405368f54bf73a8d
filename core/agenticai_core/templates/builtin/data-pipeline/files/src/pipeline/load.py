"""The tables, and writing into them."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from pipeline.schema import Order

BATCH = 500  # rows of one statement

metadata = sa.MetaData()

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("order_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("placed_on", sa.Date, nullable=False, index=True),
    sa.Column("customer", sa.String(200), nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("unit_price_cents", sa.BigInteger, nullable=False),
)
daily_totals = sa.Table(
    "daily_totals",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("orders", sa.Integer, nullable=False),
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("total_cents", sa.BigInteger, nullable=False),
)


def open_database(url: str) -> sa.Engine:
    """The database, with its tables."""
    engine = sa.create_engine(url)
    metadata.create_all(engine)
    return engine


def load_orders(connection: sa.Connection, batch: Iterable[Order]) -> None:
    """Write the orders; one that is there already is replaced. The caller commits."""
    rows = [
        {
            "order_id": order.order_id,
            "placed_on": order.placed_on,
            "customer": order.customer,
            "quantity": order.quantity,
            "unit_price_cents": int(order.unit_price * 100),
        }
        for order in batch
    ]
    if not rows:
        return
    statement = insert(orders)
    others = {column.name: column for column in statement.excluded if not column.primary_key}
    connection.execute(
        statement.on_conflict_do_update(index_elements=[orders.c.order_id], set_=others), rows
    )
