"""One log line for each request: JSON with method, path, status, time, and an id."""

import json
import logging
import sys
import time
import uuid
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

logger = logging.getLogger("requests")


def install(app: FastAPI) -> None:
    """Log every request; the answer carries its id in the header X-Request-Id."""
    _prepare(app.state.settings.log_level)

    @app.middleware("http")
    async def log_request(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        request_id, began = uuid.uuid4().hex, time.perf_counter()
        status = 500
        try:
            response = await call_next(request)
            status = response.status_code
            response.headers["X-Request-Id"] = request_id
            return response
        finally:
            line = {
                "request_id": request_id,
                "method": request.method,
                "path": request.url.path,
                "status": status,
                "milliseconds": round((time.perf_counter() - began) * 1000, 1),
            }
            logger.info(json.dumps(line))


def _prepare(level: str) -> None:
    logger.setLevel(level)
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler(sys.stdout))
