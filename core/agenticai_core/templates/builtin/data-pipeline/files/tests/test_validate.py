from datetime import date
from decimal import Decimal

import pytest

from pipeline.extract import RawRow
from pipeline.schema import Order
from pipeline.validate import Rejected, validate

GOOD = {
    "order_id": "1",
    "placed_on": "2025-03-01",
    "customer": " Amara ",
    "quantity": "2",
    "unit_price": "19.90",
}


def row(**changes: str) -> RawRow:
    return RawRow("orders.csv", 2, GOOD | changes)


def test_a_good_row_becomes_an_order() -> None:
    order = validate(row())

    assert isinstance(order, Order)
    assert (order.placed_on, order.customer) == (date(2025, 3, 1), "Amara")
    assert order.total == Decimal("39.80")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order_id", "0"),
        ("order_id", "x"),
        ("placed_on", "2025-02-30"),
        ("customer", "  "),
        ("quantity", "0"),
        ("quantity", "1.5"),
        ("unit_price", "-1"),
        ("unit_price", "1.999"),
        ("unit_price", "NaN"),
    ],
)
def test_a_bad_value_is_named(field: str, value: str) -> None:
    rejected = validate(row(**{field: value}))

    assert isinstance(rejected, Rejected)
    assert rejected.reason.startswith(f"{field}: ")


def test_every_bad_value_is_named() -> None:
    rejected = validate(row(order_id="x", quantity="y"))

    assert isinstance(rejected, Rejected)
    assert "order_id: " in rejected.reason
    assert "quantity: " in rejected.reason


def test_a_row_of_another_length_is_refused() -> None:
    assert isinstance(validate(RawRow("orders.csv", 2, GOOD, complete=False)), Rejected)
