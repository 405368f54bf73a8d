"""Statements of what happens to things, offered to each reader of them: rules, acts, wishes."""

import re
from dataclasses import replace

from agenticai_worker.llm.template.understand import gaps, rules, wishes
from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand.acts import read_act
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.lifecycles import read_states
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.managing import read_manage
from agenticai_worker.llm.template.understand.nouns import parse_noun
from agenticai_worker.llm.template.understand.transitions import read_transitions


def read_behaviour(sentence: str, clause: Clause, facts: Facts, done_rules: set[str]) -> None:
    """Note what the clause wants to happen, or that it was not understood.

    ``done_rules`` are the sentences that were read as a whole, once for all of their clauses.
    """
    whole = clause.text
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
