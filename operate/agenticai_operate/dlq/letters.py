"""What a dead letter says, and what it is still worth.

A message only wakes a worker; whether there is anything to do is in the table. So a letter is
judged by its task's row: it is worth sending again as long as that task has not ended.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from agenticai_core.models import Agent, Project, Task, TaskStatus
from agenticai_core.rows import parse
from agenticai_core.store import keys
from agenticai_core.store.base import Item, Key, Store

Worth = Literal["wakes", "ended", "gone", "unreadable"]

_UNFINISHED = frozenset({TaskStatus.QUEUED, TaskStatus.RUNNING})


@dataclass(frozen=True)
class Letter:
    """A message as the dead-letter queue holds it."""

    agent: Agent
    id: str
    body: str
    sent_at: str  # ISO 8601; when it was first sent, not when it was given up
    receives: int
    task_name: str = ""
    project_id: str = ""
    task_id: str = ""

    @property
    def readable(self) -> bool:
        return bool(self.project_id and self.task_id)

    def age(self, moment: datetime) -> float:
        """Seconds since it was first sent."""
        return max(0.0, (moment - datetime.fromisoformat(self.sent_at)).total_seconds())


@dataclass(frozen=True)
class Verdict:
    """``wakes``: its task has not ended. ``ended`` and ``gone``: nothing would come of it.
    ``unreadable``: no worker could tell which task it means."""

    worth: Worth
    reason: str
    task: Task | None = None
    project: Project | None = None


def read_letter(agent: Agent, message: Mapping[str, Any]) -> Letter:
    """A letter from SQS's message, whatever its body holds."""
    attributes = message.get("Attributes", {})
    sent = int(attributes.get("SentTimestamp", 0)) / 1000
    name, project_id, task_id = _decode(message["Body"])
    return Letter(
        agent=agent,
        id=message["MessageId"],
        body=message["Body"],
        sent_at=datetime.fromtimestamp(sent, UTC).isoformat(timespec="seconds"),
        receives=int(attributes.get("ApproximateReceiveCount", 0)),
        task_name=name,
        project_id=project_id,
        task_id=task_id,
    )


def judge(store: Store, letters: Sequence[Letter]) -> list[Verdict]:
    """What each is worth now, by consistent reads of the table."""
    wanted = {key for letter in letters if letter.readable for key in _keys(letter)}
    rows: dict[Key, Item] = {}
    ordered = sorted(wanted, key=lambda key: (key.pk, key.sk))
    for start in range(0, len(ordered), 100):
        found = store.batch_get(ordered[start : start + 100])
        rows |= {Key(row["PK"], row["SK"]): row for row in found}
    return [_judge_one(letter, rows) for letter in letters]


def _judge_one(letter: Letter, rows: Mapping[Key, Item]) -> Verdict:
    if not letter.readable:
        return Verdict("unreadable", "it holds no ids of a project and a task")
    project_row, task_row = (rows.get(key) for key in _keys(letter))
    project = parse(Project, project_row) if project_row else None
    if task_row is None:
        what = "the project is deleted" if project is None else "the project has no such task"
        return Verdict("gone", what, None, project)
    task = parse(Task, task_row)
    if task.agent is not letter.agent:
        return Verdict("gone", f"its task is one for {task.agent.value}", task, project)
    if task.status not in _UNFINISHED:
        return Verdict("ended", f"its task has ended as {task.status.value}", task, project)
    return Verdict("wakes", f"its task is {task.status.value}", task, project)


def _keys(letter: Letter) -> tuple[Key, Key]:
    return keys.project(letter.project_id), keys.task(letter.project_id, letter.task_id)


def _decode(body: str) -> tuple[str, str, str]:
    """The task's name and the two ids of a Celery message; empty where it is none."""
    try:
        envelope = json.loads(body)
        (project_id, task_id), *_ = json.loads(envelope["body"])
        name = str(envelope["headers"]["task"])
    except (ValueError, KeyError, TypeError):
        return "", "", ""
    if not (isinstance(project_id, str) and isinstance(task_id, str)):
        return name, "", ""
    return name, project_id, task_id
