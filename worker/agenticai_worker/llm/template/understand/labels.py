"""A label and the list behind it: what the list describes, and what it lists."""

import re

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.extras import split_extras
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import is_event, is_thing, parse_noun
from agenticai_worker.llm.template.understand.phrases import attribute_like
from agenticai_worker.llm.template.understand.tagging import tag
from agenticai_worker.llm.template.understand.text import Token, tokenize


def described_by(clause: Clause) -> str:
    """What a list behind a statement describes: "keepers take samples: …" the samples."""
    if clause.participle or clause.verb in ("be", "belong", "come", "live"):
        return clause.subject_text
    said, _ = split_extras(clause.rest_text)
    said = split_list(said)[-1] if split_list(said) else said
    noun = parse_noun(said)
    if clause.verb in lex.LIGHT_VERBS or clause.verb in lex.HAVE_VERBS or is_event(noun.key):
        return said
    record = words.nominal(clause.verb)
    return record if clause.verb in lex.NOMINALS and noun.key else said


def lists_things(rest: str) -> bool:
    """ "rooms with name …", "patients (name …), chairs": things rather than attributes."""
    items = split_list(rest)
    bare = [re.sub(r"\([^()]*\)?", "", item).strip() for item in items]
    listed = [
        item
        for item, name in zip(items, bare, strict=True)
        if (noun := parse_noun(name)).plural and is_thing(noun.key) and len(name.split()) < 4
        and ("(" in item or not attribute_like(name))
    ]  # fmt: skip
    if len(listed) > 1 and len(listed) > len(items) / 2:
        return True
    first = items[0] if items else ""
    noun = parse_noun(re.split(r"\s+with\s+|\(", first)[0])
    return (
        noun.plural
        and is_thing(noun.key)
        and ("(" in first or " with " in first)
        and not attribute_like(noun.key)
    )


def begins_with_attribute(rest: str) -> bool:
    """Whether a list begins with an attribute, and not with a statement about somebody."""
    items = split_list(rest)
    if not items or not attribute_like(items[0]) or len(items[0].split()) > 6:
        return False
    first = tag(tokenize(items[0]))
    return not any(
        t.tag == "VB" and not in_parentheses(first, at) for at, t in enumerate(first) if at
    )


def in_parentheses(tokens: list[Token], at: int) -> bool:
    """Whether the token at that place stands in parentheses."""
    depth = sum((t.word == "(") - (t.word == ")") for t in tokens[:at])
    return depth > 0
