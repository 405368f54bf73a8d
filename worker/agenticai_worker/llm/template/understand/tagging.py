"""Light part-of-speech tags and clauses, from function words, word forms and position.

Tags: DET PRON PREP CC SUB MODAL BE HAVE DO ADV NUM TO VB (base or present) VBN VBG N POS PUNCT NOT REL.
"""

from dataclasses import dataclass, replace

from . import lexicon as lex
from . import words
from .text import Token

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
_FINITE = ("VB", "HAVE", "BE", "MODAL", "DO")
_NOMINAL = ("N", "DET", "NUM", "POS", "VBG", "VBN")
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
    if following == "CC" and at + 2 < len(tokens) and words.verb_base(tokens[at + 2].word, "base"):
        following = ""  # "staff check in and check out tools"
    if word in _NEVER_NOUNS and before is not None and before.tag not in ("DET", "PREP"):
        return "VB"
    if before is None or (before.tag == "PUNCT" and before.word in (":", "-")):
        return _tag_first(tokens, closed, at, forms)
    verb = _verb_by_context(word, forms, before, outside, following, next_word)
    if verb:
        return verb
    if "ed" in forms or (word.endswith("ed") and words.base_of_participle(word)):
        return "VBN"
    if "ing" in forms and (before.tag in ("PREP", "BE", "SUB", "NOT")) and following in ("", "DET"):
        return "VBG"
    return "N"


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
    if _has_finite(_clause(done)):
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
    """The noun that the verb agrees with: "performances of a production" -> performances."""
    for at in range(len(done) - 1, 0, -1):
        if done[at].word == "of" and done[at - 1].tag == "N":
            return done[at - 1].word
        if done[at].tag not in ("N", "DET", "VBN"):
            break
    return done[-1].word


def _after_modal(done: list[Token]) -> bool:
    for token in reversed(done):
        if token.tag in ("NOT", "ADV"):
            continue
        return token.tag in ("MODAL", "TO", "DO")
    return False


def _clause(done: list[Token]) -> list[Token]:
    """The tokens since the last boundary (relative, subordinator, or coordinator and noun)."""
    for at in range(len(done) - 1, -1, -1):
        token = done[at]
        if token.tag in ("SUB", "REL") or token.word in (";", ":", "but", "so"):
            return done[at + 1 :]
        if token.tag == "CC" or token.word == ",":
            between = done[at + 1 :]
            if between and all(t.tag in _NOMINAL for t in between) and _has_finite(done[:at]):
                return between
    return done


def _has_finite(done: list[Token]) -> bool:
    return any(token.tag in _FINITE for token in done)


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
    plain = following in ("", "DET", "PRON", "CC", "NUM") or (
        following == "PUNCT" and next_word == ","
    )
    if not plain or ("base" not in forms and "s" not in forms):
        return False
    last = next(
        (t for t in reversed(done[:-1]) if t.tag in ("VB", "HAVE", "BE", "MODAL", "TO")), None
    )
    adjacent = len(done) > 1 and done[-2].tag == "VB"
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
    return "s" in forms and singular and following == "DET"


@dataclass(frozen=True)
class Clause:
    """Subject, verb, rest. ``lead`` is a preposition phrase in front ("for each boat we store …").

    ``verb`` is a lemma or ""; ``participle`` that of a passive ("is owned by"). Without a verb
    the whole fragment lies in ``rest``.
    """

    subject: tuple[Token, ...] = ()
    verb: str = ""
    participle: str = ""
    modal: str = ""
    negated: bool = False
    rest: tuple[Token, ...] = ()
    lead: tuple[Token, ...] = ()
    relative: bool = False
    imperative: bool = False

    @property
    def rest_text(self) -> str:
        return text_of(self.rest)

    @property
    def subject_text(self) -> str:
        return text_of(self.subject)


def text_of(tokens: tuple[Token, ...] | list[Token]) -> str:
    """The words with natural spacing."""
    out = ""
    for token in tokens:
        tight = token.word in (",", ")", "'s", "'", ".", ":", ";", "%", "]") or out.endswith(
            ("(", "[", "/")
        )
        out += token.text if tight or not out or token.word == "/" else f" {token.text}"
    return out


def clauses(tokens: list[Token]) -> list[Clause]:
    """The clauses of one tagged sentence, subjects carried over where they are left out."""
    found: list[Clause] = []
    for segment, relative, owner in _segments(tokens):
        subject = owner
        parsed = _parse(segment, subject, found[-1] if found else None, relative=relative)
        if parsed.verb or parsed.rest or parsed.subject:
            found += _share_object(parsed)
    return found


def _share_object(clause: Clause) -> list[Clause]:
    """ "approve or reject requests" is two clauses with one object."""
    verbs, at = [clause.verb], 0
    rest = clause.rest
    while not clause.participle and clause.verb and at < len(rest):
        start = at
        while at < len(rest) and (rest[at].tag == "CC" or rest[at].word in (",", "/")):
            at += 1
        if at == start or at >= len(rest) or rest[at].tag != "VB":
            at = start
            break
        verbs.append(rest[at].lemma)
        at += 1
    return (
        [replace(clause, verb=verb, rest=rest[at:]) for verb in verbs]
        if len(verbs) > 1
        else [clause]
    )


def _segments(tokens: list[Token]) -> list[tuple[list[Token], bool, tuple[Token, ...]]]:
    """Cut at subordinators, relatives, and coordinators that a new subject and verb follow."""
    cuts: list[tuple[int, int]] = []  # where, and how many tokens the boundary itself takes
    depth, start, relative = 0, 0, False
    for at, token in enumerate(tokens):
        depth += (token.word == "(") - (token.word == ")")
        if depth > 0 or at == 0:
            continue
        inside = tokens[start:at]
        width = 1
        if token.tag == "SUB" or token.word == "so":
            cut = at + 1 < len(tokens)
        elif token.tag == "REL":
            cut = _is_relative(tokens, at)
        elif (token.tag == "CC" or token.word in (",", ";", ":", "-")) and _has_finite(inside):
            cut = _starts_clause(tokens, at + 1) or (
                token.tag == "CC" and _starts_participle(tokens, at + 1, inside)
            )
        elif relative and token.tag in ("MODAL", "BE", "HAVE") and _is_resumed(inside):
            cut, width = True, 0
        else:
            cut = False
        if cut:
            cuts.append((at, width))
            start, relative = at + width, token.tag == "REL"
    return _cut(tokens, cuts)


def _starts_participle(tokens: list[Token], at: int, inside: list[Token]) -> bool:
    """ "are filled from a batch | and shipped to customers"."""
    if at >= len(tokens) or tokens[at].tag != "VBN" or not any(t.tag == "BE" for t in inside):
        return False
    since_be = max(i for i, t in enumerate(inside) if t.tag == "BE")
    if tokens[at - 1].word != "and" or any(t.word == "," for t in inside[since_be:]):
        return False
    after = tokens[at + 1].tag if at + 1 < len(tokens) else "END"
    prepositions = any(t.tag == "PREP" for t in inside)
    return after in ("PREP", "TO") or (after == "END" and prepositions)


def _is_resumed(inside: list[Token]) -> bool:
    """ "customers who book boats | can cancel": the relative clause is over."""
    return _has_finite(inside[:-1]) and inside[-1].tag in ("N", "PUNCT") and inside[-1].word != ","


def _cut(
    tokens: list[Token], cuts: list[tuple[int, int]]
) -> list[tuple[list[Token], bool, tuple[Token, ...]]]:
    segments: list[tuple[list[Token], bool, tuple[Token, ...]]] = []
    start, relative = 0, False
    owner: tuple[Token, ...] = ()
    for cut, width in [*cuts, (len(tokens), 0)]:
        piece = list(tokens[start:cut])
        while piece and (piece[-1].tag in ("CC", "SUB") or piece[-1].word in (",", ";", ":", "-")):
            piece.pop()
        segments.append((piece, relative, owner))
        if cut == len(tokens):
            break
        if width:
            relative = tokens[cut].tag == "REL"
            owner = tuple(_last_np(piece)) if relative else ()
        else:
            relative = False
        start = cut + width
        while start < len(tokens) and tokens[start].tag in ("SUB", "CC") and not relative:
            start += 1
        if start < len(tokens) and tokens[start].word == "that" and not relative:
            start += 1
    return segments


def _is_relative(tokens: list[Token], at: int) -> bool:
    """ "boats that have …", "members who borrow …"; not "which boats are free", "status that can be"."""
    if at + 1 >= len(tokens) or tokens[at - 1].tag not in ("N", "PUNCT", "VBN", "NUM"):
        return False
    following = tokens[at + 1]
    if following.tag not in ("VB", "HAVE", "BE", "MODAL", "ADV", "NOT"):
        return False
    if tokens[at - 1].word == ")":
        return True
    return not (following.tag in ("MODAL", "BE") and _in_have_list(tokens[:at]))


def _in_have_list(tokens: list[Token]) -> bool:
    """Whether a relative qualifies an attribute in a list ("a status which can be a or b")."""
    clause = _clause(tokens)
    return any(t.tag == "HAVE" or (t.tag == "VB" and t.lemma in lex.HAVE_VERBS) for t in clause)


def _starts_clause(tokens: list[Token], at: int) -> bool:
    """A noun phrase and then a finite verb, before anything else."""
    seen = False
    for index in range(at, min(at + 9, len(tokens))):
        token = tokens[index]
        if token.tag in ("N", "PRON"):
            seen = True
        elif token.tag in _FINITE:
            if seen and tokens[index - 1].tag == "CC":
                return False
            if seen:
                return token.tag != "BE" or index > at
            return index == at and tokens[at - 2].tag != "VB"
        elif token.tag == "PREP" and token.word in ("for", "of", "per", "in", "at") and seen:
            continue
        elif token.tag not in ("DET", "POS", "VBG", "VBN", "ADV", "NUM", "CC"):
            return False
    return False


def _last_np(tokens: list[Token]) -> list[Token]:
    """The noun phrase that a relative clause belongs to."""
    out: list[Token] = []
    depth = 0
    for token in reversed(tokens):
        depth += (token.word == ")") - (token.word == "(")
        if depth > 0 or token.word == "(":
            continue
        if token.tag in ("N", "VBN", "POS") or (token.tag in ("DET", "NUM") and out):
            out.insert(0, token)
            if token.tag == "DET":
                break
        elif out:
            break
    return out


def _parse(
    tokens: list[Token], owner: tuple[Token, ...], before: Clause | None, *, relative: bool
) -> Clause:
    lead, tokens = _split_lead(tokens)
    depth = 0
    verb_at = -1
    for at, token in enumerate(tokens):
        depth += (token.word == "(") - (token.word == ")")
        if depth <= 0 and token.tag in _FINITE:
            verb_at = at
            break
    if (
        verb_at < 0
        and tokens
        and tokens[0].tag == "VBN"
        and before
        and before.verb == "be"
        and before.subject
    ):
        return replace(before, participle=tokens[0].lemma, rest=tuple(tokens[1:]), lead=lead)
    if verb_at < 0:
        return Clause(rest=tuple(tokens), lead=lead)
    subject = tuple(tokens[:verb_at]) or owner
    imperative = not subject and tokens[verb_at].tag == "VB" and not relative
    clause = _verb_group(tokens[verb_at:], subject, lead)
    if not subject and not relative and before and before.verb and before.subject:
        clause = replace(clause, subject=before.subject, modal=clause.modal or before.modal)
        imperative = False
    if subject and subject[0].word in ("no", "neither"):
        clause = replace(clause, negated=True)
    return replace(clause, relative=relative, imperative=imperative)


def _split_lead(tokens: list[Token]) -> tuple[tuple[Token, ...], list[Token]]:
    """A preposition phrase in front: "for each boat", "in the kitchen,"."""
    if (
        not tokens
        or tokens[0].tag != "PREP"
        or tokens[0].word not in ("for", "per", "in", "on", "from", "with")
    ):
        return (), tokens
    for at in range(1, min(8, len(tokens))):
        if tokens[at].word == "," or tokens[at].tag in ("PRON",):
            return tuple(tokens[:at]), tokens[at + (tokens[at].word == ",") :]
        if tokens[at].tag in _FINITE and at > 1:
            return tuple(tokens[:at]), tokens[at:]
        if tokens[at].tag not in ("DET", "N", "POS", "VBN"):
            return (), tokens
    return (), tokens


def _verb_group(tokens: list[Token], subject: tuple[Token, ...], lead: tuple[Token, ...]) -> Clause:
    modal, negated, verb, participle = "", False, "", ""
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.tag == "MODAL":
            modal = token.word
        elif token.tag == "NOT":
            negated = True
        elif token.tag in ("ADV", "DO") or (token.tag == "PRON" and not verb and modal):
            pass
        elif token.tag == "TO" and (verb in ("have", "need", "want", "be", "like") or modal):
            modal, verb = modal or "must" if verb == "need" else "can", ""
        elif token.word == "able" and verb == "be":
            modal, verb = "can", ""
        elif (token.tag in ("HAVE", "BE") and verb in ("", "have")) or (
            token.tag == "VB" and not verb
        ):
            verb = token.lemma
        elif token.tag == "VBN" and verb in ("be", "have") and not participle:
            participle = token.lemma
            at += 1
            break
        elif token.tag == "BE" and verb == "be":
            pass
        else:
            break
        at += 1
    return Clause(subject, verb, participle, modal, negated, tuple(tokens[at:]), lead)
