"""A sentence becomes clauses; greetings are dropped, labels and user stories unfolded."""

import re

from agenticai_worker.llm.template.understand import clauses, rewriting
from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.labels import (
    begins_with_attribute,
    described_by,
    in_parentheses,
    lists_things,
)
from agenticai_worker.llm.template.understand.nouns import is_thing, parse_noun
from agenticai_worker.llm.template.understand.phrases import attribute_like, mentions_software
from agenticai_worker.llm.template.understand.tagging import tag
from agenticai_worker.llm.template.understand.text import Token, tokenize

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
    r"(?=(?:an?|some|how many|how much)\s)(?!to\b)",
    re.I,
)  # fmt: skip
_STORY = re.compile(
    r"^as an?\s+([\w -]+?),?\s+(?:i|we)\s+(?:want|need|would like|should be able|can|must be able|wish)\s*(?:to)?\s*(?:be able to\s+)?(.+?)(?:,?\s+so that .*)?$",
    re.I,
)
_NEEDS = re.compile(
    r"^(?:an?|the|our|my|this)\s+[\w -]+?\s+(?:wants?|needs?|would like|wishes|has)\s+to\s+", re.I
)


def read_clauses(raw: str, facts: Facts) -> list[tuple[str, Clause]]:
    """The clauses of a sentence; labels ("Pet: …") and user stories are unfolded first."""
    raw = re.sub(
        r"[\s,]+(?:please|thanks|thank you)$", "", _GREETING.sub("", raw).strip(), flags=re.I
    )
    raw = re.sub(r"^(make|build|create|give|write|develop)\s+(?:me|us)\s+", r"\1 ", raw, flags=re.I)
    story = _STORY.match(raw)
    if story:
        raw = _told_story(story[1], story[2])
    raw = rewriting.simplify(raw)
    raw = _NEEDS.sub("we need to ", raw) if not facts.order else raw
    raw = _WANT.sub("", raw) if _WANT.match(raw) else raw
    label = _LABEL.match(raw)
    if label and not re.search(r"\d$", label[1]):
        return _unlabel(label[1].strip(), label[2].strip(), raw, facts)
    return [(raw, clause) for clause in _parse(raw)]


def _told_story(role: str, wish: str) -> str:
    """ "as a vet I want to record …" asks for records; "as a guest I want to book …" tells who acts."""
    verb = re.match(r"[a-z-]+", wish.lower())
    records = verb is not None and verb[0] in lex.MANAGE_VERBS - {"schedule", "register", "plan"}
    return wish if records else f"{_plural_subject(role)} can {wish}"


def _plural_subject(text: str) -> str:
    noun = parse_noun(text)
    return f"{text}s" if not noun.plural else text


def _unlabel(label: str, rest: str, raw: str, facts: Facts) -> list[tuple[str, Clause]]:
    """The clauses of "label: rest"."""
    if _SECTION.match(label) or label.lower().startswith("as a"):
        return read_clauses(rest, facts)
    head, tail = tag(tokenize(label)), tag(tokenize(rest))
    tail_verb = any(
        t.tag in ("HAVE", "BE", "MODAL") or (t.tag == "VB" and at > 0)
        for at, t in enumerate(tail)
        if not in_parentheses(tail, at)
    )
    if _has_verb(head) and not tail_verb:
        return _unlabel_list(label, rest, raw)
    if tail_verb or (tail and tail[0].tag == "VB"):
        return _unlabel_statement(label, rest, raw, facts)
    if not parse_noun(label).plural and not facts.order and lists_things(rest):
        facts.topic = facts.topic or parse_noun(label).key
        return [(raw, Clause(rest=tuple(tail)))]
    return [(raw, Clause(subject=tuple(head), rest=tuple(tail)))]


def _unlabel_list(label: str, rest: str, raw: str) -> list[tuple[str, Clause]]:
    """ "keepers take samples: a date and a weight": a statement, and what its thing has."""
    last = tag(tokenize(label))[-1]
    stated = _parse(label)
    complete = last.tag in ("N", "NUM") and last.word not in ("following", "fields", "attributes")
    if complete and stated and stated[0].subject:
        described = described_by(stated[0])
        if attribute_like(described):
            return [(raw, clause) for clause in _parse(f"{label}: {rest}")]
        if described:
            subject, listed = tuple(tokenize(described)), tuple(tag(tokenize(rest)))
            return [*((label, c) for c in stated), (raw, Clause(subject=subject, rest=listed))]
    return [(raw, clause) for clause in _parse(f"{label} {rest}")]


def _unlabel_statement(label: str, rest: str, raw: str, facts: Facts) -> list[tuple[str, Clause]]:
    """ "Ceramics studio: potters book …": the topic, another statement, or a thing's list."""
    noun = parse_noun(label)
    head, tail = tag(tokenize(label)), tag(tokenize(rest))
    only_name = len(label.split()) <= 3 and is_thing(noun.key) and not mentions_software(label)
    listed = "," in rest and tail[0].tag != "VB" and begins_with_attribute(rest)
    if only_name and listed:
        return [(raw, Clause(subject=tuple(head), rest=tuple(tokenize(rest))))]
    if _has_verb(head):
        first = [(label, clause) for clause in _parse(label)]
    elif only_name and not noun.plural and not facts.topic:
        facts.topic, first = noun.key, []
    else:
        first = [(label, Clause(rest=tuple(head)))]
    return [*first, *read_clauses(rest, facts)]


def _has_verb(tokens: list[Token]) -> bool:
    return any(t.tag in ("VB", "HAVE", "BE", "MODAL") for t in tokens)


def _parse(text: str) -> list[Clause]:
    return clauses.clauses(tag(tokenize(text)))
