"""What a change does, in words: the difference between two plans, and how risky it is."""

from typing import Literal

from agenticai_core.plans import Entity, EntityField, Plan
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.drafts import spoken

Risk = Literal["low", "medium", "high"]


def describe(old: Plan, new: Plan) -> tuple[str, ...]:
    """One sentence per change, in the order in which the plan lists things."""
    before = {e.name: e for e in old.entities}
    after = {e.name: e for e in new.entities}
    steps = [
        f"Remove {spoken(before[n].plural)} and what refers to them"
        for n in before
        if n not in after
    ]
    for name, entity in after.items():
        steps += _entity_steps(before[name], entity) if name in before else _new_entity(entity)
    steps += [f"Link {m.left} and {m.right}, many to many" for m in new.links if m not in old.links]
    steps += [f"Unlink {m.left} and {m.right}" for m in old.links if m not in new.links]
    steps += [
        f"Add the report {r.name}: {r.description}" for r in new.reports if r not in old.reports
    ]
    names = {r.name for r in new.reports}
    steps += [f"Remove the report {r.name}" for r in old.reports if r.name not in names]
    steps += [f"Add {_feature(f)}" for f in new.features if f not in old.features]
    steps += [f"Remove {_feature(f)}" for f in old.features if f not in new.features]
    return tuple(dict.fromkeys(steps))


def _feature(name: str) -> str:
    return {
        "authentication": "authentication: registration, login with a token, and every endpoint asks for it",
        "request_logging": "request logging: method, path, status and duration of every request",
    }.get(name, spoken(name))


def _new_entity(entity: Entity) -> list[str]:
    names = [describe_field(f) for f in entity.fields]
    return [f"Add {spoken(entity.plural)} with {words.join_words(names)}", *_extras(None, entity)]


def describe_field(field: EntityField) -> str:
    """ "an optional status (draft or published)"."""
    kind = f"reference to {field.references}" if field.references else field.type
    choices = f": {words.join_words(field.choices, 'or')}" if field.choices else ""
    flags = [
        flag for flag, on in (("optional", not field.required), ("unique", field.unique)) if on
    ]
    bounds = [
        f"{label} {value:g}"
        for label, value in (
            ("from", field.minimum),
            ("to", field.maximum),
            ("at most characters", field.max_length),
        )
        if value is not None and (label == "at most characters") <= (value != 200) and value != 0
    ]
    flags += bounds + ([field.unit] if field.unit else [])
    default = [f"default {field.default}"] if field.default is not None else []
    return f"{field.name} ({', '.join([kind + choices, *flags, *default])})"


def _entity_steps(old: Entity, new: Entity) -> list[str]:
    before = {f.name: f for f in old.fields}
    after = {f.name: f for f in new.fields}
    where = spoken(new.plural)
    steps = [
        f"Add {describe_field(f)} to {where}{_rows(f)}" for n, f in after.items() if n not in before
    ]
    steps += [f"Remove {name} from {where}" for name in before if name not in after]
    steps += [
        f"Change {n} of {where} to {describe_field(f)}"
        for n, f in after.items()
        if n in before and before[n] != f
    ]
    return [*steps, *_extras(old, new)]


def _rows(field: EntityField) -> str:
    if not field.required:
        return "; existing rows have none"
    return f"; existing rows get {field.default}" if field.default is not None else ""


def _extras(old: Entity | None, new: Entity) -> list[str]:
    where = spoken(new.plural)
    steps = [
        f"Rule for {where}: {r.description}" for r in new.rules if not old or r not in old.rules
    ]
    steps += [
        f"Drop the rule for {where}: {r.description}"
        for r in (old.rules if old else ())
        if r not in new.rules
    ]
    verbs = {t.verb for t in old.transitions} if old else set()
    steps += [
        f"Add POST /{new.plural}/{{id}}/{t.verb}, from {words.join_words(t.sources, 'or')} to {t.target}"
        for t in new.transitions
        if t.verb not in verbs
    ]
    if old:
        steps += [f"Filter {where} by {f}" for f in new.filters if f not in old.filters]
        steps += [f"Search {where} by {f}" for f in new.search if f not in old.search]
    return steps


def risk(old: Plan, new: Plan) -> Risk:
    """High: access changes or something goes; medium: tables change; low: something is added beside."""
    before = {e.name: e for e in old.entities}
    after = {e.name: e for e in new.entities}
    if set(before) - set(after) or set(old.features) ^ set(new.features) & {"authentication"}:
        return "high"
    tightened = False
    for name, entity in after.items():
        earlier = before.get(name)
        if earlier is None:
            tightened = True
            continue
        kept = {f.name for f in entity.fields}
        if any(f.name not in kept for f in earlier.fields):
            return "high"
        plain = [f for f in entity.fields if f not in earlier.fields]
        tightened |= any(
            f.required or f.unique or f.references or f.name in {x.name for x in earlier.fields}
            for f in plain
        )
        tightened |= entity.rules != earlier.rules or entity.transitions != earlier.transitions
    return "medium" if tightened or old.links != new.links else "low"
