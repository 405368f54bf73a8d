"""The part-of-speech tags, and clauses as far as tags tell them.

Tags: DET PRON PREP CC SUB MODAL BE HAVE DO ADV NUM TO VB (base or present) VBN VBG N POS PUNCT NOT REL.
"""

from agenticai_worker.llm.template.understand.text import Token

FINITE = ("VB", "HAVE", "BE", "MODAL", "DO")


NOMINAL = ("N", "DET", "NUM", "POS", "VBG", "VBN")


def open_clause(done: list[Token]) -> list[Token]:
    """The tokens since the last boundary (relative, subordinator, or coordinator and noun)."""
    for at in range(len(done) - 1, -1, -1):
        token = done[at]
        if token.tag in ("SUB", "REL") or token.word in (";", ":", "but", "so"):
            return done[at + 1 :]
        if token.tag == "CC" or token.word == ",":
            between = done[at + 1 :]
            if between and all(t.tag in NOMINAL for t in between) and has_finite(done[:at]):
                return between
    return done


def has_finite(done: list[Token]) -> bool:
    return any(token.tag in FINITE for token in done)
