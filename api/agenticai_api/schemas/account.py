"""Bodies about the caller: rights, limits, what was used, what was done."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agenticai_core.audit import AuditAction
from agenticai_core.auth import Caller, Scope
from agenticai_core.models import Usage
from agenticai_core.settings import Settings
from agenticai_core.usage import MonthUsage, ProjectUsage

_MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
Month = Annotated[str, Field(pattern=_MONTH, examples=["2025-11"])]


class CredentialView(BaseModel):
    """What the request was sent with."""

    type: Literal["key", "token"]
    key_id: str = Field(
        description="Of the key; of a token: the one it was exchanged from.",
        examples=["key_01jd3v9k2m7q8r5s6t7u8v9w0x"],
    )
    key_name: str = Field(examples=["laptop"])
    scopes: list[Scope]
    expires_at: str | None = Field(description="null: never.")


class LimitsView(BaseModel):
    requests_per_second: int = Field(description="Of one key and its tokens.", examples=[100])
    burst: int = Field(description="Of one key and its tokens.", examples=[200])
    requests_per_month: int = Field(description="Of the owner.", examples=[100_000])


class MeAnswer(BaseModel):
    owner_id: str
    credential: CredentialView
    limits: LimitsView

    @classmethod
    def of(cls, caller: Caller, settings: Settings) -> "MeAnswer":
        ends = [end for end in (caller.expires_at, caller.key.expires_at) if end]
        credential = CredentialView(
            type="token" if caller.means == "token" else "key",
            key_id=caller.key.id,
            key_name=caller.key.name,
            scopes=list(caller.scopes),
            expires_at=min(ends, default=None),
        )
        limits = LimitsView(
            requests_per_second=settings.rate_limit,
            burst=settings.rate_burst,
            requests_per_month=settings.monthly_quota,
        )
        return cls(owner_id=caller.owner_id, credential=credential, limits=limits)


class UsageView(BaseModel):
    input_tokens: int = Field(examples=[12_400])
    output_tokens: int = Field(examples=[3_100])
    cost_usd: float = Field(examples=[0.0042])


class ProjectUsageView(UsageView):
    project_id: str = Field(description="It may have been deleted since.")

    @classmethod
    def of_project(cls, used: ProjectUsage) -> "ProjectUsageView":
        return cls(project_id=used.project_id, **_told(used.usage))


class UsageAnswer(UsageView):
    month: str = Field(description="Of UTC.", examples=["2025-11"])
    requests: int = Field(
        description="Counted against the quota: in blocks, so a little more than were sent."
    )
    projects: list[ProjectUsageView]

    @classmethod
    def of(cls, month: MonthUsage) -> "UsageAnswer":
        return cls(
            month=month.month,
            requests=month.requests,
            projects=[ProjectUsageView.of_project(one) for one in month.projects],
            **_told(month.total),
        )


class MonthsAnswer(BaseModel):
    months: list[str] = Field(description="Newest first.", examples=[["2025-11", "2025-10"]])


class AuditEntryView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    at: str
    action: AuditAction
    key_id: str | None = Field(
        description="Of the key that did it; null: it was not told.",
        examples=["key_01jd3v9k2m7q8r5s6t7u8v9w0x"],
    )
    subject: str = Field(
        description="The id of what it was done to.", examples=["key_01jd3v9k2m7q8r5s6t7u8v9w0x"]
    )
    details: dict[str, Any] = Field(examples=[{"name": "build server", "scopes": ["read"]}])


class AuditAnswer(BaseModel):
    entries: list[AuditEntryView] = Field(description="Newest first.")
    next_cursor: str | None = Field(description="Give it back as `cursor`; null at the end.")


def _told(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": usage.cost_microusd / 1_000_000,
    }
