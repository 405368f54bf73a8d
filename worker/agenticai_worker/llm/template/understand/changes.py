"""A change request becomes a changed plan, or a clear word on what was not understood."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agenticai_core.plans import Plan
from agenticai_worker.llm.template.understand import differences, gaps
from agenticai_worker.llm.template.understand.additions import add_choice, add_fields
from agenticai_worker.llm.template.understand.change_behaviour import add_behaviour
from agenticai_worker.llm.template.understand.change_features import switch_feature
from agenticai_worker.llm.template.understand.change_fields import constrain_field, remove, rename
from agenticai_worker.llm.template.understand.change_reports import add_report
from agenticai_worker.llm.template.understand.commands import COMMAND_VERBS
from agenticai_worker.llm.template.understand.drafts import board_of, spoken
from agenticai_worker.llm.template.understand.plan import summarize
from agenticai_worker.llm.template.understand.targets import NotUnderstood
from agenticai_worker.llm.template.understand.text import is_english, sentences


@dataclass(frozen=True)
class Change:
    """``plan`` is set when the request was understood; ``steps`` say what will be done."""

    understood: bool
    reason: str = ""
    plan: Plan | None = None
    steps: tuple[str, ...] = ()
    risk: Literal["low", "medium", "high"] = "low"


_PARTS = re.compile(
    rf"(?:[,;]\s*(?:and\s+|then\s+|also\s+)*|\s+(?:and|then)\s+(?:also\s+|then\s+)?)(?=(?:{COMMAND_VERBS})\b)",
    re.I,
)


_POLITE = re.compile(
    r"^(?:(?:please|also|and|then|now|kindly|ok|hi|hello|can you|could you|would you|i want(?: you)? to|i would like(?: you)? to|i'd like(?: you)? to|"
    r"we want to|we need to|i need to|we should|you should|it should be possible to|there should be a way to|let's)\b[\s,]*)+",
    re.I,
)  # fmt: skip


def change_plan(plan: Plan, request: str) -> Change:
    """Apply a request to a plan, all of it or nothing; the same words give the same change.

    Never raises on any text. When a part is not understood, ``reason`` quotes it, names what
    there is, and gives examples of what works.
    """
    if not is_english(request):
        return _refuse(
            plan,
            "The request does not seem to be in English, the only language that the built-in engine reads.",
        )
    parts = _split_parts(request)
    if not parts:
        return _refuse(plan, "The request is empty.")
    changed, steps = plan, list[str]()
    for part in parts:
        try:
            before, changed = changed, _apply(changed, part)
            steps += _steps(before, changed, part)
        except NotUnderstood as problem:
            whole = (
                " Nothing was changed: a request is done whole or not at all."
                if len(parts) > 1
                else ""
            )
            return _refuse(plan, f"“{gaps.shorten(part)}”: {problem}{whole}")
    return Change(
        True,
        plan=_resummarize(changed),
        steps=tuple(dict.fromkeys(steps)),
        risk=differences.risk(plan, changed),
    )


def _steps(before: Plan, after: Plan, part: str) -> tuple[str, ...]:
    """What one part does, in words; raises when it does nothing."""
    steps = differences.describe(before, after)
    if not steps:
        raise NotUnderstood("the project already has this; nothing would change.")
    renamed = re.match(
        r"^(?:rename|change the name of|call)\s+(.+?)\s+(?:to|into|as)\s+(.+)$", part, re.I
    )
    return (f"Rename {renamed[1]} to {renamed[2]}, everywhere",) if renamed else steps


def _refuse(plan: Plan, why: str) -> Change:
    return Change(False, f"{why} {_what_exists(plan)} {_examples(plan)}")


def _what_exists(plan: Plan) -> str:
    listed = [f"{e.name} ({', '.join(f.name for f in e.fields)})" for e in plan.entities]
    return f"There are: {'; '.join(listed)}."


def _examples(plan: Plan) -> str:
    first = spoken(plan.entities[0].plural) if plan.entities else "items"
    field = plan.entities[0].fields[0].name if plan.entities and plan.entities[0].fields else "name"
    return (
        f"What works, for example: “Add user authentication”, “Add an optional note to {first}”, "
        f"“Add suppliers with name and email”, “Filter {first} by {field}”, “Make {field} of {first} unique”, "
        f"“Rename {field} of {first} to label”, “How many {first} per month”, “Log all requests”."
    )


def _resummarize(plan: Plan) -> Plan:
    board = board_of(plan)
    return plan.model_copy(
        update={
            "summary": summarize(plan.name, board, list(plan.reports), list(plan.features)),
            "files": plan.files,
        }
    )


def _split_parts(request: str) -> list[str]:
    parts: list[str] = []
    for sentence in sentences(request):
        pieces = _PARTS.split(sentence)
        parts += [
            cleaned
            for piece in pieces
            if piece and (cleaned := _POLITE.sub("", piece.strip(" .,!?")).strip())
        ]
    return parts


def _apply(plan: Plan, part: str) -> Plan:
    for command in _COMMAND_LIST:
        changed = command(plan, part)
        if changed is not None:
            return changed
    raise NotUnderstood("This was not understood.")


_COMMAND_LIST: tuple[Callable[[Plan, str], Plan | None], ...] = (
    switch_feature, rename, remove, constrain_field, add_choice, add_fields, add_report, add_behaviour,
)  # fmt: skip
