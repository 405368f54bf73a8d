"""What all schemas share."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
Fixed = Annotated[Decimal, Field(max_digits=12, decimal_places=2)]
SearchText = Annotated[str, Field(min_length=1, max_length=200, description="Text to look for")]

T = TypeVar("T")


class Input(BaseModel):
    """What callers send: text without blanks around it, and no unknown fields."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Patch(Input):
    """A partial change: fields that are left out stay as they are."""

    required: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _refuse_null(cls, values: Any) -> Any:
        if isinstance(values, dict):
            empty = sorted(name for name in cls.required if name in values and values[name] is None)
            if empty:
                raise ValueError(f"{', '.join(empty)} must not be null")
        return values


class Output(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: dt.datetime
    updated_at: dt.datetime


class ListQuery(Input):
    """The parameters of every list. A minus sign before a field sorts the other way round."""

    sortable: ClassVar[tuple[str, ...]] = ("id",)

    sort: str = Field("id", description="Field to sort by")
    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0, le=1_000_000)

    @field_validator("sort")
    @classmethod
    def _known_field(cls, sort: str) -> str:
        if sort.removeprefix("-") not in cls.sortable:
            raise ValueError(f"must be one of {', '.join(cls.sortable)}")
        return sort


class Page(BaseModel, Generic[T]):
    """A part of a list; ``total`` counts all of it."""

    model_config = ConfigDict(from_attributes=True)

    items: list[T]
    total: int
    limit: int
    offset: int
