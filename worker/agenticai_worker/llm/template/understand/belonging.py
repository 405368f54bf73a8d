"""Whether a clause says that something belongs to, or takes place at, something else."""

import re

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.nouns import is_thing, parse_noun
from agenticai_worker.llm.template.understand.phrases import LEADING_PREPOSITION, attribute_like

_HAPPENING = frozenset(
    ["come", "take", "happen", "live", "stay", "occur", "arrive", "start", "end", "work", "concern"]
)


def is_bare_start(clause: Clause) -> bool:
    """ "a season starts": no more than that the thing exists."""
    return (
        clause.verb in ("start", "end", "begin", "finish", "expire")
        and not clause.rest_text.strip()
        and not clause.modal
        and not clause.participle
    )


def states_belonging(clause: Clause) -> bool:
    """ "belongs to an apiary", "is owned by a member", "takes place at a venue", "come from farms"."""
    rest = clause.rest_text.strip()
    return not clause.negated and (
        _belongs(clause, rest)
        or _is_owned(clause, rest)
        or _is_placed(clause, rest)
        or _takes_place(clause, rest)
    )


def _belongs(clause: Clause, rest: str) -> bool:
    return clause.verb == "belong" or (
        clause.verb in ("refer", "point", "relate", "apply") and rest.startswith("to ")
    )


def _is_owned(clause: Clause, rest: str) -> bool:
    return clause.participle in _participle_bases() and bool(LEADING_PREPOSITION.match(rest))


def _is_placed(clause: Clause, rest: str) -> bool:
    located = re.match(
        r"(?:part of|for|in|at|on|about|of|from|by|with|inside|under)\s+(?:an?|one|the|exactly|many|several|multiple|another)\b",
        rest,
        re.I,
    )
    return clause.verb == "be" and not clause.participle and bool(located)


def _takes_place(clause: Clause, rest: str) -> bool:
    located = re.match(
        r"(?:place\s+)?(?:at|in|on|from|with|for|to|by)\s+(?:an?|one|the|exactly|many|several)\b",
        rest,
        re.I,
    )
    return clause.verb in _HAPPENING and (bool(located) or _names_origin(rest))


def _names_origin(rest: str) -> bool:
    """ "come from farms": a thing in the plural, and not just a word."""
    match = re.match(
        r"(?:from|in|at|on)\s+([\w -]+?)(?=\s+(?:with|for|at|on|in)\b|[,(]|$)", rest, re.I
    )
    noun = parse_noun(match[1]) if match else None
    return noun is not None and noun.plural and is_thing(noun.key) and not attribute_like(noun.key)


def _participle_bases() -> frozenset[str]:
    return frozenset(words.base_of_participle(p) or p for p in lex.BELONG_PARTICIPLES)
