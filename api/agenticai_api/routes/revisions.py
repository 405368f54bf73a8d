"""Revisions: what the code has been, what differs, and back to an earlier one."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from agenticai_api.deps import OnceDep, PagingDep, ProjectId, Reader, ServicesDep, Writer
from agenticai_api.errors import documented
from agenticai_api.negotiation import PreferenceDep
from agenticai_api.routes.files import FILE_ANSWERS, FilePath, answer_file
from agenticai_api.schemas.files import FilesAnswer
from agenticai_api.schemas.revisions import (
    DiffAnswer,
    RevisionAnswer,
    RevisionsAnswer,
    RevisionView,
    RollBack,
    RolledBackAnswer,
)
from agenticai_core import diffs, project_files, revisions, user_edits
from agenticai_core.revisions import MAX_NUMBER

router = APIRouter(prefix="/api/projects/{project_id}", tags=["revisions"])

Number = Annotated[int, Path(ge=1, le=MAX_NUMBER, description="A revision's number.", examples=[1])]
_UNIFIED = {kind: {"schema": {"type": "string"}} for kind in ("text/x-diff", "text/plain")}


@router.get("/revisions", summary="List a project's revisions", responses=documented(404))
def list_revisions(
    project_id: ProjectId, owner_id: Reader, services: ServicesDep, paging: PagingDep
) -> RevisionsAnswer:
    listing = revisions.list_revisions(
        services, owner_id, project_id, limit=paging.limit, cursor=paging.cursor
    )
    found = [RevisionView.of(revision) for revision in listing.items]
    return RevisionsAnswer(revisions=found, next_cursor=listing.next_cursor)


@router.get("/revisions/{number}", summary="Show a revision", responses=documented(404))
def get_revision(
    project_id: ProjectId, number: Number, owner_id: Reader, services: ServicesDep
) -> RevisionAnswer:
    revision = revisions.get_revision(services, owner_id, project_id, number)
    return RevisionAnswer.of(revision, revisions.read_report(services, revision))


@router.get(
    "/revisions/{number}/files", summary="List the files of a revision", responses=documented(404)
)
def list_revision_files(
    project_id: ProjectId, number: Number, owner_id: Reader, services: ServicesDep
) -> FilesAnswer:
    return FilesAnswer.of(project_files.list_files(services, owner_id, project_id, number))


@router.get(
    "/revisions/{number}/files/{path:path}",
    summary="Download one file of a revision",
    response_class=Response,
    responses=documented(404) | FILE_ANSWERS,
)
def read_revision_file(
    project_id: ProjectId,
    number: Number,
    path: FilePath,
    owner_id: Reader,
    services: ServicesDep,
) -> Response:
    """A large one is answered with a redirect to where it lies."""
    served = project_files.read_file(services, owner_id, project_id, path, number)
    return answer_file(served)


@router.get(
    "/diff",
    summary="Compare two revisions",
    response_model=DiffAnswer,
    responses=documented(404)
    | {200: {"description": "As JSON, or as a unified diff by `Accept`.", "content": _UNIFIED}},
)
def compare_revisions(
    *,
    project_id: ProjectId,
    owner_id: Reader,
    services: ServicesDep,
    preference: PreferenceDep,
    from_: Annotated[
        int | None,
        Query(
            alias="from",
            ge=0,
            le=MAX_NUMBER,
            description="0: the empty tree. Left out: the one before `to`.",
        ),
    ] = None,
    to: Annotated[
        int | None, Query(ge=0, le=MAX_NUMBER, description="Left out: the current revision.")
    ] = None,
    path: Annotated[str | None, Query(description="Of this file alone.")] = None,
) -> Any:
    """A unified diff is for `git apply`. Files that are no text, or too large, are only named."""
    comparison = diffs.compare_revisions(
        services, owner_id, project_id, from_=from_, to=to, path=path
    )
    kind = preference.choose(("application/json", *_UNIFIED))
    if kind in _UNIFIED:
        return Response(diffs.to_unified(comparison), media_type=kind, headers={"Vary": "Accept"})
    return DiffAnswer.of(comparison)


@router.post(
    "/rollback",
    status_code=201,
    summary="Make an earlier revision current again",
    responses=documented(400, 404, 409, 412, 413, 415),
)
def roll_back(
    *,
    project_id: ProjectId,
    body: RollBack,
    owner_id: Writer,
    services: ServicesDep,
    once: OnceDep,
    response: Response,
) -> RolledBackAnswer:
    """As a new revision, so nothing is lost. Not while a run is under way."""
    wanted = user_edits.Rollback(body.revision, body.reason, body.expected_revision)
    revision = user_edits.roll_back(services, owner_id, project_id, wanted, once)
    response.headers["Location"] = f"/api/projects/{project_id}/revisions/{revision.number}"
    response.headers["ETag"] = f'"{revision.number}"'
    return RolledBackAnswer(revision=RevisionView.of(revision))
