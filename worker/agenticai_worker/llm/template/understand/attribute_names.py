"""The name in an attribute phrase: the words that say what, without where and why."""

import re

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import words

_LAST_PREPOSITIONS = frozenset(["on", "by", "in", "before", "after", "until"])


def name_words(text: str) -> list[str]:
    """The words of the name; a preposition stays last only where it says what: "paid by"."""
    text = re.sub(
        r"^(?:when|where|how many|whether(?:\s+(?:it|they|he|she)\s+(?:is|are|was|has))?)\b",
        "",
        text,
    )
    found = re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", words.to_ascii(text).lower())
    kept = [
        word
        for word, after in zip(found, [*found[1:], ""], strict=False)
        if word not in lex.EMPTY_ADJECTIVES or len(found) == 1 or after == "of"
    ]
    while kept and (
        (kept[-1] in lex.PREPOSITIONS - _LAST_PREPOSITIONS and not _is_moment(kept))
        or kept[-1] in ("and", "or", "the", "be")
    ):
        kept.pop()
    return [w for w in kept if w not in ("the", "a", "an", "its", "their", "each", "'s")]


def _is_moment(kept: list[str]) -> bool:
    """ "starts at", "borrowed at" name a moment."""
    return kept[-1] == "at" and len(kept) > 1 and bool(words.verb_readings(kept[-2]))


def strip_tail(text: str) -> str:
    """Off with what says where or why rather than what: "price for each trip", "date they came"."""
    text = re.sub(
        r"\s+(?:for|of|about|on|to)\s+(?:each|every|the|that|this|their|its)\s+\w.*$", "", text
    )
    text = re.sub(
        r"\s+(?:that|which|who|when|where|so|because|if|they|we|it|he|she)\b.*$", "", text
    )
    text = re.sub(r"(?<=\w)\s+\w+(?:ed|en)\s+(?:from|by|in|with|at|on)\s+.*$", "", text)
    point = r"(?<=\w)\s+at\s+(?!an?\b|the\b|each\b|every\b|this\b|that\b|any\b)\w+$"
    if re.search(point, text):
        return text  # "weight at start"
    return re.sub(r"(?<!^valid)(?<=\w)\s+(?:for|from|at|with|during|without)\s+.*$", "", text)
