"""Bodies about API keys."""

from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from agenticai_api.schemas.base import Name, RequestBody
from agenticai_core.models import (
    ApiKey,
)

Scope = Literal["read", "write", "admin"]


class CreateKey(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "build server", "scopes": ["read"]}]}
    )

    name: Name
    scopes: list[Scope] = Field(default=["read", "write"], min_length=1, max_length=3)


class KeyView(BaseModel):
    """A key without its hash."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    owner_id: str
    scopes: list[Scope]
    created_at: str
    revoked_at: str | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyView":
        return cls.model_validate(key)


class KeyAnswer(BaseModel):
    key: KeyView


class CreatedKeyAnswer(BaseModel):
    key: KeyView
    secret: str = Field(description="Shown this once and stored nowhere: keep it.")


class KeysAnswer(BaseModel):
    keys: list[KeyView]
