"""What a phrase is, before it is read: an attribute, a subject, the name of some software."""

import re

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import types
from agenticai_worker.llm.template.understand.attributes import parse_attribute
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import Noun, is_thing, parse_noun

WITH = re.compile(
    r"^([^,(]*?)\s+(?:with|having|including|containing|comprising|identified by|consisting of)\s+(.+)$",
    re.I,
)


OF_EACH = re.compile(
    r"^(.*?)[,\s]+(?:of|for|about|on|from|per|in)\s+((?:each|every|all|any)\s+(?:the\s+|of the\s+)?[\w -]+?)(?:\s+(?:in|so|and then)\b.*)?$",
    re.IGNORECASE,
)


LEADING_PREPOSITION = re.compile(
    r"^\s*(?:part of|per|to|by|in|on|at|for|with|of|from|into|against|under|about|onto|within|inside)\s+",
    re.I,
)


def attribute_like(phrase: str) -> bool:
    """Whether an item of a list reads as an attribute rather than a thing."""
    attribute = parse_attribute(phrase)
    if attribute is None:
        return False
    field = attribute.field
    parts = attribute.key.split("_")
    return (
        types.is_attribute_head(parts[-1])
        or field.type in ("enum", "boolean", "email", "url", "phone", "date", "datetime", "text")
        or field.unit is not None
        or not attribute.guessed
        or parts[0] in ("number", "date", "name", "amount", "quantity", "price")
    )


def subject_keys(text: str, facts: Facts) -> list[str]:
    """The things that a subject names; a pronoun means the thing spoken of last."""
    lowered = text.lower().strip()
    if lowered in (
        "it",
        "they",
        "each",
        "each one",
        "them",
        "this",
        "these",
        "each of them",
        "all of them",
    ):
        return [facts.context] if facts.context else []
    keys = []
    for item in split_list(re.sub(r"^(?:both|each|every)\s+", "", text)):
        key = parse_noun(item).key
        if is_thing(key) or key in facts.strength or key in facts.known:
            keys.append(facts.find(key) or key)
    return keys


_SPLIT = re.compile(
    rf"\s*\b(optionally\s+)?(to|by|in(?!\s+(?:{types.UNIT_NAMES})\b)|on|at|for|with|from|into|under|per|within|inside|about|(?<=^ )of|against)\s+",
    re.I,
)


def split_prepositions(text: str) -> list[tuple[str, str]]:
    """ "for a pet with a vet" -> (for, a pet), (with, a vet); parentheses are left alone."""
    masked, inner = mask_parentheses(text)
    found = list(_SPLIT.finditer(" " + masked))
    padded = " " + masked
    chain: list[tuple[str, str]] = []
    for at, match in enumerate(found):
        end = found[at + 1].start() if at + 1 < len(found) else len(padded)
        phrase = unmask(padded[match.end() : end].strip(" ,"), inner)
        chain.append((match[2].lower(), f"optional {phrase}" if match[1] else phrase))
    return chain


def mask_parentheses(text: str) -> tuple[str, list[str]]:
    """The text with each parenthesis as a placeholder, and what stood there."""
    inner: list[str] = []

    def keep(match: re.Match[str]) -> str:
        inner.append(match[0])
        return f" \x00{len(inner) - 1}\x00"

    ranges = r"\s+(?:from|between) \d+ (?:to|and) \d+(?: \w+)?"
    return re.sub(rf"\s*\([^()]*\)?|{ranges}", keep, text.replace("\x00", "")), inner


def unmask(text: str, inner: list[str]) -> str:
    return re.sub(r"\x00(\d+)\x00", lambda m: inner[int(m[1])].strip(), text)


def is_bare_attribute(item: str, noun: Noun) -> bool:
    return not noun.inner and not noun.plural and attribute_like(item)


def names_software(text: str) -> bool:
    """Whether a fragment is headed by a word for software ("booking app with …")."""
    head = re.split(r"\s+(?:with|for|of|to|including)\s+", text)[0]
    return "," not in head and (mentions_software(head) or is_topic(head))


def mentions_software(text: str) -> bool:
    found = re.findall(r"[a-z-]+", text.lower())[:8]
    return any(word in lex.SOFTWARE_HEADS for word in found)


def is_topic(head: str) -> bool:
    found = re.findall(r"[a-z]+", head.lower())
    return bool(found) and found[-1] in lex.TOPIC_HEADS
