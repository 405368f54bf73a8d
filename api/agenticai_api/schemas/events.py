"""Bodies about a project's events."""

from pydantic import (
    BaseModel,
    Field,
)

from agenticai_core.models import (
    Event,
)


class EventsAnswer(BaseModel):
    events: list[Event]
    next_after: int = Field(description="Give it back as `after` to read on.")
    head: int = Field(description="The last event there is: `next_after` has caught up with it.")
