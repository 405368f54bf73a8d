"""What is worked out from the loaded rows."""

import sqlalchemy as sa

from pipeline.load import daily_totals, orders


def rebuild_daily_totals(connection: sa.Connection) -> None:
    """Sum up every day anew. The caller commits, so nobody sees the table empty."""
    summed = (
        sa.select(
            orders.c.placed_on,
            sa.func.count(),
            sa.func.sum(orders.c.quantity),
            sa.func.sum(orders.c.quantity * orders.c.unit_price_cents),
        )
        .group_by(orders.c.placed_on)
        .order_by(orders.c.placed_on)
    )
    connection.execute(sa.delete(daily_totals))
    connection.execute(sa.insert(daily_totals).from_select(list(daily_totals.c.keys()), summed))
