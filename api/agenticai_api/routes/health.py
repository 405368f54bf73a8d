"""Whether the process lives, and whether it can reach what it needs. No key is asked for."""

from importlib.metadata import version

import structlog
from fastapi import APIRouter, Request

from agenticai_api.errors import documented
from agenticai_api.readiness import Readiness
from agenticai_api.schemas.health import HealthAnswer, ReadyAnswer
from agenticai_core.errors import Unavailable

router = APIRouter(prefix="/health", tags=["health"])
log = structlog.get_logger(__name__)


@router.get("", summary="Does the process live?")
async def health() -> HealthAnswer:
    """Says nothing about the rest: a restart would not heal a table that is away."""
    return HealthAnswer(status="ok", version=version("agenticai"))


@router.get(
    "/ready", summary="Are the table, the bucket and the queues there?", responses=documented(503)
)
async def ready(request: Request) -> ReadyAnswer:
    """Looked at every few seconds at most, however often it is asked."""
    readiness: Readiness = request.app.state.readiness
    checks = await readiness.checks()
    failed = sorted(name for name, answer in checks.items() if answer != "ok")
    if failed:
        # Anyone may ask, so the reasons (addresses, account numbers) stay in the log.
        log.warning("health.not_ready", **{name: checks[name] for name in failed})
        raise Unavailable(
            f"Not reachable: {', '.join(failed)}",
            hint="The service's log says why (health.not_ready)",
            details={"failed": failed},
        )
    return ReadyAnswer(status="ready", checks=dict(checks))
