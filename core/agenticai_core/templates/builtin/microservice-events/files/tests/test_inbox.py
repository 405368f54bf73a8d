from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import orm

from service.database import InboxRow, Order
from service.events import Event
from service.inbox import BadEvent, handle
from service.orders import NewOrder, place_order

from .conftest import ORDER, waiting

Sessions = orm.sessionmaker[orm.Session]


def depleted(**data: Any) -> Event:
    return Event(id="1", type="stock.depleted", source="stock", at=datetime.now(UTC), data=data)


def test_only_open_orders_of_that_article_are_cancelled(sessions: Sessions) -> None:
    with sessions() as session:
        kept = place_order(session, NewOrder.model_validate(ORDER | {"sku": "coffee"}))
        cancelled = place_order(session, NewOrder.model_validate(ORDER))
    with sessions() as session:
        assert handle(session, depleted(sku="tea-250"))

    with sessions() as session:
        assert not session.get_one(Order, kept.id).cancelled
        assert session.get_one(Order, cancelled.id).cancelled
    assert [event.type for event in waiting(sessions)] == [
        "order.placed",
        "order.placed",
        "order.cancelled",
    ]


def test_a_bad_event_is_not_remembered(sessions: Sessions) -> None:
    with sessions() as session, pytest.raises(BadEvent):
        handle(session, depleted())

    with sessions() as session:
        assert session.get(InboxRow, "1") is None


def test_of_two_at_the_same_moment_one_has_its_effect(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sessions() as session:
        handle(session, depleted(sku="tea-250"))
    # The second one looks before the first has committed, and finds out only when it writes.
    monkeypatch.setattr(orm.Session, "get", lambda *_: None)
    with sessions() as session:
        assert not handle(session, depleted(sku="tea-250"))
