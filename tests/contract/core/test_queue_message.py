"""What `SqsQueue` sends is what the worker's own Celery app executes; nothing else gets through."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from agenticai_core.models import Agent
from agenticai_core.queues import TIME_LIMITS, SqsQueue, celery_message, queue_name
from agenticai_core.settings import Settings


def wait_for(look: Callable[[], Any], seconds: float = 30) -> Any:
    """What ``look`` gives once it is true; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


@dataclass
class Echo:
    """A real Celery worker on the dev queue, and the emulator's end of that queue."""

    settings: Settings
    client: Any
    file: Path

    @property
    def url(self) -> str:
        return self.settings.queue_url(Agent.DEV)

    @property
    def executed(self) -> list[dict[str, Any]]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def send(self, body: str) -> None:
        self.client.send_message(QueueUrl=self.url, MessageBody=body)

    def count(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(told["Attributes"][name]) for name in names)


@pytest.fixture
def echo(
    repo_root: Path, tmp_path: Path, emulator_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Echo]:
    monkeypatch.setenv("AGENTICAI_SQS_WAIT_SECONDS", "1")
    client = boto3.client("sqs", endpoint_url=emulator_settings.endpoint_url)
    file = tmp_path / "executed"
    worker = Echo(emulator_settings, client, file)
    client.set_queue_attributes(QueueUrl=worker.url, Attributes={"VisibilityTimeout": "1"})
    command = [sys.executable, "-m", "tests.fakes.echo_worker", "dev", str(file)]
    process = subprocess.Popen(command, cwd=repo_root)
    try:
        yield worker
        assert process.poll() is None, "the worker died"
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_what_is_sent_is_executed_once_with_its_limits(echo: Echo) -> None:
    SqsQueue(echo.client, echo.settings).send(Agent.DEV, "proj_1", "run_1.01.generate")

    wait_for(lambda: echo.executed)
    wait_for(lambda: echo.count(echo.url) == 0)

    soft, hard = TIME_LIMITS[Agent.DEV]
    assert echo.executed == [
        {
            "task": "dev.run",
            "project_id": "proj_1",
            "task_id": "run_1.01.generate",
            "time_limit": [hard, soft],
            "queue": queue_name(echo.settings.app, echo.settings.env, Agent.DEV),
        }
    ]


def _changed(**headers: Any) -> str:
    message: dict[str, Any] = celery_message(Agent.DEV, "q", "proj_1", "bad")
    return json.dumps(message | {"headers": message["headers"] | headers})


def _called(*args: Any, **kwargs: Any) -> str:
    message = celery_message(Agent.DEV, "q", "proj_1", "bad")
    return json.dumps(message | {"body": json.dumps([args, kwargs, {}])})


UNREADABLE = {
    "not JSON": "hello",
    "not an object": '"hello"',
    "endless nesting": "[" * 100_000,
    "an object that names no task": '{"x": 1}',
    "no headers": json.dumps({"body": json.dumps([["proj_1", "bad"], {}, {}])}),
    "an unknown task": _changed(task="dev.erase"),
    "a task that only ends as ours do": _changed(task="other.run"),
    "one argument": _called("proj_1"),
    "three arguments": _called("proj_1", "bad", "more"),
    "arguments of the wrong kind": _called("proj_1", {"id": "bad"}),
    "an unknown argument": _called("proj_1", "bad", force=True),
}


def test_what_cannot_be_read_goes_to_the_dead_letter_queue(echo: Echo) -> None:
    for body in UNREADABLE.values():
        echo.send(body)
    queue = SqsQueue(echo.client, echo.settings)
    for n in range(3):
        queue.send(Agent.DEV, "proj_1", f"good {n}")

    # The good ones are executed although each bad one is still there and comes again.
    wait_for(lambda: len(echo.executed) >= 3)
    name = queue_name(echo.settings.app, echo.settings.env, Agent.DEV).replace("queue", "dlq")
    dead = echo.client.get_queue_url(QueueName=name)["QueueUrl"]
    wait_for(lambda: echo.count(dead) == len(UNREADABLE), seconds=60)

    bodies = set()
    while len(bodies) < len(UNREADABLE):
        page = echo.client.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)
        bodies |= {message["Body"] for message in page.get("Messages", [])}
    assert bodies == set(UNREADABLE.values())
    assert sorted(call["task_id"] for call in echo.executed) == ["good 0", "good 1", "good 2"]


@pytest.mark.parametrize(
    "headers",
    [{"id": None}, {"timelimit": "x"}, {"eta": "soon"}, {"expires": 7}, {"retries": []}],
    ids=str,
)
def test_odd_headers_harm_nobody(headers: dict[str, Any]) -> None:
    """Only the ids are taken over from a message: the rest is made anew."""
    from agenticai_worker.broker import _plain

    plain = _plain({"Body": _changed(**headers), "ReceiptHandle": "r"}, "q")

    assert plain is not None
    made = json.loads(plain["Body"])
    fresh: dict[str, Any] = celery_message(Agent.DEV, "q", "proj_1", "bad")
    assert made["body"] == fresh["body"]
    assert made["headers"]["timelimit"] == fresh["headers"]["timelimit"]
    assert made["headers"].keys() == fresh["headers"].keys()
    assert isinstance(made["headers"]["id"], str)
