"""A project's events over REST, by the same cursor as the WebSocket's."""

from typing import Annotated

from fastapi import APIRouter, Query

from agenticai_api.deps import ProjectId, Reader, ServicesDep
from agenticai_api.errors import documented
from agenticai_api.schemas.events import EventsAnswer
from agenticai_core import events, projects

router = APIRouter(prefix="/api/projects/{project_id}", tags=["events"])

MAX_SEQ = 10**12 - 2  # the log's keys can hold one more, which is where reading begins


@router.get("/events", summary="Read a project's events", responses=documented(404))
def list_events(
    project_id: ProjectId,
    owner_id: Reader,
    services: ServicesDep,
    after: Annotated[int, Query(ge=0, le=MAX_SEQ, description="Events after this number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="At most this many.")] = 100,
) -> EventsAnswer:
    """Numbered 1..n without a gap. Ask again with ``next_after`` until it is ``head``."""
    projects.get_project(services, owner_id, project_id)  # is it the caller's?
    found = events.read(services.store, project_id, after, limit=limit)
    last = found[-1].seq if found else after
    # Looked at after the events, so that it is never behind them.
    head = events.heads(services.store, [project_id]).get(project_id)
    return EventsAnswer(events=found, next_after=last, head=head.seq if head else last)
