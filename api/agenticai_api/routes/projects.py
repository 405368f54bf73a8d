"""Projects: create, list, look at, change, delete."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from agenticai_api.deps import (
    CallerDep,
    ExpectedVersion,
    OnceDep,
    PagingDep,
    ProjectId,
    Reader,
    ServicesDep,
    Writer,
)
from agenticai_api.errors import documented
from agenticai_api.schemas.projects import (
    CreateProject,
    ProjectAnswer,
    ProjectsAnswer,
    ProjectView,
    UpdateProject,
)
from agenticai_core import projects, runs
from agenticai_core.configuration import Tag
from agenticai_core.models import Project, ProjectStatus, ProjectType

router = APIRouter(prefix="/api/projects", tags=["projects"])


@router.post(
    "",
    status_code=201,
    summary="Create a project and start to build it",
    responses=documented(400, 409, 413, 415),
)
def create_project(
    body: CreateProject, owner_id: Writer, services: ServicesDep, once: OnceDep, response: Response
) -> ProjectAnswer:
    """Answers at once; the agents' progress is in the project's events."""
    project = runs.create_project(
        services,
        owner_id,
        runs.NewProject(**body.model_dump() | {"description": body.description or body.name}),
        once,
    )
    response.headers["Location"] = f"/api/projects/{project.id}"
    return _answer(project, response)


@router.get("", summary="List your projects, newest first")
def list_projects(
    *,
    owner_id: Reader,
    services: ServicesDep,
    paging: PagingDep,
    status: Annotated[ProjectStatus | None, Query(description="Only those.")] = None,
    type_: Annotated[ProjectType | None, Query(alias="type", description="Only those.")] = None,
    tag: Annotated[Tag | None, Query(description="Only those that have it.")] = None,
) -> ProjectsAnswer:
    """With a filter a page can be short, or empty, before the last: it ends with its cursor."""
    listing = projects.list_projects(
        services,
        owner_id,
        status=status,
        type_=type_,
        tag=tag,
        limit=paging.limit,
        cursor=paging.cursor,
    )
    found = [ProjectView.of(project) for project in listing.items]
    return ProjectsAnswer(projects=found, next_cursor=listing.next_cursor)


@router.get("/{project_id}", summary="Show a project", responses=documented(404))
def get_project(
    project_id: ProjectId, owner_id: Reader, services: ServicesDep, response: Response
) -> ProjectAnswer:
    return _answer(projects.get_project(services, owner_id, project_id), response)


@router.put(
    "/{project_id}",
    summary="Change what you have set on a project",
    responses=documented(400, 404, 409, 412, 413, 415),
)
def update_project(
    *,
    project_id: ProjectId,
    owner_id: Writer,  # before the version, so that a stranger learns nothing from it
    if_match: ExpectedVersion,
    body: UpdateProject,
    services: ServicesDep,
    response: Response,
) -> ProjectAnswer:
    """Changes what is given and nothing else; the code is changed by a modification."""
    changes = projects.ProjectChanges(**body.model_dump(exclude_unset=True))
    project = projects.update_project(services, owner_id, project_id, changes, if_match)
    return _answer(project, response)


@router.delete("/{project_id}", summary="Delete a project", responses=documented(404, 409))
def delete_project(
    project_id: ProjectId, owner_id: Writer, caller: CallerDep, services: ServicesDep
) -> ProjectAnswer:
    """Stops what is under way; rows and files go in the background."""
    return ProjectAnswer.of(runs.delete_project(services, owner_id, project_id, caller.id))


def _answer(project: Project, response: Response) -> ProjectAnswer:
    response.headers["ETag"] = f'"{project.config_version}"'
    return ProjectAnswer.of(project)
