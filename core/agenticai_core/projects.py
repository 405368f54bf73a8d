"""Use cases that read projects and modifications, and update what the user edits.

Another owner's project is not found, whatever is asked of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pydantic import Field, field_validator

from agenticai_core import environment, pages
from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, stamp
from agenticai_core.configuration import (
    CostBudget,
    Dependencies,
    EnvironmentChanges,
    Tags,
    TokenBudget,
    to_microusd,
)
from agenticai_core.errors import NotFound, PreconditionFailed, WrongState
from agenticai_core.models import (
    DeploymentConfig,
    Model,
    Modification,
    Project,
    ProjectStatus,
    ProjectType,
)
from agenticai_core.rows import parse, project_item
from agenticai_core.store import keys
from agenticai_core.store.base import ConditionFailed, Page, Put, equals

T = TypeVar("T")

MAX_LOOKED_AT = 1000  # rows, by one request for a list
_ROWS_A_LOOK = 100


@dataclass(frozen=True)
class Listing(Generic[T]):
    items: list[T]
    next_cursor: str | None


class ProjectChanges(Model):
    """What a user may change: only what is set. A budget of None is no limit."""

    name: str | None = Field(None, min_length=1, max_length=100)
    description: str | None = Field(None, min_length=1, max_length=20_000)
    approval: Literal["auto", "required"] | None = None
    tags: Tags = ()
    dependencies: Dependencies = ()
    environment_vars: EnvironmentChanges = Field(default_factory=dict)
    deployment_config: DeploymentConfig = DeploymentConfig()
    token_budget: TokenBudget | None = None
    cost_budget_usd: CostBudget | None = None

    @field_validator("name", "description", "approval")
    @classmethod
    def _refuse_null(cls, value: str | None) -> str:
        # Defaults do not come through here: this null was meant.
        if value is None:
            raise ValueError("cannot be null; leave it out to keep it as it is")
        return value


def get_project(services: Services, owner_id: str, project_id: str) -> Project:
    """Raises `NotFound` for an absent project and for another owner's alike."""
    item = services.store.get(keys.project(project_id))
    if item is None or item["owner_id"] != owner_id:
        raise NotFound(f"No project '{project_id}'", hint="GET /api/projects lists yours")
    return parse(Project, item)


def list_projects(
    services: Services,
    owner_id: str,
    *,
    status: ProjectStatus | None = None,
    type_: ProjectType | None = None,
    tag: str | None = None,
    limit: int = 20,
    cursor: str | None = None,
) -> Listing[Project]:
    """An owner's projects, newest first; those being deleted only when asked for.

    One call looks at 1,000 rows at most: where few of them are wanted, a page may be short or
    even empty and still have a cursor.
    """
    scope = f"projects/{owner_id}/{status}/{type_}/{tag}"
    start: Mapping[str, str] | None = pages.decode(services, cursor, scope)
    # Without a filter nearly every row is wanted: look at no more than are.
    plain = status is None and type_ is None and tag is None
    step = limit if plain else _ROWS_A_LOOK
    found: list[Project] = []
    looked = 0
    while True:
        page = _query_owned(services, owner_id, step, start)
        start, looked = page.next, looked + len(page.items)
        for number, item in enumerate(page.items, start=1):
            project = parse(Project, item)
            if _wanted(project, status, type_, tag):
                found.append(project)
            if len(found) == limit:
                if number < len(page.items):
                    start = {name: item[name] for name in ("PK", "SK", "GSI1PK", "GSI1SK")}
                return Listing(found, pages.encode(services, start, scope))
        if start is None or looked >= MAX_LOOKED_AT:
            return Listing(found, pages.encode(services, start, scope))


def _query_owned(
    services: Services, owner_id: str, limit: int, start: Mapping[str, str] | None
) -> Page:
    return services.store.query(
        keys.owner_pk(owner_id),
        index="GSI1",
        prefix="PROJECT#",
        limit=limit,
        newest_first=True,
        start=start,
    )


def update_project(
    services: Services,
    owner_id: str,
    project_id: str,
    changes: ProjectChanges,
    if_match: int | None = None,
) -> Project:
    """Change what the user edits. ``if_match``: the config version that the caller knows.

    Raises `NotFound`, `PreconditionFailed`, `WrongState`.
    """
    for _ in range(12):
        project = get_project(services, owner_id, project_id)
        if if_match is not None and if_match != project.config_version:
            raise PreconditionFailed(
                "The project was changed since you read it",
                hint="Read it again and apply your change to that",
                details={"current": project.config_version},
            )
        if project.status is ProjectStatus.DELETING:
            raise WrongState("The project is being deleted")
        updated = _changed(services, project, changes)
        try:
            services.store.write(Put(project_item(updated), equals("version", project.version)))
        except ConditionFailed:
            _forget_if_gone(services, project)
            continue
        return updated
    raise WrongState("The project changes too fast", hint="Try again")


def _changed(services: Services, project: Project, changes: ProjectChanges) -> Project:
    """The project as it is to be; new values of its environment are stored by then."""
    fields: dict[str, Any] = {
        name: getattr(changes, name)
        for name in changes.model_fields_set - {"environment_vars", "cost_budget_usd"}
    }
    if "cost_budget_usd" in changes.model_fields_set:
        fields["cost_budget_microusd"] = to_microusd(changes.cost_budget_usd)
    if changes.environment_vars:
        project = environment.change(services, project, changes.environment_vars)
    versions = {"version": project.version + 1, "config_version": project.config_version + 1}
    return project.model_copy(update=fields | versions | {"updated_at": stamp(now())})


def _forget_if_gone(services: Services, project: Project) -> None:
    """A deletion that was faster may have removed the secret before this change stored it."""
    item = services.store.get(keys.project(project.id))
    if item is None or item["status"] == ProjectStatus.DELETING.value:
        environment.forget(services, project.id)


def list_modifications(
    services: Services,
    owner_id: str,
    project_id: str,
    *,
    limit: int = 20,
    cursor: str | None = None,
) -> Listing[Modification]:
    """Newest first."""
    get_project(services, owner_id, project_id)
    scope = f"modifications/{owner_id}/{project_id}"
    page = services.store.query(
        keys.project_pk(project_id),
        prefix="MOD#",
        limit=limit,
        newest_first=True,
        start=pages.decode(services, cursor, scope),
    )
    items = [parse(Modification, item) for item in page.items]
    return Listing(items, pages.encode(services, page.next, scope))


def get_modification(
    services: Services, owner_id: str, project_id: str, modification_id: str
) -> Modification:
    get_project(services, owner_id, project_id)
    item = services.store.get(keys.modification(project_id, modification_id))
    if item is None:
        raise NotFound(f"The project has no modification '{modification_id}'")
    return parse(Modification, item)


def _wanted(
    project: Project, status: ProjectStatus | None, type_: ProjectType | None, tag: str | None
) -> bool:
    if status is None and project.status is ProjectStatus.DELETING:
        return False
    if tag is not None and tag not in project.tags:
        return False
    return status in (None, project.status) and type_ in (None, project.type)
