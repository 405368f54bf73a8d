"""Clauses of a tagged sentence: subject, verb, rest; subjects carried over where left out."""

from dataclasses import dataclass, replace

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand.tags import FINITE, has_finite
from agenticai_worker.llm.template.understand.text import Token


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

    @property
    def text(self) -> str:
        """The clause in order, its verb as a lemma."""
        verb = (self.participle and f"{self.verb} {self.participle}") or self.verb
        negation = "not" if self.negated else ""
        lead = text_of(self.lead)
        parts = (lead, self.subject_text, self.modal, negation, verb, self.rest_text)
        return " ".join(part for part in parts if part)


def text_of(tokens: tuple[Token, ...] | list[Token]) -> str:
    """The words with natural spacing."""
    out = ""
    for token in tokens:
        tight = token.word in (",", ")", "'s", "'", ".", ":", ";", "]") or out.endswith(
            ("(", "[", "/")
        )
        tight = tight or (token.word == "%" and out[-1:].isdigit())
        out += token.text if tight or not out or token.word == "/" else f" {token.text}"
    return out


def clauses(tokens: list[Token]) -> list[Clause]:
    """The clauses of one tagged sentence, subjects carried over where they are left out."""
    found: list[Clause] = []
    for segment, relative, owner in _segments(tokens):
        subject = owner
        parsed = _parse(segment, subject, found[-1] if found else None, relative=relative)
        if parsed.verb or parsed.rest or parsed.subject:
            _give_agent(found, parsed)
            found += [each for one in _share_object(parsed) for each in _share_agent(one)]
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


def _give_agent(found: list[Clause], clause: Clause) -> None:
    """ "are turned | and brushed by affineurs": the agent belongs to both."""
    last = found[-1] if found else None
    by = bool(clause.rest) and clause.rest[0].word == "by" and bool(clause.participle)
    if last and by and last.participle and not last.rest and last.subject == clause.subject:
        found[-1] = replace(last, rest=clause.rest)


def _share_agent(clause: Clause) -> list[Clause]:
    """ "wheels are turned and brushed by …" is two clauses with one agent."""
    rest = clause.rest
    joined = len(rest) > 1 and rest[0].tag == "CC" and rest[1].tag == "VBN"
    if not clause.participle or not joined or clause.rest_text.count(" or "):
        return [clause]
    tail = rest[2:]
    if tail and tail[0].tag not in ("PREP", "PUNCT", "ADV"):
        return [clause]
    other = replace(clause, participle=rest[1].lemma, rest=tail)
    return [replace(clause, rest=tail), *_share_agent(other)]


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
        elif (token.tag == "CC" or token.word in (",", ";", ":", "-")) and has_finite(inside):
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
    return has_finite(inside[:-1]) and inside[-1].tag in ("N", "PUNCT") and inside[-1].word != ","


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
    last = next((t for t in reversed(tokens) if t.tag in FINITE), None)
    return last is not None and (last.tag == "HAVE" or last.lemma in lex.HAVE_VERBS)


def _starts_clause(tokens: list[Token], at: int) -> bool:
    """A noun phrase and then a finite verb, before anything else."""
    seen = False
    for index in range(at, min(at + 9, len(tokens))):
        token = tokens[index]
        if token.tag in ("N", "PRON"):
            seen = True
        elif token.tag in FINITE:
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
        if depth <= 0 and token.tag in FINITE:
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
        if tokens[at].tag in FINITE and at > 1:
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
