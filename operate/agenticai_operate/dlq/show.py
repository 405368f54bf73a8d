"""Dead letters for people and for programs."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from agenticai_client.wording import one_line
from agenticai_core.models import Agent
from agenticai_operate.dlq.letters import Letter, Verdict
from agenticai_operate.dlq.queues import Counts
from agenticai_operate.dlq.redrive import Done

_STYLE = {"wakes": "yellow", "ended": "dim", "gone": "dim", "unreadable": "red"}


def counts_as_json(agent: Agent, counts: Counts, letters: Iterable[Letter]) -> dict[str, Any]:
    """``letters`` of any agent."""
    oldest = _oldest(letter for letter in letters if letter.agent is agent)
    return {
        "agent": agent.value,
        "waiting": counts.waiting,
        "hidden": counts.hidden,
        "oldest_seconds": None if oldest is None else round(oldest),
    }


def counts_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    table = _table("Agent", "Waiting", "Hidden", "Oldest sent")
    for row in rows:
        age = row["oldest_seconds"]
        ago = "" if age is None else f"{_span(age)} ago"
        style = "yellow" if row["waiting"] or row["hidden"] else "dim"
        table.add_row(row["agent"], str(row["waiting"]), str(row["hidden"]), ago, style=style)
    return table


def letter_as_json(letter: Letter, verdict: Verdict) -> dict[str, Any]:
    task, project = verdict.task, verdict.project
    return {
        "agent": letter.agent.value,
        "message": letter.id,
        "sent_at": letter.sent_at,
        "receives": letter.receives,
        "project_id": letter.project_id or None,
        "task_id": letter.task_id or None,
        "project_status": project.status.value if project else None,
        "task_status": task.status.value if task else None,
        "attempt": task.attempt if task else None,
        "worth": verdict.worth,
        "reason": verdict.reason,
        "body": None if letter.readable else letter.body,
    }


def letters_table(found: Iterable[tuple[Letter, Verdict]]) -> Table:
    table = _table("Agent", "Message", "Sent", "Project", "Task", "Worth")
    for letter, verdict in found:
        table.add_row(*_cells(letter, verdict))
    return table


def deeds_table(done: Iterable[Done]) -> Table:
    table = _table("Agent", "Message", "Sent", "Project", "Task", "Worth", "Done")
    for one in done:
        table.add_row(*_cells(one.letter, one.verdict), one.deed)
    return table


def _cells(letter: Letter, verdict: Verdict) -> tuple[str | Text, ...]:
    age = _span(letter.age(datetime.now(UTC)))
    worth = Text(f"{verdict.worth}: {one_line(verdict.reason)}", style=_STYLE[verdict.worth])
    # What a message holds is whatever somebody put there.
    ids = (one_line(letter.project_id), one_line(letter.task_id))
    if not letter.readable:
        ids = (one_line(letter.body)[:60], "")
    return letter.agent.value, letter.id, f"{age} ago", Text(ids[0]), Text(ids[1]), worth


def _oldest(letters: Iterable[Letter]) -> float | None:
    moment = datetime.now(UTC)
    return max((letter.age(moment) for letter in letters), default=None)


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
