"""The reading of a text: every sentence is offered to each kind of statement in turn."""

import re
from collections import Counter
from dataclasses import replace

from agenticai_worker.llm.template.understand import (
    clauses,
    gaps,
    rewriting,
    rules,
    spans,
    spelling,
    tagging,
    wishes,
    words,
)
from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand.acts import read_act
from agenticai_worker.llm.template.understand.clauses import Clause, text_of
from agenticai_worker.llm.template.understand.extras import split_extras
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.fragments import read_fragment, read_labelled
from agenticai_worker.llm.template.understand.having import read_have
from agenticai_worker.llm.template.understand.lifecycles import read_states
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.managing import read_business, read_manage
from agenticai_worker.llm.template.understand.nouns import (
    is_event,
    is_generic,
    is_person,
    is_thing,
    parse_noun,
)
from agenticai_worker.llm.template.understand.phrases import (
    attribute_like,
    mentions_software,
    names_software,
    subject_keys,
)
from agenticai_worker.llm.template.understand.text import Token, sentences, tokenize
from agenticai_worker.llm.template.understand.things import (
    add_entity_phrase,
    read_belong,
    read_complemented,
    read_entity_list,
)
from agenticai_worker.llm.template.understand.transitions import read_transitions

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


def read(text: str, known: frozenset[str] = frozenset()) -> Facts:
    """Everything the text states; ``known`` are the things of a plan that it may refer to."""
    facts = Facts(known=known)
    text, mended = spelling.mend(text)
    facts.misspelt = mended
    found = [(s, c) for raw in sentences(text) for s, c in _prepare(raw, facts)]
    pending: list[tuple[str, Clause]] = []
    whole = Counter(sentence for sentence, _ in found)
    for sentence, clause in found:
        forbids = rules.is_rule(sentence) and (
            whole[sentence] == 1 or rules.is_rule(_whole(clause))
        )
        behaves = forbids or _is_question(sentence) or wishes.asks_for_moment(clause, sentence)
        if behaves or not _read_structure(clause, facts):
            pending.append((sentence, clause))
    facts.context = ""
    done_rules: set[str] = set()
    for sentence, clause in found:
        _set_context(clause, facts)
        if (sentence, clause) in pending:
            _read_behaviour(sentence, clause, facts, done_rules)
    return facts


def _is_question(sentence: str) -> bool:
    return bool(re.match(r"(?:how|which|what|who|whose|where|when)\b(?!.*,)", sentence, re.I))


def _set_context(clause: Clause, facts: Facts) -> None:
    keys = subject_keys(clause.subject_text, facts) if clause.subject else []
    keys = [key for key in keys if key in facts.strength]
    if keys and clause.subject_text.lower() not in ("it", "they"):
        facts.context = keys[-1]


def _prepare(raw: str, facts: Facts) -> list[tuple[str, Clause]]:
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
    tokens = tagging.tag(tokenize(raw))
    return [(raw, clause) for clause in clauses.clauses(tokens)]


def _told_story(role: str, wish: str) -> str:
    """ "as a vet I want to record …" asks for records; "as a guest I want to book …" tells who acts."""
    verb = re.match(r"[a-z-]+", wish.lower())
    records = verb is not None and verb[0] in lex.MANAGE_VERBS - {"schedule", "register", "plan"}
    return wish if records else f"{_plural_subject(role)} can {wish}"


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
    if (
        head_verb
        and not tail_verb
        and head[-1].tag in ("N", "NUM")
        and head[-1].word not in ("following", "fields", "attributes")
    ):
        stated = [(label, clause) for clause in clauses.clauses(head)]
        if stated and stated[0][1].subject:
            described = _described_by(stated[0][1])
            if described and not attribute_like(described):
                return [
                    *stated,
                    (raw, Clause(subject=tuple(tokenize(described)), rest=tuple(tail))),
                ]
            if attribute_like(described):
                return [
                    (raw, c) for c in clauses.clauses(tagging.tag(tokenize(f"{label}: {rest}")))
                ]
    if head_verb and not tail_verb:
        return [
            (raw, clause) for clause in clauses.clauses(tagging.tag(tokenize(f"{label} {rest}")))
        ]
    if tail_verb or imperative:
        noun = parse_noun(label)
        only_name = len(label.split()) <= 3 and is_thing(noun.key) and not mentions_software(label)
        if only_name and not imperative and "," in rest and attribute_start(rest):
            return [
                (raw, Clause(rest=tuple(tokenize(rest)), lead=(), verb="", subject=tuple(head)))
            ]
        first = [] if head_verb else [(label, Clause(rest=tuple(head)))]
        if not head_verb and only_name and not noun.plural and not facts.topic:
            facts.topic, first = noun.key, []  # "Ceramics studio: potters book …"
        if head_verb:
            first = [(label, clause) for clause in clauses.clauses(head)]
        return [*first, *_prepare(rest, facts)]
    if not parse_noun(label).plural and not facts.order and _lists_things(rest):
        facts.topic = facts.topic or parse_noun(label).key
        return [(raw, Clause(rest=tuple(tail)))]
    return [(raw, Clause(subject=tuple(head), rest=tuple(tail)))]


def _described_by(clause: Clause) -> str:
    """What a list behind a statement describes: "keepers take samples: …" the samples."""
    if clause.participle or clause.verb in ("be", "belong", "come", "live"):
        return clause.subject_text
    said, _ = split_extras(clause.rest_text)
    said = split_list(said)[-1] if split_list(said) else said
    noun = parse_noun(said)
    if clause.verb in lex.LIGHT_VERBS or clause.verb in lex.HAVE_VERBS or is_event(noun.key):
        return said
    record = words.nominal(clause.verb)
    return record if clause.verb in lex.NOMINALS and noun.key else said


def _lists_things(rest: str) -> bool:
    """ "rooms with name …", "patients (name …), chairs": things rather than attributes."""
    items = split_list(rest)
    bare = [re.sub(r"\([^()]*\)?", "", item).strip() for item in items]
    listed = [
        item
        for item, name in zip(items, bare, strict=True)
        if (noun := parse_noun(name)).plural and is_thing(noun.key) and len(name.split()) < 4
        and ("(" in item or not attribute_like(name))
    ]  # fmt: skip
    if len(listed) > 1 and len(listed) > len(items) / 2:
        return True
    first = items[0] if items else ""
    noun = parse_noun(re.split(r"\s+with\s+|\(", first)[0])
    return (
        noun.plural
        and is_thing(noun.key)
        and ("(" in first or " with " in first)
        and not attribute_like(noun.key)
    )


def attribute_start(rest: str) -> bool:
    """Whether a list begins with an attribute, and not with a statement about somebody."""
    items = split_list(rest)
    if not items or not attribute_like(items[0]) or len(items[0].split()) > 6:
        return False
    first = tagging.tag(tokenize(items[0]))
    return not any(t.tag == "VB" and not _inside(first, at) for at, t in enumerate(first) if at)


def _inside(tokens: list[Token], at: int) -> bool:
    depth = sum((t.word == "(") - (t.word == ")") for t in tokens[:at])
    return depth > 0


def _whole(clause: Clause) -> str:
    verb = (clause.participle and f"{clause.verb} {clause.participle}") or clause.verb
    parts = (
        text_of(clause.lead),
        clause.subject_text,
        clause.modal,
        "not" if clause.negated else "",
        verb,
        clause.rest_text,
    )
    return " ".join(part for part in parts if part)


def _read_structure(clause: Clause, facts: Facts) -> bool:  # noqa: PLR0911
    if clause.subject and clause.verb and "(" in clause.subject_text:
        for item in split_list(clause.subject_text):
            add_entity_phrase(item, facts)
    if clause.negated:
        return False
    if clause.subject and clause.verb not in lex.VIEW_VERBS:
        read_complemented(clause.subject_text, facts)
    if clause.subject and not clause.verb:
        return read_labelled(clause.subject_text, clause.rest_text, facts)
    if not clause.verb:
        return _read_fragment(clause, facts)
    if gaps.find_gap(_whole(clause)) and clause.verb not in ("have",):
        return False
    if spans.read_span(clause, facts) or read_business(clause, facts):
        return True
    if read_have(clause, facts) or read_belong(clause, facts):
        return True
    if clause.verb == "be" and clause.subject_text.lower() == "there":
        return read_entity_list(clause.rest_text, facts)
    if clause.verb == "be" and (_is_purpose(clause) or _is_business(clause, facts)):
        return True
    return _is_listing(clause) and read_manage(clause, facts)


def _is_purpose(clause: Clause) -> bool:
    """ "the app is simple": talk about the software itself."""
    return (
        is_generic(parse_noun(clause.subject_text).key)
        and not clause.modal
        and not clause.participle
        and not clause.rest_text.strip()
    )


def _is_business(clause: Clause, facts: Facts) -> bool:
    """ "we are a language school"."""
    return clause.subject_text.lower() in ("we", "i") and read_manage(clause, facts)


def _is_listing(clause: Clause) -> bool:
    """A verb of management over things, and not a question about them."""
    text = clause.rest_text.lower()
    asking = re.search(
        r"\b(?:overdue|upcoming|low|total|sum|how many|number of|per|by|most|which|whether|available|not|average|history|soon|log|login|authentication|"
        r"requests?|calls|free|available|vacant|unpaid|un\w+ed|pending|stock of|levels?|for a|of a|given)\b", text,
    )  # fmt: skip
    first = split_list(clause.rest_text)[:1]
    noun = parse_noun(clause.subject_text)
    by_person = is_person(noun.key) and not is_generic(noun.key)
    if (
        by_person
        and clause.verb in lex.LIGHT_VERBS
        and first
        and not attribute_like(re.sub(r"\([^()]*\)?", "", first[0]))
    ):
        return False
    return clause.verb in lex.MANAGE_VERBS and not (
        asking and clause.verb in lex.VIEW_VERBS | {"filter", "add", "log", "support"}
    )


def _read_fragment(clause: Clause, facts: Facts) -> bool:
    text = clause.rest_text
    if not text.strip(" .,:;-"):
        return True
    if gaps.read_feature(text, facts) and len(text.split()) <= 6:
        return True
    if rules._OVERLAP.search(text) or wishes._LOW.search(text) or _asks(text):
        return False
    if gaps.find_gap(text) and "(" not in text and not names_software(text):
        return False
    return read_fragment(text, facts)


def _asks(text: str) -> bool:
    """A fragment that wants to see something: "overdue loans", "revenue per month"."""
    listing = "," in text or "(" in text or " with " in text
    return bool(
        re.search(r"^(?:the )?(?:total|sum|number|count|average)\b.*\b(?:by|per)\b", text, re.I)
        or re.search(r"^\w+ (?:by|per) \w+$", text)
        or re.search(r"\b(?:overdue|upcoming|search|filter|how many)\b", text, re.I)
        or re.search(
            r"\b(?:expiring|due|ending|starting)\s+(?:soon|today|this|next|within)\b", text, re.I
        )
        or re.fullmatch(
            r"(?:all |the )?[\w-]+(?: [\w-]+)? (?:by|per) [\w-]+(?:, (?:by|per) [\w-]+)*",
            text.strip(),
        )
        or (re.search(r"\bper\b", text, re.I) and not listing)
    )


def _read_behaviour(sentence: str, clause: Clause, facts: Facts, done_rules: set[str]) -> None:
    whole = _whole(clause)
    if sentence in done_rules or (clause.relative and not clause.verb):
        return
    if gaps.asks_for_feature(sentence) and gaps.read_feature(whole, facts):
        return
    if gaps.find_gap(whole) and _is_conditional(sentence):
        gaps.read_gap(sentence, facts, gaps.find_gap(whole))
        done_rules.add(sentence)
        return
    if wishes.asks_for_moment(clause, sentence):
        wishes.read_moment(sentence, facts)
        done_rules.add(sentence)
        return
    if rules.read_rule(sentence, facts):
        done_rules.add(sentence)
        return
    understood = (
        gaps.read_gap(whole, facts)
        or _read_clause_rule(sentence, clause, facts)
        or read_states(clause, facts)
        or (not _is_view(clause) and _read_verb(clause, facts))
        or wishes.read_wish(clause, facts)
        or read_manage(clause, facts)
        or _is_crud(clause, facts)
    )
    if not understood and len(whole.split()) > 1:
        facts.not_understood.append(gaps.shorten(_quote(sentence, clause)))


def _is_conditional(sentence: str) -> bool:
    """ "warn us when …": what is asked for cannot be had without its condition."""
    return bool(re.search(r"\b(?:when|whenever|if|once|because|as soon as)\b", sentence, re.I))


def _quote(sentence: str, clause: Clause) -> str:
    """The clause in the user's own words, where they can be found in the sentence."""
    start = sentence.find(clause.subject_text) if clause.subject_text else 0
    rest = clause.rest_text
    end = sentence.find(rest, start) if rest else -1
    return sentence[start : end + len(rest)] if start >= 0 and end >= 0 else sentence


def _read_clause_rule(sentence: str, clause: Clause, facts: Facts) -> bool:
    """A rule; "may review a book only once" tells of reviews as well."""
    if not rules.read_clause_rule(clause, facts, sentence):
        return False
    if facts.rules and facts.rules[-1].kind == "once":
        read_act(replace(clause, negated=False), facts)
    return True


def _read_verb(clause: Clause, facts: Facts) -> bool:
    return read_transitions(clause, facts) or read_act(clause, facts)


def _is_view(clause: Clause) -> bool:
    return clause.verb in lex.VIEW_VERBS


def _is_crud(clause: Clause, facts: Facts) -> bool:
    """ "users can edit boats": what every entity offers anyway."""
    if clause.verb not in lex.MANAGE_VERBS or clause.negated:
        return False
    keys = [facts.find(parse_noun(item).key) for item in split_list(clause.rest_text)]
    return bool(keys) and all(keys)
