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

    assert [record["event"] for record in records] == ["a.step", "a.crash", "trouble with x"]
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
