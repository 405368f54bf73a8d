"""Modifications: ask for a change, decide on it, and see what became of it."""

from fastapi import APIRouter, Response

from agenticai_api.deps import (
    ModificationId,
    OnceDep,
    PagingDep,
    ProjectId,
    Reader,
    ServicesDep,
    Writer,
)
from agenticai_api.errors import documented
from agenticai_api.schemas.modifications import (
    ModificationAnswer,
    ModificationsAnswer,
    RequestModification,
)
from agenticai_api.schemas.projects import Reject
from agenticai_core import projects, runs, steering

router = APIRouter(prefix="/api/projects/{project_id}", tags=["modifications"])


@router.post(
    "/modify",
    status_code=202,
    summary="Ask for a change of a project's code",
    responses=documented(400, 404, 409, 413, 415),
)
def request_modification(
    *,
    project_id: ProjectId,
    body: RequestModification,
    owner_id: Writer,
    services: ServicesDep,
    once: OnceDep,
    response: Response,
) -> ModificationAnswer:
    """Answers at once. Requests are worked on one after the other, in their order."""
    modification = runs.request_modification(services, owner_id, project_id, body.request, once)
    response.headers["Location"] = f"/api/projects/{project_id}/modifications/{modification.id}"
    return ModificationAnswer(modification=modification)


@router.get("/modifications", summary="List a project's modifications", responses=documented(404))
def list_modifications(
    project_id: ProjectId, owner_id: Reader, services: ServicesDep, paging: PagingDep
) -> ModificationsAnswer:
    listing = projects.list_modifications(
        services, owner_id, project_id, limit=paging.limit, cursor=paging.cursor
    )
    return ModificationsAnswer(modifications=listing.items, next_cursor=listing.next_cursor)


@router.get(
    "/modifications/{modification_id}", summary="Show a modification", responses=documented(404)
)
def get_modification(
    project_id: ProjectId, modification_id: ModificationId, owner_id: Reader, services: ServicesDep
) -> ModificationAnswer:
    return ModificationAnswer(
        modification=projects.get_modification(services, owner_id, project_id, modification_id)
    )


@router.post(
    "/modifications/{modification_id}/approve",
    summary="Approve a modification that waits for it",
    responses=documented(404, 409),
)
def approve_modification(
    project_id: ProjectId, modification_id: ModificationId, owner_id: Writer, services: ServicesDep
) -> ModificationAnswer:
    return ModificationAnswer(
        modification=steering.approve_modification(services, owner_id, project_id, modification_id)
    )


@router.post(
    "/modifications/{modification_id}/reject",
    summary="Reject a modification that waits for approval",
    responses=documented(400, 404, 409, 413, 415),
)
def reject_modification(
    *,
    project_id: ProjectId,
    modification_id: ModificationId,
    owner_id: Writer,
    services: ServicesDep,
    body: Reject | None = None,
) -> ModificationAnswer:
    """With feedback it is analysed again; without, it ends."""
    feedback = body.feedback if body else None
    return ModificationAnswer(
        modification=steering.reject_modification(
            services, owner_id, project_id, modification_id, feedback
        )
    )


@router.post(
    "/modifications/{modification_id}/cancel",
    summary="Cancel a modification in work or in the queue",
    responses=documented(404, 409),
)
def cancel_modification(
    project_id: ProjectId, modification_id: ModificationId, owner_id: Writer, services: ServicesDep
) -> ModificationAnswer:
    return ModificationAnswer(
        modification=steering.cancel_modification(services, owner_id, project_id, modification_id)
    )
