"""The dashboard and the alarms: every metric that they name is one that somebody emits."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfn_flip import load_yaml

from agenticai_core.metrics import REGISTRY, USAGE
from agenticai_core.models import Agent
from agenticai_core.store import dynamo

Named = tuple[str, str, dict[str, str]]

# What AWS emits, as the services' own pages list it: namespace, name -> sets of dimensions.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/monitor_estimated_charges_with_cloudwatch.html
AWS_METRICS: dict[tuple[str, str], set[str]] = {
    ("AWS/DynamoDB", "ThrottledRequests"): {"TableName", "Operation"},
    ("AWS/DynamoDB", "ConsumedReadCapacityUnits"): {"TableName"},
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"): {"TableName"},
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {"QueueName"},
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): {"QueueName"},
    ("AWS/SQS", "NumberOfMessagesSent"): {"QueueName"},
    ("AWS/SQS", "NumberOfMessagesReceived"): {"QueueName"},
    ("AWS/S3", "BucketSizeBytes"): {"BucketName", "StorageType"},
    ("AWS/Logs", "IncomingBytes"): {"LogGroupName"},
    ("AWS/Billing", "EstimatedCharges"): {"Currency"},
}
SERVICES = ("api", "websocket", "worker")
# Which service measures what of ours; by the calls of `metrics.record` and `metrics.watch`.
MEASURED_BY = {
    "Requests": "api",
    "ServerErrors": "api",
    "Latency": "api",
    "Connections": "websocket",
    "EventsLag": "websocket",
}


@pytest.fixture(scope="module")
def addons(repo_root: Path) -> dict[str, dict[str, Any]]:
    folder = repo_root / "copilot" / "environments" / "addons"
    return {path.stem: load_yaml(path.read_text())["Resources"] for path in folder.glob("*.yml")}


@pytest.fixture(scope="module")
def alarms(addons: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: resource["Properties"]
        for name, resource in addons["alarms"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


@pytest.fixture(scope="module")
def board(addons: dict[str, dict[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(
        text(addons["dashboard"]["Dashboard"]["Properties"]["DashboardBody"])
    )
    return body


def text(value: Any) -> str:
    """What stands there once the pseudo parameters are put in."""
    if isinstance(value, dict):
        value = value.get("Fn::Sub") or f"${{{value['Ref']}}}"
    known = {
        "App": "shop",
        "Env": "test",
        "AWS::AccountId": "123456789012",
        "AWS::Region": "eu-west-1",
    }
    return re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], value)


def of_alarm(properties: dict[str, Any]) -> Iterator[Named]:
    stats = [
        one["MetricStat"]["Metric"] for one in properties.get("Metrics", []) if "MetricStat" in one
    ]
    for metric in stats or [properties]:
        dimensions = {one["Name"]: text(one["Value"]) for one in metric["Dimensions"]}
        yield metric["Namespace"], metric["MetricName"], dimensions


def of_widget(widget: dict[str, Any]) -> Iterator[Named]:
    for row in widget["properties"].get("metrics", []):
        names = [part for part in row if isinstance(part, str)]
        if names:
            namespace, name, *dimensions = names
            yield namespace, name, dict(zip(dimensions[::2], dimensions[1::2], strict=True))


def check(named: Named) -> None:
    namespace, name, dimensions = named
    if namespace.startswith("AWS/"):
        assert AWS_METRICS[namespace, name] == set(dimensions), named
        return
    [metric] = [one for one in REGISTRY if (one.namespace, one.name) == (namespace, name)]
    assert set(metric.dimensions) == set(dimensions), named
    assert (dimensions["App"], dimensions["Env"]) == ("shop", "test")
    if namespace != USAGE:
        assert dimensions["Service"] == MEASURED_BY.get(name, "worker")
    if metric.by_agent:
        assert dimensions["Agent"] in {agent.value for agent in Agent}


def test_every_metric_of_an_alarm_is_emitted(alarms: dict[str, dict[str, Any]]) -> None:
    assert len(alarms) == 12
    for properties in alarms.values():
        for named in of_alarm(properties):
            check(named)


def test_every_metric_of_the_dashboard_is_emitted(board: dict[str, Any]) -> None:
    shown = [named for widget in board["widgets"] for named in of_widget(widget)]
    for named in shown:
        check(named)
    ours = {name for namespace, name, _ in shown if namespace in ("AgenticAI", USAGE)}
    assert ours == {metric.name for metric in REGISTRY}, "the dashboard shows all that we measure"


def test_the_dashboard_has_its_five_groups(board: dict[str, Any]) -> None:
    titles = [w["properties"]["markdown"] for w in board["widgets"] if w["type"] == "text"]
    assert titles == ["## API", "## Agents", "## Table and bucket", "## Queues", "## Cost"]


def test_widgets_lie_side_by_side_within_the_page(board: dict[str, Any]) -> None:
    cells = [
        (x, y)
        for widget in board["widgets"]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def test_every_expression_names_metrics_that_stand_beside_it(
    alarms: dict[str, dict[str, Any]], board: dict[str, Any]
) -> None:
    sets = [p["Metrics"] for p in alarms.values() if "Metrics" in p]
    for metrics in sets:
        ids = {one["Id"] for one in metrics}
        for one in metrics:
            for name in re.findall(r"\b[a-z]\w*\b", one.get("Expression", "")):
                assert name in ids
    for widget in board["widgets"]:
        rows = widget["properties"].get("metrics", [])
        ids = {row[-1].get("id") for row in rows if isinstance(row[-1], dict)}
        for row in rows:
            for name in re.findall(
                r"\b[a-z]\w*\b",
                (row[-1] if isinstance(row[-1], dict) else {}).get("expression", ""),
            ):
                assert name in ids


def test_all_operations_that_the_store_sends_are_watched(
    alarms: dict[str, dict[str, Any]], repo_root: Path
) -> None:
    source = Path(dynamo.__file__).read_text()
    called = re.findall(r"_client\.(\w+?)\b\s*[(,]", source) + re.findall(
        r"client\.(\w+)\(", source
    )
    sent = {"".join(part.capitalize() for part in name.split("_")) for name in called}
    sent = {name for name in sent if name.endswith(("Item", "Items", "Query"))}
    watched = {d["Operation"] for _, _, d in of_alarm(alarms["TableThrottledAlarm"])}
    assert sent
    assert sent <= watched


@pytest.mark.parametrize("agent", Agent)
def test_every_agent_has_its_alarms(alarms: dict[str, dict[str, Any]], agent: Agent) -> None:
    name = agent.value.capitalize()
    [(_, metric, dimensions)] = of_alarm(alarms[f"{name}TaskDurationAlarm"])
    assert (metric, dimensions["Agent"]) == ("TaskLimitUsed", agent.value)
    assert alarms[f"{name}TaskDurationAlarm"]["Threshold"] == 80
    [(_, _, dimensions)] = of_alarm(alarms[f"{name}DeadLetterAlarm"])
    assert dimensions == {"QueueName": f"shop-test-{agent.value}-dlq"}
    assert alarms[f"{name}DeadLetterAlarm"]["Threshold"] == 0


def test_every_alarm_tells_somebody_and_no_silence_rings(alarms: dict[str, dict[str, Any]]) -> None:
    for properties in alarms.values():
        assert properties["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert properties["TreatMissingData"] == "notBreaching"


def test_the_budget_tells_at_four_fifths(addons: dict[str, dict[str, Any]]) -> None:
    told = addons["budget"]["MonthlyCostBudget"]["Properties"]["NotificationsWithSubscribers"]
    first = told[0]["Notification"]
    assert (first["NotificationType"], first["Threshold"]) == ("ACTUAL", 80)
    assert all(one["Subscribers"][0]["Address"] == {"Ref": "AlarmTopic"} for one in told)
