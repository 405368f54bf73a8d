"""Light part-of-speech tags, from function words, word forms and position.

Tags: DET PRON PREP CC SUB MODAL BE HAVE DO ADV NUM TO VB (base or present) VBN VBG N POS PUNCT NOT REL.
"""

from dataclasses import replace

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.text import Token

_CLOSED = (
    ("MODAL", lex.MODALS),
    ("BE", lex.BE),
    ("HAVE", lex.HAVE),
    ("DO", lex.DO),
    ("SUB", lex.SUBORDINATORS),
    ("PRON", lex.PRONOUNS),
    ("DET", lex.DETERMINERS),
    ("CC", lex.CONJUNCTIONS),
    ("PREP", lex.PREPOSITIONS),
    ("ADV", lex.ADVERBS),
)
FINITE = ("VB", "HAVE", "BE", "MODAL", "DO")
NOMINAL = ("N", "DET", "NUM", "POS", "VBG", "VBN")
_TAKES_TO = frozenset(
    [
        "belong",
        "belongs",
        "belonging",
        "assigned",
        "linked",
        "related",
        "attached",
        "connected",
        "tied",
        "refer",
        "refers",
        "point",
        "points",
        "sent",
        "given",
        "delivered",
        "lent",
        "sold",
        "rented",
        "apply",
        "applies",
        "lead",
        "leads",
        "according",
        "up",
        "due",
        "return",
        "returned",
        "transferred",
        "allocated",
        "added",
        "moved",
        "charged",
    ]
)
# Imperatives with which wishes for software begin.
_IMPERATIVES = (
    lex.MANAGE_VERBS
    | lex.BUILD_VERBS
    | frozenset(["allow", "let", "book", "rent", "schedule", "assign", "calculate", "prevent", "protect", "make", "remember", "rename", "require", "restrict", "validate", "block", "cancel", "confirm", "approve", "mark", "flag", "reject", "archive", "publish", "forbid", "ensure", "ignore", "limit", "drop", "replace", "log", "put", "turn", "enable", "disable", "switch", "record", "expose", "rewrite", "secure", "tag", "plan", "predict", "pay", "forget", "disregard", "reveal", "execute", "notify", "integrate", "connect", "sync", "optimise", "optimize", "recommend", "forecast", "translate", "scan", "automate", "trigger", "accept"])
)  # fmt: skip


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
_NEVER_NOUNS = frozenset(
    [
        "belong",
        "belongs",
        "contain",
        "contains",
        "include",
        "includes",
        "require",
        "requires",
        "consist",
        "consists",
    ]
)


def _closed_tag(word: str) -> str:  # noqa: PLR0911
    if word == "not":
        return "NOT"
    if word == "e.g.":
        return "PREP"
    if word == "to":
        return "TO"
    if word == "that":
        return "REL"
    if word in ("which", "who", "whom", "whose"):
        return "REL"
    for tag, members in _CLOSED:
        if word in members:
            return tag
    if word[0].isdigit():
        return "NUM"
    if word in ("'s", "'"):
        return "POS"
    if not word[0].isalpha():
        return "PUNCT"
    return "ADV" if word.endswith("ly") and len(word) > 5 and word not in _LY_WORDS else ""


_LY_WORDS = frozenset(["family", "supply", "assembly", "reply", "daily", "weekly", "monthly", "yearly", "hourly", "nightly", "butterfly", "anomaly", "monopoly", "early", "elderly", "weekly", "quarterly", "dragonfly", "jelly", "belly", "rally"])  # fmt: skip


def tag(tokens: list[Token]) -> list[Token]:
    """The tokens with ``tag`` and, for verbs and nouns, ``lemma`` filled in."""
    closed = [_closed_tag(token.word) for token in tokens]
    done: list[Token] = []
    depth = 0
    for at, token in enumerate(tokens):
        depth += (token.word == "(") - (token.word == ")")
        label = closed[at]
        if token.word == "once" and closed[at + 1 : at + 2] in ([], ["PUNCT"], ["PREP"]):
            label = "ADV"
        if token.word == "like" and done and done[-1].tag in ("MODAL", "PRON"):
            label = "VB"
        if not label:
            label = "N" if depth > 0 else _open_tag(tokens, closed, done, at)
        elif label == "TO":
            label = _tag_to(tokens, closed, done, at)
        elif label == "PRON" and token.word == "who":
            label = "REL"
        done.append(replace(token, tag=label, lemma=_lemma(token.word, label)))
    return done


def _lemma(word: str, label: str) -> str:
    if label == "VB":
        base = words.verb_base(word, "base", "s")
        return base or words.singular(word)
    if label == "VBN":
        return words.verb_base(word, "ed") or words.base_of_participle(word) or word
    if label == "VBG":
        return words.verb_base(word, "ing") or word
    if label in ("HAVE", "BE", "DO"):
        return label.lower()
    return words.singular(word) if label == "N" else word


def _tag_to(tokens: list[Token], closed: list[str], done: list[Token], at: int) -> str:
    following = tokens[at + 1].word if at + 1 < len(tokens) else ""
    label = closed[at + 1] if at + 1 < len(tokens) else "PUNCT"
    if done and done[-1].word in _TAKES_TO:
        return "PREP"
    if label in ("BE", "HAVE", "DO"):
        return "TO"
    return "TO" if not label and words.verb_base(following, "base") else "PREP"


def _open_tag(tokens: list[Token], closed: list[str], done: list[Token], at: int) -> str:
    word = tokens[at].word
    outside = _outside(done)
    before = outside[-1] if outside else None
    forms = {form for _, form in words.verb_readings(word)}
    following = closed[at + 1] if at + 1 < len(tokens) else "PUNCT"
    next_word = tokens[at + 1].word if at + 1 < len(tokens) else ""
    if following == "PREP" and closed[at + 2 : at + 3] in ([], ["PUNCT"], ["CC"]):
        following = "END"  # "starts at, ends at": names of attributes
    if following == "CC" and at + 2 < len(tokens) and words.verb_base(tokens[at + 2].word, "base"):
        following = ""  # "staff check in and check out tools"
    if word in _NEVER_NOUNS and before is not None and before.tag not in ("DET", "PREP"):
        return "VB"
    if before is None or (before.tag == "PUNCT" and before.word in (":", "-")):
        return _tag_first(tokens, closed, at, forms)
    verb = _verb_by_context(word, forms, before, outside, following, next_word)
    if not verb and _agrees(forms, outside, _next_head(tokens, closed, at)):
        verb = "VB"
    if verb:
        return verb
    if "ed" in forms or (word.endswith("ed") and words.base_of_participle(word)):
        return "VBN"
    if "ing" in forms and (before.tag in ("PREP", "BE", "SUB", "NOT")) and following in ("", "DET"):
        return "VBG"
    return "N"


def _next_head(tokens: list[Token], closed: list[str], at: int) -> str:
    """The head of the bare noun phrase that follows: "sells | day passes at …" -> passes."""
    end = at + 1
    while end < len(tokens) and not closed[end]:
        end += 1
    return tokens[end - 1].word if end > at + 1 else ""


def _agrees(forms: set[str], done: list[Token], next_head: str) -> bool:
    """ "the parish keeps registers", "our company sells day passes": singular, verb, plural."""
    if "s" not in forms or has_finite(open_clause(done)) or not words.is_plural(next_head):
        return False
    subject = done[-1]
    opening = all(t.tag in ("N", "DET") for t in done) and len(done) > 1
    return opening and subject.tag == "N" and not words.is_plural(subject.word)


def _outside(done: list[Token]) -> list[Token]:
    """The tokens so far without closed parentheses: "members (name) | borrow"."""
    out: list[Token] = []
    depth = 0
    for token in done:
        depth += token.word == "("
        if depth == 0:
            out.append(token)
        depth -= token.word == ")" and depth > 0
    return out if depth == 0 else done


def _tag_first(tokens: list[Token], closed: list[str], at: int, forms: set[str]) -> str:
    word = tokens[at].word
    following = closed[at + 1] if at + 1 < len(tokens) else "PUNCT"
    rest = closed[at + 1 :]
    if (
        "base" in forms
        and word in _IMPERATIVES
        and following in ("", "DET", "PREP", "PRON", "ADV", "NUM", "REL", "SUB", "CC")
    ):
        if following == "PREP" and word not in (
            "search",
            "filter",
            "look",
            "log",
            "sort",
            "group",
            "report",
            "list",
        ):
            return "N"
        clause = rest[: rest.index("PUNCT")] if "PUNCT" in rest else rest
        if (
            following == ""
            and clause[1:2]
            and clause[1] in ("HAVE", "BE", "MODAL")
            and word != "let"
        ):
            return "N"
        return "N" if following == "CC" and tokens[at + 1].word not in ("and", "or", "&") else "VB"
    if "ing" in forms and following in ("", "DET"):
        return "VBG"
    if "ed" in forms and "base" not in forms:
        return "VBN"
    return "N"


def _verb_by_context(  # noqa: PLR0917
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
