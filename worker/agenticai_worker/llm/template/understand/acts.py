"""Acts of the domain: somebody does something to a thing."""

import re

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import types, words
from agenticai_worker.llm.template.understand.act_outcomes import note_act
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.extras import split_extras
from agenticai_worker.llm.template.understand.facts import Act, Extras, Facts
from agenticai_worker.llm.template.understand.links import read_joining, read_origin
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import (
    is_event,
    is_generic,
    is_person,
    is_thing,
    parse_noun,
)
from agenticai_worker.llm.template.understand.phrases import attribute_like, subject_keys
from agenticai_worker.llm.template.understand.things import (
    add_entity_phrase,
    add_item,
    read_entity_list,
)
from agenticai_worker.llm.template.understand.transitions import is_creation, is_handed

# Verbs of management that tell an act all the same.
_ACTS = lex.LIGHT_VERBS | {"schedule", "request", "register", "use", "plan", "report"}


def read_act(clause: Clause, facts: Facts) -> bool:
    """Somebody does something to a thing; a record of it, or a link, will say so."""
    if clause.negated or not (clause.rest or clause.participle) or not _tells_act(clause, facts):
        return False
    if clause.participle:
        return _read_passive_act(clause, facts)
    return _read_active_act(clause, facts)


def _tells_act(clause: Clause, facts: Facts) -> bool:
    """Whether the verb tells an act, and not what a thing is, has or becomes."""
    verb = clause.participle or clause.verb
    state_verb = verb.replace("-", "_")
    if verb in ("be", "have", "do", "can", "go", "be able", ""):
        return False
    return (
        state_verb not in lex.STATE_VERBS
        or is_creation(clause)
        or is_handed(state_verb, clause, facts)
    )


def _read_active_act(clause: Clause, facts: Facts) -> bool:
    """ "customers book boats from … to …"."""
    subject = parse_noun(clause.subject_text).key
    actors = subject_keys(clause.subject_text, facts) if clause.subject else []
    target, extras = split_extras(clause.rest_text)
    by_event = bool(actors) and is_event(actors[0])
    if not by_event and read_joining(clause.verb, target, extras, facts):
        return True
    by_thing = bool(actors) and not is_person(actors[0]) and not is_generic(subject)
    if not by_thing and clause.verb in lex.MANAGE_VERBS - _ACTS:
        return False
    generic = is_generic(subject) and not any(facts.strength.get(a, 0) > 1 for a in actors)
    if clause.imperative or (not generic and not actors):
        return False
    if clause.subject_text.lower() in ("we", "i"):
        return read_entity_list(target, facts, 1)  # what the business does, not who does what
    if actors and _add_to_record(actors[0], target, extras, facts):
        return True
    return _note_targets("" if generic else actors[0], clause, target, extras, facts)


def _note_targets(actor: str, clause: Clause, target: str, extras: Extras, facts: Facts) -> bool:
    """Note the act for each thing that it is done to."""
    done = False
    for item in split_list(re.sub(r"^(?:up|for|in|out|on|to|at|with)\s+", "", target)):
        noun = parse_noun(item)
        attribute = types.is_attribute_head(noun.head) and not facts.find(noun.key)
        if not is_thing(noun.key) or attribute:
            continue
        add_entity_phrase(item, facts)
        key = facts.find(noun.key) or noun.key
        act = Act(actor, clause.verb, key, extras, actor_word=clause.subject_text.lower())
        note_act(act, facts, plural=noun.plural, many=noun.many, optional=bool(clause.modal))
        done = True
    return done


def _add_to_record(actor: str, target: str, extras: Extras, facts: Facts) -> bool:
    """ "members rent plots and pay a fee", "… and leave a report with a rating": of that rental."""
    last = next((act for act in reversed(facts.acts) if act.actor == actor), None)
    if last is None:
        return False
    record = words.nominal(last.verb)
    items = split_list(target)
    bare = [item for item in items if not attribute_like(item)]
    if bare and not all(parse_noun(item).head in lex.VAGUE for item in bare):
        return False
    told = [
        phrase
        for preposition, text in extras
        if preposition == "with"
        for phrase in split_list(text)
    ]
    found = [item for item in (*(i for i in items if i not in bare), *told) if attribute_like(item)]
    for item in found:
        add_item(record, item, facts)
    return bool(found)


def _read_passive_act(clause: Clause, facts: Facts) -> bool:
    """ "boats can be booked by customers from … to …"."""
    text = clause.rest_text
    by = re.search(
        r"\bby\s+((?:an?|the|one|each)?\s*[\w ]+?)(?=\s+(?:from|to|on|at|for|with|in|using|via)\b|[,.]|$)",
        text,
    )
    targets = subject_keys(clause.subject_text, facts)
    if not targets or (clause.participle in lex.MANAGE_VERBS - lex.LIGHT_VERBS and not by):
        return False
    actor_noun = parse_noun(by[1]) if by else None
    actor = ""
    if actor_noun and not is_generic(actor_noun.key) and is_thing(actor_noun.key):
        facts.add_thing(actor_noun.key, 2)
        actor = facts.find(actor_noun.key) or actor_noun.key
    elif not by and clause.participle not in words.verb_forms():
        return False
    rest = text.replace(by[0], " ") if by else text
    _, extras = split_extras(f"x {rest}")
    if not by and not clause.modal and read_origin(targets, clause.participle, extras, facts):
        return True
    for target in targets:
        act = Act(actor, clause.participle, target, extras)
        note_act(act, facts, plural=True, optional=bool(clause.modal))
    return True
