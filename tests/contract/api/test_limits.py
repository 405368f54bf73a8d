"""How deep a body may be, how long things may take, and how often readiness is looked at."""

import asyncio
import dataclasses
import json
import threading
import time
from types import SimpleNamespace

import httpx
import pytest
from fastapi.responses import StreamingResponse
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agenticai_api import readiness
from agenticai_api.main import create_app
from agenticai_api.middleware.body import MAX_BODY, MAX_DEPTH, is_too_deep
from agenticai_core.settings import Settings

JSON = {"Content-Type": "application/json"}


# ---- depth --------------------------------------------------------------------------------------


def depth_of(value):
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


def nest(value, kinds):
    for kind in kinds:
        value = [value] if kind else {"k": value, "l": []}
    return value


awkward = st.text(st.sampled_from('[]{}"\\aé\n'), max_size=6)
leaves = st.recursive(
    st.none() | st.integers() | awkward,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(awkward, inner, max_size=4),
    max_leaves=20,
)


@given(leaves, st.lists(st.booleans(), min_size=20, max_size=40), st.booleans())
def test_depth_is_counted_as_the_parser_would(leaf, kinds, ascii_only):
    value = nest(leaf, kinds)
    body = json.dumps(value, ensure_ascii=ascii_only).encode()

    assert is_too_deep(body) == (depth_of(value) > MAX_DEPTH)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[" * 32 + b"]" * 32, False),
        (b"[" * 33 + b"]" * 33, True),
        (b"[" * 33, True),
        (b"[],[" * 33, True),
        (b"[]" * 1000, False),
        (b"]" * 40 + b"[" * 32, False),
        (b'"' + b"[" * 100 + b'"', False),
        (b'"\\"' + b"[" * 100 + b'"', False),
        (b'"\\\\"' + b"[" * 100, True),
        (b'"' + b"[" * 100, False),  # a string without an end
        (b"", False),
    ],
)
def test_depth_of_what_is_no_json_too(body, expected):
    assert is_too_deep(body) is expected


@pytest.mark.parametrize(
    "body", [b"[" * MAX_BODY, b"[]" * (MAX_BODY // 2), b'"' * MAX_BODY, b"[[]" * (MAX_BODY // 3)]
)
def test_the_worst_bodies_are_measured_quickly(body):
    started = time.process_time()
    is_too_deep(body)

    assert time.process_time() - started < 1


def test_a_deep_body_is_refused_before_anything_looks_at_it(api):
    deep = {"name": "x", "type": "api", "more": nest(1, [True] * MAX_DEPTH)}
    flat = {"name": "x [[[[" * 10, "type": "api", "more": nest(1, [True] * (MAX_DEPTH - 1))}

    refused = api.post("/api/projects", json=deep)

    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "JSON_TOO_DEEP"
    assert refused.json()["error"]["details"] == {"max_depth": MAX_DEPTH}
    assert api.post("/api/projects", json=flat).status_code == 422


# ---- time ---------------------------------------------------------------------------------------


@pytest.fixture
def hurried(api, services):
    """A caller of an application that takes no longer than 0.2 s, with a few slow routes."""
    app = create_app(services, Settings(request_timeout=0.2, body_timeout=0.1))
    app.state.go_on = threading.Event()
    app.state.ended = threading.Event()

    @app.get("/api/slow")
    def slow() -> str:
        assert app.state.go_on.wait(10)
        app.state.ended.set()
        return "late"

    @app.get("/api/stream")
    async def stream() -> StreamingResponse:
        async def lines():
            for number in range(4):
                await asyncio.sleep(0.1)
                yield f"data: {number}\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    caller = dataclasses.replace(api, app=app)
    caller.get("/health")  # the first request builds the middleware, which is no part of the time
    return caller


def test_what_takes_too_long_is_answered_and_still_ends(hurried):
    state = hurried.app.state
    timer = threading.Timer(0.6, state.go_on.set)  # long after the limit
    timer.start()

    with capture_logs() as lines:
        answer = hurried.get("/api/slow")

    timer.join()
    assert answer.status_code == 504
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    error = answer.json()["error"]
    assert error["code"] == "REQUEST_TIMEOUT"
    assert "Idempotency-Key" in error["hint"]
    assert state.ended.is_set()
    assert [line["event"] for line in lines if "request" in line["event"]] == [
        "request.timeout",
        "request.done",
    ]


def test_the_answer_to_a_slow_request_does_not_wait_for_its_end(hurried):
    """The client has it while the work goes on."""
    answered, done = asyncio.run(_watch(hurried.app, "/api/slow"))

    assert answered < done - 0.2


async def _watch(app, path):
    """When the answer was complete, and when the application returned."""
    moments = []

    async def send(message):
        if message["type"] == "http.response.body" and not message.get("more_body"):
            moments.append(time.monotonic())
            asyncio.get_running_loop().call_later(0.4, app.state.go_on.set)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode()}
    scope |= {"query_string": b"", "headers": [], "scheme": "http", "client": ("127.0.0.1", 1)}
    scope |= {"server": ("127.0.0.1", 80), "root_path": "", "http_version": "1.1"}
    await app(scope, receive, send)
    return moments[0], time.monotonic()


def test_an_answer_that_has_started_is_not_cut(hurried):
    answer = hurried.get("/api/stream")

    assert answer.status_code == 200
    assert answer.text.count("data:") == 4


def test_a_stream_ends_for_one_who_asks_for_its_headers(hurried):
    answer = hurried.request("HEAD", "/api/stream")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.content == b""


def test_a_time_out_of_the_works_own_is_a_fault_of_ours(api, app):
    @app.get("/api/fails")
    def fails() -> str:
        raise TimeoutError("its own")

    assert api.get("/api/fails").status_code == 500


def test_a_body_that_does_not_come_is_not_waited_for(hurried):
    async def drip():
        while True:
            yield b" "
            await asyncio.sleep(0.03)

    answer = hurried.post("/api/projects", content=drip(), headers=JSON)

    assert answer.status_code == 408
    assert answer.json()["error"]["code"] == "REQUEST_BODY_TIMEOUT"
    assert answer.headers["Connection"] == "close"


# ---- readiness ----------------------------------------------------------------------------------


class Look:
    """Counts how often it was looked, and takes as long as it is told."""

    def __init__(self, answer="ok", seconds=0.0):
        self.answer = answer
        self.seconds = seconds
        self.times = 0

    def __call__(self):
        self.times += 1
        time.sleep(self.seconds)
        return {"table": self.answer}


async def ask_together(app, count):
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        return await asyncio.gather(*(client.get("/health/ready") for _ in range(count)))


def test_a_hundred_questions_at_once_are_one_look(services):
    look = Look(seconds=0.2)
    app = create_app(dataclasses.replace(services, ping=look), Settings())

    answers = asyncio.run(ask_together(app, 100))

    assert {answer.status_code for answer in answers} == {200}
    assert look.times == 1


@pytest.mark.parametrize(("answer", "stands"), [("ok", readiness.FRESH), ("away", readiness.RETRY)])
def test_an_answer_stands_for_a_while(monkeypatch, answer, stands):
    look, clock = Look(answer), [1000.0]
    monkeypatch.setattr(readiness, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    one = readiness.Readiness(look)

    def ask_at(seconds):
        clock[0] = 1000.0 + seconds
        assert asyncio.run(one.checks()) == {"table": answer}
        return look.times

    assert ask_at(0) == 1
    assert ask_at(stands - 0.1) == 1
    assert ask_at(stands + 0.1) == 2
