"""Send dead letters again, where that is worth something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agenticai_core.models import Agent
from agenticai_core.store.base import Store
from agenticai_operate.dlq.letters import Letter, Verdict, judge
from agenticai_operate.dlq.queues import DeadLetters

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
    done: list[Done] = []
    for queue in queues.values():
        with queue.looking(rules.limit) as letters:
            wanted = [one for one in letters if rules.message in (None, one.id)]
            done += _treat(queue, wanted, judge(store, wanted), rules, dry)
    return done


def _treat(
    queue: DeadLetters,
    letters: Sequence[Letter],
    verdicts: Sequence[Verdict],
    rules: Rules,
    dry: bool,
) -> list[Done]:
    done = []
    for letter, verdict in zip(letters, verdicts, strict=True):
        deed = _deed(verdict, rules)
        if deed == "sent" and not dry:
            queue.send_again(letter)
        if deed == "dropped" and not dry:
            queue.remove(letter)
        done.append(Done(letter, verdict, deed))
    return done


def _deed(verdict: Verdict, rules: Rules) -> Deed:
    if verdict.worth == "wakes":
        return "sent"
    drop = rules.drop_unreadable if verdict.worth == "unreadable" else rules.drop_ended
    return "dropped" if drop else "kept"
