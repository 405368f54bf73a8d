"""One id and one trace, from a request over the queues to the model calls and the frames."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.collector import Collector, SeenSpan, collecting

from agenticai_client.sdk import Client
from agenticai_local.stack import SERVICES, LocalStack

SERVER, CLIENT, CONSUMER = 2, 3, 5  # kinds of spans
REQUEST_ID = "req-followed-from-end-to-end"
FOREIGN_TRACE = "a" * 32  # a client's, not to be sampled
CANARY = "canary-4cf19e77b0"
STEPS = ["pm.plan", "dev.generate", "qa.test", "ops.package"]


@dataclass
class Seen:
    collector: Collector
    frames: list[dict[str, Any]]
    logs: dict[str, str]
    project_id: str
    api_key: str

    def lines(self, service: str) -> list[dict[str, Any]]:
        found = [json.loads(x) for x in self.logs[service].splitlines() if x.startswith("{")]
        return [line for line in found if "_aws" not in line]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """A project that real processes made, and all that they sent and wrote until their end."""
    with collecting() as collector:
        told = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "LOG_LEVEL": "DEBUG",
            "GEMINI_API_KEY": CANARY,
        }
        folder = tmp_path_factory.mktemp("stack")
        with LocalStack(folder, fresh=True, extra_env=told) as stack:
            key = {"X-API-Key": stack.api_key, "X-Request-Id": REQUEST_ID}
            key["traceparent"] = f"00-{FOREIGN_TRACE}-{'b' * 16}-00"
            asked = {"name": "Rooms", "type": "api", "description": "Rooms have a name and a size."}
            asked["environment_vars"] = {"MAIL_PASSWORD": CANARY}  # type: ignore[assignment]
            made = httpx.post(f"{stack.api_url}/api/projects", json=asked, headers=key)
            project_id = made.json()["project"]["id"]
            with Client(stack.api_url, stack.api_key, websocket_url=stack.websocket_url) as client:
                frames = list(client.follow_project(project_id))
            httpx.get(f"{stack.api_url}/no/such/page/{stack.api_key}")
            for name in SERVICES:
                stack.stop_process(name)
            logs = {name: Path(stack.log(name)).read_text() for name in SERVICES}
            yield Seen(collector, frames, logs, project_id, stack.api_key)


def by_id(seen: Seen) -> dict[str, SeenSpan]:
    return {span.id: span for span in seen.collector.spans}


def first_ancestor(span: SeenSpan, spans: dict[str, SeenSpan]) -> SeenSpan:
    while span.parent:
        span = spans[span.parent]
    return span


def test_the_project_is_one_connected_tree(seen: Seen) -> None:
    spans = by_id(seen)
    [request] = [s for s in spans.values() if s.kind == SERVER and s.name.startswith("POST")]
    tree = [span for span in spans.values() if span.trace == request.trace]

    assert request.service == "api"
    assert request.trace != FOREIGN_TRACE
    assert all(first_ancestor(span, spans) == request for span in tree)
    tasks = {span.name: span for span in tree if span.kind == CONSUMER}
    assert set(STEPS) <= set(tasks)
    above = request
    for step in STEPS:
        assert tasks[step].parent == above.id, step
        assert tasks[step].service == f"worker-{step.split('.')[0]}"
        assert tasks[step].attributes["agenticai.project_id"] == seen.project_id
        assert tasks[step].attributes["agenticai.request_id"] == REQUEST_ID
        above = tasks[step]


def test_model_calls_stand_under_their_tasks_by_the_conventions(seen: Seen) -> None:
    spans = by_id(seen)
    calls = [s for s in spans.values() if "gen_ai.operation.name" in s.attributes]

    assert {spans[call.parent].name for call in calls} >= {"pm.plan", "dev.generate"}
    for call in calls:
        assert (call.kind, call.name) == (CLIENT, "chat template")
        assert call.attributes["gen_ai.operation.name"] == "chat"
        assert call.attributes["gen_ai.provider.name"] == "template"
        assert call.attributes["gen_ai.request.model"] == "template"
        assert call.attributes["gen_ai.usage.input_tokens"] >= 0
        assert call.attributes["gen_ai.usage.output_tokens"] >= 0


def test_calls_to_aws_are_told_where_they_belong_to_something(seen: Seen) -> None:
    spans = by_id(seen)
    calls = [s for s in spans.values() if s.attributes.get("rpc.system") == "aws-api"]
    assert {call.attributes["rpc.service"] for call in calls} >= {"DynamoDB", "S3", "SQS"}
    assert all(call.parent for call in calls)
    roots = [span for span in spans.values() if not span.parent]
    assert {span.kind for span in roots} == {SERVER}
    assert not [span for span in roots if "health" in span.name]
    assert seen.collector.paths == {"/v1/traces"}


def test_a_socket_tells_of_its_opening_and_not_of_its_polls(seen: Seen) -> None:
    spans = by_id(seen)
    own = [span for span in spans.values() if span.service == "websocket"]
    asked = {span.name: span for span in own if not span.parent}
    assert set(asked) == {"websocket connect", "websocket subscribe"}
    assert asked["websocket subscribe"].attributes["agenticai.project_id"] == seen.project_id
    below = {spans[span.parent].name for span in own if span.parent}
    assert below == set(asked)
    assert {span.attributes["rpc.service"] for span in own if span.parent} == {"DynamoDB"}


def test_one_request_id_is_on_all_lines_and_frames_of_the_project(seen: Seen) -> None:
    trace = next(s.trace for s in seen.collector.spans if s.name == "pm.plan")
    for agent in ("pm", "dev", "qa", "ops"):
        lines = [x for x in seen.lines(f"worker-{agent}") if x["event_type"] == "task.ended"]
        assert lines, agent
        for line in lines:
            assert line["request_id"] == REQUEST_ID
            assert line["trace_id"] == trace
            assert line["project_id"] == seen.project_id
            assert line["task_id"]
            assert line["user_id"]
            assert line["message"] == "Task ended"
    [done] = [
        x
        for x in seen.lines("api")
        if x.get("request_id") == REQUEST_ID and x["event_type"] == "request.done"
    ]
    assert (done["trace_id"], done["status"]) == (trace, 201)
    sent = [x for x in seen.lines("websocket") if x["event_type"] == "event.sent"]
    assert {x["request_id"] for x in sent} == {REQUEST_ID}
    assert seen.frames[-1]["type"] == "project_active"
    assert {frame["request_id"] for frame in seen.frames} == {REQUEST_ID}


def test_qa_tells_what_its_sandbox_is_worth(seen: Seen) -> None:
    told = [x for x in seen.lines("worker-qa") if x["event_type"] == "sandbox.examined"]
    assert {x["strength"] for x in told} <= {"strong", "basic"}
    assert all(bool(x["missing"]) == (x["strength"] != "strong") for x in told)
    assert told


def test_no_secret_is_in_what_the_processes_wrote_or_sent(seen: Seen) -> None:
    for name, log in seen.logs.items():
        assert log, name
        assert CANARY not in log, name
        assert seen.api_key not in log, name
    for body in seen.collector.raw:
        assert CANARY.encode() not in body
        assert seen.api_key.encode() not in body
