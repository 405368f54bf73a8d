"""The states that a thing can be in: "a booking can be requested, confirmed or cancelled"."""

import re

from agenticai_worker.llm.template.understand import types, words
from agenticai_worker.llm.template.understand.choices import parse_choices
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.nouns import is_generic, parse_noun
from agenticai_worker.llm.template.understand.phrases import subject_keys
from agenticai_worker.llm.template.understand.things import add_item


def read_states(clause: Clause, facts: Facts) -> bool:
    """ "a booking can be requested, confirmed or cancelled", "goes through draft and published"."""
    text = "" if clause.negated else _listed_states(clause)
    if not text or re.search(
        r"\b(?:by|than|from|every|each|when|until|only|per|twice|after|before)\b|\d", text
    ):
        return False
    choices = parse_choices(text)
    if clause.participle in ("mark", "flag") and not choices:
        choices = ("open", words.to_snake(text))
    offered = re.search(r"\bor\b|\beither\b|\bthen\b|->", clause.rest_text)
    if not choices or not (clause.modal or clause.verb != "be" or offered):
        return False
    owner, field_name = _state_owner(clause.subject_text, facts)
    if not owner:
        return False
    if field_name != "status":
        add_item(owner, f"{field_name}: {' | '.join(choices)}", facts)
        return True
    facts.add_thing(owner, 2)
    facts.states[owner] = tuple(dict.fromkeys((*facts.states.get(owner, ()), *choices)))
    facts.context = owner
    return True


def _listed_states(clause: Clause) -> str:
    """The part of the clause that may list states; "" if its verb brings none."""
    text = clause.rest_text.strip(" ,")
    if clause.verb == "be" and clause.participle in ("mark", "set", "flag"):
        text = re.sub(r"^(?:as|to)\s+", "", text)
    elif clause.verb == "be" and clause.participle:
        comma = "," if clause.rest_text.startswith(",") else ""
        text = f"{words.participle(clause.participle)}{comma} {text}"
    elif clause.verb in ("go", "move", "pass", "progress", "advance", "transition", "change"):
        found = re.match(
            r"^(?:through|from|between)\s+(?:the (?:states|stages|steps|phases)\s*:?\s*)?(.+)$",
            text,
        )
        if not found or (clause.verb == "move" and " to " not in text and "," not in text):
            return ""
        text = re.sub(r"\s+(?:and then|then|to|and)\s+", ", ", found[1])
    elif clause.verb != "be":
        return ""
    return re.sub(
        r"\b(?:either|one of|in one of|these|the following|states?|statuses)\b\s*:?", " ", text
    )


def _state_owner(subject: str, facts: Facts) -> tuple[str, str]:
    """The thing and the field: "booking", "the status of a booking", "its status", "a pet's size"."""
    match = re.match(
        r"^(?:the|its|their|an?)?\s*(\w+)\s+of\s+(.+)$|^(.+?)(?:'s?)\s+([\w ]+)$", subject, re.I
    )
    if match:
        owner = subject_keys(match[2] or match[3], facts)
        name = words.to_snake(match[1] or match[4])
        return (owner[0] if owner else "", "status" if name in ("status", "state") else name)
    head = re.sub(r"^(?:the|its|their|an?)\s+", "", subject.strip(), flags=re.IGNORECASE).lower()
    if head in ("status", "state", "statuses", "states"):
        return facts.context, "status"
    noun = parse_noun(subject)
    if noun.head == "status" and (owner_key := facts.find(noun.key.removesuffix("_status"))):
        return owner_key, "status"
    if types.is_attribute_head(noun.head) and not facts.find(noun.key) and facts.context:
        return facts.context, noun.key
    keys = subject_keys(subject, facts)
    return (keys[0] if keys and not is_generic(keys[0]) else ""), "status"
