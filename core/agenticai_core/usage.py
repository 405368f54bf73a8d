"""What an owner has used: requests, tokens and cost, by month (UTC) and project."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agenticai_core.clock import now
from agenticai_core.models import Model, Usage
from agenticai_core.store import keys
from agenticai_core.store.base import Item, Store, Update

_YEAR = 12  # months


class ProjectUsage(Model):
    """What the model calls for one project used in a month, whether or not it still exists."""

    project_id: str
    usage: Usage


@dataclass(frozen=True)
class MonthUsage:
    """An owner's month: ``requests`` is what has been reserved of the quota, so that it runs
    ahead of what was asked by what the instances hold; ``projects`` are in order of their ids."""

    month: str
    requests: int
    projects: tuple[ProjectUsage, ...]

    @property
    def total(self) -> Usage:
        return sum((project.usage for project in self.projects), Usage())


def current_month() -> str:
    return f"{now():%Y-%m}"


def usage_write(owner_id: str, project_id: str, usage: Usage, month: str | None = None) -> Update:
    """Count what a model call used; goes into the transaction that settles the call.

    ``month`` is ``yyyy-mm``, by default the current one. The project's row is its own, so that
    two projects of an owner never wait for each other, and it outlives the project.
    """
    month = month or current_month()
    return Update(
        keys.project_usage(owner_id, month, project_id),
        set={
            "EntityType": "ProjectUsage",
            "owner_id": owner_id,
            "month": month,
            "project_id": project_id,
        },
        add=usage.model_dump(),
    )


def read_month(store: Store, owner_id: str, month: str) -> MonthUsage:
    """An owner's month; all zeros for one in which nothing happened."""
    requests = 0
    projects: list[ProjectUsage] = []
    start = None
    while True:
        page = store.query(
            keys.owner_pk(owner_id), prefix=keys.usage(owner_id, month).sk, start=start
        )
        for item in page.items:
            if "project_id" in item:
                projects.append(_project_usage(item))
            else:
                requests = int(item.get("requests", 0))
        start = page.next
        if start is None:
            return MonthUsage(month, requests, tuple(projects))


def list_months(store: Store, owner_id: str) -> list[str]:
    """The months in which something was counted, newest first; a year of them at most."""
    months: list[str] = []
    upto = "USAGE#~"  # "~" comes after every digit and "#"
    while len(months) < _YEAR:
        page = store.query(
            keys.owner_pk(owner_id), after="USAGE#", upto=upto, limit=1, newest_first=True
        )
        if not page.items:
            break
        months.append(page.items[0]["month"])
        upto = f"USAGE#{_month_before(months[-1])}~"
    return months


def _month_before(month: str) -> str:
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return f"{first - timedelta(days=1):%Y-%m}"


def _project_usage(item: Item) -> ProjectUsage:
    used = {name: item.get(name, 0) for name in Usage.model_fields}
    return ProjectUsage(project_id=item["project_id"], usage=Usage(**used))
