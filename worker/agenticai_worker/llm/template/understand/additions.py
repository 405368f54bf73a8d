"""Commands that add choices and fields to an entity."""

import re

from agenticai_core.plans import Entity, Plan
from agenticai_worker.llm.template.understand import gaps, types, words
from agenticai_worker.llm.template.understand.attributes import parse_attribute
from agenticai_worker.llm.template.understand.choices import parse_choices
from agenticai_worker.llm.template.understand.commands import TECHNICAL, rebuild, refuse_unbuildable
from agenticai_worker.llm.template.understand.drafts import Board, board_of
from agenticai_worker.llm.template.understand.facts import Facts, Link
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import is_thing, parse_noun
from agenticai_worker.llm.template.understand.targets import (
    NotUnderstood,
    find_entity,
    owner_and_field,
)


def add_choice(plan: Plan, part: str) -> Plan | None:
    """ "add the status no-show to bookings", "add 'urgent' to the priority of tasks"."""
    match = re.match(
        r"^add\s+(?:an?\s+|the\s+)?(?:new\s+)?(?:(status|state|choice|option|value)(?:es|s)?\s+)?['\"]?(.+?)['\"]?\s+(?:to|as an?|for)\s+(?:the\s+)?(?:new\s+)?(.+)$",
        part,
        re.I,
    )
    if not match:
        return None
    where = re.sub(r"\b(?:field|choices|options|values|enum|list)\b", "", match[3]).strip()
    label = words.to_snake(match[2])
    try:
        found = owner_and_field(plan, where)
    except NotUnderstood:
        found = None
    entity = find_entity(plan, where)
    if match[1] and entity is not None:
        found = next(((entity, f.name) for f in entity.fields if f.type == "enum"), None)
    if found is None or next(f for f in found[0].fields if f.name == found[1]).type != "enum":
        return None
    field = next(f for f in found[0].fields if f.name == found[1])
    choices = tuple(c for c in (parse_choices(match[2]) or (label,)) if c not in field.choices)
    if not choices:
        raise NotUnderstood(f"{found[1]} of {found[0].name} already has {label}.")
    board = board_of(plan)
    draft = board.named(found[0].name)
    if draft is None:
        return None
    draft.fields[field.name] = field.model_copy(update={"choices": (*field.choices, *choices)})
    return rebuild(
        plan, board, list(plan.reports), Facts(states={draft.key: ()} if draft.status() else {})
    )


_ADD = r"^(?:add|include|store|record|put|introduce|track)\s+(?:(?:an?\s+|the\s+)?(?:new\s+)?(?:fields?|columns?|attributes?|propert(?:y|ies))\s+(?:called\s+|named\s+|for\s+)?)?"


_TO = r"\s+(?:the\s+|each\s+|every\s+|all\s+|an?\s+)?([\w -]+?)(?:\s+(?:entity|model|table|resource))?(\s*,?\s*(?:which|that|with|default)\b.*)?$"


_ADD_TO = re.compile(rf"{_ADD}(.+)\s+to{_TO}", re.IGNORECASE)


_ADD_ON = re.compile(rf"{_ADD}(.+?)\s+(?:on|for|in){_TO}", re.IGNORECASE)


def add_fields(plan: Plan, part: str) -> Plan | None:
    """ "add a deposit to bookings", "add fields colour and size (s, m, l) to products"."""
    match = _ADD_TO.match(part) or _ADD_ON.match(part)
    if not match or re.search(
        r"\b(?:endpoint|filter|search|report|route|rule|action|transition|button|page|index|way|possibility|ability)\b",
        match[1],
        re.I,
    ):
        return None
    if re.search(r"\b(?:per|by)\s+\w+$", match[1]):
        return None
    first = re.match(
        r"^(.+?)\s+to\s+(?:the\s+|each\s+|every\s+|all\s+|an?\s+)?([\w -]+?)\s*(?:,|\band\b)\s*(.+)$",
        match[1],
    )
    if first and find_entity(plan, first[2]):
        plan = add_fields(plan, f"add {first[1]} to {first[2]}") or plan
        return add_fields(plan, f"add {first[3]} to {match[2]}")
    entity = find_entity(plan, match[2])
    items = split_list(
        re.sub(r"\b(?:fields?|columns?|attributes?|propert(?:y|ies))\b", "", match[1])
        + (match[3] or "")
    )
    if entity is None:
        explicit = re.search(r"\b(?:field|column|attribute|property)\b", part, re.I)
        if explicit or (
            is_thing(parse_noun(match[2]).key)
            and not gaps.find_gap(part)
            and not TECHNICAL.search(part)
        ):
            raise NotUnderstood(f"there is nothing called “{match[2]}” in this project.")
        return None
    if not re.search(r"\b(?:field|column|attribute|property)\b", part, re.I):
        refuse_unbuildable(part)
    for item in items:
        plan = _add_item(plan, find_entity(plan, match[2]) or entity, item)
    return plan


def _add_item(plan: Plan, entity: Entity, item: str) -> Plan:
    board = board_of(plan)
    draft = board.named(entity.name)
    attribute = parse_attribute(item)
    if attribute is None or draft is None:
        raise NotUnderstood(f"“{item}” is no name for a field.")
    other = board.find(attribute.key) if attribute.guessed else None
    if (
        other
        and (other.key == attribute.key or attribute.key.endswith("_" + other.key))
        and not types.is_attribute_head(attribute.key.split("_")[-1])
    ):
        kind = "both" if attribute.plural or attribute.many else "one"
        return rebuild(
            plan,
            board,
            list(plan.reports),
            Facts(links=[Link(draft.key, other.key, kind, optional=True)]),
        )
    countable = (
        attribute.plural
        and attribute.guessed
        and attribute.field.type == "integer"
        and not re.search(r"\bnumber|count\b", item)
    )
    if countable and "_" not in attribute.key and is_thing(attribute.key):
        return rebuild(
            plan, board, list(plan.reports), _facts_for_many(draft.key, attribute.key, board)
        )
    if attribute.field.name in draft.fields:
        raise NotUnderstood(f"{entity.name} already has a field {attribute.field.name}.")
    facts = Facts()
    facts.add_attribute(draft.key, attribute)
    return rebuild(plan, board, list(plan.reports), facts)


def _facts_for_many(owner: str, key: str, board: Board) -> Facts:
    """ "add comments to tasks": comments become things of their own that refer to a task."""
    facts = Facts(known=frozenset(board.drafts))
    facts.add_thing(key, 2)
    facts.links.append(Link(owner, key, "many"))
    return facts
