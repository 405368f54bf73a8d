"""Light part-of-speech tags, from function words, word forms and position."""

from dataclasses import replace

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.text import Token
from agenticai_worker.llm.template.understand.verb_tagging import agrees, verb_by_context

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
    verb = verb_by_context(word, forms, before, outside, following, next_word)
    if not verb and agrees(forms, outside, _next_head(tokens, closed, at)):
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
