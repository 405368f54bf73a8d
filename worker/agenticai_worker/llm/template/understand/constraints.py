"""Rules and limits, put on the entities and fields that they are about."""

import re

from agenticai_core.plans import EntityField, Rule
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.drafts import Board, Draft, a_an, spoken
from agenticai_worker.llm.template.understand.facts import Facts, RawRule, Tweak
from agenticai_worker.llm.template.understand.fields import (
    Attribute,
    parse_attribute,
    replace_default,
)
from agenticai_worker.llm.template.understand.nouns import parse_noun

_STARTS = (
    "start",
    "starts",
    "begin",
    "begins",
    "from",
    "check_in",
    "checkin",
    "pickup",
    "pick_up",
    "departure",
    "arrival",
    "opening",
    "opens",
    "loan",
    "borrowed",
    "admission",
    "valid_from",
    "begins_at",
)
_ENDS = ("end", "ends", "finish", "until", "to", "check_out", "checkout", "return", "due", "closing", "closes", "dropoff", "drop_off", "expiry", "discharge", "departure", "arrival", "valid_to", "valid_until", "ends_at")  # fmt: skip
_TIMED = ("date", "datetime", "time")


def add_rules(facts: Facts, board: Board) -> None:
    for tweak in facts.tweaks:
        if not _tweak(tweak, board):
            board.leave_out(
                f"Not understood which field is meant: “{spoken(tweak.field)} {tweak.constraint}”"
            )
    for raw in facts.rules:
        handler = _HANDLERS[raw.kind]
        if not handler(raw, board):
            board.leave_out(f"A rule that could not be placed: “{raw.text[:140]}”")
    for draft in board.drafts.values():
        _add_period_order(draft)


def put_rule(draft: Draft, kind: str, fields: tuple[str, ...], description: str) -> bool:
    """Add a rule once, if all its fields exist."""
    if any(name not in draft.fields for name in fields):
        return False
    if not any(r.kind == kind and r.fields == fields for r in draft.rules):
        draft.rules.append(Rule(kind=kind, fields=fields, description=description))
    return True


def period(draft: Draft) -> tuple[str, str] | None:
    """The names of the fields that say from when to when."""
    timed = draft.of_type(*_TIMED)
    starts = [f for f in timed if _marks(f.name, _STARTS)]
    ends = [f for f in timed if _marks(f.name, _ENDS)]
    for start in starts:
        for end in ends:
            if start.name != end.name and start.type == end.type:
                return start.name, end.name
    return None


def _marks(name: str, marks: tuple[str, ...]) -> bool:
    return any(name == mark or name.startswith(mark + "_") for mark in marks)


def _add_period_order(draft: Draft) -> None:
    found = period(draft)
    if found and not any(r.kind == "order" and set(r.fields) == set(found) for r in draft.rules):
        put_rule(
            draft,
            "order",
            found,
            f"{found[0]} must not be after {found[1]}",
        )


def _tweak(tweak: Tweak, board: Board) -> bool:
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
    return replace_default(field.model_copy(update=update), made.default)


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
        _singular_snake(name),
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


def _singular_snake(name: str) -> str:
    head, _, last = name.rpartition("_")
    return f"{head}_{words.singular(last)}" if head else words.singular(last)


# ---- one function per kind of raw rule ----------------------------------------------------------------


def _no_overlap(raw: RawRule, board: Board) -> bool:
    draft, same = _overlapping(raw, board)
    if draft is None:
        return False
    found = period(draft) or _completed_period(draft, board)
    dates = (
        tuple(f.name for f in draft.of_type("date") if f.name not in (found or ()))[:1]
        if found and draft.fields[found[0]].type == "time"
        else ()
    )
    text = f"The same {words.join_words([spoken(s) for s in same])} cannot have two {spoken(draft.plural)} that overlap"
    _refer_to_other_party(raw, draft, board)
    found = found or _ended(draft, board)
    if not found:
        moments = [f.name for f in draft.of_type("date", "datetime", "time") if f.default is None]
        if moments and same:
            for reference in same:
                put_rule(
                    draft,
                    "unique_together",
                    (reference, *moments),
                    f"One {spoken(draft.key)} per {spoken(reference)} at a time",
                )
            board.assume(
                f"{spoken(draft.plural).capitalize()} have no end, so “at the same time” means the same {spoken(moments[0])}."
            )
            return True
        for name in ("starts_at", "ends_at"):
            draft.put(EntityField(name=name, type="datetime"))
        board.assume(
            f"A {spoken(draft.key)} has a start and an end, because two of them may not overlap."
        )
        found = ("starts_at", "ends_at")
    done = False
    for reference in same or ("",):
        keys = tuple(name for name in (reference, *dates) if name)
        done |= put_rule(
            draft,
            "no_overlap",
            (*found, *keys),
            text
            if len(same) < 2
            else f"The same {spoken(reference)} cannot have two {spoken(draft.plural)} that overlap",
        )
    return done


def _refer_to_other_party(raw: RawRule, draft: Draft, board: Board) -> None:
    """ "a machine can't be used by two patients at once": the record must know whose it is."""
    match = re.search(
        r"\bby (?:two|several|more than one|different|multiple) ([\w -]+?)\s+(?:at|on|for|in)\b",
        raw.text,
        re.I,
    )
    other = board.find(parse_noun(match[1]).key) if match else None
    if other and other is not draft and board.refer(draft, other):
        board.assume(
            f"{a_an(draft).capitalize()} refers to {a_an(other)}, because a rule tells them apart."
        )


def _ended(draft: Draft, board: Board) -> tuple[str, str] | None:
    """A start and a duration become a start and an end, which can be compared."""
    start = next((f for f in draft.of_type("datetime") if _marks(f.name, _STARTS)), None)
    length = next(
        (f for f in draft.of_type("integer", "float") if f.name.startswith("duration")), None
    )
    if start is None or length is None:
        return None
    del draft.fields[length.name]
    end = "ends_at" if start.name != "start_time" else "end_time"
    draft.put(EntityField(name=end, type="datetime"))
    board.assume(f"How long {a_an(draft)} lasts is told by its start and its end.")
    return start.name, end


def _completed_period(draft: Draft, board: Board) -> tuple[str, str] | None:
    """A due date alone says until when; the start is added, today unless given."""
    end = next((f for f in draft.of_type("date", "datetime") if _marks(f.name, _ENDS)), None)
    if end is None:
        return None
    name = "start_date" if end.type == "date" else "starts_at"
    draft.put(EntityField(name=name, type=end.type, default="now"))
    board.assume(
        f"A {spoken(draft.key)} has a {spoken(name)}, now unless given, because two of them may not overlap."
    )
    return name, end.name


def _overlapping(raw: RawRule, board: Board) -> tuple[Draft | None, tuple[str, ...]]:
    """The entity whose rows may not overlap, and the references that must be the same."""
    named = [d for d in board.drafts.values() if _is_said(d, raw.words)]
    holders = sorted(
        (d for d in board.drafts.values() if d.of_type("reference")),
        key=lambda d: (
            period(d) is None,
            not d.event,
            not d.of_type("date", "datetime"),
            d not in named,
        ),
    )
    for draft in holders:
        same = tuple(name for d in named if d is not draft for name in draft.references(d.name)[:1])
        if same:
            return draft, same
    for draft in holders:
        if draft in named or (not named and draft.event):
            people = [f.name for f in draft.of_type("reference")]
            things = [n for n in people if not _is_actor(n)]
            return draft, tuple((things or people)[:1])
    return None, ()


def _is_actor(name: str) -> bool:
    from agenticai_worker.llm.template.understand.nouns import is_person

    return is_person(name)


def _is_said(draft: Draft, said: tuple[str, ...]) -> bool:
    heads = {words.singular(word) for word in said} | set(said)
    return draft.key.rpartition("_")[2] in heads


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
        is_draft = (
            board.find(subject) is draft or board.find(_singular_snake(raw.words[0])) is draft
        )
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
    "no_overlap": _no_overlap,
    "order": _order,
    "not_negative": _not_negative,
    "once": _once,
    "unique_per": _unique_per,
    "immutable": _immutable,
}
