"""What a report is about: the entity and the field that a phrase means."""

import re

from agenticai_core.plans import Report
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.drafts import Board, Draft, spoken
from agenticai_worker.llm.template.understand.facts import Wish
from agenticai_worker.llm.template.understand.limits import match_field
from agenticai_worker.llm.template.understand.nouns import parse_noun

NUMERIC = ("integer", "decimal", "float")


_EMPTY = frozenset(
    ["the", "all", "our", "number", "of", "total", "each", "different", "how", "many", "a"]
)


_TIME_UNITS = ("day", "week", "month", "year")


def put_report(reports: list[Report], report: Report) -> bool:
    if not any(r.name == report.name for r in reports):
        reports.append(report)
    return True


def entity_in(text: str, board: Board) -> Draft | None:
    """The entity that a phrase speaks of, from its head or any word in it."""
    found = board.find(parse_noun(text).key)
    if found:
        return found
    said = {words.singular(w) for w in re.findall(r"[a-z]+", text.lower())}
    near = [d for d in board.drafts.values() if d.key.rpartition("_")[2] in said]
    if near:
        return near[0]
    verbs = {words.verb_base(w) for w in re.findall(r"[a-z]+", text.lower())} - {None}
    return next(
        (d for d in board.drafts.values() for v in verbs if v and words.nominal(v) == d.key), None
    )


def group_field(text: str, draft: Draft, board: Board) -> str | None:
    """The field of an entity that a phrase after "per" names; "month" by its date is "<date>.month"."""
    key = parse_noun(text).key or words.to_snake(text)
    if key in _TIME_UNITS:
        dates = draft.of_type("date", "datetime")
        return f"{dates[0].name}.{key}" if dates else f"created_at.{key}"
    other = board.find(key)
    if other and draft.references(other.name):
        return draft.references(other.name)[0]
    field = match_field(key, draft)
    if field:
        return field
    if other and other is not draft:
        return _through(draft, other, board)
    return None


def _through(draft: Draft, other: Draft, board: Board) -> str | None:
    """A reference of a reference: an inspection's hive's apiary is "hive.apiary"."""
    for field in draft.of_type("reference"):
        middle = board.named(field.references)
        if middle and middle is not draft and middle.references(other.name):
            return f"{field.name}.{middle.references(other.name)[0]}"
    return None


def group_fields(wish: Wish, draft: Draft, board: Board) -> tuple[str, ...] | None:
    fields = [group_field(text, draft, board) for text in wish.by]
    return tuple(f for f in fields if f) if fields and all(fields) else None


def note_unused(wish: Wish, draft: Draft, board: Board) -> None:
    """ "outstanding orders by customer": all orders are counted, and that is said."""
    *before, _ = [*re.findall(r"[a-z]+", wish.subject.lower()), ""][:-1] or [""]
    known = {*draft.key.split("_"), *draft.plural.split("_")} | _EMPTY
    unused = [w for w in before if w not in known and not words.verb_readings(w)]
    if unused and not board.changing:
        board.leave_out(
            f"“{' '.join(unused)}” in “{wish.text.strip()}”: all {spoken(draft.plural)} are counted"
        )


def short_name(group: str) -> str:
    return group.rpartition(".")[2]
