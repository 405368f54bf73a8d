"""Reports that count or add up: how many, totals per group, the most used."""

import re

from agenticai_core.plans import EntityField, Report
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.drafts import Board, Draft, a_an, spoken
from agenticai_worker.llm.template.understand.facts import Wish
from agenticai_worker.llm.template.understand.nouns import parse_noun
from agenticai_worker.llm.template.understand.report_targets import (
    NUMERIC,
    entity_in,
    group_fields,
    note_unused,
    put_report,
    short_name,
)


def add_count(wish: Wish, board: Board, reports: list[Report]) -> bool:
    draft = entity_in(wish.subject, board)
    group = board.find(parse_noun(wish.by[0]).key) if wish.by else None
    if draft is None or draft is group:
        return False
    groups = group_fields(wish, draft, board)
    if not groups:
        return False
    note_unused(wish, draft, board)
    name = f"{draft.plural}_by_{'_and_'.join(short_name(g) for g in groups)}"
    text = f"How many {spoken(draft.plural)} per {words.join_words([spoken(short_name(g)) for g in groups])}"
    return put_report(
        reports,
        Report(name=name, kind="count_by", entity=draft.name, group_by=groups, description=text),
    )


def add_sum(wish: Wish, board: Board, reports: list[Report]) -> bool:
    """ "total amount per customer", "honey harvested per apiary": a number of some entity."""
    subject = re.sub(r"^(?:total|sum of|overall|the|amount of)\s+", "", wish.subject.lower())
    plain = board.drafts.get(parse_noun(subject).key) or board.drafts.get(parse_noun(subject).head)
    if plain and not re.search(r"\b(?:total|sum)\b", wish.text, re.I):
        return add_count(Wish("count", subject, wish.by, wish.text), board, reports)
    for draft, field in _numbers_for(subject, board):
        groups = group_fields(wish, draft, board)
        if groups:
            by = "_and_".join(short_name(g) for g in groups)
            name = (
                f"{field.name}_by_{by}"
                if field.name.startswith("total")
                else f"total_{field.name}_by_{by}"
            )
            text = f"Total {spoken(field.name)} of {spoken(draft.plural)} per {words.join_words([spoken(short_name(g)) for g in groups])}"
            return put_report(
                reports, Report(name=name, kind="sum_by", entity=draft.name, field=field.name, group_by=groups, description=text)
            )  # fmt: skip
    if (
        board.find(parse_noun(subject).key)
        and not re.match(r"(?:total|sum)\b", wish.text, re.I)
        and add_count(Wish("count", subject, wish.by, wish.text), board, reports)
    ):
        return True
    return _new_measure(subject, wish, board, reports)


def _numbers_for(subject: str, board: Board) -> list[tuple[Draft, EntityField]]:
    """Numeric fields that a phrase may mean, the best first."""
    said = {words.singular(w) for w in re.findall(r"[a-z]+", subject)}
    money = bool(
        said
        & {
            "revenue",
            "income",
            "turnover",
            "sale",
            "spending",
            "cost",
            "earning",
            "money",
            "value",
            "expense",
            "spend",
            "takings",
            "amount",
        }
    )
    scored: list[tuple[int, Draft, EntityField]] = []
    for draft in board.drafts.values():
        for field in draft.of_type(*NUMERIC):
            parts = {words.singular(p) for p in field.name.split("_")}
            score = 4 * len(parts & said) + (2 if draft.key.rpartition("_")[2] in said else 0)
            score += (
                2 if money and field.type == "decimal" and not field.name.endswith("rate") else 0
            )
            score += (
                1
                if {words.nominal(b) for w in said if (b := words.verb_base(w))} & {draft.key}
                else 0
            )
            score += 1 if draft.event and score else 0
            if parts & said or (money and field.type == "decimal") or score >= 2:
                scored.append((score, draft, field))
    return [(d, f) for _, d, f in sorted(scored, key=lambda s: -s[0])]


def _new_measure(subject: str, wish: Wish, board: Board, reports: list[Report]) -> bool:
    """ "honey harvested per apiary": nothing holds it yet, so the act becomes a record of amounts."""
    match = re.match(r"^(?:how much )?([a-z]+)\s+(?:was\s+|is\s+|were\s+)?([a-z]+)$", subject)
    base = words.verb_base(match[2], "ed") if match else None
    group = board.find(parse_noun(wish.by[0]).key) if wish.by else None
    if not match or not base or not group:
        return False
    key = words.nominal(base)
    draft = board.drafts.get(key) or board.add(key)
    if draft is None:
        return False
    draft.event = True
    amount = words.to_snake(f"{words.singular(match[1])} amount")
    board.refer(draft, group)
    draft.put(EntityField(name="date", type="date", default="now"))
    draft.put(EntityField(name=amount, type="decimal", minimum=0))
    board.assume(
        f"{a_an(draft).capitalize()} is recorded with a date, {spoken(amount)} and {spoken(group.key)}, "
        f"because “{wish.text.strip()}” needs it and nothing in the text holds it."
    )
    return add_sum(Wish("sum", amount.replace("_", " "), wish.by, wish.text), board, reports)


def add_most(wish: Wish, board: Board, reports: list[Report]) -> bool:
    """ "most borrowed tools": loans counted per tool."""
    said = re.findall(r"[a-z]+", wish.text.lower())
    thing = entity_in(wish.subject, board)
    for word in said:
        base = words.verb_base(word, "ed")
        event = board.find(words.nominal(base)) if base else None
        if event and thing and event is not thing and event.references(thing.name):
            return add_count(Wish("count", event.key, (thing.key,), wish.text), board, reports)
    if thing:
        holders = [d for d in board.drafts.values() if d.event and d.references(thing.name)]
        if len(holders) == 1:
            return add_count(Wish("count", holders[0].key, (thing.key,), wish.text), board, reports)
    return False
