"""Bodies about API keys."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agenticai_api.schemas.base import Name, RequestBody
from agenticai_core.auth import Scope
from agenticai_core.auth.issuing import DEFAULT_OVERLAP, MAX_OVERLAP
from agenticai_core.configuration import as_whole
from agenticai_core.models import ApiKey


class CreateKey(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "build server", "scopes": ["read"]}]}
    )

    name: Name
    scopes: list[Scope] = Field(
        default=["read", "write"],
        min_length=1,
        max_length=3,
        description="Only such as your own key has.",
    )


class RotateKey(RequestBody):
    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_seconds": 3600}]})

    overlap_seconds: Annotated[
        int,
        Field(
            ge=0,
            le=MAX_OVERLAP,
            strict=True,
            description="So long the old key stays good beside the new one. With 0 it ends at once:"
            " if it is the one you call with, this answer is the only one that shows the new "
            "secret.",
        ),
        BeforeValidator(as_whole),
    ] = DEFAULT_OVERLAP


class KeyView(BaseModel):
    """A key without its hash."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    owner_id: str
    scopes: list[Scope]
    created_at: str
    expires_at: str | None = Field(description="Set when another key takes its place.")
    revoked_at: str | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyView":
        return cls.model_validate(key)


class KeyAnswer(BaseModel):
    key: KeyView


class CreatedKeyAnswer(BaseModel):
    key: KeyView
    secret: str = Field(
        description="Shown this once and stored nowhere: keep it. Sent again with the same "
        "`Idempotency-Key`, the request shows it again for 24 h.",
    )


class RotatedKeyAnswer(CreatedKeyAnswer):
    replaced: KeyView = Field(description="The old key, with the time at which it expires.")


class KeysAnswer(BaseModel):
    keys: list[KeyView]
