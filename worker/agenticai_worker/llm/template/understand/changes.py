"""A change request becomes a changed plan, or a clear word on what was not understood."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agenticai_core.plans import Entity, Plan, Report
from agenticai_worker.llm.template.understand import differences, edits, gaps, types, words
from agenticai_worker.llm.template.understand.constraints import constrain
from agenticai_worker.llm.template.understand.drafts import Board, board_of, spoken
from agenticai_worker.llm.template.understand.facts import Facts, Link
from agenticai_worker.llm.template.understand.fields import (
    parse_attribute,
    parse_choices,
    safe_name,
    split_list,
)
from agenticai_worker.llm.template.understand.nouns import is_thing, parse_noun
from agenticai_worker.llm.template.understand.plan import build, summarize
from agenticai_worker.llm.template.understand.reading import read
from agenticai_worker.llm.template.understand.reports import add_reports
from agenticai_worker.llm.template.understand.targets import (
    NotUnderstood,
    find_entity,
    find_field,
    need_entity,
    owner_and_field,
)
from agenticai_worker.llm.template.understand.text import is_english, sentences
from agenticai_worker.llm.template.understand.wishes import read_one_wish


@dataclass(frozen=True)
class Change:
    """``plan`` is set when the request was understood; ``steps`` say what will be done."""

    understood: bool
    reason: str = ""
    plan: Plan | None = None
    steps: tuple[str, ...] = ()
    risk: Literal["low", "medium", "high"] = "low"


_COMMANDS = (
    "add|remove|delete|drop|rename|make|allow|let|require|log|protect|filter|search|track|create|introduce|"
    "set|change|support|enable|include|prevent|list|record|store"
)
_PARTS = re.compile(
    rf"(?:[,;]\s*(?:and\s+|then\s+|also\s+)*|\s+(?:and|then)\s+(?:also\s+|then\s+)?)(?=(?:{_COMMANDS})\b)",
    re.I,
)
_POLITE = re.compile(
    r"^(?:(?:please|also|and|then|now|kindly|ok|hi|hello|can you|could you|would you|i want(?: you)? to|i would like(?: you)? to|i'd like(?: you)? to|"
    r"we want to|we need to|i need to|we should|you should|it should be possible to|there should be a way to|let's)\b[\s,]*)+",
    re.I,
)  # fmt: skip
_TECHNICAL = re.compile(
    r"\b(?:cach(?:e|ing)|docker|pagination|cors|rate[- ]limit\w*|kubernetes|redis|postgres\w*|mysql|mongo\w*|tests?|ci|cd|monitoring|metrics|health ?checks?|swagger|"
    r"typing|retries|retry|backups?|encrypt\w*|https|ssl|tls|error handling|deployment|performance|faster|refactor\w*|clean(?:er|up)|comments in|docstrings?|migrations?|"
    r"async|microservices?|golang|rust|typescript|javascript|node|php|java|kotlin|swift|c\+\+|django|flask|indexes?|validation|bugs?|security|scal(?:e|able|ability|ing)|quality|docs|documentation|readme|versioning|tracing)\b",
    re.I,
)  # fmt: skip
_EXTERNAL_LOGIN = re.compile(
    r"\b(?:google|facebook|github|sso|saml|ldap|two[- ]factor|2fa|mfa|magic link|openid|microsoft|apple|captcha|biometric)\b",
    re.I,
)


def change_plan(plan: Plan, request: str) -> Change:
    """Apply a request to a plan, all of it or nothing; the same words give the same change.

    Never raises on any text. When a part is not understood, ``reason`` quotes it, names what
    there is, and gives examples of what works.
    """
    if not is_english(request):
        return _refuse(
            plan,
            "The request does not seem to be in English, the only language that the built-in engine reads.",
        )
    parts = _split_parts(request)
    if not parts:
        return _refuse(plan, "The request is empty.")
    changed, steps = plan, list[str]()
    for part in parts:
        try:
            before, changed = changed, _apply(changed, part)
            steps += _steps(before, changed, part)
        except NotUnderstood as problem:
            whole = (
                " Nothing was changed: a request is done whole or not at all."
                if len(parts) > 1
                else ""
            )
            return _refuse(plan, f"“{gaps.shorten(part)}”: {problem}{whole}")
    return Change(
        True,
        plan=_resummarize(changed),
        steps=tuple(dict.fromkeys(steps)),
        risk=differences.risk(plan, changed),
    )


def _steps(before: Plan, after: Plan, part: str) -> tuple[str, ...]:
    """What one part does, in words; raises when it does nothing."""
    steps = differences.describe(before, after)
    if not steps:
        raise NotUnderstood("the project already has this; nothing would change.")
    renamed = re.match(
        r"^(?:rename|change the name of|call)\s+(.+?)\s+(?:to|into|as)\s+(.+)$", part, re.I
    )
    return (f"Rename {renamed[1]} to {renamed[2]}, everywhere",) if renamed else steps


def _refuse(plan: Plan, why: str) -> Change:
    return Change(False, f"{why} {_what_exists(plan)} {_examples(plan)}")


def _what_exists(plan: Plan) -> str:
    listed = [f"{e.name} ({', '.join(f.name for f in e.fields)})" for e in plan.entities]
    return f"There are: {'; '.join(listed)}."


def _examples(plan: Plan) -> str:
    first = spoken(plan.entities[0].plural) if plan.entities else "items"
    field = plan.entities[0].fields[0].name if plan.entities and plan.entities[0].fields else "name"
    return (
        f"What works, for example: “Add user authentication”, “Add an optional note to {first}”, "
        f"“Add suppliers with name and email”, “Filter {first} by {field}”, “Make {field} of {first} unique”, "
        f"“Rename {field} of {first} to label”, “How many {first} per month”, “Log all requests”."
    )


def _resummarize(plan: Plan) -> Plan:
    board = board_of(plan)
    return plan.model_copy(
        update={
            "summary": summarize(plan.name, board, list(plan.reports), list(plan.features)),
            "files": plan.files,
        }
    )


def _split_parts(request: str) -> list[str]:
    parts: list[str] = []
    for sentence in sentences(request):
        pieces = _PARTS.split(sentence)
        parts += [
            cleaned
            for piece in pieces
            if piece and (cleaned := _POLITE.sub("", piece.strip(" .,!?")).strip())
        ]
    return parts


def _apply(plan: Plan, part: str) -> Plan:
    for command in _COMMAND_LIST:
        changed = command(plan, part)
        if changed is not None:
            return changed
    raise NotUnderstood("This was not understood.")


# ---- commands: each returns the changed plan, None when the words are not its own, or raises ---------------


def _feature(plan: Plan, part: str) -> Plan | None:
    removal = re.match(r"^(?:remove|drop|delete|disable|turn off)\b", part, re.I)
    facts = Facts()
    if re.search(r"\b(?:field|column|attribute)\b", part, re.I) or not gaps.read_feature(
        part, facts
    ):
        return None
    if not re.match(
        rf"^(?:{_COMMANDS}|require|protect|secure|users?|only|i|we|put|all|every|the|authentication|login|request|implement|disable|turn)\b",
        part,
        re.I,
    ):
        return None
    if _EXTERNAL_LOGIN.search(part):
        raise NotUnderstood(
            "the engine builds its own login with a password and a token, not this way of logging in."
        )
    if gaps.find_gap(part):
        raise NotUnderstood(
            f"this asks for {gaps.find_gap(part)}, which the built-in engine does not build."
        )
    features = list(plan.features)
    for name in facts.features:
        if (removal and name not in features) or (not removal and name in features):
            state = "has no" if removal else "already has"
            raise NotUnderstood(f"the project {state} {spoken(name)}.")
        features = [f for f in features if f != name] if removal else [*features, name]
    return plan.model_copy(update={"features": tuple(features)})


def _remove(plan: Plan, part: str) -> Plan | None:
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


def _rename(plan: Plan, part: str) -> Plan | None:
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


def _constrain(plan: Plan, part: str) -> Plan | None:
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


def _add_choice(plan: Plan, part: str) -> Plan | None:
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
    return _finish(
        plan, board, list(plan.reports), Facts(states={draft.key: ()} if draft.status() else {})
    )


_ADD = r"^(?:add|include|store|record|put|introduce|track)\s+(?:(?:an?\s+|the\s+)?(?:new\s+)?(?:fields?|columns?|attributes?|propert(?:y|ies))\s+(?:called\s+|named\s+|for\s+)?)?"
_TO = r"\s+(?:the\s+|each\s+|every\s+|all\s+|an?\s+)?([\w -]+?)(?:\s+(?:entity|model|table|resource))?(\s*,?\s*(?:which|that|with|default)\b.*)?$"
_ADD_TO = re.compile(rf"{_ADD}(.+)\s+to{_TO}", re.IGNORECASE)
_ADD_ON = re.compile(rf"{_ADD}(.+?)\s+(?:on|for|in){_TO}", re.IGNORECASE)


def _add_fields(plan: Plan, part: str) -> Plan | None:
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
        plan = _add_fields(plan, f"add {first[1]} to {first[2]}") or plan
        return _add_fields(plan, f"add {first[3]} to {match[2]}")
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
            and not _TECHNICAL.search(part)
        ):
            raise NotUnderstood(f"there is nothing called “{match[2]}” in this project.")
        return None
    if not re.search(r"\b(?:field|column|attribute|property)\b", part, re.I):
        _refuse_unbuildable(part)
    for item in items:
        plan = _add_item(plan, find_entity(plan, match[2]) or entity, item)
    return plan


def _refuse_unbuildable(part: str) -> None:
    gap = gaps.find_gap(part)
    if gap:
        raise NotUnderstood(f"this asks for {gap}, which the built-in engine does not build.")
    if _TECHNICAL.search(part):
        raise NotUnderstood(
            "this is about how the code is made, not about what it keeps; the built-in engine changes entities, fields, rules, reports and access."
        )


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
        return _finish(
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
        return _finish(
            plan, board, list(plan.reports), _facts_for_many(draft.key, attribute.key, board)
        )
    if attribute.field.name in draft.fields:
        raise NotUnderstood(f"{entity.name} already has a field {attribute.field.name}.")
    facts = Facts()
    facts.add_attribute(draft.key, attribute)
    return _finish(plan, board, list(plan.reports), facts)


def _facts_for_many(owner: str, key: str, board: Board) -> Facts:
    """ "add comments to tasks": comments become things of their own that refer to a task."""
    facts = Facts(known=frozenset(board.drafts))
    facts.add_thing(key, 2)
    facts.links.append(Link(owner, key, "many"))
    return facts


def _wish(plan: Plan, part: str) -> Plan | None:
    """Filters, searches and reports."""
    text = re.sub(
        r"^(?:(?:add|create|make|provide|introduce|support|allow|enable|include)\s+)?(?:users?\s+to\s+|people to\s+|us to\s+)?(?:(?:an?|the|new)\s+)*(?:(?:endpoint|route|way|ability|option|possibility|page|view|report|statistic|list|figure|query|api)s?\s+)?(?:(?:to|that|which|for|of|on|about|showing|with|where one can|giving|returning)\s+)?(?:shows?\s+|returns?\s+|gives?\s+)?",
        "", part, flags=re.I,
    )  # fmt: skip
    text = re.sub(
        r"^(list|filter|search|find|get|sort|show|count|return)(?:s|es|ing|ering)\b",
        r"\1",
        text,
        flags=re.I,
    )
    text = re.sub(
        r"^(?:a )?(filter|search)(?:ing)?\s+(?:of|for|on|over|in)\s+(.+?)\s+(?:by|on|of|for|in)\s+",
        lambda m: f"{m[1]} {m[2]} by ",
        text,
        flags=re.I,
    )
    text = re.sub(
        r"^(filter)\s+by\s+(.+?)\s+(?:to|on|for|in|of)\s+(?:the\s+)?(.+)$",
        r"\1 \3 by \2",
        text,
        flags=re.I,
    )
    by_only = re.match(r"^(filter|search)s?\s+(?:\w+\s+)?by\s+([\w ]+)$", text, re.I)
    if by_only and not find_entity(plan, text.split(" by ")[0].split(" ", 1)[-1]):
        text = _complete_filter(plan, by_only[1], by_only[2])
    wants = re.search(
        r"\b(?:filter|search|list|report|endpoint|how many|number of|count|total|sum|per|overdue|upcoming|stock|most|find|get|sort|show)\b",
        part,
        re.I,
    )
    if not wants or not _is_wish(text, part):
        return None
    _refuse_unbuildable(re.sub(r"\bendpoint\b|\bquery\b", "", part))
    facts = Facts(known=frozenset(board_of(plan).drafts))
    if not read_one_wish(text, facts):
        return None
    board, reports = board_of(plan), list(plan.reports)
    add_reports(facts, board, reports)
    if board.not_covered:
        raise NotUnderstood(_why_no_wish(plan, facts))
    if [d.to_entity() for d in board.drafts.values()] == list(plan.entities) and reports == list(
        plan.reports
    ):
        raise NotUnderstood(_already(plan, facts))
    return _finish(plan, board, reports, Facts())


def _is_wish(text: str, part: str) -> bool:
    return not re.match(r"^(?:remove|rename|make)\b", part, re.I) and len(text.split()) > 1


def _complete_filter(plan: Plan, verb: str, field: str) -> str:
    """ "an endpoint that filters by status": the entity with that field."""
    found = owner_and_field(plan, field)
    if found is None:
        raise NotUnderstood(f"no field “{field}” is known to filter by.")
    return f"{verb} {spoken(found[0].plural)} by {spoken(found[1])}"


def _already(plan: Plan, facts: Facts) -> str:
    wish = facts.wishes[0]
    entity = find_entity(plan, wish.subject)
    if entity is None or wish.kind not in ("filter", "search"):
        return "the project already has this report."
    options = [
        *entity.filters,
        *(["q (search in " + ", ".join(entity.search) + ")"] if entity.search else []),
    ]
    return f"the project already has this: GET /{entity.plural} takes {words.join_words(options)}."


def _why_no_wish(plan: Plan, facts: Facts) -> str:
    wish = facts.wishes[0]
    if wish.kind in ("sum", "most") and not find_entity(plan, wish.subject):
        return f"no number called “{wish.subject}” is kept that could be added up per {words.join_words(list(wish.by))}."
    entity = find_entity(plan, wish.subject)
    if entity is None:
        return f"nothing called “{wish.subject}” is known that this could be read from."
    have = ", ".join(f.name for f in entity.fields)
    return (
        f"{entity.name} has no field for “{words.join_words(list(wish.by))}”; it has {have}."
        if wish.by
        else "no field fits."
    )


def _behaviour(plan: Plan, part: str) -> Plan | None:
    """Everything that a description could say as well: things, relations, verbs, rules."""
    text = _as_statement(part)
    board, reports = board_of(plan), list(plan.reports)
    facts = read(text, frozenset(board.drafts))
    if facts.not_covered:
        raise NotUnderstood(
            f"this asks for {gaps.find_gap(text) or gaps.find_gap(part)}, which the built-in engine does not build."
        )
    if _TECHNICAL.search(part) and not (facts.moves or facts.rules):
        _refuse_unbuildable(part)
    if facts.not_understood:
        raise NotUnderstood(f"“{facts.not_understood[0]}” was not understood.")
    _refuse_baseless(text, facts)
    return _finish(plan, board, reports, facts)


def _as_statement(part: str) -> str:
    """Commands as statements: "allow cancelling a booking" -> "cancel a booking"."""
    text = re.sub(
        r"^(?:add|create|introduce|make)\s+(?:an?\s+|the\s+)?(?:new\s+)?(?:entity|model|table|resource)\s+(?:called\s+|named\s+|for\s+)?",
        "add ",
        part,
        flags=re.I,
    )
    text = re.sub(
        r"^(add|create|introduce)\s+(?:an?|the)?\s*(?:new\s+)?([\w -]+?)\s+(?:entity|model|table|resource)\b",
        _pluralized,
        text,
        flags=re.I,
    )
    text = re.sub(
        r"^(?:add|create|introduce)\s+(?:an?\s+)?([A-Za-z][\w -]*?)\s+(?=with\b|\(|:)",
        lambda m: f"add {_plural_phrase(m[1])} ",
        text,
        flags=re.I,
    )
    text = re.sub(
        r"^(?:add|create|provide|support)\s+(?:an?\s+|the\s+)?(?:endpoint|route|way|ability|option|possibility)\s+(?:to|for|that lets users)\s+",
        "allow to ",
        text,
        flags=re.I,
    )
    text = re.sub(
        r"^add\s+(?:an?\s+|the\s+)?(?:(?:rule|constraint|validation|check)\s+(?:that\s+)?)",
        "",
        text,
        flags=re.I,
    )
    text = re.sub(r"^(?:ensure|make sure|check|validate)\s+(?:that\s+)?", "", text, flags=re.I)
    action = re.match(
        r"^add\s+(?:an?\s+|the\s+)?(\w+)\s+(?:action|transition|operation|button|verb|step)\s+(?:to|for|on)\s+(.+)$",
        text,
        re.I,
    )
    if action:
        return f"users can {action[1].lower()} {action[2]}"
    allowed = re.match(
        r"^(?:allow|let|enable|support|make it possible)\s+(?:for\s+)?(.*?)\s*(?:to\s+)?(\w+)(\s+.*)?$",
        text,
        re.I,
    )
    if allowed and re.match(r"^(?:allow|let|enable|support)\b", text, re.I):
        return _allow(text)
    return text


def _pluralized(match: re.Match[str]) -> str:
    return f"add {_plural_phrase(match[2])}"


def _plural_phrase(text: str) -> str:
    *before, last = text.split()
    pascal = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", last).lower().split()
    *mid, head = pascal
    return " ".join([*before, *mid, head if words.is_plural(head) else words.plural(head)])


def _allow(text: str) -> str:
    rest = re.sub(r"^(?:allow|let|enable|support)\s+(?:for\s+|the\s+)?", "", text, flags=re.I)
    found = rest.split()
    for at, word in enumerate(found):
        base = words.verb_base(word.lower(), "ing") if at == 0 else None
        if base:
            return f"users can {base} {' '.join(found[1:])}"
        if word.lower() == "to" and at < 4:
            return f"{' '.join(found[:at]) or 'users'} can {' '.join(found[at + 1 :])}"
        if at > 0 and words.verb_base(word.lower(), "base"):
            return f"{' '.join(found[:at])} can {' '.join(found[at:])}"
    return rest


def _refuse_baseless(text: str, facts: Facts) -> None:
    """A new thing must be asked for: by "add" and a plural, or by what is said about it."""
    linked = {part for link in facts.links for part in (link.source, link.target)}
    acted = {part for act in facts.acts for part in (act.actor, act.target)}
    for key in facts.order:
        if key in facts.known or facts.attributes.get(key) or key in linked | acted:
            continue
        asked = re.match(
            r"^(?:add|track|introduce|create|include|manage|store|register|we need|support)\b",
            text,
            re.I,
        )
        plural = re.search(rf"\b{words.plural(key.rpartition('_')[2])}\b", text, re.I)
        if not asked or not plural or gaps.find_gap(text):
            raise NotUnderstood(f"it is not clear what “{spoken(key)}” should be.")
    facts.topic = ""


def _finish(plan: Plan, board: Board, reports: list[Report], facts: Facts) -> Plan:
    """Build on the board; new demands on rows that exist already become optional."""
    before = {e.name: {f.name for f in e.fields} for e in plan.entities}
    build(facts, board, reports)
    if board.not_covered:
        raise NotUnderstood(board.not_covered[0])
    for draft in board.drafts.values():
        if draft.name not in before:
            continue
        for name, field in draft.fields.items():
            if name not in before[draft.name] and field.required and field.default is None:
                draft.fields[name] = field.model_copy(update={"required": False})
    features = tuple(dict.fromkeys((*plan.features, *facts.features)))
    return plan.model_copy(
        update={
            "entities": tuple(d.to_entity() for d in board.drafts.values()),
            "links": tuple(board.links),
            "reports": tuple(reports),
            "features": features,
            "assumptions": tuple(dict.fromkeys((*plan.assumptions, *board.assumptions))),
        }
    )


_COMMAND_LIST: tuple[Callable[[Plan, str], Plan | None], ...] = (
    _feature, _rename, _remove, _constrain, _add_choice, _add_fields, _wish, _behaviour,
)  # fmt: skip
