"""Acts of the domain: somebody does something to a thing."""

import re

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import types, words
from agenticai_worker.llm.template.understand.act_traces import note_act
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.extras import split_extras
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.joins import JOINING, read_joining, read_origin
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.moves import is_creation, is_handed
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


def read_act(clause: Clause, facts: Facts) -> bool:  # noqa: PLR0911
    """Somebody does something to a thing; a record of it, or a link, will say so."""
    if clause.negated or not (clause.rest or clause.participle):
        return False
    verb = clause.participle or clause.verb
    handed = is_handed(verb.replace("-", "_"), clause, facts)
    if verb in ("be", "have", "do", "can", "go", "be able", "") or (
        verb.replace("-", "_") in lex.STATE_VERBS and not is_creation(clause) and not handed
    ):
        return False
    if clause.participle:
        return _read_passive_act(clause, facts)
    subject = parse_noun(clause.subject_text)
    actors = subject_keys(clause.subject_text, facts) if clause.subject else []
    target_text, extras = split_extras(clause.rest_text)
    if (
        verb in JOINING
        and not (actors and is_event(actors[0]))
        and read_joining(target_text, extras, facts)
    ):
        return True
    thing = bool(actors) and not is_person(actors[0]) and not is_generic(subject.key)
    if (
        not thing
        and verb
        in lex.MANAGE_VERBS
        - {"schedule", "request", "register", "use", "plan", "report"}
        - lex.LIGHT_VERBS
    ):
        return False
    generic = is_generic(subject.key) and not any(
        a in facts.strength and facts.strength[a] > 1 for a in actors
    )
    if clause.imperative or (not generic and not actors):
        return False
    if clause.subject_text.lower() in ("we", "i"):
        return read_entity_list(target_text, facts, 1)  # what the business does, not who does what
    if actors and _add_to_record(actors[0], target_text, extras, facts):
        return True
    done = False
    for item in split_list(re.sub(r"^(?:up|for|in|out|on|to|at|with)\s+", "", target_text)) or []:
        noun = parse_noun(item)
        if is_thing(noun.key) and not (
            types.is_attribute_head(noun.head) and not facts.find(noun.key)
        ):
            add_entity_phrase(item, facts)
            target = facts.find(noun.key) or noun.key
            note_act(
                "" if generic else actors[0],
                verb,
                target,
                extras,
                clause,
                facts,
                plural=noun.plural,
                many=noun.many,
            )
            done = True
    return done


def _add_to_record(
    actor: str, target: str, extras: tuple[tuple[str, str], ...], facts: Facts
) -> bool:
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
        note_act(actor, clause.participle, target, extras, clause, facts, plural=True)
    return True
