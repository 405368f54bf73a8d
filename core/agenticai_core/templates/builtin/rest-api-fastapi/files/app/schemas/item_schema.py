"""What callers send and get about items."""

from decimal import Decimal
from typing import Annotated

from pydantic import ConfigDict, Field

from app.models.item_model import ItemStatus
from app.schemas.base import Fixed, Input, ListQuery, Output, Patch, SearchText


class ItemCreate(Input):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Example name"}]})

    name: Annotated[str, Field(min_length=1, max_length=200)]
    price: Annotated[Fixed, Field(ge=0)] | None = None
    description: Annotated[str, Field(min_length=1, max_length=10000)] | None = None


class ItemPatch(Patch):
    required = frozenset({"name"})

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    price: Annotated[Fixed, Field(ge=0)] | None = None
    description: Annotated[str, Field(min_length=1, max_length=10000)] | None = None


class ItemRead(Output):
    name: str
    price: Decimal | None
    status: ItemStatus
    description: str | None


class ItemQuery(ListQuery):
    sortable = ("id", "name", "price", "status", "created_at", "updated_at")

    q: SearchText | None = None
    status: ItemStatus | None = None
