"""What a user decides about a run, and says into it: go on, try again, stop."""

from fastapi import APIRouter

from agenticai_api.deps import OnceDep, ProjectId, ServicesDep, Writer
from agenticai_api.errors import documented
from agenticai_api.schemas.projects import Approve, ProjectAnswer, Reject, SendMessage
from agenticai_core import runs, steering

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
    run = body.run if body else None
    return ProjectAnswer.of(runs.approve(services, owner_id, project_id, run))


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


@router.post(
    "/messages",
    status_code=202,
    summary="Say something into the run under way",
    responses=documented(400, 404, 409, 413, 415),
)
def send_message(
    *,
    project_id: ProjectId,
    body: SendMessage,
    owner_id: Writer,
    services: ServicesDep,
    once: OnceDep,
) -> ProjectAnswer:
    """The agents' next questions to the model hold it. What comes too late to be heeded is told
    by an event `message_not_used`."""
    return ProjectAnswer.of(steering.send_message(services, owner_id, project_id, body.text, once))


@router.post(
    "/retry",
    status_code=202,
    summary="Try a failed project again",
    responses=documented(404, 409),
)
def retry_project(
    project_id: ProjectId, owner_id: Writer, services: ServicesDep, once: OnceDep
) -> ProjectAnswer:
    """Goes on where it stopped when the failure was one of circumstance (a lost worker, a time
    limit, a budget, the model); otherwise begins with a new plan."""
    return ProjectAnswer.of(steering.retry_project(services, owner_id, project_id, once))
