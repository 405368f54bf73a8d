"""The queue names and routes, and the port to send a task.

A message carries ids only and means "look at this task now". It is written in Celery's message
protocol 2 inside kombu's SQS envelope, so that sending needs no Celery: the API and the sweeper
share these few lines, and a contract test reads them with the worker's own Celery app.
"""

import json
import uuid
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from agenticai_core.errors import Unavailable
from agenticai_core.models import Agent
from agenticai_core.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_DELAY = 900  # s, what SQS allows

# Celery's limits (soft, hard) and the queue's visibility timeout, in s.
TIME_LIMITS = {
    Agent.PM: (300, 330),
    Agent.DEV: (900, 930),
    Agent.QA: (600, 630),
    Agent.OPS: (300, 330),
}
VISIBILITY = {Agent.PM: 360, Agent.DEV: 960, Agent.QA: 660, Agent.OPS: 360}
CONCURRENCY = {Agent.PM: 2, Agent.DEV: 2, Agent.QA: 2, Agent.OPS: 1}


def queue_name(app: str, env: str, agent: Agent) -> str:
    return f"{app}-{env}-{agent.value}-queue"


def task_name(agent: Agent) -> str:
    return f"{agent.value}.run"


class TaskQueue(Protocol):
    def send(self, agent: Agent, project_id: str, task_id: str, delay: float = 0) -> None:
        """Wake the agent's worker for a task, ``delay`` s (at most 900) from now.

        Raises `agenticai_core.errors.Unavailable`; the sweeper then sends it later.
        """


class MemoryQueue:
    """What was sent, in order, for tests to look at or to work through."""

    def __init__(self) -> None:
        self.sent: list[tuple[Agent, str, str, float]] = []

    def send(self, agent: Agent, project_id: str, task_id: str, delay: float = 0) -> None:
        self.sent.append((agent, project_id, task_id, delay))


class SqsQueue:
    """Implements `TaskQueue`. The client is safe to share by threads."""

    def __init__(self, client: "SQSClient", settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def send(self, agent: Agent, project_id: str, task_id: str, delay: float = 0) -> None:
        url = self._settings.queue_url(agent)
        queue = queue_name(self._settings.app, self._settings.env, agent)
        try:
            self._client.send_message(
                QueueUrl=url,
                MessageBody=json.dumps(celery_message(agent, queue, project_id, task_id)),
                DelaySeconds=min(MAX_DELAY, max(0, round(delay))),
            )
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"The {agent.value} queue does not take messages: {error}") from error


def celery_message(agent: Agent, queue: str, project_id: str, task_id: str) -> dict[str, object]:
    """The message as kombu's SQS transport reads it, with Celery's protocol 2 inside."""
    identity = str(uuid.uuid4())
    name = task_name(agent)
    soft, hard = TIME_LIMITS[agent]
    arguments = [project_id, task_id]
    return {
        "body": json.dumps(
            [arguments, {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
        ),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": name,
            "id": identity,
            "root_id": identity,
            "parent_id": None,
            "group": None,
            "retries": 0,
            "timelimit": [hard, soft],
            "argsrepr": repr(arguments),
            "kwargsrepr": "{}",
            "ignore_result": True,
        },
        "properties": {
            "correlation_id": identity,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "utf-8",
            "delivery_tag": str(uuid.uuid4()),
        },
    }
