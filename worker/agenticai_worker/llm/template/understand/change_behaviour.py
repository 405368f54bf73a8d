"""Commands that say what a description could say as well, read as statements."""

import re

from agenticai_core.plans import Plan
from agenticai_worker.llm.template.understand import gaps, words
from agenticai_worker.llm.template.understand.commands import TECHNICAL, rebuild, refuse_unbuildable
from agenticai_worker.llm.template.understand.drafts import board_of, spoken
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.reading import read
from agenticai_worker.llm.template.understand.targets import NotUnderstood


def add_behaviour(plan: Plan, part: str) -> Plan | None:
    """Everything that a description could say as well: things, relations, verbs, rules."""
    text = _as_statement(part)
    board, reports = board_of(plan), list(plan.reports)
    facts = read(text, frozenset(board.drafts))
    if facts.not_covered:
        raise NotUnderstood(
            f"this asks for {gaps.find_gap(text) or gaps.find_gap(part)}, which the built-in engine does not build."
        )
    if TECHNICAL.search(part) and not (facts.transitions or facts.rules):
        refuse_unbuildable(part)
    if facts.not_understood:
        raise NotUnderstood(f"“{facts.not_understood[0]}” was not understood.")
    _refuse_baseless(text, facts)
    return rebuild(plan, board, reports, facts)


def _as_statement(part: str) -> str:
    """Commands as statements: "allow cancelling a booking" -> "cancel a booking"."""
    text = re.sub(
        r"^(?:add|create|introduce|make)\s+(?:an?\s+|the\s+)?(?:new\s+)?(?:entity|model|table|resource)\s+(?:called\s+|named\s+|for\s+)?",
        "add ",
        part,
        flags=re.I,
    )
    text = re.sub(
        r"^(add|create|introduce)\s+(?:an?|the)?\s*(?:new\s+)?([\w -]+?)\s+(?:entity|model|table|resource)\b",
        _pluralized,
        text,
        flags=re.I,
    )
    text = re.sub(
        r"^(?:add|create|introduce)\s+(?:an?\s+)?([A-Za-z][\w -]*?)\s+(?=with\b|\(|:)",
        lambda m: f"add {_plural_phrase(m[1])} ",
        text,
        flags=re.I,
    )
    text = re.sub(
        r"^(?:add|create|provide|support)\s+(?:an?\s+|the\s+)?(?:endpoint|route|way|ability|option|possibility)\s+(?:to|for|that lets users)\s+",
        "allow to ",
        text,
        flags=re.I,
    )
    text = re.sub(
        r"^add\s+(?:an?\s+|the\s+)?(?:(?:rule|constraint|validation|check)\s+(?:that\s+)?)",
        "",
        text,
        flags=re.I,
    )
    text = re.sub(r"^(?:ensure|make sure|check|validate)\s+(?:that\s+)?", "", text, flags=re.I)
    action = re.match(
        r"^add\s+(?:an?\s+|the\s+)?(\w+)\s+(?:action|transition|operation|button|verb|step)\s+(?:to|for|on)\s+(.+)$",
        text,
        re.I,
    )
    if action:
        return f"users can {action[1].lower()} {action[2]}"
    allowed = re.match(
        r"^(?:allow|let|enable|support|make it possible)\s+(?:for\s+)?(.*?)\s*(?:to\s+)?(\w+)(\s+.*)?$",
        text,
        re.I,
    )
    if allowed and re.match(r"^(?:allow|let|enable|support)\b", text, re.I):
        return _allow(text)
    return text


def _pluralized(match: re.Match[str]) -> str:
    return f"add {_plural_phrase(match[2])}"


def _plural_phrase(text: str) -> str:
    *before, last = text.split()
    pascal = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", last).lower().split()
    *mid, head = pascal
    return " ".join([*before, *mid, head if words.is_plural(head) else words.plural(head)])


def _allow(text: str) -> str:
    rest = re.sub(r"^(?:allow|let|enable|support)\s+(?:for\s+|the\s+)?", "", text, flags=re.I)
    found = rest.split()
    for at, word in enumerate(found):
        base = words.verb_base(word.lower(), "ing") if at == 0 else None
        if base:
            return f"users can {base} {' '.join(found[1:])}"
        if word.lower() == "to" and at < 4:
            return f"{' '.join(found[:at]) or 'users'} can {' '.join(found[at + 1 :])}"
        if at > 0 and words.verb_base(word.lower(), "base"):
            return f"{' '.join(found[:at])} can {' '.join(found[at:])}"
    return rest


def _refuse_baseless(text: str, facts: Facts) -> None:
    """A new thing must be asked for: by "add" and a plural, or by what is said about it."""
    linked = {part for link in facts.links for part in (link.source, link.target)}
    acted = {part for act in facts.acts for part in (act.actor, act.target)}
    for key in facts.order:
        if key in facts.known or facts.attributes.get(key) or key in linked | acted:
            continue
        asked = re.match(
            r"^(?:add|track|introduce|create|include|manage|store|register|we need|support)\b",
            text,
            re.I,
        )
        plural = re.search(rf"\b{words.plural(key.rpartition('_')[2])}\b", text, re.I)
        if not asked or not plural or gaps.find_gap(text):
            raise NotUnderstood(f"it is not clear what “{spoken(key)}” should be.")
    facts.topic = ""
