"""A project's events over REST, by the same cursor as the WebSocket's."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from agenticai_api.deps import CallerDep, ProjectId, Reader, ServicesDep
from agenticai_api.errors import documented
from agenticai_api.live import Ending, Stay, ended_with_client, live_logs_of
from agenticai_api.negotiation import PreferenceDep
from agenticai_api.schemas.events import EventsAnswer
from agenticai_api.streams import EventStream
from agenticai_core import events, projects
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotAuthenticated, NotFound
from agenticai_core.events import Head
from agenticai_core.models import Event

router = APIRouter(prefix="/api/projects/{project_id}", tags=["events"])

MAX_SEQ = 10**12 - 2  # the log's keys can hold one more, which is where reading begins
MAX_WAIT = 20  # s
_JSON, _STREAM = "application/json", "text/event-stream"
_STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page of events, or with `Accept: text/event-stream` all that comes.",
        "content": {
            _STREAM: {
                "schema": {"type": "string"},
                "example": 'retry: 2000\n\nevent: plan_ready\ndata: {"project_id":"proj_01jd3v9k'
                '2m7q8r5s","seq":3,"id":"run_1.01.plan/plan","type":"plan_ready","at":"2025-11-'
                '24T12:00:00.000000Z","data":{}}\nid: 3\n\n',
            }
        },
    }
}


@router.get(
    "/events",
    summary="Read a project's events, or wait for the next ones",
    response_model=EventsAnswer,
    responses=documented(404) | _STREAMED,
)
async def list_events(
    *,
    request: Request,
    project_id: ProjectId,
    owner_id: Reader,
    caller: CallerDep,
    services: ServicesDep,
    preference: PreferenceDep,
    after: Annotated[int, Query(ge=0, le=MAX_SEQ, description="Events after this number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="At most this many.")] = 100,
    wait: Annotated[
        int,
        Query(
            ge=0,
            le=MAX_WAIT,
            description="Seconds to wait for an event when there is none yet (a long poll).",
        ),
    ] = 0,
    last_event_id: Annotated[
        int | None,
        Header(
            alias="Last-Event-ID",
            ge=0,
            le=MAX_SEQ,
            description="Of a stream that is taken up again: the last number received, which wins "
            "over `after`. Browsers send it by themselves.",
        ),
    ] = None,
) -> EventsAnswer | Response:
    """Numbered 1..n without a gap. Ask again with ``next_after`` until it is ``head``.

    With ``wait``, an empty answer is held back until an event comes or the time is up. With
    ``Accept: text/event-stream`` the events come as Server-Sent Events, for as long as you read;
    ``limit`` and ``wait`` have no meaning then. After a deleted project's last event comes 404.
    """
    logs = live_logs_of(request)
    start = after if last_event_id is None else last_event_id
    enter = partial(logs.stay, caller, project_id, start)
    read = partial(_read_page, services, owner_id, project_id, start)
    if preference.choose([_JSON, _STREAM]) == _STREAM:
        _, head = await asyncio.to_thread(read, 1)
        return EventStream(partial(enter, head))
    page, head = await asyncio.to_thread(read, limit)
    if page.events or not wait:
        return page
    with enter(head) as stay, ended_with_client(stay, request.receive):
        return await _next_page(stay, limit, min(wait, logs.longest_wait))


def _read_page(
    services: Services, owner_id: str, project_id: str, after: int, limit: int
) -> tuple[EventsAnswer, Head]:
    """Raises `NotFound`, also where nothing is left to read of a deleted project."""
    projects.get_project(services, owner_id, project_id)  # is it the caller's?
    found = events.read(services.store, project_id, after, limit=limit)
    last = found[-1].seq if found else after
    # Looked at after the events, so that it is never behind them.
    head = events.heads(services.store, [project_id]).get(project_id) or Head(last, closed=True)
    if head.closed and not found:
        raise NotFound(f"The project '{project_id}' has been deleted, and this was its last event")
    return EventsAnswer(events=found, next_after=last, head=head.seq), head


async def _next_page(stay: Stay, limit: int, seconds: float) -> EventsAnswer:
    """What comes within the time. Raises `NotAuthenticated` when the key is revoked meanwhile."""
    found: list[Event] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            found = await stay.next(limit)
    if stay.ending is Ending.REVOKED:
        raise NotAuthenticated(f"You may not wait any longer: {stay.ending}")
    head = max(stay.mark.seq, found[-1].seq if found else 0)
    return EventsAnswer(events=found, next_after=stay.after, head=head)
