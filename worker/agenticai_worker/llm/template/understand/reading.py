"""The reading of a text: every sentence is offered to each kind of statement in turn."""

import re
from collections import Counter

from agenticai_worker.llm.template.understand import rules, spelling, wishes
from agenticai_worker.llm.template.understand.behaviour import read_behaviour
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.phrases import subject_keys
from agenticai_worker.llm.template.understand.sentences import read_clauses
from agenticai_worker.llm.template.understand.structure import read_structure
from agenticai_worker.llm.template.understand.text import sentences


def read(text: str, known: frozenset[str] = frozenset()) -> Facts:
    """Everything the text states; ``known`` are the things of a plan that it may refer to."""
    facts = Facts(known=known)
    text, mended = spelling.mend(text)
    facts.misspelt = mended
    found = [(s, c) for raw in sentences(text) for s, c in read_clauses(raw, facts)]
    pending: list[tuple[str, Clause]] = []
    whole = Counter(sentence for sentence, _ in found)
    for sentence, clause in found:
        forbids = rules.is_rule(sentence) and (whole[sentence] == 1 or rules.is_rule(clause.text))
        behaves = forbids or _is_question(sentence) or wishes.asks_for_moment(clause, sentence)
        if behaves or not read_structure(clause, facts):
            pending.append((sentence, clause))
    facts.context = ""
    done_rules: set[str] = set()
    for sentence, clause in found:
        _set_context(clause, facts)
        if (sentence, clause) in pending:
            read_behaviour(sentence, clause, facts, done_rules)
    return facts


def _is_question(sentence: str) -> bool:
    return bool(re.match(r"(?:how|which|what|who|whose|where|when)\b(?!.*,)", sentence, re.I))


def _set_context(clause: Clause, facts: Facts) -> None:
    keys = subject_keys(clause.subject_text, facts) if clause.subject else []
    keys = [key for key in keys if key in facts.strength]
    if keys and clause.subject_text.lower() not in ("it", "they"):
        facts.context = keys[-1]
