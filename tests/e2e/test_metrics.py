"""What the processes of a whole system write for CloudWatch while a project is made."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fakes.emf import check_line

from agenticai_client.sdk import Client
from agenticai_core.metrics import REGISTRY
from agenticai_local.stack import SERVICES, LocalStack

# Nothing goes wrong here, and the built-in engine is no model.
UNSEEN = {"ModelCalls", "ModelTokens", "ModelCost", "SandboxRefusals", "TaskRetries"}
Found = tuple[str, tuple[str, ...], str]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """Those of all processes, from the first request to their end."""
    emf = {"AGENTICAI_METRICS": "emf"}
    with LocalStack(tmp_path_factory.mktemp("stack"), fresh=True, extra_env=emf) as stack:
        with Client(stack.api_url, stack.api_key, websocket_url=stack.websocket_url) as client:
            project = client.create_project("Rooms", "api", "Rooms have a name and a size.")
            *_, last = client.follow_project(project["id"])
            assert last["type"] == "project_active"
            assert client.files(project["id"])
        for name in SERVICES:
            stack.stop_process(name)
        logs = [stack.log(name).read_text().splitlines() for name in SERVICES]
    parsed = [json.loads(line) for log in logs for line in log if line.startswith("{")]
    yield [line for line in parsed if "_aws" in line]


def values(lines: list[dict[str, Any]], name: str, agent: str | None = None) -> list[float]:
    found: list[float] = []
    for line in lines:
        if name in line and line.get("Agent") == agent:
            value = line[name]
            found += value if isinstance(value, list) else [value]
    return found


def test_every_metric_that_can_be_seen_is_emitted_as_the_registry_says(
    lines: list[dict[str, Any]],
) -> None:
    seen: dict[str, set[tuple[str, tuple[str, ...]]]] = defaultdict(set)
    for line in lines:
        for namespace, dimensions, name in check_line(line):
            seen[name].add((namespace, tuple(dimensions)))
    expected = {
        metric.name: {(metric.namespace, metric.dimensions)}
        for metric in REGISTRY
        if metric.name not in UNSEEN
    }
    assert seen == expected


def test_the_numbers_are_those_of_the_project(lines: list[dict[str, Any]]) -> None:
    assert values(lines, "ServerErrors") == [0] * len(values(lines, "ServerErrors"))
    assert sum(values(lines, "Requests")) >= 2
    for agent in ("pm", "dev", "qa", "ops"):
        assert all(0 < seconds < 60 for seconds in values(lines, "TaskSeconds", agent))
        assert all(0 < used < 80 for used in values(lines, "TaskLimitUsed", agent))
        assert all(0 <= age < 60 for age in values(lines, "QueueAge", agent))
        assert sum(values(lines, "TasksFailed", agent)) == 0
    assert max(values(lines, "EventsLag")) < 10_000
    assert sum(values(lines, "SQSRequests")) >= 10  # polls of four nodes, and four messages
    assert sum(values(lines, "DynamoDBRequests")) > 50
    assert sum(values(lines, "S3Requests")) > 50
