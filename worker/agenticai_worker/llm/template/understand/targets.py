"""What a change request means by "the email of members": entities and fields of the plan."""

import re

from agenticai_core.plans import Entity, Plan
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.drafts import Draft, board_of
from agenticai_worker.llm.template.understand.limits import match_field
from agenticai_worker.llm.template.understand.nouns import parse_noun


class NotUnderstood(Exception):
    """One part of a request cannot be done; the message says why."""


def find_entity(plan: Plan, phrase: str) -> Entity | None:
    """The entity that a phrase names, in singular or plural, by its whole name or its head."""
    key = parse_noun(phrase).key
    board = board_of(plan)
    draft = board.drafts.get(key) or (board.find(key) if key else None)
    if draft is None and words.to_snake(phrase) in {e.plural for e in plan.entities}:
        draft = next((d for d in board.drafts.values() if d.plural == words.to_snake(phrase)), None)
    if draft is None or (
        key not in board.drafts and key.endswith("_" + draft.key) and key != draft.key
    ):
        return None
    return next(e for e in plan.entities if e.name == draft.name)


def need_entity(plan: Plan, phrase: str) -> Entity:
    entity = find_entity(plan, phrase)
    if entity is None:
        raise NotUnderstood(f"there is nothing called “{phrase.strip()}” in this project.")
    return entity


def _draft_of(plan: Plan, entity: Entity) -> Draft:
    draft = board_of(plan).named(entity.name)
    if draft is None:
        raise NotUnderstood(f"there is no {entity.name}.")
    return draft


def find_field(plan: Plan, entity: Entity, phrase: str) -> str:
    phrase = re.sub(r"\b(?:field|column|attribute|property)s?\b", "", phrase)
    key = words.to_snake(re.sub(r"^(?:the|an?|its|their)\s+", "", phrase.strip().lower()))
    name = match_field(key.removesuffix("_id"), _draft_of(plan, entity))
    if name is None:
        have = ", ".join(f.name for f in entity.fields)
        raise NotUnderstood(f"{entity.name} has no field “{phrase.strip()}”; it has {have}.")
    return name


def owner_and_field(plan: Plan, phrase: str) -> tuple[Entity, str] | None:
    """ "the email of members", "member's email", "Member.email", "member email", or a field of only one."""
    phrase = re.sub(r"\b(?:field|column|attribute|property)s?\b", "", phrase).strip()
    phrase = re.sub(r"\s+", " ", phrase)
    for pattern, owner, field in (
        (
            r"^(?:the\s+)?(.+?)\s+(?:of|on|in|from|for)\s+(?:the\s+|an?\s+|each\s+|every\s+|all\s+)?(.+)$",
            2,
            1,
        ),
        (r"^(?:the\s+|an?\s+)?(.+?)'s?\s+(.+)$", 1, 2),
        (r"^(\w+)\s*\.\s*(\w+)$", 1, 2),
    ):
        match = re.match(pattern, phrase, re.IGNORECASE)
        if match:
            entity = need_entity(plan, match[owner])
            return entity, find_field(plan, entity, match[field])
    key = words.to_snake(re.sub(r"^(?:the|an?)\s+", "", phrase.lower()))
    for draft in board_of(plan).drafts.values():
        for prefix in (draft.key, draft.plural):
            if key.startswith(prefix + "_") and (
                name := match_field(key.removeprefix(prefix + "_"), draft)
            ):
                return need_entity(plan, draft.name), name
    owners = [e for e in plan.entities if key in {f.name for f in e.fields}]
    if len(owners) == 1:
        return owners[0], key
    if len(owners) > 1:
        names = words.join_words([e.name for e in owners], "or")
        raise NotUnderstood(f"“{phrase}” is a field of several; say which: {names}.")
    return None
