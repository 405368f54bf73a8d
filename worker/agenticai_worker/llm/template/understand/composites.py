"""Attributes of a thing that come with parts: described things, persons, composites."""

import re

from agenticai_worker.llm.template.understand.attributes import (
    Attribute,
    parse_attribute,
    with_field,
)
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import is_thing, parse_noun
from agenticai_worker.llm.template.understand.phrases import attribute_like


def read_described(owner: str, head: str, tail: str, facts: Facts) -> bool:
    """ "a contact person with a phone number": two attributes of ours."""
    part, items = parse_noun(head), split_list(tail)
    if part.plural or facts.find(part.key) or not all(map(attribute_like, items)):
        return False
    attribute = parse_attribute(head)
    if attribute is None or attribute.field.choices or not is_thing(part.key):
        return False
    facts.add_attribute(owner, attribute)
    for item in items:
        inner = parse_attribute(item)
        if inner is not None:
            named = with_field(inner, name=f"{part.key}_{inner.field.name}"[:40])
            facts.add_attribute(owner, Attribute(named.field.name, named.field, guessed=False))
    return True


def is_described_person(item: str) -> bool:
    """ "a celebrant (name, phone)": somebody with attributes of their own, not one of ours."""
    noun = parse_noun(item)
    inner = split_list(noun.inner or "")
    named = len(inner) > 1 and re.match(r"^(?:full |first |last )?name$", inner[0], re.I)
    return bool(named) and not noun.plural and is_thing(noun.key)


def add_composite(owner: str, attribute: Attribute, facts: Facts) -> None:
    if attribute.plural or attribute.many:
        facts.add_attribute(owner, attribute)
        for part in attribute.composite:
            facts.add_attribute(attribute.key, part)
        return
    for part in attribute.composite:
        name = f"{attribute.key}_{part.field.name}"
        named = with_field(part, name=name[:40])
        facts.add_attribute(
            owner, Attribute(named.field.name, named.field, part.plural, part.many, part.guessed)
        )
