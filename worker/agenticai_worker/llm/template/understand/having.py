"""Statements of having: "boats have a name", "inspections record the date"."""

import re

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand.clauses import Clause, text_of
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import is_generic, is_person, parse_noun
from agenticai_worker.llm.template.understand.phrases import (
    LEADING_PREPOSITION,
    OF_EACH,
    WITH,
    attribute_like,
    subject_keys,
)
from agenticai_worker.llm.template.understand.things import add_item

RECORDING = lex.HAVE_VERBS - lex.OWNED_VERBS


def read_have(clause: Clause, facts: Facts) -> bool:
    """ "boats have a name and a price", "inspections record the date", "we store the name of each boat"."""
    if clause.verb not in lex.HAVE_VERBS or clause.participle or not clause.rest:
        return False
    rest = re.sub(r"^(?:of|with)\s+", "", clause.rest_text.strip(), flags=re.IGNORECASE)
    rest = re.sub(
        r"^(?:the\s+)?(?:following|these)(?:\s+(?:fields|attributes|properties|information|details))?\s*:?\s*",
        "",
        rest,
    )
    owners, rest = _owners(clause, rest, facts)
    if not owners:
        return False
    items = _held(split_list(rest))
    if not items or (clause.verb in RECORDING and not _records(clause, items, facts)):
        return False
    for owner in owners:
        for item in items:
            add_item(owner, item, facts, optional=clause.modal in ("may", "might", "can", "could"))
    facts.context = owners[-1]
    return True


def _held(items: list[str]) -> list[str]:
    """ "several passengers with a name", "an age": the age is the passengers', too."""
    joined: list[str] = []
    for item in items:
        match = WITH.match(joined[-1]) if joined else None
        if (
            match
            and parse_noun(match[1]).plural
            and attribute_like(item)
            and not attribute_like(match[1])
        ):
            joined[-1] += f", {item}"
        else:
            joined.append(item)
    return joined


def _owners(clause: Clause, rest: str, facts: Facts) -> tuple[list[str], str]:
    subject = clause.subject_text
    keys = subject_keys(subject, facts)
    generic = is_generic(parse_noun(subject).key) and not (
        keys and subject.lower() in ("it", "they")
    )
    if clause.imperative or (generic and not _is_domain_user(clause)):
        if clause.lead:
            return subject_keys(LEADING_PREPOSITION.sub("", text_of(clause.lead)), facts), rest
        match = OF_EACH.match(rest)
        if match and attribute_like(split_list(match[1])[0] if split_list(match[1]) else ""):
            return subject_keys(match[2], facts), match[1]
        items = split_list(rest)
        if (
            facts.context
            and len(items) > 1
            and not clause.imperative
            and all(map(attribute_like, items))
        ):
            return [facts.context], rest
        return [], rest
    return keys, rest


def _is_domain_user(clause: Clause) -> bool:
    """ "each user has a name": then users are things of the domain."""
    return (
        clause.verb == "have"
        and parse_noun(clause.subject_text).key in ("user", "person", "admin")
        and not clause.modal
    )


def _records(clause: Clause, items: list[str], facts: Facts) -> bool:
    """Whether a record-like verb lists attributes ("records the date") rather than acts on things."""
    keys = subject_keys(clause.subject_text, facts)
    if keys and is_person(keys[0]) and clause.verb != "need":
        return False
    first = parse_noun(items[0])
    if clause.verb == "list" and parse_noun(clause.subject_text).determiner:
        return any(attribute_like(item) for item in items)
    if facts.find(first.key) and first.plural and not attribute_like(items[0]):
        return False
    return any(attribute_like(item) for item in items)
