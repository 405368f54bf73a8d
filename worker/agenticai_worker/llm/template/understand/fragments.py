"""Text without a verb: headings, labels, and lists of things."""

import re

from agenticai_worker.llm.template.understand import gaps, words
from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand.choices import parse_choices
from agenticai_worker.llm.template.understand.facts import Facts, Link
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import is_generic, is_thing, parse_noun
from agenticai_worker.llm.template.understand.phrases import WITH, is_topic, mentions_software
from agenticai_worker.llm.template.understand.things import (
    add_entity_phrase,
    add_item,
    read_complemented,
    read_entity_list,
    read_with,
)

_FOR_EACH = re.compile(
    r"^([\w -]+?)\s+(?:\w+ed\s+)?(?:(?:for|of|in|by)\s+(?:each|every)|per)\s+([\w -]+?)(?:\s+with\s+(.+)|\s*(\(.+\)))?$",
    re.I,
)  # fmt: skip


def _read_for_each(match: re.Match[str], facts: Facts) -> bool:
    """ "invoices for each case with amount and due date"."""
    source = add_entity_phrase(f"{match[1]} {match[4] or ''}", facts).key
    target = add_entity_phrase(match[2], facts).key
    facts.links.append(Link(facts.find(source) or source, facts.find(target) or target, "one"))
    return read_with(match[1], match[3], facts) if match[3] else True


def read_fragment(text: str, facts: Facts) -> bool:
    """Text without a verb: "Booking API for boats", "Pet (name, species)", "customers, orders"."""
    text = text.strip(" .:")
    outside = re.sub(r"\([^()]*\)", "", text)
    match = re.match(
        r"^([^(),]*?)\s+(?:with|for|of|to|including|featuring|about|around)\s+(.+)$", text, re.I
    )
    head = match[1] if match else text
    if mentions_software(head) or is_topic(head):
        return _read_software(head, match[2] if match else "", text, facts)
    each = _FOR_EACH.match(text)
    if each and is_thing(parse_noun(each[1]).key) and is_thing(parse_noun(each[2]).key):
        return _read_for_each(each, facts)
    if (
        match
        and re.search(r"\s(?:with|including)\s", outside)
        and is_thing(parse_noun(match[1]).key)
    ):
        found = WITH.match(text)
        if found:
            return read_with(found[1], found[2], facts)
    dash = re.match(r"^([A-Za-z][\w ]{1,40}?)\s+-\s+(.+)$", text)
    if dash and is_thing(parse_noun(dash[1]).key) and "," in dash[2]:
        return read_labelled(dash[1], dash[2], facts)
    if "," not in text and read_complemented(text, facts):
        return True
    if len(re.findall(r"\w+", outside)) > 6 and "," not in outside and "(" not in text:
        return False
    title = not facts.order and "," not in text and "(" not in text and " and " not in text
    return read_entity_list(text, facts, 1 if title else 2)


def _read_software(head: str, tail: str, text: str, facts: Facts) -> bool:
    """ "Inventory API with warehouses …": the head gives the topic, the rest the things."""
    gaps.read_gap(head, facts)
    found = [
        w for w in re.findall(r"[a-z]+(?:-[a-z]+)*", head.lower()) if w not in lex.EMPTY_ADJECTIVES
    ]
    while found and (found[-1] in lex.TOPIC_HEADS or found[-1] in lex.SOFTWARE_HEADS):
        found.pop()
    topic = parse_noun(" ".join(w for w in found if w not in lex.SOFTWARE_HEADS)).key
    facts.topic = facts.topic or (topic if is_thing(topic) else "")
    if not tail:
        return True
    joined = re.search(r"\b(with|including|featuring)\s+(.+)$", text, re.IGNORECASE)
    whose = re.match(r"^.+?\s+to\s+([a-z]+)\s+(.+)$", tail, re.IGNORECASE)
    if whose and whose[1].lower() in lex.MANAGE_VERBS:
        return read_entity_list(whose[2], facts)
    gerund = re.match(r"^([a-z]+ing)\s+(.+)$", tail, re.IGNORECASE)
    if gerund and words.verb_base(gerund[1].lower(), "ing"):
        base = words.verb_base(gerund[1].lower(), "ing")
        read_entity_list(gerund[2], facts)
        return base is not None
    purpose = re.search(
        r"\bfor\s+(.+?)(?:\s+(?:with|including|featuring)\s|$)", text, re.IGNORECASE
    )
    if purpose and not joined:
        _read_purpose(purpose[1], facts)
    if joined:
        read_entity_list(joined[2], facts)
        if purpose and not facts.topic:
            _read_purpose(purpose[1], facts, topic_only=True)
    elif not purpose:
        read_entity_list(tail, facts, 1)
    return True


def _read_purpose(text: str, facts: Facts, *, topic_only: bool = False) -> None:
    """ "for a boat charter" names the business, "for boats, skippers and trips" the things."""
    items = split_list(text)
    for item in items:
        noun = parse_noun(item)
        if not is_thing(noun.key):
            continue
        if topic_only or (noun.determiner in ("a", "an", "the", "my", "our") and not noun.plural):
            facts.topic = facts.topic or noun.key
        else:
            facts.add_thing(facts.find(noun.key) or noun.key, 2 if len(items) > 1 else 1)


def read_labelled(label: str, text: str, facts: Facts) -> bool:
    """ "Pet: name, species": the label is a thing, a field, or a heading."""
    noun = parse_noun(label)
    head = noun.head
    if "->" in text and is_thing(noun.key) and (states := parse_choices(text)):
        owner = facts.find(noun.key) or noun.key
        facts.add_thing(owner, 2)
        facts.states[owner] = states
        return True
    if head in ("status", "state", "stage") and facts.context:
        add_item(facts.context, f"{head}: {text}", facts)
        return True
    if head in ("field", "attribute", "property", "detail", "column") and facts.context:
        owner = facts.find(parse_noun(label.rsplit(" ", 1)[0]).key) or facts.context
        for item in split_list(text):
            add_item(owner, item, facts)
        return True
    if is_generic(noun.key) or not is_thing(noun.key):
        return read_entity_list(text, facts)
    if owner := read_complemented(label, facts):
        for item in split_list(text):
            add_item(owner, item, facts)
        facts.context = owner
        return True
    if is_topic(label) or mentions_software(label):
        _read_software(label, "", label, facts)
        return read_entity_list(text, facts)
    owner = facts.find(noun.key) or noun.key
    facts.add_thing(owner, 2)
    for item in split_list(text):
        add_item(owner, item, facts)
    facts.context = owner
    return True
