"""Bodies about tokens and tickets."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agenticai_api.deps import Id
from agenticai_api.schemas.base import RequestBody
from agenticai_core.auth import Scope
from agenticai_core.auth.tokens import DEFAULT, LONGEST, SHORTEST
from agenticai_core.configuration import as_whole


class CreateToken(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"scopes": ["read"], "ttl_seconds": 900}]}
    )

    scopes: list[Scope] | None = Field(
        None, min_length=1, max_length=3, description="Some of your key's; null: all of them."
    )
    ttl_seconds: Annotated[
        int, Field(ge=SHORTEST, le=LONGEST, strict=True), BeforeValidator(as_whole)
    ] = DEFAULT


class TokenAnswer(BaseModel):
    token: str = Field(
        description="Send it as `Authorization: Bearer …`.",
        examples=["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"],
    )
    expires_at: str = Field(examples=["2025-11-24T12:15:00.000000Z"])
    scopes: list[Scope]


class CreateTicket(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{}, {"project_id": "proj_01jd3v9k2m7q8r5s6t7u8v9w0x"}]}
    )

    project_id: Id | None = Field(None, description="The only one that it opens; null: all.")


class TicketAnswer(BaseModel):
    ticket: str = Field(
        description="Good for one socket: the subprotocol `agenticai.ticket.<ticket>` after "
        "`agenticai.v1`.",
        examples=["Zk3v9bQmN1rTq8sXw2yC4dEfGhJkLmPoRtUvWxYz012"],
    )
    expires_at: str = Field(examples=["2025-11-24T12:00:30.000000Z"])
