"""What an act says beside its object: "from a start date", "with a doctor"."""

import re

from agenticai_worker.llm.template.understand import types
from agenticai_worker.llm.template.understand.facts import Extras, Facts, Link
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import is_thing, parse_noun
from agenticai_worker.llm.template.understand.phrases import mask_parentheses, unmask
from agenticai_worker.llm.template.understand.things import add_item
from agenticai_worker.llm.template.understand.types import UNIT_NAMES

_PREPOSITIONS = re.compile(
    rf"\s*,?\s*\b(optionally |and optionally )?(from|to|per|on|at|for|with|in(?!\s+(?:{UNIT_NAMES})\b)|by|during|until|via|between|using|within|into|against)\b\s+",
    re.IGNORECASE,
)


def split_extras(text: str) -> tuple[str, Extras]:
    """The object, and (preposition, phrase) for what follows; "optionally" stays with the phrase."""
    text, inner = mask_parentheses(text)
    first = re.match(r"^(?:for|up for|up to|in|out|on|to|at|with)\s+", text)
    start = first.end() if first else 0
    pieces = list(_PREPOSITIONS.finditer(text, start))
    extras: list[tuple[str, str]] = []
    for at, match in enumerate(pieces):
        end = pieces[at + 1].start() if at + 1 < len(pieces) else len(text)
        phrase = unmask(text[match.end() : end].strip(" ,."), inner)
        phrase = re.sub(r"\s+and$", "", phrase)
        extras.append((match[2].lower(), f"optional {phrase}" if match[1] else phrase))
    target = text[: pieces[0].start()] if pieces else text
    return unmask(target.strip(" ,"), inner), tuple(extras)


def add_extras(owner: str, extras: Extras, facts: Facts) -> None:
    """ "patients make appointments with a doctor at a given time"."""
    for preposition, phrase in [(p, item) for p, text in extras for item in split_list(text)]:
        noun = parse_noun(phrase)
        other = facts.find(noun.key)
        optional = phrase.startswith("optional ")
        if other and other != owner:
            facts.links.append(
                Link(owner, other, "many" if noun.many else "one", optional=optional)
            )
        elif types.is_attribute_head(noun.head) and not noun.plural:
            add_item(owner, phrase, facts, optional=optional)
        elif (
            is_thing(noun.key)
            and noun.determiner in ("a", "an", "one")
            and preposition in ("with", "for", "at", "in", "to")
        ):
            facts.add_thing(noun.key, 2)
            facts.links.append(Link(owner, noun.key, "one", optional=optional))
