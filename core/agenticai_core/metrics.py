"""Metrics in CloudWatch's embedded metric format: lines of JSON on standard output.

CloudWatch Logs makes metrics of the lines of a container, so that nothing asks for another
permission, library or daemon. A process gathers what it measures and writes one line for each set
of dimensions: a minute later, at its end, or when a line is full. Until `configure` is called, and
where settings say "off", measuring costs a comparison.

The format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import atexit
import json
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from agenticai_core.clock import now
from agenticai_core.settings import Settings

NAMESPACE = "AgenticAI"
USAGE = "AgenticAI/Usage"
PERIOD = 60.0  # s between two lines
MOST_VALUES = 100  # of one metric in one line, by the specification

Unit = Literal["Count", "Milliseconds", "Percent", "Seconds", "None"]


@dataclass(frozen=True)
class Metric:
    """``summed``: only the sum of a line's values counts, so it is written as one value."""

    name: str
    unit: Unit
    meaning: str
    by_agent: bool = False
    summed: bool = True
    namespace: str = NAMESPACE

    @property
    def dimensions(self) -> tuple[str, ...]:
        if self.namespace == USAGE:
            return ("App", "Env")
        return ("App", "Env", "Service", *(("Agent",) if self.by_agent else ()))


def _timed(name: str, unit: Unit, meaning: str, *, by_agent: bool = False) -> Metric:
    return Metric(name, unit, meaning, by_agent, summed=False)


def _used(name: str, meaning: str) -> Metric:
    return Metric(name, "Count", meaning, namespace=USAGE)


REQUESTS = Metric("Requests", "Count", "requests answered, health checks left out")
SERVER_ERRORS = Metric("ServerErrors", "Count", "of them with a status of 500 or more")
LATENCY = _timed(
    "Latency",
    "Milliseconds",
    "from a request to the end of its answer; paths that end in `/events`, which may wait for news,"
    " left out",
)
CONNECTIONS = _timed("Connections", "Count", "open sockets of one gateway, every minute")
EVENTS_LAG = _timed("EventsLag", "Milliseconds", "from an event to its frame, for live sockets")
QUEUE_AGE = _timed("QueueAge", "Seconds", "from a task's making to its first start", by_agent=True)
TASK_SECONDS = _timed("TaskSeconds", "Seconds", "one run of a task", by_agent=True)
TASK_LIMIT_USED = _timed(
    "TaskLimitUsed", "Percent", "of its soft time limit that a run took", by_agent=True
)
TASK_RETRIES = Metric("TaskRetries", "Count", "runs put back after a transient failure", True)
TASKS_FAILED = Metric("TasksFailed", "Count", "tasks that ended as failed", True)
MODEL_CALLS = Metric("ModelCalls", "Count", "calls of a language model", True)
MODEL_TOKENS = Metric("ModelTokens", "Count", "tokens of prompts and answers", True)
MODEL_COST = Metric("ModelCost", "None", "their price in US dollars", True)
SANDBOX_REFUSALS = Metric(
    "SandboxRefusals", "Count", "runs of generated code refused because the sandbox is too weak"
)
DYNAMODB_REQUESTS = _used("DynamoDBRequests", "requests to the table, repetitions included")
S3_REQUESTS = _used("S3Requests", "requests to the bucket")
SQS_REQUESTS = _used("SQSRequests", "requests to the queues, empty polls included")

REGISTRY: tuple[Metric, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric)
)
_OF_SERVICE = {"dynamodb": DYNAMODB_REQUESTS, "s3": S3_REQUESTS, "sqs": SQS_REQUESTS}


class Recorder:
    """Gathers values and writes them as lines. Safe under threads, not over a fork."""

    def __init__(self, settings: Settings, service: str, write: Callable[[str], None]) -> None:
        self._fixed = {"App": settings.app, "Env": settings.env, "Service": service}
        self._write = write
        self._gauges: list[tuple[Metric, Callable[[], float]]] = []
        self._gathered: dict[str, dict[Metric, list[float]]] = defaultdict(dict)
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Write what was gathered every minute, in a thread of its own."""
        threading.Thread(target=self._run, name="metrics", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self.flush()

    def watch(self, metric: Metric, read: Callable[[], float]) -> None:
        """A value to read whenever lines are written."""
        self._gauges.append((metric, read))

    def record(self, metric: Metric, value: float, agent: str | None = None) -> None:
        if metric.by_agent is not (agent is not None):
            raise ValueError(f"{metric.name} takes {'an' if metric.by_agent else 'no'} agent")
        full = None
        with self._lock:
            values = self._gathered[agent or ""].setdefault(metric, [])
            if metric.summed and values:
                values[0] += value
            else:
                values.append(value)
            if len(values) >= MOST_VALUES:
                full = self._gathered.pop(agent or "")
        if full:
            self._write(self._line(agent or "", full))

    def flush(self) -> None:
        for metric, read in self._gauges:
            self.record(metric, read())
        with self._lock:
            gathered, self._gathered = self._gathered, defaultdict(dict)
        for agent, values in gathered.items():
            self._write(self._line(agent, values))

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD):
            self.flush()

    def _line(self, agent: str, gathered: dict[Metric, list[float]]) -> str:
        groups: dict[tuple[str, tuple[str, ...]], list[Metric]] = defaultdict(list)
        for metric in gathered:
            groups[metric.namespace, metric.dimensions].append(metric)
        told: dict[str, Any] = {
            "_aws": {
                "Timestamp": int(now().timestamp() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": namespace,
                        "Dimensions": [list(dimensions)],
                        "Metrics": [{"Name": one.name, "Unit": one.unit} for one in metrics],
                    }
                    for (namespace, dimensions), metrics in groups.items()
                ],
            },
            **self._fixed,
        }
        if agent:
            told["Agent"] = agent
        for metric, values in gathered.items():
            told[metric.name] = values[0] if len(values) == 1 else values
        return json.dumps(told)


_recorder: Recorder | None = None


def configure(settings: Settings, service: str) -> None:
    """Begin to measure in this process, once; after a fork again."""
    global _recorder  # noqa: PLW0603 - one standard output, one recorder
    if settings.metrics == "off":
        return
    _recorder = Recorder(settings, service, _print)
    _recorder.start()
    atexit.register(_recorder.stop)


def record(metric: Metric, value: float = 1, agent: str | None = None) -> None:
    if _recorder is not None:
        _recorder.record(metric, value, agent)


def watch(metric: Metric, read: Callable[[], float]) -> None:
    """Read a value every minute."""
    if _recorder is not None:
        _recorder.watch(metric, read)


def flush() -> None:
    """Write what was gathered: for processes that may end without notice."""
    if _recorder is not None:
        _recorder.flush()


def count_requests(client: Any) -> None:
    """Count what a boto3 client sends, each repetition for itself."""
    metric = _OF_SERVICE.get(client.meta.service_model.service_name)
    if metric is not None:
        client.meta.events.register("before-send", lambda **_: record(metric))


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")  # in one write: lines of several threads must not mix
    sys.stdout.flush()
