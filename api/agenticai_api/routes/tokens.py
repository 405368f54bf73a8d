"""Short-lived tokens, exchanged from an API key."""

from fastapi import APIRouter

from agenticai_api.deps import CallerDep, ServicesDep
from agenticai_api.errors import documented
from agenticai_api.schemas.tokens import CreateToken, TokenAnswer
from agenticai_core import auth

router = APIRouter(prefix="/api/tokens", tags=["tokens"])


@router.post(
    "",
    status_code=201,
    summary="Exchange your API key for a short-lived token",
    responses=documented(400, 413, 415),
)
def create_token(
    caller: CallerDep, services: ServicesDep, body: CreateToken | None = None
) -> TokenAnswer:
    """For where a key should not be, such as a browser. It ends with its key, and cannot be
    exchanged again, nor create keys. Nothing is stored: asking twice gives two tokens."""
    asked = body or CreateToken()
    token = auth.exchange(services, caller, asked.scopes, asked.ttl_seconds)
    return TokenAnswer(token=token.text, expires_at=token.expires_at, scopes=list(token.scopes))
