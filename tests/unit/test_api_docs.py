"""docs/api.md names every route, code, event type and limit, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agenticai_api import live
from agenticai_api.main import create_app
from agenticai_api.middleware import body
from agenticai_api.openapi import error_classes
from agenticai_api.routes import events
from agenticai_api.schemas import base as schemas
from agenticai_core import configuration, pages, runs, steering, user_edits
from agenticai_core.auth import tickets, tokens
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotAllowed, NotAuthenticated, NotFound
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.holdings import Allowance
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store.memory import MemoryStore
from agenticai_core.templates import models
from agenticai_websocket import cursors
from agenticai_websocket.protocol import MAX_MESSAGE_BYTES, CloseCode
from agenticai_websocket.settings import GatewaySettings
from agenticai_websocket.subscriptions import MAX_SUBSCRIPTIONS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for folder in ("core", "worker")
    for path in (ROOT / folder).rglob("*.py")
    if "builtin" not in path.parts and "blueprints" not in path.parts
]


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "api.md").read_text()


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the table that begins with this line."""
    lines = page[page.index(heading) :].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def codes(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def test_every_route_with_its_scope(page: str) -> None:
    services = Services(MemoryStore(), MemoryFiles(), MemoryQueue())
    document = create_app(services, Settings()).openapi()
    real = {
        (method.upper(), path, one.get("x-required-scope") or ("any" if one["security"] else "—"))
        for path, methods in document["paths"].items()
        for method, one in methods.items()
    }
    told = [
        (method, path.strip("`"), scope)
        for method, path, scope, _ in table(page, "| method | path |")
    ]
    assert set(told) == real
    assert len(told) == len(real)


def test_every_error_code_with_its_status(page: str) -> None:
    real = {(str(error.status), error.code) for error in error_classes()}
    told = {(status, code.strip("`")) for status, code, _ in table(page, "| status | code |")}
    assert told == real


def test_every_failure_of_a_run(page: str) -> None:
    told = set().union(*(codes(row[0]) for row in table(page, "| code | what happened |")))
    assert told == set(failure_codes())


def test_every_event_type(page: str) -> None:
    told = set().union(*(codes(row[0]) for row in table(page, "| type | data |")))
    assert told == set(event_types())


def test_every_close_code(page: str) -> None:
    told = {int(row[0]) for row in table(page, "| close code | why |")}
    assert told == set(CloseCode) - {CloseCode.INTERNAL_ERROR}


def test_every_code_of_an_error_frame(page: str) -> None:
    told = set().union(*(codes(row[0]) for row in table(page, "| code of an `error` frame |")))
    errors = {error.code for error in (NotFound, NotAuthenticated, NotAllowed)}
    assert told == set(frame_codes()) | errors


def test_every_limit(page: str) -> None:
    told = dict(tuple(row) for row in table(page, "| what | limit |"))
    assert told == limits(Settings(), GatewaySettings(), Allowance())


def test_the_lives_of_credentials(page: str) -> None:
    told = {row[0]: row[1] for row in table(page, "| credential | lasts |")}
    shortest, longest, usual = (
        seconds // 60 for seconds in (tokens.SHORTEST, tokens.LONGEST, tokens.DEFAULT)
    )
    assert told["token (JWT)"] == f"{shortest} to {longest} minutes, {usual} unless asked otherwise"
    assert told["ticket"] == f"{tickets.LIFETIME} seconds, one use"
    assert pages.LIFETIME == 24 * 3600  # "good for a day"
    assert cursors.KEPT_SECONDS == 30 * 24 * 3600  # "within 30 days"


# ---- what the source says -----------------------------------------------------------------------


def size(count: int) -> str:
    """``1048576`` and ``1000000`` are 1 MB to a reader, ``300000`` are 300 KB."""
    unit = 1000 if count % 1000 == 0 else 1024
    return f"{count // unit**2} MB" if count >= unit**2 else f"{count // unit} KB"


def limits(settings: Settings, gateway: GatewaySettings, allowance: Allowance) -> dict[str, str]:
    """The table of limits, from the constants and the defaults of the settings."""
    rate, burst = settings.auth_failure_rate, settings.auth_failure_burst
    owned = (allowance.projects, allowance.templates, allowance.keys)
    frames = f"{gateway.messages_per_second:g} frames a second ({gateway.messages_burst} at once)"
    texts = (schemas.MAX_NAME, schemas.MAX_TEXT, schemas.MAX_TEXT, runs.MAX_FEEDBACK)
    return {
        "requests of one key": f"{settings.rate_limit} a second, {settings.rate_burst} at once",
        "requests of one owner": f"{settings.monthly_quota:,} a month (UTC)",
        "failed authentications of one address": f"{rate} a second, {burst} at once",
        "projects, templates and keys of one owner": "{:,}, {} and {}".format(*owned),
        "waits and streams of one key": f"{live.MOST}",
        "body": f"{size(body.MAX_BODY)}, {body.MAX_DEPTH} levels,"
        f" {settings.body_timeout:g} s to arrive",
        "answer": f"{settings.request_timeout:g} s (504), a long poll {events.MAX_WAIT} s",
        "name, description, request, feedback": "{}, {:,}, {:,} and {:,} characters".format(*texts),
        "messages in one run": f"{steering.MAX_MESSAGES} of {steering.MAX_MESSAGE:,} characters",
        "modifications that wait": f"{runs.MAX_WAITING} a project",
        "files of a project": f"{user_edits.MAX_FILES}, of at most {size(user_edits.MAX_FILE)} by"
        f" hand, {size(user_edits.MAX_TREE)} together",
        "tags, dependencies, environment variables": f"{configuration.MAX_TAGS},"
        f" {configuration.MAX_DEPENDENCIES} and {configuration.MAX_VARIABLES}"
        f" ({size(configuration.MAX_ENVIRONMENT)} together)",
        "files of a template": f"{models.MAX_FILES} of at most {size(models.MAX_FILE)},"
        f" {size(models.MAX_TOTAL)} together, {models.MAX_VARIABLES} variables",
        "WebSocket": f"{MAX_SUBSCRIPTIONS} projects, {frames}, {size(MAX_MESSAGE_BYTES)} a frame",
    }


def frame_codes() -> Iterator[str]:
    """What the gateway names a problem: the first argument of `Problem` and `BadFrame`."""
    for path in (ROOT / "websocket").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in PROBLEMS:
                yield from (text for text in texts(node.args[0]) if text.isupper())


_CODE = re.compile(r"[A-Z]+(_[A-Z]+)+|TIMEOUT")
PROBLEMS = {"Problem", "BadFrame"}
_FAILURES = {"PermanentFailure", "Failure", "_failed", "PermanentModelError", "_refuse", "_failure"}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call in the services' source, with the name of what is called."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func
                name = (
                    called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                )
                yield name, node


def texts(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def failure_codes() -> Iterator[str]:
    """What is given as code to a failure: the first argument, or ``code=``."""
    for name, call in calls():
        given = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
        if name in _FAILURES:
            given += call.args[:1]
        values = [node.value for node in given if isinstance(node, ast.Constant)]
        yield from (str(one) for one in values if _CODE.fullmatch(str(one)))


def event_types() -> Iterator[str]:
    """What is told: ``tell(type, …)``, ``event(step, type, …)``, drafts, and steps' events."""
    for name, call in calls():
        if name == "tell" and call.args:
            yield from (text for text in texts(call.args[0]) if re.fullmatch(r"[a-z_]+", text))
        if name == "event" and len(call.args) > 1:
            yield from texts(call.args[1])
        for keyword in call.keywords:
            if keyword.arg == "type" and name == "EventDraft":
                yield from texts(keyword.value)
    yield from workflow_events()
    yield from chosen_events()


def chosen_events() -> Iterator[str]:
    """Types that are chosen first: ``kind = "tests_passed" if … else "tests_failed"``."""
    for path in SOURCES:
        if path.name in ("lease.py", "qa.py", "workflow.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp):
                    chosen = (node.value.body, node.value.orelse)
                    found = [text for one in chosen for text in texts(one)]
                    yield from (text for text in found if re.fullmatch(r"[a-z]+_[a-z]+", text))


def workflow_events() -> Iterator[str]:
    """In workflow.py an event is a pair of its type and its data."""
    tree = ast.parse((ROOT / "core" / "agenticai_core" / "workflow.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            yield from (
                text
                for text in texts(node.elts[0])
                if isinstance(node.elts[0], ast.Constant | ast.IfExp)
            )
