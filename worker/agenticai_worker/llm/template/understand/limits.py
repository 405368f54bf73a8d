"""Limits on one field: unique, optional, a range; and the field that a phrase names."""

import re

from agenticai_core.plans import EntityField, Rule
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.attributes import Attribute, parse_attribute
from agenticai_worker.llm.template.understand.drafts import Board, Draft, spoken
from agenticai_worker.llm.template.understand.facts import Tweak
from agenticai_worker.llm.template.understand.fields import with_default


def put_rule(draft: Draft, kind: str, fields: tuple[str, ...], description: str) -> bool:
    """Add a rule once, if all its fields exist."""
    if any(name not in draft.fields for name in fields):
        return False
    if not any(r.kind == kind and r.fields == fields for r in draft.rules):
        draft.rules.append(Rule(kind=kind, fields=fields, description=description))
    return True


def apply_tweak(tweak: Tweak, board: Board) -> bool:
    owner = board.find(tweak.owner) if tweak.owner else None
    candidates = [owner] if owner else list(board.drafts.values())
    done = False
    for draft in candidates:
        name = match_field(tweak.field, draft)
        if name and (not done or owner):
            draft.fields[name] = constrain(draft.fields[name], tweak.constraint)
            done = True
    if not done and (thing := board.find(tweak.field)) and not tweak.owner:
        money = thing.of_type("decimal") or thing.of_type("float", "integer")
        if money and not re.search(r"unique|required|optional|mandatory", tweak.constraint):
            thing.fields[money[0].name] = constrain(money[0], tweak.constraint)
            return True
    if owner and not done:
        attribute = parse_attribute(f"{spoken(tweak.field)} ({tweak.constraint})")
        done = attribute is not None and owner.put(attribute.field)
    return done


def constrain(field: EntityField, constraint: str) -> EntityField:
    """The field with what "unique", "optional", "between 1 and 5", "max 20 characters" say."""
    constraint = re.sub(r"^(?:an?\s+)", "", constraint.strip())
    read = parse_attribute(f"{spoken(field.name)} ({constraint})")
    if read is None:
        return field
    made = read.field
    update: dict[str, object] = {}
    if re.search(r"\boptional|not required|nullable\b", constraint, re.I):
        update["required"] = False
    elif re.search(r"\brequired|mandatory|not empty\b", constraint, re.I):
        update["required"] = True
    if made.unique or re.search(r"\bunique\b", constraint, re.I):
        update["unique"] = True
    _take_limits(field, read, constraint, update)
    return with_default(field.model_copy(update=update), made.default)


def _take_limits(
    field: EntityField, read: Attribute, constraint: str, update: dict[str, object]
) -> None:
    """Type, bounds and unit that a constraint gives, as far as the field's type can have them."""
    made = read.field
    for name in ("minimum", "maximum", "max_length", "unit"):
        value = getattr(made, name)
        implied = name == "minimum" and not re.search(r"\d|positive|negative", constraint)
        if value is not None and not implied:
            update[name] = value
    if not read.guessed and made.type != field.type and field.type not in ("enum", "reference"):
        update["type"] = made.type
    if made.choices:
        update.update(type="enum", choices=made.choices)
    if update.get("type", field.type) == "string" and {"minimum", "maximum"} & set(update):
        update["type"] = "integer"
    type_ = update.get("type", field.type)
    if type_ not in ("integer", "decimal", "float"):
        update.pop("minimum", None)
        update.pop("maximum", None)
    if type_ not in ("string", "text"):
        update["max_length"] = None


def match_field(name: str, draft: Draft) -> str | None:
    """The field that a phrase names: exact, singular or plural, or the only one that ends or begins so."""
    if not name:
        return None
    name = name.removeprefix(draft.key + "_")
    wanted = {
        name,
        words.plural_snake(name),
        singular_snake(name),
        f"{name}_date",
        name.removesuffix("_id"),
    }
    for field in draft.fields:
        if field in wanted:
            return field
    close = [f for f in draft.fields if f.endswith("_" + name) or f.startswith(name + "_")]
    if len(close) == 1:
        return close[0]
    parts = set(name.split("_")) - {"the", "of"}
    inside = [
        f
        for f in draft.fields
        if (len(parts) > 1 and parts <= set(f.split("_")))
        or (len(parts) > 1 and set(f.split("_")) <= parts and "_" in f)
    ]
    return inside[0] if len(inside) == 1 else None


def singular_snake(name: str) -> str:
    head, _, last = name.rpartition("_")
    return f"{head}_{words.singular(last)}" if head else words.singular(last)


def is_said(draft: Draft, said: tuple[str, ...]) -> bool:
    heads = {words.singular(word) for word in said} | set(said)
    return draft.key.rpartition("_")[2] in heads
