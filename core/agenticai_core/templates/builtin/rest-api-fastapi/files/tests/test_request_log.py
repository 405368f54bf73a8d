"""Every request leaves one line in the log."""

import json
import logging

import pytest
from fastapi.testclient import TestClient


def test_a_request_is_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("requests")
    logger.addHandler(caplog.handler)
    try:
        answer = client.get("/health?token=secret")
    finally:
        logger.removeHandler(caplog.handler)
    line = json.loads(caplog.records[-1].getMessage())
    assert (line["method"], line["path"], line["status"]) == ("GET", "/health", 200)
    assert line["milliseconds"] >= 0
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert "secret" not in caplog.text
