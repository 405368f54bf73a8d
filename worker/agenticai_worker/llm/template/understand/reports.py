"""Wishes turned into reports, filters and searches over the entities there are."""

import re

from agenticai_core.plans import Report
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.attributes import parse_attribute
from agenticai_worker.llm.template.understand.drafts import Board, Draft, a_an, spoken
from agenticai_worker.llm.template.understand.due_dates import add_overdue, add_upcoming
from agenticai_worker.llm.template.understand.facts import Facts, Wish
from agenticai_worker.llm.template.understand.limits import match_field
from agenticai_worker.llm.template.understand.nouns import parse_noun
from agenticai_worker.llm.template.understand.report_targets import entity_in, group_field
from agenticai_worker.llm.template.understand.stock import add_low_stock, add_stock
from agenticai_worker.llm.template.understand.totals import add_count, add_most, add_sum


def add_reports(facts: Facts, board: Board, reports: list[Report]) -> None:
    """Append to ``reports``; what cannot be mapped is left out by name."""
    for wish in facts.wishes:
        made = _HANDLERS[wish.kind](wish, board, reports)
        if not made:
            board.leave_out(
                f"Not understood as a figure, list or search over the data: “{wish.text[:140]}”"
            )


def _filter(wish: Wish, board: Board, _reports: list[Report]) -> bool:
    draft = entity_in(wish.subject, board)
    if draft is None:
        return False
    done = bool(wish.by)
    for text in wish.by:
        field = group_field(re.sub(r"\s+range$", "", text), draft, board)
        if (
            field is None
            and (attribute := parse_attribute(text))
            and not board.find(attribute.key)
            and not board.changing
        ):
            draft.put(attribute.field.model_copy(update={"required": False}))
            field = attribute.field.name if attribute.field.name in draft.fields else None
            if field:
                board.assume(
                    f"{a_an(draft).capitalize()} has a {spoken(field)}, because one can filter by it."
                )
        if field is None or "." in field:
            done = False
        elif field not in draft.filters:
            draft.filters.append(field)
    return done


def _search(wish: Wish, board: Board, reports: list[Report]) -> bool:
    """Text fields are searched, all others filtered by."""
    draft = entity_in(wish.subject, board)
    if draft is None:
        return False
    rest: list[str] = []
    for text in wish.by:
        field = match_field(parse_noun(text).key or words.to_snake(text), draft)
        if field and draft.fields[field].type in ("string", "text", "email", "phone"):
            draft.search.append(field)
        else:
            rest.append(text)
    return not rest or _filter(Wish("filter", wish.subject, tuple(rest), wish.text), board, reports)


def _state(wish: Wish, board: Board, _reports: list[Report]) -> bool:
    """ "unpaid invoices", "approved requests": a filter on a flag or a state, if there is one."""
    draft = entity_in(wish.subject, board)
    word = words.to_snake(wish.by[0])
    if draft is None:
        return False
    records = [d for d in board.drafts.values() if d.event and d.references(draft.name)]
    return any(_filter_state(word, one) for one in (draft, *records))


def _filter_state(word: str, draft: Draft) -> bool:
    bare = {word, word.removeprefix("un"), word.removeprefix("in")}
    for field in draft.fields.values():
        flag = field.type == "boolean" and field.name.removeprefix("is_") in bare
        if flag or word in field.choices:
            if field.name not in draft.filters:
                draft.filters.append(field.name)
            return True
    return False


def _other(_wish: Wish, _board: Board, _reports: list[Report]) -> bool:
    return False


_HANDLERS = {
    "state": _state, "other": _other,
    "count": add_count, "sum": add_sum, "most": add_most, "overdue": add_overdue, "upcoming": add_upcoming,
    "low_stock": add_low_stock, "stock": add_stock, "filter": _filter, "search": _search,
}  # fmt: skip
