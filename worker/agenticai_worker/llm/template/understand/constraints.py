"""Rules, put on the entities that they are about."""

import re

from agenticai_core.plans import Rule
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.drafts import Board, Draft, spoken
from agenticai_worker.llm.template.understand.facts import Facts, RawRule
from agenticai_worker.llm.template.understand.limits import (
    apply_tweak,
    match_field,
    put_rule,
    singular_snake,
)
from agenticai_worker.llm.template.understand.nouns import parse_noun
from agenticai_worker.llm.template.understand.overlaps import forbid_overlap, period


def add_rules(facts: Facts, board: Board) -> None:
    for tweak in facts.tweaks:
        if not apply_tweak(tweak, board):
            board.leave_out(
                f"Not understood which field is meant: “{spoken(tweak.field)} {tweak.constraint}”"
            )
    for raw in facts.rules:
        handler = _HANDLERS[raw.kind]
        if not handler(raw, board):
            board.leave_out(f"A rule that could not be placed: “{raw.text[:140]}”")
    for draft in board.drafts.values():
        _add_period_order(draft)


def _add_period_order(draft: Draft) -> None:
    found = period(draft)
    if found and not any(r.kind == "order" and set(r.fields) == set(found) for r in draft.rules):
        put_rule(
            draft,
            "order",
            found,
            f"{found[0]} must not be after {found[1]}",
        )


def _order(raw: RawRule, board: Board) -> bool:
    for draft in board.drafts.values():
        earlier, later = (
            match_field(_stem(name), draft) or match_field(name, draft) for name in raw.words
        )
        if (
            earlier
            and later
            and earlier != later
            and draft.fields[earlier].type == draft.fields[later].type
        ):
            return put_rule(
                draft,
                "order",
                (earlier, later),
                f"{earlier} must not be after or above {later}",
            )
    return any(
        {"start", "end"} <= {w.split("_")[0] for w in raw.words} and period(d) is not None
        for d in board.drafts.values()
    )


def _stem(name: str) -> str:
    return name if len(name.split("_")) > 1 else f"{name}_date"


def _not_negative(raw: RawRule, board: Board) -> bool:
    for draft in board.drafts.values():
        if draft.immutable and draft.of_type("integer", "float", "decimal"):
            quantity = draft.of_type("integer", "float", "decimal")[0].name
            references = [f.name for f in draft.of_type("reference")]
            if references and put_rule(
                draft, "not_negative_stock", (quantity, *references), "Stock cannot go below zero"
            ):
                return True
    said = re.findall(r"[a-z]+", raw.text.lower())
    done = False
    for draft in board.drafts.values():
        for field in draft.of_type("integer", "decimal", "float"):
            if field.name.split("_")[-1] in said or field.name.split("_")[0] in said:
                draft.fields[field.name] = field.model_copy(update={"minimum": 0.0})
                done = True
    return done


def _once(raw: RawRule, board: Board) -> bool:
    verb, target = raw.words
    noun = words.nominal(verb)
    draft = board.find(noun) or board.find(words.gerund(verb))
    references: list[str] = []
    if draft:
        for key in (raw.subject, target):
            other = board.find(key)
            if other and other is not draft:
                references += draft.references(other.name)[:1]
    if draft and len(references) < 2 and len(draft.of_type("reference")) == 2:
        references = [f.name for f in draft.of_type("reference")]
    if draft is None or len(references) != 2:
        return False
    return put_rule(draft, "unique_together", tuple(references), raw.text.strip()[:140])


def _unique_per(raw: RawRule, board: Board) -> bool:
    """ "number must be unique per apiary", "one inspection per hive and date"."""
    groups = [parse_noun(part).key for part in re.split(r"\s+and\s+(?:per\s+)?|,\s*", raw.words[1])]
    subject = parse_noun(raw.subject).key
    for draft in board.drafts.values():
        names = [_group_field(group, draft, board) for group in groups]
        own = match_field(subject, draft) or match_field(raw.words[0], draft)
        is_draft = board.find(subject) is draft or board.find(singular_snake(raw.words[0])) is draft
        fields = tuple(dict.fromkeys(n for n in ((own if not is_draft else None), *names) if n))
        if all(names) and (own or is_draft) and fields:
            if len(fields) == 1:
                draft.fields[fields[0]] = draft.fields[fields[0]].model_copy(
                    update={"unique": True}
                )
                return True
            label = words.join_words([spoken(f) for f in fields])
            return put_rule(
                draft,
                "unique_together",
                fields,
                f"No two {spoken(draft.plural)} with the same {label}",
            )
    return False


def _group_field(group: str, draft: Draft, board: Board) -> str | None:
    other = board.find(group)
    if other and draft.references(other.name):
        return draft.references(other.name)[0]
    if group in ("day", "date"):
        dates = draft.of_type("date")
        return dates[0].name if dates else None
    return match_field(group, draft)


def _immutable(raw: RawRule, board: Board) -> bool:
    draft = board.find(raw.subject)
    status = draft.status() if draft else None
    if not draft or not status:
        return False
    said = re.findall(r"[a-z_]+", raw.text.lower())
    choice = next((c for c in status.choices if c in said or c == raw.words[0]), None)
    if not choice:
        return False
    draft.rules.append(
        Rule(
            kind="immutable_after",
            fields=(status.name, choice),
            description=f"No change once {spoken(choice)}",
        )
    )
    return True


_HANDLERS = {
    "no_overlap": forbid_overlap,
    "order": _order,
    "not_negative": _not_negative,
    "once": _once,
    "unique_per": _unique_per,
    "immutable": _immutable,
}
