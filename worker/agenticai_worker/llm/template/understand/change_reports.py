"""Commands that ask for filters, searches and reports."""

import re

from agenticai_core.plans import Plan
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.commands import rebuild, refuse_unbuildable
from agenticai_worker.llm.template.understand.drafts import board_of, spoken
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.reports import add_reports
from agenticai_worker.llm.template.understand.targets import (
    NotUnderstood,
    find_entity,
    owner_and_field,
)
from agenticai_worker.llm.template.understand.wishes import read_one_wish


def add_report(plan: Plan, part: str) -> Plan | None:
    """Filters, searches and reports."""
    text = re.sub(
        r"^(?:(?:add|create|make|provide|introduce|support|allow|enable|include)\s+)?(?:users?\s+to\s+|people to\s+|us to\s+)?(?:(?:an?|the|new)\s+)*(?:(?:endpoint|route|way|ability|option|possibility|page|view|report|statistic|list|figure|query|api)s?\s+)?(?:(?:to|that|which|for|of|on|about|showing|with|where one can|giving|returning)\s+)?(?:shows?\s+|returns?\s+|gives?\s+)?",
        "", part, flags=re.I,
    )  # fmt: skip
    text = re.sub(
        r"^(list|filter|search|find|get|sort|show|count|return)(?:s|es|ing|ering)\b",
        r"\1",
        text,
        flags=re.I,
    )
    text = re.sub(
        r"^(?:a )?(filter|search)(?:ing)?\s+(?:of|for|on|over|in)\s+(.+?)\s+(?:by|on|of|for|in)\s+",
        lambda m: f"{m[1]} {m[2]} by ",
        text,
        flags=re.I,
    )
    text = re.sub(
        r"^(filter)\s+by\s+(.+?)\s+(?:to|on|for|in|of)\s+(?:the\s+)?(.+)$",
        r"\1 \3 by \2",
        text,
        flags=re.I,
    )
    by_only = re.match(r"^(filter|search)s?\s+(?:\w+\s+)?by\s+([\w ]+)$", text, re.I)
    if by_only and not find_entity(plan, text.split(" by ")[0].split(" ", 1)[-1]):
        text = _complete_filter(plan, by_only[1], by_only[2])
    wants = re.search(
        r"\b(?:filter|search|list|report|endpoint|how many|number of|count|total|sum|per|overdue|upcoming|stock|most|find|get|sort|show)\b",
        part,
        re.I,
    )
    if not wants or not _is_wish(text, part):
        return None
    refuse_unbuildable(re.sub(r"\bendpoint\b|\bquery\b", "", part))
    facts = Facts(known=frozenset(board_of(plan).drafts))
    if not read_one_wish(text, facts):
        return None
    board, reports = board_of(plan), list(plan.reports)
    add_reports(facts, board, reports)
    if board.not_covered:
        raise NotUnderstood(_why_no_wish(plan, facts))
    if [d.to_entity() for d in board.drafts.values()] == list(plan.entities) and reports == list(
        plan.reports
    ):
        raise NotUnderstood(_already(plan, facts))
    return rebuild(plan, board, reports, Facts())


def _is_wish(text: str, part: str) -> bool:
    return not re.match(r"^(?:remove|rename|make)\b", part, re.I) and len(text.split()) > 1


def _complete_filter(plan: Plan, verb: str, field: str) -> str:
    """ "an endpoint that filters by status": the entity with that field."""
    found = owner_and_field(plan, field)
    if found is None:
        raise NotUnderstood(f"no field “{field}” is known to filter by.")
    return f"{verb} {spoken(found[0].plural)} by {spoken(found[1])}"


def _already(plan: Plan, facts: Facts) -> str:
    wish = facts.wishes[0]
    entity = find_entity(plan, wish.subject)
    if entity is None or wish.kind not in ("filter", "search"):
        return "the project already has this report."
    options = [
        *entity.filters,
        *(["q (search in " + ", ".join(entity.search) + ")"] if entity.search else []),
    ]
    return f"the project already has this: GET /{entity.plural} takes {words.join_words(options)}."


def _why_no_wish(plan: Plan, facts: Facts) -> str:
    wish = facts.wishes[0]
    if wish.kind in ("sum", "most") and not find_entity(plan, wish.subject):
        return f"no number called “{wish.subject}” is kept that could be added up per {words.join_words(list(wish.by))}."
    entity = find_entity(plan, wish.subject)
    if entity is None:
        return f"nothing called “{wish.subject}” is known that this could be read from."
    have = ", ".join(f.name for f in entity.fields)
    return (
        f"{entity.name} has no field for “{words.join_words(list(wish.by))}”; it has {have}."
        if wish.by
        else "no field fits."
    )
