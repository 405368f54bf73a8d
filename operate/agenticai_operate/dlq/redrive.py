"""Send dead letters again, where that is worth something."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from agenticai_core.models import Agent
from agenticai_core.store.base import Store
from agenticai_operate.dlq.letters import Letter, Verdict, judge
from agenticai_operate.dlq.queues import DeadLetters, looking

Deed = Literal["sent", "dropped", "kept"]


@dataclass(frozen=True)
class Rules:
    """What is to be removed instead of kept; ``message``: only the letter with this id."""

    drop_ended: bool = False
    drop_unreadable: bool = False
    message: str | None = None
    limit: int = 100


@dataclass(frozen=True)
class Done:
    letter: Letter
    verdict: Verdict
    deed: Deed


def redrive(
    queues: Mapping[Agent, DeadLetters], store: Store, rules: Rules, *, dry: bool = False
) -> list[Done]:
    """Each letter that was looked at, and what came of it, or with ``dry`` what would."""
    with looking(queues, rules.limit) as letters:
        wanted = [one for one in letters if rules.message in (None, one.id)]
        verdicts = judge(store, wanted)
        done = [
            Done(letter, verdict, _deed(verdict, rules))
            for letter, verdict in zip(wanted, verdicts, strict=True)
        ]
        for one in () if dry else done:
            _do(queues[one.letter.agent], one)
    return done


def _do(queue: DeadLetters, one: Done) -> None:
    if one.deed == "sent":
        queue.send_again(one.letter)
    elif one.deed == "dropped":
        queue.remove(one.letter)


def _deed(verdict: Verdict, rules: Rules) -> Deed:
    if verdict.worth == "wakes":
        return "sent"
    drop = rules.drop_unreadable if verdict.worth == "unreadable" else rules.drop_ended
    return "dropped" if drop else "kept"
