"""Statements of keeping and of business: "we track hives", "our company sells passes"."""

import re

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.fragments import read_fragment
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import (
    is_generic,
    is_person,
    is_thing,
    parse_noun,
)
from agenticai_worker.llm.template.understand.phrases import (
    OF_EACH,
    WITH,
    attribute_like,
    is_bare_attribute,
    mentions_software,
    subject_keys,
)
from agenticai_worker.llm.template.understand.things import (
    add_entity_phrase,
    add_item,
    read_entity_list,
)


def read_manage(clause: Clause, facts: Facts) -> bool:
    """ "track bee hives", "we manage boats and skippers": the objects are things."""
    generic = clause.imperative or is_generic(parse_noun(clause.subject_text).key)
    generic = generic or is_business(clause, facts)
    if generic and not clause.imperative and _read_business(clause, facts):
        return True
    known = clause.verb in lex.MANAGE_VERBS and not clause.participle and not clause.negated
    rest = clause.rest_text.strip()
    if not known or not rest:
        return False
    single = re.match(r"(?:an?|the|this|some)\s+[\w\s-]*$", rest)
    if clause.verb in lex.BUILD_VERBS and (single or mentions_software(rest)):
        return read_fragment(rest, facts)
    keys = subject_keys(clause.subject_text, facts)
    if not generic:
        return bool(keys) and is_person(keys[0]) and _read_kept_by(keys[0], rest, facts)
    match = OF_EACH.match(rest)
    owners = subject_keys(match[2], facts) if match else []
    if match and owners and all(map(attribute_like, split_list(match[1]))):
        for item in split_list(match[1]):
            for key in owners:
                add_item(key, item, facts)
        return True
    return read_entity_list(re.sub(r"^(?:out|up|in|for|at|on|about)\s+", "", rest), facts)


_TRADING = frozenset(
    [
        "run",
        "operate",
        "own",
        "manage",
        "sell",
        "offer",
        "rent",
        "keep",
        "provide",
        "make",
        "produce",
        "buy",
        "handle",
        "store",
        "lend",
        "hire",
        "organise",
        "organize",
        "import",
        "export",
        "deal",
        "service",
        "repair",
        "train",
        "breed",
        "grow",
        "restore",
        "host",
        "have",
        "publish",
        "build",
    ]
)


def is_business(clause: Clause, facts: Facts) -> bool:
    """ "the parish keeps registers", "our crew operates 3 boats": whoever speaks, not a thing."""
    subject = parse_noun(clause.subject_text)
    ours = subject.determiner in ("our", "my") or (
        subject.determiner in ("the", "") and not facts.find(subject.key) and not facts.order
    )
    if subject.plural or not ours or clause.participle or clause.negated or not subject.key:
        return False
    listed = split_list(clause.rest_text)
    plain = bool(listed) and parse_noun(listed[0]).plural and not attribute_like(listed[0])
    return clause.verb in _TRADING and (plain or clause.verb in ("run", "operate", "own"))


def read_business(clause: Clause, facts: Facts) -> bool:
    """ "our company sells day passes at different prices": what the business deals in."""
    if clause.imperative or not is_business(clause, facts) or clause.verb in lex.MANAGE_VERBS:
        return False
    match = re.match(
        r"^(.*?)(?:\s+(?:at|for)\s+(?:different|various|an?|their own|fixed)\s+(.+))?$",
        clause.rest_text,
    )
    items = split_list(match[1]) if match else []
    keys = [parse_noun(item).key for item in items]
    done = bool(items) and read_entity_list(match[1] if match else "", facts, 1)
    if match and match[2] and attribute_like(match[2]):
        for key in filter(is_thing, keys):
            add_item(facts.find(key) or key, words.singular(match[2]), facts)
    return done


def _read_business(clause: Clause, facts: Facts) -> bool:
    """ "we run a clinic": what the whole is about, not a thing to keep."""
    single = re.match(r"(?:an?|the|my|our)\s", clause.rest_text)
    business = parse_noun(clause.rest_text)
    if (
        clause.verb not in ("run", "operate", "manage", "own", "be")
        or not single
        or business.plural
    ):
        return False
    facts.topic = facts.topic or (business.key if is_thing(business.key) else "")
    return True


def _read_kept_by(person: str, rest: str, facts: Facts) -> bool:
    """ "vets record a diagnosis and treatments": attributes belong to the record spoken of last."""
    facts.add_thing(person, 1)
    if WITH.match(rest):
        return read_entity_list(rest, facts)
    for item in split_list(rest):
        noun = parse_noun(item)
        if is_bare_attribute(item, noun) and facts.context and not is_person(facts.context):
            add_item(facts.context, item, facts)
        elif is_thing(noun.key) and not is_bare_attribute(item, noun):
            add_entity_phrase(item, facts, 2 if noun.plural or noun.determiner else 1)
    return True
