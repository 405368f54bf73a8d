"""Statements of what things there are and what they have, offered to each reader of them."""

import re

from agenticai_worker.llm.template.understand import gaps, rules, spans, wishes
from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.fragments import read_fragment, read_labelled
from agenticai_worker.llm.template.understand.having import read_have
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.managing import read_business, read_manage
from agenticai_worker.llm.template.understand.nouns import is_generic, is_person, parse_noun
from agenticai_worker.llm.template.understand.phrases import attribute_like, names_software
from agenticai_worker.llm.template.understand.things import (
    add_entity_phrase,
    read_belong,
    read_complemented,
    read_entity_list,
)


def read_structure(clause: Clause, facts: Facts) -> bool:  # noqa: PLR0911
    """Note what the clause says there is; False if it says no such thing."""
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
    if gaps.find_gap(clause.text) and clause.verb not in ("have",):
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
    if rules.OVERLAP.search(text) or wishes.LOW_STOCK.search(text) or _asks(text):
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
