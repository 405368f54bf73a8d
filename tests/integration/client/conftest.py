"""A small system to talk to: real HTTP and real sockets, with answers and frames by script."""

import asyncio
import contextlib
import io
import json
import socket as socket_module
import time
import zipfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.fakes.serving import server_of, serving
from typer.testing import CliRunner, Result

from agenticai_client.cli import app
from agenticai_client.live import Pace
from agenticai_client.sdk import Client

KEY = "agk_test"
FILES = {"main.py": b"print('salon')\n", "tests/test_main.py": b"def test_it(): assert True\n"}
LIFE = [
    ("project_created", {}),
    ("task_started", {"agent": "pm", "action": "plan"}),
    ("plan_ready", {"agent": "pm", "summary": "An API for a dog salon"}),
    ("agent_output", {"agent": "dev", "text": "class Dog: ..."}),
    ("file_written", {"agent": "dev", "path": "main.py", "size": 15}),
    ("tests_passed", {"agent": "qa", "passed": 12, "coverage": 0.93}),
    ("project_active", {}),
]
CHANGE = [
    ("modification_started", {"modification_id": "mod_1"}),
    ("modification_complete", {"modification_id": "mod_1"}),
]
FAILURE = {"code": "TESTS_FAILED", "message": "Two tests fail", "hint": "Say it more simply"}
Script = Callable[[WebSocket, "System"], Awaitable[None]]


@dataclass
class Seen:
    at: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class System:
    """What the fake holds, what it was asked, and what it is to answer next."""

    url: str = ""
    projects: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    modifications: dict[str, dict[str, Any]] = field(default_factory=dict)
    outcome: str = "active"
    approval: bool = False  # stop before the end of a life, as if it waited for a person
    pages: int = 100  # items in a page of a list, at most
    holds: bool = True  # back an empty page of events, where it is asked to wait
    answers: list[Response] = field(default_factory=list)  # given first, one for each request
    scripts: list[Script | None] = field(default_factory=list)  # one for each socket; then usual
    socket_refused: int | None = None  # an HTTP status for every handshake
    subprotocol: str | None = "agenticai.v1"
    seen: list[Seen] = field(default_factory=list)
    sockets: list[dict[str, Any]] = field(default_factory=list)
    received: list[Any] = field(default_factory=list)  # what clients sent over their sockets
    server: Any = None
    tasks: set[Any] = field(default_factory=set)

    @property
    def websocket_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/ws"

    def client(self, **pace: float) -> Client:
        """A client of this system, in a hurry."""
        fast = {"backoff": 0.02, "max_backoff": 0.1, "poll": 0.02, "idle": 5.0, "patience": 1.0}
        return Client(self.url, KEY, timeout=5, pace=Pace(**(fast | pace)))

    def refuse(self, status: int, code: str = "UNAVAILABLE", **more: Any) -> None:
        """Answer the next request with an error in the system's own format."""
        self.answers.append(error(status, code, more.pop("message", "Not now"), **more))

    def add_project(self, name: str = "Salon", **fields: Any) -> dict[str, Any]:
        number = len(self.projects) + 1
        project = {
            "id": f"proj_01jd3v9k2m7q8r5s6t7u8v9{number:03d}",
            "name": name,
            "type": "api",
            "description": "Dogs",
            "status": "active",
            "revision": 1,
            "active_run": None,
            "waiting": [],
            "failure": None,
            "token_budget": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
            "scores": {"test_coverage": 0.93, "security_score": 1.0, "performance_score": None},
            "model": "template",
            "approval": "auto",
            "created_at": f"2026-01-01T00:00:{number:02d}.000000Z",
            "updated_at": f"2026-01-01T00:00:{number:02d}.000000Z",
            **fields,
        }
        self.projects[project["id"]] = project
        self.logs[project["id"]] = []
        return project

    def append(self, project_id: str, kind: str, data: dict[str, Any] | None = None) -> None:
        log = self.logs[project_id]
        seq = len(log) + 1
        log.append(
            {
                "project_id": project_id,
                "seq": seq,
                "id": f"e/{seq}",
                "type": kind,
                "at": f"2026-01-01T00:00:{seq % 60:02d}.000000Z",
                "data": data or {},
            }
        )

    def add_log(self, count: int, **fields: Any) -> dict[str, Any]:
        """A project in work with ``count`` events."""
        project = self.add_project(status="generating", active_run="create", **fields)
        for _ in range(count):
            self.append(project["id"], "file_written", {"agent": "dev", "path": "main.py"})
        return project

    def cut_all(self) -> None:
        """Tear every open connection, without a word of goodbye."""
        for connection in list(self.server.server_state.connections):
            connection.transport.abort()

    async def live(self, project: dict[str, Any], life: list[tuple[str, Any]], run: str) -> None:
        """Let a run happen, an event at a time."""
        for kind, data in life:
            await asyncio.sleep(0.01)
            if kind.endswith(("_active", "_complete", "_failed")):
                self.end(project, run)
            self.append(project["id"], kind, data)

    def end(self, project: dict[str, Any], run: str) -> None:
        project["active_run"] = None
        if run == "create":
            project["status"] = self.outcome
            project["revision"] = 1 if self.outcome == "active" else 0
            project["failure"] = FAILURE if self.outcome == "failed" else None
        else:
            applied = self.outcome == "active"
            self.modifications[run]["status"] = "applied" if applied else "failed"
            self.modifications[run]["failure"] = None if applied else FAILURE

    def start(self, project: dict[str, Any], life: list[tuple[str, Any]], run: str) -> None:
        if self.outcome == "failed":
            kind = "project_failed" if run == "create" else "modification_failed"
            life = [*life[:-1], (kind, FAILURE | {"modification_id": run})]
        task = asyncio.get_running_loop().create_task(self.live(project, life, run))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def error(status: int, code: str, message: str, **more: Any) -> JSONResponse:
    headers = more.pop("headers", None)
    body = {"code": code, "message": message, "details": more.pop("details", {}), **more}
    content = {"success": False, "error": body, "request_id": "req_1", "timestamp": "2026"}
    return JSONResponse(content, status, headers={"X-Request-Id": "req_1", **(headers or {})})


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for path, content in files.items():
            zipped.writestr(path, content)
    return buffer.getvalue()


class Routes:
    """The API, as much of it as the client uses."""

    def __init__(self, system: System) -> None:
        self.system = system

    async def create(self, request: Request) -> Response:
        body = await request.json()
        project = self.system.add_project(
            **body, status="planning", revision=0, active_run="create"
        )
        self.system.start(project, LIFE, "create")
        return JSONResponse({"project": project}, 201)

    async def list(self, request: Request) -> Response:
        query = request.query_params
        wanted = [
            project
            for project in reversed(self.system.projects.values())
            if all(query.get(name) in (None, project[name]) for name in ("status", "type"))
        ]
        start = int(query.get("cursor", 0))
        end = start + min(int(query.get("limit", 20)), self.system.pages)
        following = str(end) if end < len(wanted) else None
        return JSONResponse({"projects": wanted[start:end], "next_cursor": following})

    async def one(self, request: Request) -> Response:
        project = self.system.projects[request.path_params["id"]]
        if request.method == "DELETE":
            del self.system.projects[project["id"]]
            return JSONResponse({"project": project | {"status": "deleting"}})
        if request.method == "PUT":
            project.update(await request.json())
        return JSONResponse({"project": project})

    async def modify(self, request: Request) -> Response:
        project = self.system.projects[request.path_params["id"]]
        modification = {
            "id": f"mod_{len(self.system.modifications) + 1}",
            "project_id": project["id"],
            "request": (await request.json())["request"],
            "requested_at": "2026-01-01T00:01:00Z",
            "status": "pending",
            "failure": None,
        }
        self.system.modifications[modification["id"]] = modification
        project["active_run"] = modification["id"]
        self.system.start(project, CHANGE, modification["id"])
        return JSONResponse({"modification": modification}, 202)

    async def modifications(self, request: Request) -> Response:
        found = list(self.system.modifications.values())
        return JSONResponse({"modifications": found, "next_cursor": None})

    async def modification(self, request: Request) -> Response:
        found = self.system.modifications[request.path_params["mod"]]
        return JSONResponse({"modification": found})

    async def decide(self, request: Request) -> Response:
        project = self.system.projects[request.path_params["id"]]
        return JSONResponse({"project": project})

    async def files(self, request: Request) -> Response:
        views = {path: {"size": len(text), "sha256": "0"} for path, text in FILES.items()}
        return JSONResponse({"files": views})

    async def file(self, request: Request) -> Response:
        content = FILES.get(request.path_params["path"])
        return Response(content) if content else error(404, "NOT_FOUND", "No such file")

    async def archive(self, request: Request) -> Response:
        return Response(archive(FILES), media_type="application/zip")

    async def docs(self, request: Request) -> Response:
        return Response("# Salon", media_type="text/markdown")

    async def events(self, request: Request) -> Response:
        log = self.system.logs[request.path_params["id"]]
        after, limit = (int(request.query_params[name]) for name in ("after", "limit"))
        wait = int(request.query_params.get("wait", 0)) if self.system.holds else 0
        until = time.monotonic() + wait
        while len(log) <= after and time.monotonic() < until:
            await asyncio.sleep(0.01)
        events = log[after : after + limit]
        last = events[-1]["seq"] if events else after
        return JSONResponse({"events": events, "next_after": last, "head": len(log)})

    async def keys(self, request: Request) -> Response:
        key = {"id": "key_1", "name": "ci", "scopes": ["read"], "revoked_at": None}
        key["created_at"] = "2026-01-01T00:00:00Z"
        if request.method == "GET":
            return JSONResponse({"keys": [key]})
        if request.method == "DELETE":
            return JSONResponse({"key": key | {"revoked_at": "2026-01-02T00:00:00Z"}})
        return JSONResponse({"key": key, "secret": "agk_new"}, 201)


def build(system: System) -> Starlette:
    routes = Routes(system)

    async def guard(request: Request, call_next: Any) -> Response:
        body = await request.body()
        system.seen.append(
            Seen(
                time.monotonic(),
                request.method,
                request.url.path,
                dict(request.query_params),
                dict(request.headers),
                json.loads(body) if body else None,
            )
        )
        if system.answers:
            return system.answers.pop(0)
        if request.url.path == "/health":
            return JSONResponse({"status": "ok", "version": "0.1.0"})
        if request.url.path == "/health/ready":
            return JSONResponse({"status": "ready", "checks": {"table": "ok", "bucket": "ok"}})
        if request.headers.get("X-API-Key") != KEY:
            return error(401, "NOT_AUTHENTICATED", "No such API key", hint="Send a key")
        try:
            response: Response = await call_next(request)
        except KeyError:
            return error(404, "NOT_FOUND", "There is no such project")
        return response

    root = "/api/projects"
    app = Starlette(
        routes=[
            Route(root, routes.create, methods=["POST"]),
            Route(root, routes.list),
            Route(root + "/{id}", routes.one, methods=["GET", "PUT", "DELETE"]),
            Route(root + "/{id}/modify", routes.modify, methods=["POST"]),
            Route(root + "/{id}/modifications", routes.modifications),
            Route(root + "/{id}/modifications/{mod}", routes.modification),
            Route(root + "/{id}/approve", routes.decide, methods=["POST"]),
            Route(root + "/{id}/reject", routes.decide, methods=["POST"]),
            Route(root + "/{id}/cancel", routes.decide, methods=["POST"]),
            Route(root + "/{id}/files", routes.files),
            Route(root + "/{id}/files/{path:path}", routes.file),
            Route(root + "/{id}/archive", routes.archive),
            Route(root + "/{id}/docs", routes.docs),
            Route(root + "/{id}/events", routes.events),
            Route("/api/keys", routes.keys, methods=["GET", "POST"]),
            Route("/api/keys/{key}", routes.keys, methods=["DELETE"]),
            WebSocketRoute("/ws", Gateway(system).connect),
        ]
    )
    app.add_middleware(BaseHTTPMiddleware, dispatch=guard)
    return app


class Gateway:
    """The socket: by script for as long as there are scripts, then replay and live."""

    def __init__(self, system: System) -> None:
        self.system = system

    async def connect(self, socket: WebSocket) -> None:
        system = self.system
        query = dict(socket.query_params)
        system.sockets.append({"at": time.monotonic(), "headers": socket.headers, **query})
        if system.socket_refused:
            await socket.send_denial_response(Response(status_code=system.socket_refused))
            return
        await socket.accept(system.subprotocol)
        script = system.scripts.pop(0) if system.scripts else None
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await (script or usual)(socket, system)


async def usual(socket: WebSocket, system: System) -> None:
    """Replay what comes after ``after``, then what happens, until the client leaves."""
    after = int(socket.query_params.get("after", 0))
    log = system.logs.get(socket.query_params.get("project_id", ""), [])
    await socket.send_json({"type": "welcome"})
    listening = asyncio.ensure_future(listen(socket, system))
    try:
        while not listening.done():
            for event in log[after:]:
                await socket.send_json(event)
                after = event["seq"]
            await asyncio.sleep(0.01)
    finally:
        listening.cancel()


async def listen(socket: WebSocket, system: System) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            system.received.append(await socket.receive_json())


@pytest.fixture
def system() -> Iterator[System]:
    """The fake, listening on a port of its own until the test is over."""
    fake = System()
    fake.server = server_of(build(fake), ws="websockets-sansio", timeout_graceful_shutdown=1)
    with serving(fake.server) as port:
        fake.url = f"http://127.0.0.1:{port}"
        yield fake


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder and home, and nothing in the environment that names a system."""
    for name in ("AGENTICAI_API_URL", "AGENTICAI_API_KEY", "AGENTICAI_WEBSOCKET_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(system: System, alone: None) -> Callable[..., Result]:
    """The command, in this process; it is answered with ``answers`` (JSON: a 200) first."""

    def call(*args: str, answers: Iterable[Any] = (), key: str = KEY, **options: Any) -> Result:
        given = (one if isinstance(one, Response) else JSONResponse(one) for one in answers)
        system.answers.extend(given)
        where = ["--api-url", system.url, "--api-key", key]
        return CliRunner().invoke(app, [*args, *where], **options)

    return call


@pytest.fixture
def unused_port() -> int:
    """A port on which nobody listens."""
    with socket_module.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
