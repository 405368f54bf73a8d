"""Moves from one state to another: "customers can cancel bookings"."""

import re

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.extras import split_extras
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import (
    is_event,
    is_generic,
    is_person,
    is_thing,
    parse_noun,
)
from agenticai_worker.llm.template.understand.phrases import subject_keys

_PARTICLES = re.compile(r"^(in|out|off|up|down|over|back|away)\b\s*")
_HANDED = lex.word_set("dispatch check_out release ship deliver issue")


def read_transitions(clause: Clause, facts: Facts) -> bool:
    """ "customers can cancel bookings", "loans are approved by staff", "check out a tool"."""
    verb, rest, passive = _transition_verb(clause)
    if not verb or clause.negated or is_creation(clause) or is_handed(verb, clause, facts):
        return False
    keys = subject_keys(clause.subject_text, facts) if passive else _objects(clause, rest, facts)
    keys = [
        key for key in keys if key in facts.strength or key in facts.known or _is_later_record(key)
    ]
    for key in keys:
        facts.transitions.append((verb, key))
    return bool(keys)


def _objects(clause: Clause, rest: str, facts: Facts) -> list[str]:
    """The things that stand behind the verb, or in front of it if nothing does."""
    first, *_ = rest.lower().split() or [""]
    if first in ("it", "them", "these", "those"):
        keys = [facts.context] if facts.context else []
    else:
        target = re.split(
            r"\s+(?:within|by|before|after|for|from|to|at|on|in|until|with|if)\b", rest
        )[0]
        nouns = [parse_noun(item).key for item in split_list(target)]
        keys = [facts.find(key) or key for key in nouns if key]
    if not keys and not first:
        return [k for k in subject_keys(clause.subject_text, facts) if not is_person(k)]
    return keys


def is_handed(verb: str, clause: Clause, facts: Facts) -> bool:
    """ "volunteers are dispatched to incidents", "a tool is checked out to a member": a record."""
    match = re.match(r"^(?:out\s+)?(?:to|by)\s+(.+)$", clause.rest_text.strip())
    if verb not in _HANDED or not clause.participle or not match:
        return False
    other = parse_noun(split_extras(match[1])[0])
    if not is_thing(other.key) or is_generic(other.key):
        return False
    return is_person(other.key) or (
        is_person(parse_noun(clause.subject_text).key) and bool(facts.find(other.key))
    )


def _is_later_record(key: str) -> bool:
    """A record that an act will leave: "approve rental requests", "cancel bookings"."""
    return is_event(key) or key.endswith(("_request", "_record", "_entry"))


def _transition_verb(clause: Clause) -> tuple[str, str, bool]:
    """The verb ("" if it moves nothing), what stands behind it, and whether it is passive."""
    rest = clause.rest_text.strip()
    verb = (clause.participle or clause.verb).replace("-", "_")
    passive = bool(clause.participle)
    particle = _PARTICLES.match(rest)
    if particle and f"{verb}_{particle[1]}" in lex.STATE_VERBS:
        return f"{verb}_{particle[1]}", rest[particle.end() :], passive
    split = re.match(r"^(.*?)\s+(in|out)$", rest)
    if split and f"{verb}_{split[2]}" in lex.STATE_VERBS:
        return f"{verb}_{split[2]}", split[1], passive
    if verb == "mark" and not passive:
        marked = re.match(r"^(.*?)\s+as\s+(?:being\s+)?([\w -]+)$", rest)
        if marked:
            return f"mark_{words.to_snake(marked[2])}", marked[1], False
    return (verb if verb in lex.STATE_VERBS else ""), rest, passive


def is_creation(clause: Clause) -> bool:
    """ "customers submit jobs with a file name": submitting makes the job, it does not move one."""
    return clause.verb in lex.LIGHT_VERBS and not clause.participle and " with " in clause.rest_text
