"""Statements that put two things together: "assign a vet to an appointment"."""

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import types, words
from agenticai_worker.llm.template.understand.facts import Extras, Facts, Link
from agenticai_worker.llm.template.understand.nouns import is_person, is_thing, parse_noun
from agenticai_worker.llm.template.understand.phrases import attribute_like
from agenticai_worker.llm.template.understand.things import add_item

_JOINING = lex.word_set(
    "assign attach link allocate connect add invite move put place distribute tag associate"
)


def read_joining(verb: str, target: str, extras: Extras, facts: Facts) -> bool:
    """ "assign a vet to an appointment": the appointment refers to a vet."""
    if verb not in _JOINING:
        return False
    for preposition, phrase in extras:
        owner = facts.find(parse_noun(phrase).key)
        noun = parse_noun(target)
        if preposition not in ("to", "in", "with", "on", "at", "into") or not is_thing(noun.key):
            continue
        if owner is None and preposition == "to" and is_thing(parse_noun(phrase).key):
            owner = parse_noun(phrase).key
            facts.add_thing(owner, 2)
        if owner is None or (types.is_attribute_head(noun.head) and not facts.find(noun.key)):
            continue
        facts.add_thing(facts.find(noun.key) or noun.key, 2)
        other = facts.find(noun.key) or noun.key
        facts.links.append(Link(owner, other, "many" if noun.plural else "one", optional=True))
        return True
    return False


def read_origin(targets: list[str], verb: str, extras: Extras, facts: Facts) -> bool:
    """ "flushes are picked from bags", "batches are mixed on a date": told of the thing itself."""
    done = False
    for preposition, phrase in extras:
        noun = parse_noun(phrase)
        key = facts.find(noun.key) or noun.key
        for target in targets:
            if preposition in ("on", "at") and noun.key.rpartition("_")[2] in (
                "date",
                "day",
                "time",
            ):
                add_item(target, f"{words.participle(verb)} {preposition}", facts)
            elif not is_thing(noun.key) or is_person(noun.key) or attribute_like(phrase):
                continue
            elif preposition == "into" and noun.plural:
                facts.add_thing(key, 2)
                facts.links.append(Link(key, target, "one"))
            elif preposition in ("from", "in") and (noun.plural or noun.determiner):
                facts.add_thing(key, 2)
                facts.links.append(Link(target, key, "one"))
            else:
                continue
            facts.add_thing(target, 2)
            done = True
    return done
