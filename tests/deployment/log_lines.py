"""The fields and the names of log lines, read from the code that writes them."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from agenticai_core.metrics import REGISTRY, Recorder
from agenticai_core.settings import Settings

SERVICES = ("core", "api", "worker", "websocket")
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
_BINDERS = ("bind", "bound_contextvars", "bind_contextvars")
_TIMER = "_add"  # of a worker's `Run`: a part of its time, for the line of its end
# A line with everything that the processors add: below a span, and with a traceback.
_WRITE_ONE = """
import structlog
from opentelemetry.trace import NonRecordingSpan, SpanContext, use_span
from agenticai_core.settings import Settings
from agenticai_core.telemetry import configure_logging

configure_logging(Settings(), "api")
with use_span(NonRecordingSpan(SpanContext(1, 1, is_remote=False))):
    try:
        1 / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("page.tried")
"""


@dataclass
class Lines:
    """What the services' code says of its lines: of those whose name is written where they are.

    The audit log's are left out, and those of an outage, which get their name as an argument.
    """

    root: Path
    events: set[str] = field(default_factory=set)
    _own: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for service in SERVICES:
            for path in (self.root / service).rglob("*.py"):
                if "builtin" not in path.parts:  # files of templates, not our code
                    self._read(ast.parse(path.read_text()))

    @cached_property
    def fields(self) -> set[str]:
        return self._own | set(_written()) | set(_measured())

    @property
    def messages(self) -> set[str]:
        """As `telemetry` words the names."""
        words = (name.replace(".", " ").replace("_", " ") for name in self.events)
        return {text[:1].upper() + text[1:] for text in words}

    def _read(self, module: ast.Module) -> None:
        loggers, spread = set(_loggers(module)), _spread(module)
        for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
            named = {one.arg for one in call.keywords if one.arg}
            if _name_of(call.func) in _BINDERS:
                self._own |= named
            elif _name_of(call.func) == _TIMER and isinstance(call.args[0], ast.Constant):
                self._own.add(str(call.args[0].value))
            elif _is_log(call.func, loggers) and isinstance(call.args[0], ast.Constant):
                self._own |= named - {"exc_info"}
                for one in call.keywords:
                    if one.arg is None and isinstance(one.value, ast.Name):
                        self._own |= spread.get(one.value.id, set())
                self.events.add(str(call.args[0].value))


def _loggers(module: ast.Module) -> Iterator[str]:
    """Names that hold a logger, or one of its methods."""
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            inner = list(ast.walk(node.value))
            made = any(
                isinstance(one, ast.Call) and _name_of(one.func) == "get_logger" for one in inner
            )
            method = any(_is_log(one, {"log", "_log"}) for one in inner)
            if made or method:
                yield node.targets[0].id


def _spread(module: ast.Module) -> dict[str, set[str]]:
    """The keys that a module writes out in dictionaries that it gives a name."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            keys = [one.keys for one in ast.walk(node.value) if isinstance(one, ast.Dict)]
            named = {k.value for ks in keys for k in ks if isinstance(k, ast.Constant)}
            found.setdefault(node.targets[0].id, set()).update(map(str, named))
    return found


def _is_log(function: ast.AST, loggers: set[str]) -> bool:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.value.id in loggers and function.attr in LEVELS
    return isinstance(function, ast.Name) and function.id in loggers


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _written() -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", _WRITE_ONE], capture_output=True, text=True, check=True
    )
    line: dict[str, object] = json.loads(done.stdout)
    return line


def _measured() -> set[str]:
    lines: list[str] = []
    recorder = Recorder(Settings(), "worker", lines.append)
    for metric in REGISTRY:
        recorder.record(metric, 1, "dev" if metric.by_agent else None)
    recorder.flush()
    return {name for line in lines for name in json.loads(line)}
