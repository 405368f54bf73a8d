"""The reading of a text: every sentence is offered to each kind of statement in turn."""

import re
from dataclasses import replace

from . import actions, gaps, rules, structure, tagging, wishes
from . import lexicon as lex
from .facts import Facts
from .fields import split_list
from .nouns import is_generic, is_thing, parse_noun
from .tagging import Clause, text_of
from .text import sentences, tokenize

_LABEL = re.compile(r"^([^:()]{1,70}?)\s*:\s+(\S.*)$")
_SECTION = re.compile(
    r"^(?:the\s+)?(?:\w+\s+)?(?:entities|models?|tables?|resources?|objects?|features?|requirements?|rules?|constraints?|notes?|reports?|"
    r"data model|user stories|functionality|relationships?|relations?|endpoints?|overview|description|goals?|use cases)(?:\s+(?:are|include))?$",
    re.I,
)  # fmt: skip
_GREETING = re.compile(
    r"^(?:(?:hi|hello|hey|please|thanks|thank you|dear \w+|ok|okay|so|also|additionally|furthermore|moreover|finally|in addition|then|now|note that|basically|"
    r"optionally|importantly|ideally)\b[\s,!]*)+",
    re.I,
)  # fmt: skip
_WANT = re.compile(
    r"^(?:i|we|my \w+|our \w+|the \w+)?\s*(?:would like|'d like|want|need|wants|needs|am looking for|are looking for|must have|should have)\s+"
    r"(?=(?:an?|the|some)\s)(?!to\b)",
    re.I,
)  # fmt: skip
_STORY = re.compile(
    r"^as an?\s+([\w -]+?),?\s+(?:i|we)\s+(?:want|need|would like|should be able|can|must be able|wish)\s*(?:to)?\s*(?:be able to\s+)?(.+?)(?:,?\s+so that .*)?$",
    re.I,
)


def read(text: str, known: frozenset[str] = frozenset()) -> Facts:
    """Everything the text states; ``known`` are the things of a plan that it may refer to."""
    facts = Facts(known=known)
    found = [(s, c) for raw in sentences(text) for s, c in _prepare(raw, facts)]
    pending: list[tuple[str, Clause]] = []
    for sentence, clause in found:
        facts.context = facts.context or ""
        if not _read_structure(sentence, clause, facts):
            pending.append((sentence, clause))
    facts.context = ""
    done_rules: set[str] = set()
    for sentence, clause in found:
        _set_context(clause, facts)
        if (sentence, clause) in pending:
            _read_behaviour(sentence, clause, facts, done_rules)
    return facts


def _set_context(clause: Clause, facts: Facts) -> None:
    keys = structure.subject_keys(clause.subject_text, facts) if clause.subject else []
    keys = [key for key in keys if key in facts.strength]
    if keys and clause.subject_text.lower() not in ("it", "they"):
        facts.context = keys[-1]


def _prepare(raw: str, facts: Facts) -> list[tuple[str, Clause]]:
    """The clauses of a sentence; labels ("Pet: …") and user stories are unfolded first."""
    raw = _GREETING.sub("", raw).strip()
    story = _STORY.match(raw)
    if story:
        raw = f"{_plural_subject(story[1])} can {story[2]}"
    raw = _WANT.sub("", raw) if _WANT.match(raw) else raw
    label = _LABEL.match(raw)
    if label and not re.search(r"\d$", label[1]):
        return _unlabel(label[1].strip(), label[2].strip(), raw, facts)
    tokens = tagging.tag(tokenize(raw))
    return [(raw, clause) for clause in tagging.clauses(tokens)]


def _plural_subject(text: str) -> str:
    noun = parse_noun(text)
    return f"{text}s" if not noun.plural else text


def _unlabel(label: str, rest: str, raw: str, facts: Facts) -> list[tuple[str, Clause]]:
    head = tagging.tag(tokenize(label))
    tail = tagging.tag(tokenize(rest))
    head_verb = any(t.tag in ("VB", "HAVE", "BE", "MODAL") for t in head)
    tail_verb = any(
        t.tag in ("HAVE", "BE", "MODAL") or (t.tag == "VB" and at > 0)
        for at, t in enumerate(tail)
        if not _inside(tail, at)
    )
    imperative = bool(tail) and tail[0].tag == "VB"
    if _SECTION.match(label) or label.lower().startswith("as a"):
        return _prepare(rest, facts)
    if head_verb and not tail_verb:
        return [
            (raw, clause) for clause in tagging.clauses(tagging.tag(tokenize(f"{label} {rest}")))
        ]
    if tail_verb or imperative:
        noun = parse_noun(label)
        only_name = (
            len(label.split()) <= 3
            and is_thing(noun.key)
            and not structure._mentions_software(label)
        )
        if only_name and not imperative and "," in rest and attribute_start(rest):
            return [
                (raw, Clause(rest=tuple(tokenize(rest)), lead=(), verb="", subject=tuple(head)))
            ]
        first = [] if head_verb else [(label, Clause(rest=tuple(head)))]
        if head_verb:
            first = [(label, clause) for clause in tagging.clauses(head)]
        return [*first, *_prepare(rest, facts)]
    return [(raw, Clause(subject=tuple(head), rest=tuple(tail)))]


def attribute_start(rest: str) -> bool:
    items = split_list(rest)
    return bool(items) and structure.attribute_like(items[0]) and len(items[0].split()) <= 6


def _inside(tokens: list[tagging.Token], at: int) -> bool:
    depth = sum((t.word == "(") - (t.word == ")") for t in tokens[:at])
    return depth > 0


def _whole(clause: Clause) -> str:
    verb = clause.participle and f"{clause.verb} {clause.participle}" or clause.verb
    parts = (
        text_of(clause.lead),
        clause.subject_text,
        clause.modal,
        "not" if clause.negated else "",
        verb,
        clause.rest_text,
    )
    return " ".join(part for part in parts if part)


def _read_structure(sentence: str, clause: Clause, facts: Facts) -> bool:
    if clause.negated:
        return False
    if clause.subject and not clause.verb:
        return structure.read_labelled(clause.subject_text, clause.rest_text, facts)
    if not clause.verb:
        return _read_fragment(sentence, clause, facts)
    if gaps.find_gap(_whole(clause)) and clause.verb not in ("have",):
        return False
    if structure.read_have(clause, facts) or structure.read_belong(clause, facts):
        return True
    if clause.verb == "be" and _is_purpose(clause):
        return True
    return _is_listing(clause) and structure.read_manage(clause, facts)


def _is_purpose(clause: Clause) -> bool:
    """ "the app is simple": talk about the software itself."""
    return (
        is_generic(parse_noun(clause.subject_text).key)
        and not clause.modal
        and not clause.participle
        and not clause.rest_text.strip()
    )


def _is_listing(clause: Clause) -> bool:
    """A verb of management over things, and not a question about them."""
    text = clause.rest_text.lower()
    asking = re.search(
        r"\b(?:overdue|upcoming|low|total|sum|how many|number of|per|by|most|which|whether|available|not|average|history|soon|log|login|authentication|"
        r"requests?|calls|stock of|levels?|for a|of a|given)\b", text,
    )  # fmt: skip
    return clause.verb in lex.MANAGE_VERBS and not (
        asking and clause.verb in lex.VIEW_VERBS | {"filter", "add", "log", "support"}
    )


def _read_fragment(sentence: str, clause: Clause, facts: Facts) -> bool:
    text = clause.rest_text
    if not text.strip(" .,:;-"):
        return True
    if gaps.read_feature(text, facts) and len(text.split()) <= 6:
        return True
    if (
        rules._OVERLAP.search(text)
        or wishes._LOW.search(text)
        or re.search(r"\b(?:per|overdue|upcoming|search|filter|how many)\b", text, re.I)
    ):
        return False
    if gaps.find_gap(text) and not re.search(r"\bwith\b|,|\(", text):
        return False
    return structure.read_fragment(text, facts)


def _read_behaviour(sentence: str, clause: Clause, facts: Facts, done_rules: set[str]) -> None:
    whole = _whole(clause)
    if clause.relative and whole in sentence and not clause.verb:
        return
    if gaps.read_feature(whole, facts):
        return
    if sentence in done_rules:
        return
    if rules.read_rule(sentence, facts):
        done_rules.add(sentence)
        return
    if gaps.read_gap(whole, facts):
        return
    if rules.read_clause_rule(clause, facts):
        if facts.rules and facts.rules[-1].kind == "once":
            actions.read_act(replace(clause, negated=False), facts)
        return
    if actions.read_states(clause, facts):
        return
    if not _is_view(clause) and (
        actions.read_moves(clause, facts) or actions.read_act(clause, facts)
    ):
        return
    if wishes.read_wish(clause, facts):
        return
    if structure.read_manage(clause, facts) or _is_crud(clause, facts):
        return
    if len(whole.split()) > 1:
        facts.not_understood.append(gaps.shorten(whole))


def _is_view(clause: Clause) -> bool:
    return clause.verb in lex.VIEW_VERBS


def _is_crud(clause: Clause, facts: Facts) -> bool:
    """ "users can edit boats": what every entity offers anyway."""
    if clause.verb not in lex.MANAGE_VERBS or clause.negated:
        return False
    keys = [facts.find(parse_noun(item).key) for item in split_list(clause.rest_text)]
    return bool(keys) and all(keys)
