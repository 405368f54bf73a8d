"""Slips of the pen in general words: "appointmnet" is an appointment, an "adress" an address.

Only a word that means nothing to the reading is touched, and only when a letter was left out,
doubled or swapped with its neighbour; names of trades stay as they are.
"""

import re
from collections.abc import Iterator
from functools import cache

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import types, words

_SHORTEST = 7  # letters of a word that is read into a slip; shorter ones are too much alike
_EXTRA = lex.word_set(
    "business separate calendar category description quantity schedule customer employee address "
    "appointment telephone received maintenance equipment number password available assigned "
    "manufacturer between require required optional unique status"
)


def mend(text: str) -> tuple[str, dict[str, str]]:
    """The text with general words spelt right, and what was read as what."""
    read: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        word = match[0].lower()
        if word not in read:
            read[word] = _mended(word)
        return match[0] if read[word] == word else read[word]

    mended = re.sub(r"(?<![\w-])[A-Za-z]{5,}(?![\w-])", replace, text)
    return mended, {word: better for word, better in read.items() if word != better}


def _mended(word: str) -> str:
    known = _vocabulary()
    if word in known or words.singular(word) in known:
        return word
    singular = words.singular(word)
    for candidate in _variants(singular):
        if candidate in known and candidate[0] == word[0]:
            return words.plural(candidate) if singular != word else candidate
    return word


def _variants(word: str) -> Iterator[str]:
    """Neighbours swapped back, one letter put in, a doubled letter made single."""
    for at in range(len(word) - 1):
        if word[at] != word[at + 1]:
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    for at in range(1, len(word)):
        if word[at] == word[at - 1]:
            yield word[:at] + word[at + 1 :]
    if len(word) >= _SHORTEST - 1:
        for at in range(1, len(word)):
            for letter in "aeioudnrstlcmp":
                yield word[:at] + letter + word[at:]


@cache
def _vocabulary() -> frozenset[str]:
    """The general nouns that the reading looks at. No verbs: their forms are nouns' neighbours."""
    heads = {word for known in types._HEADS.values() for word in known}
    found = heads | set(lex.NOMINALS.values()) | lex.SOFTWARE_HEADS | _EXTRA
    return frozenset(word for word in found if len(word) >= _SHORTEST and word.isalpha())
