"""The embedded metric format: what each line must hold, and what is gathered into it."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from tests.fakes.emf import check_line

from agenticai_core import metrics
from agenticai_core.metrics import REGISTRY, Metric, Recorder
from agenticai_core.settings import Settings


@pytest.fixture
def lines() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def recorder(lines: list[dict[str, Any]]) -> Recorder:
    settings = Settings(app="shop", env="test")
    return Recorder(settings, "worker", lambda text: lines.append(json.loads(text)))


@pytest.fixture
def measuring(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.setattr(metrics, "_recorder", recorder)
    return recorder


@pytest.mark.parametrize("metric", REGISTRY, ids=lambda metric: metric.name)
def test_every_metric_makes_a_line_of_the_format(
    recorder: Recorder, lines: list[dict[str, Any]], metric: Metric
) -> None:
    recorder.record(metric, 1.5, "pm" if metric.by_agent else None)
    recorder.flush()
    [line] = lines
    [(namespace, dimensions, name)] = check_line(line)
    assert (namespace, name) == (metric.namespace, metric.name)
    expected = {"App": "shop", "Env": "test", "Service": "worker", "Agent": "pm"}
    assert dimensions == {key: expected[key] for key in metric.dimensions}


def test_names_are_given_once() -> None:
    assert len({(one.namespace, one.name) for one in REGISTRY}) == len(REGISTRY)


def test_counts_are_added_up_and_times_kept(
    recorder: Recorder, lines: list[dict[str, Any]]
) -> None:
    for milliseconds in (1.0, 2.0, 4.0):
        recorder.record(metrics.REQUESTS, 1)
        recorder.record(metrics.LATENCY, milliseconds)
    recorder.flush()
    assert lines[0]["Requests"] == 3
    assert lines[0]["Latency"] == [1.0, 2.0, 4.0]


def test_an_empty_minute_writes_nothing(recorder: Recorder, lines: list[dict[str, Any]]) -> None:
    recorder.flush()
    assert lines == []


def test_a_full_line_is_written_at_once(recorder: Recorder, lines: list[dict[str, Any]]) -> None:
    for _ in range(metrics.MOST_VALUES):
        recorder.record(metrics.LATENCY, 1.0)
    assert len(lines) == 1
    check_line(lines[0])


def test_each_agent_has_a_line_of_its_own(recorder: Recorder, lines: list[dict[str, Any]]) -> None:
    recorder.record(metrics.TASK_SECONDS, 1, "pm")
    recorder.record(metrics.TASK_SECONDS, 2, "qa")
    recorder.flush()
    assert {line["Agent"]: line["TaskSeconds"] for line in lines} == {"pm": 1, "qa": 2}
    for metric, agent in ((metrics.TASK_SECONDS, None), (metrics.REQUESTS, "pm")):
        with pytest.raises(ValueError, match="agent"):
            recorder.record(metric, 1, agent)


def test_nothing_is_lost_or_doubled_between_threads(
    recorder: Recorder, lines: list[dict[str, Any]]
) -> None:
    def measure(_: int) -> None:
        for _ in range(250):
            recorder.record(metrics.LATENCY, 1.0)
            recorder.record(metrics.REQUESTS, 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(measure, range(8)))
    recorder.flush()
    assert sum(line.get("Requests", 0) for line in lines) == 2000
    times = [line["Latency"] for line in lines if "Latency" in line]
    assert sum(len(one) if isinstance(one, list) else 1 for one in times) == 2000


def test_a_gauge_is_read_when_lines_are_written(
    recorder: Recorder, lines: list[dict[str, Any]]
) -> None:
    sockets = [3.0]
    recorder.watch(metrics.CONNECTIONS, lambda: sockets[0])
    recorder.flush()
    sockets[0] = 5.0
    recorder.flush()
    assert [line["Connections"] for line in lines] == [3.0, 5.0]


def test_off_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_recorder", None)
    metrics.configure(Settings(metrics="off"), "api")
    assert metrics._recorder is None
    metrics.record(metrics.REQUESTS)
    metrics.watch(metrics.CONNECTIONS, lambda: 1)
    metrics.flush()


def test_what_is_sent_to_aws_is_counted_with_its_repetitions(
    measuring: Recorder, lines: list[dict[str, Any]]
) -> None:
    client = boto3.client(
        "sqs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    statuses = iter([503, 200])

    def answer(**_: Any) -> AWSResponse:
        raw = type("Raw", (), {"stream": lambda *_args, **_given: iter([b"{}"])})()
        return AWSResponse("https://localhost", next(statuses), {}, raw)

    metrics.count_requests(client)
    client.meta.events.register("before-send", answer)
    client.get_queue_attributes(QueueUrl="https://localhost/q")
    measuring.flush()
    assert lines[0]["SQSRequests"] == 2
    assert check_line(lines[0]) == [
        ("AgenticAI/Usage", {"App": "shop", "Env": "test"}, "SQSRequests")
    ]
