"""The application: routes, handlers and middleware around the given services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from agenticai_api import errors, middleware, reference, seeding, throttle
from agenticai_api.live import LiveLogs
from agenticai_api.openapi import complete
from agenticai_api.readiness import Readiness
from agenticai_api.routes import (
    account,
    decisions,
    events,
    files,
    health,
    keys,
    modifications,
    projects,
    revisions,
    templates,
    tickets,
    tokens,
)
from agenticai_core import bootstrap
from agenticai_core.bootstrap import Services
from agenticai_core.settings import Settings

DESCRIPTION = """\
Describe a project; four agents plan, write, test and package it. Then ask for changes.

Every request but `/health` needs an API key, as `X-API-Key: …` or `Authorization: Bearer …`, or a
short-lived token that was exchanged from one, as `Authorization: Bearer …`.
Every error has one form, with a stable `code` and the `request_id` that the logs know.

Each key has a rate and each owner a monthly quota: `RateLimit-Policy` and `RateLimit` in every
answer tell them and what is left, `Retry-After` with 429 how long to wait.
"""
TAGS = [
    {"name": "projects", "description": "What is built."},
    {"name": "modifications", "description": "Changes of what has been built."},
    {"name": "decisions", "description": "Approve, reject or stop a run."},
    {"name": "revisions", "description": "What the code has been: compare, go back."},
    {"name": "files", "description": "What came out: files, archive, documentation."},
    {"name": "events", "description": "What happens, in order and without a gap."},
    {"name": "templates", "description": "What projects are made from without a plan."},
    {"name": "account", "description": "Who you are, what was used and done."},
    {"name": "keys", "description": "API keys (scope `admin`)."},
    {"name": "tokens", "description": "What is exchanged from a key and lasts shorter."},
    {"name": "health", "description": "For load balancers; needs no key."},
]


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Built at the first call; the framework keeps it."""
        derived = super().openapi()
        return derived if "responses" in derived["components"] else complete(derived, self)


def create_app(services: Services, settings: Settings) -> FastAPI:
    """An application over ``services``; it connects to nothing by itself."""
    app = _Application(
        title="agenticai",
        version=version("agenticai"),
        description=DESCRIPTION,
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_tags=TAGS,
        servers=[{"url": "/", "description": "Where this document comes from."}],
        docs_url=None,  # the framework's own pages load scripts from elsewhere
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.services = services
    app.state.settings = settings
    app.state.throttle = throttle.Throttle(services.store, settings)
    app.state.live = LiveLogs(services, settings)
    app.state.readiness = Readiness(lambda: bootstrap.check(services))
    _add_routes(app)
    errors.install(app)
    middleware.install(app, settings)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with throttle.lifespan(app), seeding.lifespan(app):
        yield


def _add_routes(app: FastAPI) -> None:
    common = errors.documented(401, 403, 422, 429, 500, 503, 504)
    modules = (
        projects,
        modifications,
        decisions,
        revisions,
        files,
        events,
        templates,
        account,
        keys,
        tokens,
        tickets,
    )
    for module in modules:
        app.include_router(module.router, responses=common)
    app.include_router(health.router)
    app.include_router(reference.router)


def _operation_id(route: APIRoute) -> str:
    # The function's name: generated clients get client.create_project(…).
    return route.name
