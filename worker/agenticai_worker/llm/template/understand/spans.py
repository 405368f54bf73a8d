"""When something happens and how long it takes: "starts at a time", "valid from a date to a date"."""

import re

from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.phrases import attribute_like, subject_keys
from agenticai_worker.llm.template.understand.things import add_item
from agenticai_worker.llm.template.understand.types import UNITS

_MOMENT = r"(?:(?:an?|one|the|some|its|their|given|certain|specific|particular|fixed|set)\s+)*(date|day|time|datetime|moment|hour|month|year)"
_AT = re.compile(rf"^(?:at|on|in)\s+{_MOMENT}\b(.*)$", re.IGNORECASE)
_FROM_TO = re.compile(
    rf"^(?:(\w+)\s+)?(?:from|between)\s+{_MOMENT}\s+(?:to|until|till|and|through)\s+(?:another|{_MOMENT})\b(.*)$",
    re.IGNORECASE,
)
_POINTS = frozenset(
    ["start", "begin", "end", "finish", "expire", "open", "close", "arrive", "depart", "leave"]
)
_RUNNING = frozenset(["be", "run", "last", "go", "extend", "apply"])
_LENGTHS = {
    "last": "duration",
    "take": "duration",
    "run": "duration",
    "cost": "price",
    "weigh": "weight",
    "seat": "seats",
    "accommodate": "capacity",
    "hold": "capacity",
}


def read_span(clause: Clause, facts: Facts) -> bool:
    """A moment or a period of the subject, stated by a verb; the fields that keep it."""
    if clause.negated or clause.participle or not clause.subject:
        return False
    owners = subject_keys(clause.subject_text, facts)
    items = _moment(clause) or _period(clause) or _length(clause)
    if not owners or not items:
        return False
    for owner in owners:
        for item in items:
            add_item(owner, item, facts)
    facts.context = owners[-1]
    return True


def _moment(clause: Clause) -> list[str]:
    """ "starts at a time" -> starts at, "expires on a date" -> expires on."""
    match = _AT.match(clause.rest_text)
    if clause.verb not in _POINTS or not match:
        return []
    verb = words.third_person(clause.verb)
    ending = "on" if match[1].lower() in ("date", "day", "month", "year") else "at"
    return [f"{verb} {ending}", *_attributes(match[2])]


def _period(clause: Clause) -> list[str]:
    """ "valid from a date until a date" -> valid from, valid until; "run from one date to another"."""
    match = _FROM_TO.match(clause.rest_text)
    if clause.verb not in _RUNNING or not match:
        return []
    adjective, unit = match[1], match[2].lower()
    if adjective and adjective.lower() not in ("open", "only", "always"):
        kind = "date" if unit in ("date", "day", "month", "year") else "datetime"
        names = [f"{adjective}-from ({kind})", f"{adjective}-until ({kind})"]
    else:
        dated = unit in ("date", "day", "month", "year")
        names = ["start date", "end date"] if dated else ["starts at", "ends at"]
    return [*names, *_attributes(match[4])]


def _length(clause: Clause) -> list[str]:
    """ "lasts some hours, with …", "costs between 10 and 60 euros", "takes 15 or 30 minutes"."""
    name = _LENGTHS.get(clause.verb)
    limited = r"\b(?:at most|up to|no more|not more|within|maximum|max|at least|minimum)\b"
    if not name or re.search(limited, clause.rest_text):
        return []
    said, _, tail = clause.rest_text.strip().partition(", with ")
    between = re.match(
        r"^(?:between|from)\s+(\d[\d.]*)\s+(?:and|to)\s+(\d[\d.]*)\s*([\w%€$£]*)$", said
    )
    if between:
        unit = f" in {between[3]}" if between[3].lower() in UNITS else ""
        return [f"{name}{unit} (between {between[1]} and {between[2]})", *split_list(tail)]
    vague = re.match(
        r"^(?:some|several|a few|a number of|so many|a certain number of|many|an?)\s+([a-z]+)$",
        said,
        re.I,
    )
    if vague and vague[1].lower() in UNITS:
        return [f"{name} in {vague[1]}", *split_list(tail)]
    number = re.search(r"\d[\d.]*\s*(%|[a-z€$£]+)?\s*$", said, re.IGNORECASE)
    if not number:
        return []
    unit = f" in {number[1]}" if number[1] and number[1].lower() in UNITS else ""
    return [f"{name}{unit} (e.g. {said})", *split_list(tail)]


def _attributes(tail: str) -> list[str]:
    """What a phrase brings on after the moment: ", with a note"."""
    found = re.match(r"^\s*,?\s*(?:with|and)\s+(.+)$", tail)
    items = split_list(found[1]) if found else []
    return [item for item in items if attribute_like(item)]
