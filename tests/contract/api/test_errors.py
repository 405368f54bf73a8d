"""One form for every error, and what surrounds every answer."""

import dataclasses
import json
import re
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agenticai_api.main import create_app
from agenticai_core.errors import Unavailable
from agenticai_core.settings import Settings
from agenticai_core.store.base import StoreConflict, StoreUnavailable


def assert_error_form(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == {"success", "error", "request_id", "timestamp"}
    assert body["success"] is False
    assert set(body["error"]) - {"hint"} == {"code", "message", "details"}
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    assert isinstance(body["error"]["details"], dict)
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert datetime.fromisoformat(body["timestamp"]).utcoffset().total_seconds() == 0


def test_every_kind_of_error_has_the_one_form(api, nobody, key_of, built_id):
    at = f"/api/projects/{built_id}"
    reader = {"X-API-Key": key_of("alice", "read")}
    json_type = {"Content-Type": "application/json"}
    cases = [
        (nobody.get("/api/projects"), 401, "NOT_AUTHENTICATED"),
        (api.delete(at, headers=reader), 403, "NOT_ALLOWED"),
        (api.get("/api/projects/proj_none"), 404, "NOT_FOUND"),
        (api.get("/api/nothing"), 404, "ROUTE_NOT_FOUND"),
        (api.get("/"), 404, "ROUTE_NOT_FOUND"),
        (api.get("/api/projects/"), 404, "ROUTE_NOT_FOUND"),
        (api.request("PATCH", at), 405, "METHOD_NOT_ALLOWED"),
        (api.post(f"{at}/approve"), 409, "WRONG_STATE"),
        (api.put(at, json={}, headers={"If-Match": '"7"'}), 412, "PRECONDITION_FAILED"),
        (api.post("/api/projects", content=b'{"name": "' + b"n" * 2**20), 413, "BODY_TOO_LARGE"),
        (api.post("/api/projects", content=b"name=x"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (api.post("/api/projects", content=b"{,}", headers=json_type), 400, "MALFORMED_BODY"),
        (api.post("/api/projects", content=b'"\xff"', headers=json_type), 400, "MALFORMED_BODY"),
        (
            api.post("/api/projects", content=b"[" * 200_000, headers=json_type),
            400,
            "JSON_TOO_DEEP",
        ),
        (api.post("/api/projects"), 422, "VALIDATION_ERROR"),
        (api.post("/api/projects", json=[]), 422, "VALIDATION_ERROR"),
        (api.post("/api/projects", json={}), 422, "VALIDATION_ERROR"),
        (api.get("/api/projects", params={"cursor": "x"}), 422, "INVALID_CURSOR"),
    ]
    for answer, status, code in cases:
        assert_error_form(answer, status, code)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"]),
    path=st.sampled_from(
        ["/api/projects", "/api/projects/x", "/api/projects/x/modify", "/api/keys", "/health", "/x"]
    ),
    body=st.one_of(
        st.binary(max_size=40),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["name", "type", "description", "request", "scopes", "x"]),
                    inner,
                )
            ),
            max_leaves=6,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_no_request_gets_an_error_in_another_form(api, method, path, body):
    answer = api.request(method, path, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert_error_form(answer, answer.status_code, answer.json()["error"]["code"])


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/projects", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/api/projects/proj_1", {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}),
        ("/api/projects/proj_1/modify", {"OPTIONS", "POST"}),
        ("/api/keys", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/health", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_told_all_right_ones(api, path, allowed):
    answer = api.request("PATCH", path)

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed
    assert set(answer.json()["error"]["details"]["allowed_methods"]) == allowed


def test_a_body_of_just_the_limit_is_read(api):
    body = json.dumps({"name": "x", "type": "api"}).encode()
    padded = body + b" " * (2**20 - len(body))
    headers = {"Content-Type": "application/json"}

    assert api.post("/api/projects", content=padded, headers=headers).status_code == 201
    assert api.post("/api/projects", content=padded + b" ", headers=headers).status_code == 413


def test_a_body_without_a_length_is_measured_as_it_comes(api):
    async def endless():
        for _ in range(30):
            yield b" " * 65_536

    answer = api.post("/api/projects", content=endless())

    assert_error_form(answer, 413, "BODY_TOO_LARGE")


def test_what_was_sent_is_never_in_the_error(api):
    answer = api.post(
        "/api/projects", json={"name": "s3cret" * 50, "type": "s3cret", "x": "s3cret"}
    )

    assert answer.status_code == 422
    assert "s3cret" not in answer.text


@pytest.mark.parametrize("given_id", ["abc-123-def", "A", "x" * 64, "1.2_3"])
def test_a_sane_request_id_is_kept(api, given_id):
    answer = api.get("/health", headers={"X-Request-Id": given_id})

    assert answer.headers["X-Request-Id"] == given_id


@pytest.mark.parametrize("given_id", ["", "x" * 65, "a b", "<script>", "-a", "a;b", "ü"])
def test_another_one_is_replaced(api, given_id):
    answer = api.get("/health", headers=[("X-Request-Id", given_id.encode())])

    assert re.fullmatch(r"req_[0-9a-z]{26}", answer.headers["X-Request-Id"])


def test_two_requests_have_two_ids(api):
    assert len({api.get("/health").headers["X-Request-Id"] for _ in range(5)}) == 5


class _BrokenStore:
    """Answers nothing but one error."""

    def __init__(self, error):
        self._error = error

    def get(self, _key):
        raise self._error


def broken(api, services, error):
    services = dataclasses.replace(services, store=_BrokenStore(error))
    return dataclasses.replace(api, app=create_app(services, Settings()))


def test_an_unexpected_error_tells_the_log_everything_and_the_caller_nothing(api, services):
    faulty = broken(api, services, KeyError("the table's own business"))

    with capture_logs() as lines:
        answer = faulty.get("/api/projects", headers={"X-Request-Id": "find-me"})

    assert_error_form(answer, 500, "INTERNAL_ERROR")
    assert "business" not in answer.text
    assert "KeyError" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    failed = [line for line in lines if line["event"] == "request.failed"]
    assert len(failed) == 1
    assert failed[0]["exc_info"]
    done = [line for line in lines if line["event"] == "request.done"]
    assert (done[0]["status"], done[0]["path"]) == (500, "/api/projects")


def from_aws():
    """What an adapter raises when AWS fails it."""
    error = Unavailable("The bucket does not answer: arn:aws:s3:::code-123456789012")
    error.__cause__ = OSError("refused")
    return error


@pytest.mark.parametrize(
    "error", [StoreUnavailable("throttled"), StoreConflict("busy"), from_aws()]
)
def test_an_outage_asks_to_come_again_and_keeps_its_reason_for_the_log(api, services, error):
    with capture_logs() as lines:
        answer = broken(api, services, error).get("/api/projects")

    assert_error_form(answer, 503, "UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) >= 1
    assert str(error) not in answer.text
    assert [line["reason"] for line in lines if line["event"] == "request.outage"] == [str(error)]


def test_answers_of_the_api_are_neither_stored_nor_guessed_at(api, project_id):
    for answer in (api.get(f"/api/projects/{project_id}"), api.get("/api/projects/none")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_only_the_named_origins_may_read_answers_in_a_browser(api, services):
    asked = {"Origin": "https://console.example"}
    assert "Access-Control-Allow-Origin" not in api.get("/health", headers=asked).headers

    open_to = create_app(services, Settings(allowed_origins=("https://console.example",)))
    answer = dataclasses.replace(api, app=open_to).get("/health", headers=asked)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://console.example"
    other = dataclasses.replace(api, app=open_to).get(
        "/health", headers={"Origin": "https://other.example"}
    )
    assert "Access-Control-Allow-Origin" not in other.headers
