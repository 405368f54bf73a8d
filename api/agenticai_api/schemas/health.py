"""Bodies of the health checks."""

from typing import Literal

from pydantic import (
    BaseModel,
)


class HealthAnswer(BaseModel):
    status: Literal["ok"]
    version: str


class ReadyAnswer(BaseModel):
    status: Literal["ready"]
    checks: dict[str, str]
