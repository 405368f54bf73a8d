"""Commands on entities and fields that exist: remove, rename, constrain."""

import re

from agenticai_core.plans import Entity, Plan
from agenticai_worker.llm.template.understand import edits, words
from agenticai_worker.llm.template.understand.drafts import Board
from agenticai_worker.llm.template.understand.fields import safe_name
from agenticai_worker.llm.template.understand.limits import constrain
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import is_thing, parse_noun
from agenticai_worker.llm.template.understand.targets import (
    NotUnderstood,
    find_entity,
    find_field,
    need_entity,
    owner_and_field,
)


def remove(plan: Plan, part: str) -> Plan | None:
    match = re.match(r"^(?:remove|delete|drop|get rid of|take out)\s+(?:the\s+)?(.+)$", part, re.I)
    if not match:
        return None
    phrase = match[1].strip()
    bare = re.sub(r"\b(?:entity|entities|model|table|resource)\b", "", phrase).strip()
    entity = find_entity(plan, bare)
    if entity is not None and not re.search(r"\b(?:field|column|attribute|from|of)\b|'", phrase):
        if len(plan.entities) == 1:
            raise NotUnderstood(f"{entity.name} is the only entity; a project needs at least one.")
        return edits.remove_entity(plan, entity)
    report = next(
        (
            r
            for r in plan.reports
            if r.name == words.to_snake(re.sub(r"\breports?\b", "", phrase).strip())
        ),
        None,
    )
    if report:
        return plan.model_copy(
            update={"reports": tuple(r for r in plan.reports if r is not report)}
        )
    if (
        (names := re.match(r"^(.+?)\s+(?:from|of|on)\s+(.+)$", phrase)) and "," in names[1]
    ) or " and " in phrase.split(" from ")[0]:
        return _remove_several(plan, phrase)
    found = owner_and_field(plan, phrase)
    if found is None:
        raise NotUnderstood(f"there is nothing called “{phrase}” to remove.")
    return _without_field(plan, found[0], found[1])


def _remove_several(plan: Plan, phrase: str) -> Plan:
    names, _, owner = re.sub(r"\s+(?:of|on)\s+", " from ", phrase).rpartition(" from ")
    for item in split_list(names or phrase):
        entity = need_entity(plan, owner)
        plan = _without_field(plan, entity, find_field(plan, entity, item))
    return plan


def _without_field(plan: Plan, entity: Entity, name: str) -> Plan:
    if len(entity.fields) == 1:
        raise NotUnderstood(
            f"{name} is the only field of {entity.name}; remove {entity.name} instead."
        )
    return edits.remove_field(plan, entity, name)


def rename(plan: Plan, part: str) -> Plan | None:
    match = re.match(
        r"^(?:rename|change the name of|call)\s+(?:the\s+)?(.+?)\s+(?:to|into|as)\s+(.+)$",
        part,
        re.I,
    )
    if not match:
        return None
    new = parse_noun(match[2])
    bare = re.sub(r"\b(?:entity|model|table|resource)\b", "", match[1]).strip()
    entity = find_entity(plan, bare)
    if entity is not None and not re.search(r"\bfield\b|\sof\s|'", match[1]):
        if not is_thing(new.key) or find_entity(plan, match[2]):
            raise NotUnderstood(
                f"“{match[2]}” cannot be the new name; it is taken or no name for a thing."
            )
        board = Board()
        draft = board.add(new.key)
        if draft is None or draft.name != words.to_pascal(new.key):
            raise NotUnderstood(f"“{match[2]}” cannot be a name in the code.")
        return edits.rename_entity(plan, entity, new.key)
    found = owner_and_field(plan, match[1])
    name = safe_name(words.to_snake(match[2]))
    if found is None:
        raise NotUnderstood(f"there is nothing called “{match[1]}” to rename.")
    if name in {f.name for f in found[0].fields}:
        raise NotUnderstood(f"{found[0].name} already has a field {name}.")
    return edits.rename_field(plan, found[0], found[1], name)


def constrain_field(plan: Plan, part: str) -> Plan | None:
    """ "make the email of members unique", "a booking's deposit should be optional"."""
    flags = r"(?:an?\s+)?((?:optional|required|unique|mandatory|nullable|positive|non-negative|not required|at (?:least|most) .+|between .+|max\w* .+|no more than .+|up to .+|(?:a |an )?(?:integer|decimal|boolean|text|date|datetime|email|url|float|string|long text)(?: field)?)(?:\s*(?:,|and)\s*(?:optional|required|unique|mandatory))*)"
    match = re.match(
        rf"^(?:make|set|change|mark)\s+(?:the\s+)?(.+?)\s+(?:to\s+|as\s+|be\s+)?{flags}$",
        part,
        re.I,
    ) or re.match(
        rf"^(?:the\s+|each\s+|every\s+)?(.+?)\s+(?:must|should|has to|have to|is|are|may|can|shall|needs to)\s+(?:always\s+)?(?:be\s+)?{flags}$",
        part,
        re.I,
    )
    if not match:
        return None
    found = owner_and_field(plan, match[1])
    if found is None:
        raise NotUnderstood(f"no field “{match[1]}” is known.")
    entity, name = found
    old = next(f for f in entity.fields if f.name == name)
    new = constrain(old, match[2])
    if new == old:
        raise NotUnderstood(f"{name} of {entity.name} is that already.")
    if old.type in ("enum", "reference") and new.type != old.type:
        raise NotUnderstood(f"{name} of {entity.name} is a {old.type} and stays one.")
    fields = tuple(new if f.name == name else f for f in entity.fields)
    return edits.replace_entity(plan, entity.name, entity.model_copy(update={"fields": fields}))
