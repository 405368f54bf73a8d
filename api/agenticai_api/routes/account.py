"""The caller: who it is, what it may, what was used and done."""

from typing import Annotated

from fastapi import APIRouter, Query

from agenticai_api.deps import Admin, CallerDep, PagingDep, Reader, ServicesDep, SettingsDep
from agenticai_api.schemas.account import (
    AuditAnswer,
    AuditEntryView,
    MeAnswer,
    Month,
    MonthsAnswer,
    UsageAnswer,
)
from agenticai_core import audit, usage

router = APIRouter(prefix="/api", tags=["account"])


@router.get("/me", summary="Show who you are, what you may, and your limits")
def get_me(caller: CallerDep, settings: SettingsDep) -> MeAnswer:
    return MeAnswer.of(caller, settings)


@router.get("/usage", summary="Show what was used in a month, in all and by project")
def get_usage(
    owner_id: Reader,
    services: ServicesDep,
    month: Annotated[Month | None, Query(description="Left out: the current one.")] = None,
) -> UsageAnswer:
    """Deleted projects stay in it."""
    found = usage.read_month(services.store, owner_id, month or usage.current_month())
    return UsageAnswer.of(found)


@router.get("/usage/months", summary="List the months in which something was used")
def list_usage_months(owner_id: Reader, services: ServicesDep) -> MonthsAnswer:
    """The last twelve of them."""
    return MonthsAnswer(months=usage.list_months(services.store, owner_id))


@router.get("/audit", summary="List what was done that cannot be undone")
def list_audit(owner_id: Admin, services: ServicesDep, paging: PagingDep) -> AuditAnswer:
    """Keys created, rotated and revoked, projects deleted."""
    found, cursor = audit.list_entries(services, owner_id, limit=paging.limit, cursor=paging.cursor)
    entries = [AuditEntryView.model_validate(entry) for entry in found]
    return AuditAnswer(entries=entries, next_cursor=cursor)
