"""Tickets that open a WebSocket from a browser."""

from fastapi import APIRouter

from agenticai_api.deps import CallerDep, Reader, ServicesDep
from agenticai_api.errors import documented
from agenticai_api.schemas.tokens import CreateTicket, TicketAnswer
from agenticai_core import auth

router = APIRouter(prefix="/api/ws-tickets", tags=["tokens"])


@router.post(
    "",
    status_code=201,
    summary="Get a ticket for one WebSocket",
    responses=documented(400, 404, 413, 415),
)
def create_ticket(
    _reader: Reader, caller: CallerDep, services: ServicesDep, body: CreateTicket | None = None
) -> TicketAnswer:
    """Good once, within 30 seconds. The socket may what you may, for as long as your key (or your
    token) is good."""
    project_id = body.project_id if body else None
    ticket = auth.issue_ticket(services, caller, project_id)
    return TicketAnswer(ticket=ticket.secret, expires_at=ticket.expires_at)
