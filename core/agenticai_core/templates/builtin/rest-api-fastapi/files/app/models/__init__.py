"""The tables."""

from app.models.item_model import Item, ItemStatus

__all__ = [
    "Item",
    "ItemStatus",
]
