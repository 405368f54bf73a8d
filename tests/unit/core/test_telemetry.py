"""Logs are JSON lines, whoever writes them. In a process of its own: logging is global."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import logging
import structlog
from agenticai_core.settings import Settings
from agenticai_core.telemetry import configure_logging

configure_logging(Settings(), "api")
log = structlog.get_logger()
structlog.contextvars.bind_contextvars(request_id="req_1")
log.debug("a.detail")
log.info("a.step", n=1, key=Settings(GEMINI_API_KEY="hunter2").gemini_api_key)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("a.crash")
logging.getLogger("library").info("chatter")
logging.getLogger("library").warning("trouble with %s", "x")
"""


def _lines(**variables: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=variables, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_every_line_is_an_object_with_its_context() -> None:
    records = [json.loads(line) for line in _lines()]

    assert [record["event_type"] for record in records] == ["a.step", "a.crash", "library"]
    assert [record["level"] for record in records] == ["info", "error", "warning"]
    assert {(record["service"], record["request_id"]) for record in records} == {("api", "req_1")}
    assert all(record["timestamp"].endswith("Z") for record in records)
    assert "ZeroDivisionError" in records[1]["exception"]
    assert records[0]["n"] == 1


def test_a_secret_setting_is_not_shown() -> None:
    assert "hunter2" not in "\n".join(_lines())


@pytest.mark.parametrize(("level", "count"), [("DEBUG", 4), ("WARNING", 2), ("ERROR", 1)])
def test_the_level_is_kept(level: str, count: int) -> None:
    assert len(_lines(LOG_LEVEL=level)) == count


def test_the_console_format_is_for_people() -> None:
    lines = _lines(AGENTICAI_LOG_FORMAT="console")

    assert "a.step" in lines[0]
    assert not lines[0].startswith("{")


REDACTED = """
import logging
import structlog
from agenticai_core.settings import Settings
from agenticai_core.telemetry import bind, configure_logging

configure_logging(Settings(), "api")
log = structlog.get_logger()
with bind(request_id="req_1", user_id="me", project_id=None):
    log.info("a.step", api_key="canary-1", headers={"Authorization": "Basic canary-2canary-2"},
             environment_vars={"PORT": "canary-3"}, text="used Bearer canary-4-canary-4",
             link="https://b/k?X-Amz-Signature=canary-5&X-Amz-Expires=60", input_tokens=7,
             ticket="canary-6", listed=[{"password": "canary-7"}], next_page=None, token=None)
try:
    raise ValueError("refused canary-of-the-environment, and agk_canary8canary8canary8canary8")
except ValueError:
    log.exception("a.crash")
logging.getLogger("botocore.auth").warning("x-api-key: %s", "canary-9-canary-9")
logging.getLogger("uvicorn.error").error("agenticai.ticket.canary10canary10canary10")
"""


def test_nothing_that_looks_named_or_valued_like_a_secret_is_written() -> None:
    done = subprocess.run(
        [sys.executable, "-c", REDACTED],
        env={"MY_SECRET": "canary-of-the-environment", "A_TOKEN": "short"},
        capture_output=True,
        text=True,
        check=True,
    )
    step, crash, *of_libraries = [json.loads(line) for line in done.stdout.splitlines()]

    assert "canary" not in done.stdout
    assert (step["request_id"], step["user_id"], step["message"]) == ("req_1", "me", "A step")
    assert step["link"] == "https://b/k?X-Amz-Signature=***&X-Amz-Expires=60"
    assert (step["input_tokens"], step["token"], step["next_page"]) == (7, None, None)
    assert "project_id" not in step
    assert "refused ***, and ***" in crash["exception"]
    assert [line["event_type"] for line in of_libraries] == ["botocore.auth", "uvicorn.error"]


SPANS = """
import json, os, sys
from agenticai_core import tracing
from agenticai_core.settings import Settings

assert tracing.configure(Settings(), "api") is False
with tracing.model_span("gemini:gemini-2.5-flash", "plan", 10):
    assert tracing.current_parent() is None
heavy = ("opentelemetry.sdk", "opentelemetry.exporter")
loaded = [name for name in sys.modules if name.startswith(heavy)]
print(json.dumps(loaded))
"""


def test_without_a_collector_nothing_of_the_sdk_is_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SPANS], env={}, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []


DEAD_COLLECTOR = """
import time
from opentelemetry import trace
from agenticai_core import tracing
from agenticai_core.settings import Settings
from agenticai_core.telemetry import configure_logging

configure_logging(Settings(), "api")
assert tracing.configure(Settings(), "api")
with trace.get_tracer("t").start_as_current_span("request"):
    assert tracing.current_parent()
    began = time.monotonic()
    with tracing.model_span("template", "plan", 1):
        pass
    assert time.monotonic() - began < 0.5
began = time.monotonic()
tracing.shutdown()
assert time.monotonic() - began < 6
"""


def test_a_collector_that_does_not_answer_holds_nothing_up() -> None:
    nobody = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", DEAD_COLLECTOR],
        env=nobody,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    levels = {json.loads(line)["level"] for line in done.stdout.splitlines()}
    assert levels <= {"warning", "error"}
    assert "error" in levels
