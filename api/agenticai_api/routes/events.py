"""A project's events over REST, by the same cursor as the WebSocket's."""

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from agenticai_api.deps import CallerDep, ProjectId, Reader, ServicesDep, presented
from agenticai_api.errors import documented
from agenticai_api.live import EventStream, LiveLogs, live_logs_of
from agenticai_api.negotiation import PreferenceDep
from agenticai_api.schemas.events import EventsAnswer
from agenticai_core import auth, events, projects
from agenticai_core.bootstrap import Services
from agenticai_core.errors import AgenticError, NotAuthenticated

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
            ge=0,
            le=MAX_SEQ,
            description="Of a stream that is taken up again: the last number received; it wins "
            "over `after`.",
        ),
    ] = None,
) -> EventsAnswer | Response:
    """Numbered 1..n without a gap. Ask again with ``next_after`` until it is ``head``.

    With ``Accept: text/event-stream`` the events come as Server-Sent Events, for as long as you
    read; ``limit`` and ``wait`` have no meaning then.
    """
    logs = live_logs_of(request)
    if preference.choose([_JSON, _STREAM]) == _STREAM:
        await asyncio.to_thread(projects.get_project, services, owner_id, project_id)
        start = after if last_event_id is None else last_event_id
        return EventStream(
            logs,
            project_id,
            start,
            allowed=partial(_still_allowed, services, presented(request)),
            recheck=logs.recheck_seconds,
            release=logs.admit(caller.id),
        )
    read = partial(_read_page, services, owner_id, project_id, after, limit)
    page = await asyncio.to_thread(read)
    if page.events or not wait or logs.stopping:
        return page
    await _wait(logs, caller.id, project_id, after, wait)
    return await asyncio.to_thread(read)


def _read_page(
    services: Services, owner_id: str, project_id: str, after: int, limit: int
) -> EventsAnswer:
    projects.get_project(services, owner_id, project_id)  # is it the caller's?
    found = events.read(services.store, project_id, after, limit=limit)
    last = found[-1].seq if found else after
    # Looked at after the events, so that it is never behind them.
    head = events.heads(services.store, [project_id]).get(project_id)
    return EventsAnswer(events=found, next_after=last, head=head.seq if head else last)


async def _wait(logs: LiveLogs, key_id: str, project_id: str, after: int, seconds: float) -> None:
    release = logs.admit(key_id)
    try:
        async with logs.following(project_id) as mark:
            await mark.beyond(after, seconds)
    finally:
        release()


async def _still_allowed(services: Services, credential: str) -> bool:
    """Whether the key may still read. An outage is no reason to end a stream."""
    try:
        caller = await asyncio.to_thread(auth.authenticate, services, credential)
    except NotAuthenticated:
        return False
    except AgenticError:
        return True
    return "read" in caller.scopes
