"""Bodies about modifications."""

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from agenticai_api.schemas.base import RequestBody, Text
from agenticai_core.models import (
    Modification,
)


class RequestModification(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"request": "Add user authentication"}]}
    )

    request: Text = Field(description="What to change, in your own words.")


class ModificationAnswer(BaseModel):
    modification: Modification


class ModificationsAnswer(BaseModel):
    modifications: list[Modification]
    next_cursor: str | None = Field(description="Give it back as `cursor`; null at the end.")
