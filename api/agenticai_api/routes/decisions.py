"""What a user decides about a run: go on, try again, stop."""

from fastapi import APIRouter

from agenticai_api.deps import ProjectId, ServicesDep, Writer
from agenticai_api.errors import documented
from agenticai_api.schemas.projects import Approve, ProjectAnswer, Reject
from agenticai_core import projects, runs
from agenticai_core.errors import WrongState
from agenticai_core.models import Project

router = APIRouter(prefix="/api/projects/{project_id}", tags=["decisions"])


@router.post(
    "/approve",
    summary="Approve what waits for approval",
    responses=documented(400, 404, 409, 413, 415),
)
def approve_run(
    project_id: ProjectId, owner_id: Writer, services: ServicesDep, body: Approve | None = None
) -> ProjectAnswer:
    """With ``run`` only that one: what has taken its place meanwhile is not approved unseen."""
    if body and body.run:
        _must_be_active(projects.get_project(services, owner_id, project_id), body.run)
    return ProjectAnswer.of(runs.approve(services, owner_id, project_id))


@router.post(
    "/reject",
    summary="Reject what waits for approval",
    responses=documented(400, 404, 409, 413, 415),
)
def reject_run(
    project_id: ProjectId, owner_id: Writer, services: ServicesDep, body: Reject | None = None
) -> ProjectAnswer:
    """With feedback the plan is made again; without, the run ends."""
    feedback = body.feedback if body else None
    return ProjectAnswer.of(runs.reject(services, owner_id, project_id, feedback))


@router.post("/cancel", summary="Stop the run under way", responses=documented(404, 409))
def cancel_run(project_id: ProjectId, owner_id: Writer, services: ServicesDep) -> ProjectAnswer:
    return ProjectAnswer.of(runs.cancel(services, owner_id, project_id))


def _must_be_active(project: Project, run: str) -> None:
    if project.active_run != run:
        raise WrongState(
            f"'{run}' is not what the project is working on",
            hint="Look at its active_run",
            details={"active_run": project.active_run},
        )
