"""Whether the service and its database answer."""

import sqlalchemy as sa
from fastapi import APIRouter

from app.database import Database

router = APIRouter(tags=["health"])


@router.get("/health")
def health(session: Database) -> dict[str, str]:
    """200 when the database answers."""
    session.execute(sa.text("SELECT 1"))
    return {"status": "ok"}
