"""Events of other services: each has its effect once, however often it comes."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import orm
from sqlalchemy.exc import IntegrityError

from service.database import InboxRow
from service.events import Event
from service.orders import cancel_orders_of

Handler = Callable[[orm.Session, dict[str, Any]], None]


class BadEvent(ValueError):
    """The event's data are not what its type promises."""


def handle(session: orm.Session, event: Event) -> bool:
    """Let the event have its effect; False: it had it before. Raises `BadEvent`."""
    handler = HANDLERS.get(event.type)
    try:
        with session.begin():
            if session.get(InboxRow, event.id) is not None:
                return False
            session.add(InboxRow(event_id=event.id))
            session.flush()
            if handler is not None:
                handler(session, event.data)
    except IntegrityError:
        return False  # the same event came at the same moment, and the other one was faster
    return True


def _on_stock_depleted(session: orm.Session, data: dict[str, Any]) -> None:
    sku = data.get("sku")
    if not isinstance(sku, str):
        raise BadEvent("stock.depleted has no data.sku")
    cancel_orders_of(session, sku)


HANDLERS: Mapping[str, Handler] = MappingProxyType({"stock.depleted": _on_stock_depleted})
