"""The routes of items."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, status

from app import models, rows
from app.database import Database
from app.errors import documented
from app.schemas.base import Id, Page
from app.schemas.item_schema import ItemCreate, ItemPatch, ItemQuery, ItemRead
from app.services import items_service as service

router = APIRouter(prefix="/items", tags=["items"])


@router.post(
    "", status_code=status.HTTP_201_CREATED, response_model=ItemRead, responses=documented(409, 422)
)
def create_item(values: ItemCreate, session: Database) -> models.Item:
    """Create an item."""
    return service.create(session, values)


@router.get("", response_model=Page[ItemRead], responses=documented(422))
def list_items(query: Annotated[ItemQuery, Query()], session: Database) -> dict[str, Any]:
    """List items, page by page."""
    return service.find_page(session, query)


@router.get("/{row_id}", response_model=ItemRead, responses=documented(404, 422))
def get_item(row_id: Id, session: Database) -> models.Item:
    """One item."""
    return rows.find(session, models.Item, row_id)


@router.put("/{row_id}", response_model=ItemRead, responses=documented(404, 409, 422))
def replace_item(row_id: Id, values: ItemCreate, session: Database) -> models.Item:
    """Set all attributes of an item; those left out go back to their defaults."""
    return service.change(session, row_id, values.model_dump())


@router.patch("/{row_id}", response_model=ItemRead, responses=documented(404, 409, 422))
def change_item(row_id: Id, values: ItemPatch, session: Database) -> models.Item:
    """Change some attributes of an item."""
    return service.change(session, row_id, values.model_dump(exclude_unset=True))


@router.delete(
    "/{row_id}", status_code=status.HTTP_204_NO_CONTENT, responses=documented(404, 409, 422)
)
def delete_item(row_id: Id, session: Database) -> None:
    """Delete an item that nothing refers to."""
    service.remove(session, row_id)


@router.post("/{row_id}/publish", response_model=ItemRead, responses=documented(404, 409, 422))
def publish_item(row_id: Id, session: Database) -> models.Item:
    """Item: draft → published."""
    return service.publish(session, row_id)


@router.post("/{row_id}/archive", response_model=ItemRead, responses=documented(404, 409, 422))
def archive_item(row_id: Id, session: Database) -> models.Item:
    """Item: published → archived."""
    return service.archive(session, row_id)
