"""docs/api.md names every route, error code, failure code and event type, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agenticai_api.main import create_app
from agenticai_api.openapi import error_classes
from agenticai_core.bootstrap import Services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store.memory import MemoryStore

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
    from agenticai_websocket.protocol import CloseCode

    told = {int(row[0]) for row in table(page, "| close code | why |")}
    assert told == set(CloseCode) - {CloseCode.INTERNAL_ERROR}


# ---- what the source says -----------------------------------------------------------------------

_CODE = re.compile(r"[A-Z]+(_[A-Z]+)+|TIMEOUT")
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
