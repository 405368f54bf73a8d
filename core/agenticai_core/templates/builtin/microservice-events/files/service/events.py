"""What an event is, as it is stored and as it travels."""

import uuid
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from service.settings import NAME


class Event(BaseModel):
    """Something that has happened. ``id`` is the same however often it is sent."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(min_length=1, max_length=100)
    type: str = Field(min_length=1, max_length=100)
    source: str = Field(min_length=1, max_length=100)
    at: AwareDatetime
    data: dict[str, Any]


def make_event(type_: str, data: dict[str, Any]) -> Event:
    """An event of this service, now."""
    return Event(id=uuid.uuid4().hex, type=type_, source=NAME, at=datetime.now(UTC), data=data)
