"""Words that may be nouns or verbs: which of them are verbs, by what stands around them."""

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.tags import has_finite, open_clause
from agenticai_worker.llm.template.understand.text import Token

_PLURAL_MODIFIERS = frozenset(
    [
        "sports",
        "goods",
        "sales",
        "news",
        "operations",
        "customs",
        "savings",
        "arts",
        "games",
        "materials",
    ]
)


# Verbs that bring on attributes when they follow another verb: "belongs to a hive and holds honey".
_HOLDING = frozenset(
    ["include", "contain", "hold", "comprise", "require", "carry", "need", "specify", "cost", "weigh", "last", "store", "measure", "keep"]
)  # fmt: skip


def agrees(forms: set[str], done: list[Token], next_head: str) -> bool:
    """ "the parish keeps registers", "our company sells day passes": singular, verb, plural."""
    if "s" not in forms or has_finite(open_clause(done)) or not words.is_plural(next_head):
        return False
    subject = done[-1]
    opening = all(t.tag in ("N", "DET") for t in done) and len(done) > 1
    return opening and subject.tag == "N" and not words.is_plural(subject.word)


def verb_by_context(  # noqa: PLR0917
    word: str, forms: set[str], before: Token, done: list[Token], following: str, next_word: str
) -> str | None:
    known = bool(forms & {"base", "s"})
    if before.tag in ("MODAL", "TO", "DO") or (before.tag in ("NOT", "ADV") and _after_modal(done)):
        return "VB" if "base" in forms or before.tag in ("MODAL", "TO") else None
    if before.tag in ("PRON", "REL"):
        return (
            "VB"
            if known
            and not (
                before.word in ("all", "that") and "base" in forms and following in ("HAVE", "BE")
            )
            else None
        )
    if (before.tag == "PUNCT" and before.word == ",") or before.tag == "CC" or before.word == "/":
        return "VB" if _continues_verbs(word, forms, done, following, next_word) else None
    if before.tag == "ADV" and len(done) > 1 and done[-2].tag in ("N", "PRON", "REL"):
        before = done[-2]
    if before.tag != "N" or following in ("BE", "HAVE", "MODAL", "PUNCT-"):
        return None
    return _verb_after_noun(word, forms, before, done, following, next_word)


def _verb_after_noun(  # noqa: PLR0917
    word: str, forms: set[str], before: Token, done: list[Token], following: str, next_word: str
) -> str | None:
    if has_finite(open_clause(done)):
        return None
    plain = following in ("", "DET", "PREP", "NUM", "PRON", "ADV", "TO", "REL", "NOT")
    head = _head(done)
    if words.is_plural(head) or head in ("staff", "people", "team"):
        strong = following in ("DET", "PREP", "NUM", "PRON") or words.is_plural(next_word) or (
            following == "" and bool(next_word)
        )  # fmt: skip
        unknown = (
            not forms
            and following == ""
            and words.is_plural(next_word)
            and not words.is_plural(word)
        )
        unknown = unknown and before.word not in _PLURAL_MODIFIERS and len(done) <= 2
        return (
            "VB"
            if ("base" in forms and plain and strong and word not in ("address",)) or unknown
            else None
        )
    determiner = _determiner(done)
    after_one = determiner in lex.SINGULAR_DETERMINERS and words.is_plural(word)
    if after_one and plain and next_word and (forms & {"s"} or following in ("", "DET", "NUM")):
        return "VB"  # "a vet treats animals": no noun can be plural there
    ended = following in ("SUB", "CC", "ADV", "PUNCT")
    if forms & {"s"} and determiner in lex.SINGULAR_DETERMINERS and ended and words.is_plural(word):
        return "VB"
    if forms & {"s"} and following in ("DET", "NUM") and determiner:
        return "VB"
    return None


def _head(done: list[Token]) -> str:
    """The noun that the verb agrees with: "bookings of a boat by a member" -> bookings."""
    head = done[-1].word
    for at in range(len(done) - 1, 0, -1):
        if done[at].word in ("of", "by", "for", "in", "from") and done[at - 1].tag == "N":
            head = done[at - 1].word if head == done[-1].word or done[at].word == "of" else head
            head = done[at - 1].word
        elif done[at].tag not in ("N", "DET", "VBN"):
            break
    return head


def _after_modal(done: list[Token]) -> bool:
    for token in reversed(done):
        if token.tag in ("NOT", "ADV"):
            continue
        return token.tag in ("MODAL", "TO", "DO")
    return False


def _determiner(done: list[Token]) -> str:
    for token in reversed(done):
        if token.tag == "DET":
            return token.word
        if token.tag not in ("N", "VBN", "VBG", "ADV", "NUM"):
            return ""
    return ""


def _continues_verbs(
    word: str, forms: set[str], done: list[Token], following: str, next_word: str
) -> bool:
    """ "can add, edit and delete boats": a verb in line with the verb before the coordinator."""
    adjacent = len(done) > 1 and done[-2].tag == "VB"
    plain = following in ("", "DET", "PRON", "CC", "NUM") or (
        following == "PUNCT" and next_word == ","
    )
    plain = plain or (following == "PREP" and (adjacent or "s" in forms))
    if not plain or ("base" not in forms and "s" not in forms):
        return False
    last = next(
        (t for t in reversed(done[:-1]) if t.tag in ("VB", "HAVE", "BE", "MODAL", "TO")), None
    )
    if last is None:
        return False
    if adjacent:
        return bool(words.verb_base(word, *({"base", "s"} & forms)))
    if following in ("CC", "PUNCT"):
        return False
    if "base" in forms and words.verb_base(last.word, "base") and last.tag == "VB":
        modal = any(t.tag in ("MODAL", "TO") for t in done) or done[0].tag == "VB"
        return (modal or word not in ("store", "list")) and (
            following in ("DET", "PRON", "NUM")
            or words.is_plural(next_word)
            or word in lex.VIEW_VERBS
            or word == "record"
        )
    singular = words.verb_base(last.word, "s") is not None or last.word in ("is", "has")
    if "s" not in forms or not singular:
        return False
    holds = words.verb_base(word, "s") in _HOLDING and following == ""
    return following in ("DET", "PREP", "NUM") or holds
