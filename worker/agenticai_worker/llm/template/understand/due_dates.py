"""Reports of what is overdue or coming up."""

import re

from agenticai_core.plans import EntityField, Report
from agenticai_worker.llm.template.understand.drafts import Board, Draft, a_an, spoken
from agenticai_worker.llm.template.understand.facts import Wish
from agenticai_worker.llm.template.understand.nouns import parse_noun
from agenticai_worker.llm.template.understand.overlaps import period
from agenticai_worker.llm.template.understand.report_targets import entity_in, put_report


def add_overdue(wish: Wish, board: Board, reports: list[Report]) -> bool:
    draft = entity_in(wish.subject, board) or entity_in(wish.text, board)
    if draft is None:
        return False
    holders = [d for d in board.drafts.values() if d.event and d.references(draft.name)]
    if not draft.event and not draft.of_type("date", "datetime") and len(holders) == 1:
        draft = holders[0]
    timed = draft.of_type("date", "datetime")
    due = next(
        (f for f in timed if re.search(r"due|deadline|return|end|until|expir", f.name)), None
    )
    if due is None:
        due = EntityField(name="due_date", type="date", required=not board.changing)
        draft.put(due)
        board.assume(
            f"{a_an(draft).capitalize()} has a due date, so that one can see what is overdue."
        )
    name = f"overdue_{draft.plural}"
    text = f"{spoken(draft.plural).capitalize()} whose {spoken(due.name)} has passed and that are not finished"
    return put_report(
        reports,
        Report(name=name, kind="overdue", entity=draft.name, field=due.name, description=text),
    )


def add_upcoming(wish: Wish, board: Board, reports: list[Report]) -> bool:
    draft = entity_in(wish.subject, board) or _dated(wish.subject, board)
    if draft is None:
        return False
    dates = draft.of_type("date", "datetime")
    found = period(draft)
    if "expir" in wish.text or " due" in wish.text:
        dates = [f for f in dates if re.search(r"expir|due|until|end", f.name)] or dates
    elif found and draft.fields[found[0]].type != "time":
        dates = [draft.fields[found[0]]]
    if not dates:
        return False
    name = f"upcoming_{draft.plural}"
    text = f"{spoken(draft.plural).capitalize()} whose {spoken(dates[0].name)} lies ahead, the nearest first"
    return put_report(
        reports,
        Report(
            name=name, kind="upcoming", entity=draft.name, field=dates[0].name, description=text
        ),
    )


def _dated(text: str, board: Board) -> Draft | None:
    """ "warranty expiring soon": the thing with a date of that name."""
    key = parse_noun(text).key
    return next(
        (d for d in board.drafts.values() for f in d.of_type("date", "datetime") if key and f.name.startswith(key)),
        None,
    )  # fmt: skip
