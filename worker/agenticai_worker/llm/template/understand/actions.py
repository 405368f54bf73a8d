"""Verbs of the domain: states, moves between them, and acts that become records."""

import re

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import types, words
from agenticai_worker.llm.template.understand.choices import parse_choices
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.facts import Act, Facts, Link
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import (
    is_event,
    is_generic,
    is_person,
    is_thing,
    parse_noun,
)
from agenticai_worker.llm.template.understand.phrases import (
    attribute_like,
    mask_parentheses,
    subject_keys,
    unmask,
)
from agenticai_worker.llm.template.understand.things import (
    add_entity_phrase,
    add_item,
    read_entity_list,
)
from agenticai_worker.llm.template.understand.types import UNIT_NAMES

_PARTICLES = re.compile(r"^(in|out|off|up|down|over|back|away)\b\s*")
_PREPOSITIONS = re.compile(
    rf"\s*,?\s*\b(optionally |and optionally )?(from|to|per|on|at|for|with|in(?!\s+(?:{UNIT_NAMES})\b)|by|during|until|via|between|using|within|into|against)\b\s+",
    re.IGNORECASE,
)
_JOINING = lex.word_set(
    "assign attach link allocate connect add invite move put place distribute tag associate"
)
LIGHT = lex.word_set(
    "make place do take give put submit file create post write leave raise report log record "
    "schedule receive hold run organise organize perform conduct issue plan open start prepare "
    "upload send complete request lead teach supervise own attend publish"
)
# Verbs that tell how things lie together rather than what somebody does.
_RELATING = lex.word_set(
    "use store occupy follow like produce supply move play cover fail serve hold comment describe"
)
_PARTICIPATING = lex.word_set("attend join enroll enrol participate subscribe apply volunteer")
_SLOTS = lex.word_set(
    "session class lesson course event tour workshop trip concert show game match race dive meeting"
)


def read_states(clause: Clause, facts: Facts) -> bool:
    """ "a booking can be requested, confirmed or cancelled", "goes through draft and published"."""
    text = clause.rest_text.strip(" ,")
    if clause.verb == "be" and clause.participle not in ("", "mark", "set", "flag"):
        text = f"{words.participle(clause.participle)}{', ' if clause.rest_text.startswith(',') else ' '}{text}"
    elif clause.verb in ("go", "move", "pass", "progress", "advance", "transition", "change"):
        found = re.match(
            r"^(?:through|from|between)\s+(?:the (?:states|stages|steps|phases)\s*:?\s*)?(.+)$",
            text,
        )
        if not found or (clause.verb == "move" and " to " not in text and "," not in text):
            return False
        text = re.sub(r"\s+(?:and then|then|to|and)\s+", ", ", found[1])
    elif clause.verb == "be" and clause.participle in ("mark", "set", "flag"):
        text = re.sub(r"^(?:as|to)\s+", "", text)
    elif clause.verb != "be":
        return False
    text = re.sub(
        r"\b(?:either|one of|in one of|these|the following|states?|statuses)\b\s*:?", " ", text
    )
    if (
        re.search(
            r"\b(?:by|than|from|every|each|when|until|only|per|twice|after|before)\b|\d", text
        )
        or clause.negated
    ):
        return False
    choices = parse_choices(text)
    marked = clause.participle in ("mark", "flag")
    if marked and not choices and text:
        choices = ("open", words.to_snake(text))
    if not choices or not (
        clause.modal
        or clause.verb != "be"
        or re.search(r"\bor\b|\beither\b|\bthen\b|->", clause.rest_text)
    ):
        return False
    owner, field_name = _state_owner(clause.subject_text, facts)
    if not owner:
        return False
    if field_name != "status":
        add_item(owner, f"{field_name}: {' | '.join(choices)}", facts)
        return True
    facts.add_thing(owner, 2)
    facts.states[owner] = tuple(dict.fromkeys((*facts.states.get(owner, ()), *choices)))
    facts.context = owner
    return True


def _state_owner(subject: str, facts: Facts) -> tuple[str, str]:
    """The thing and the field: "booking", "the status of a booking", "its status", "a pet's size"."""
    match = re.match(
        r"^(?:the|its|their|an?)?\s*(\w+)\s+of\s+(.+)$|^(.+?)(?:'s?)\s+([\w ]+)$", subject, re.I
    )
    if match:
        owner = subject_keys(match[2] or match[3], facts)
        name = words.to_snake(match[1] or match[4])
        return (owner[0] if owner else "", "status" if name in ("status", "state") else name)
    head = re.sub(r"^(?:the|its|their|an?)\s+", "", subject.strip(), flags=re.IGNORECASE).lower()
    if head in ("status", "state", "statuses", "states"):
        return facts.context, "status"
    noun = parse_noun(subject)
    if noun.head == "status" and (owner_key := facts.find(noun.key.removesuffix("_status"))):
        return owner_key, "status"
    if types.is_attribute_head(noun.head) and not facts.find(noun.key) and facts.context:
        return facts.context, noun.key
    keys = subject_keys(subject, facts)
    return (keys[0] if keys and not is_generic(keys[0]) else ""), "status"


def read_moves(clause: Clause, facts: Facts) -> bool:
    """ "customers can cancel bookings", "loans are approved by staff", "check out a tool"."""
    verb, rest, passive = _move_verb(clause)
    if not verb or clause.negated or _is_creation(clause) or _is_handed(verb, clause, facts):
        return False
    if passive:
        keys = subject_keys(clause.subject_text, facts)
    else:
        lowered = rest.lower().strip()
        target = re.split(
            r"\s+(?:within|by|before|after|for|from|to|at|on|in|until|with|if)\b", rest
        )[0]
        if lowered.split()[:1] and lowered.split()[0] in ("it", "them", "these", "those"):
            keys = [facts.context] if facts.context else []
        else:
            nouns = [parse_noun(item).key for item in split_list(target)]
            keys = [facts.find(key) or key for key in nouns if key]
        if not keys and not lowered:
            keys = [k for k in subject_keys(clause.subject_text, facts) if not is_person(k)]
    keys = [
        key for key in keys if key in facts.strength or key in facts.known or _is_later_record(key)
    ]
    for key in keys:
        facts.moves.append((verb, key))
    return bool(keys)


_HANDED = lex.word_set("dispatch check_out release ship deliver issue")


def _is_handed(verb: str, clause: Clause, facts: Facts) -> bool:
    """ "volunteers are dispatched to incidents", "a tool is checked out to a member": a record."""
    match = re.match(r"^(?:out\s+)?(?:to|by)\s+(.+)$", clause.rest_text.strip())
    if verb not in _HANDED or not clause.participle or not match:
        return False
    other = parse_noun(split_extras(match[1])[0])
    if not is_thing(other.key) or is_generic(other.key):
        return False
    return is_person(other.key) or (
        is_person(parse_noun(clause.subject_text).key) and bool(facts.find(other.key))
    )


def _is_later_record(key: str) -> bool:
    """A record that an act will leave: "approve rental requests", "cancel bookings"."""
    return is_event(key) or key.endswith(("_request", "_record", "_entry"))


def _move_verb(clause: Clause) -> tuple[str, str, bool]:
    rest = clause.rest_text.strip()
    verb = clause.participle or clause.verb
    passive = bool(clause.participle)
    verb = verb.replace("-", "_")
    particle = _PARTICLES.match(rest)
    if particle and f"{verb}_{particle[1]}" in lex.STATE_VERBS:
        return f"{verb}_{particle[1]}", rest[particle.end() :], passive
    split = re.match(r"^(.*?)\s+(in|out)$", rest)
    if split and f"{verb}_{split[2]}" in lex.STATE_VERBS:
        return f"{verb}_{split[2]}", split[1], passive
    if verb == "mark" and not passive:
        as_ = re.match(r"^(.*?)\s+as\s+(?:being\s+)?([\w -]+)$", rest)
        if as_:
            return f"mark_{words.to_snake(as_[2])}", as_[1], False
    return (verb if verb in lex.STATE_VERBS else ""), rest, passive


def _is_creation(clause: Clause) -> bool:
    """ "customers submit jobs with a file name": submitting makes the job, it does not move one."""
    return clause.verb in LIGHT and not clause.participle and " with " in clause.rest_text


def read_act(clause: Clause, facts: Facts) -> bool:  # noqa: PLR0911
    """Somebody does something to a thing; a record of it, or a link, will say so."""
    if clause.negated or not (clause.rest or clause.participle):
        return False
    verb = clause.participle or clause.verb
    handed = _is_handed(verb.replace("-", "_"), clause, facts)
    if verb in ("be", "have", "do", "can", "go", "be able", "") or (
        verb.replace("-", "_") in lex.STATE_VERBS and not _is_creation(clause) and not handed
    ):
        return False
    if clause.participle:
        return _read_passive_act(clause, facts)
    subject = parse_noun(clause.subject_text)
    actors = subject_keys(clause.subject_text, facts) if clause.subject else []
    target_text, extras = split_extras(clause.rest_text)
    if (
        verb in _JOINING
        and not (actors and is_event(actors[0]))
        and _read_joining(target_text, extras, facts)
    ):
        return True
    thing = bool(actors) and not is_person(actors[0]) and not is_generic(subject.key)
    if (
        not thing
        and verb
        in lex.MANAGE_VERBS - {"schedule", "request", "register", "use", "plan", "report"} - LIGHT
    ):
        return False
    generic = is_generic(subject.key) and not any(
        a in facts.strength and facts.strength[a] > 1 for a in actors
    )
    if clause.imperative or (not generic and not actors):
        return False
    if clause.subject_text.lower() in ("we", "i"):
        return read_entity_list(target_text, facts, 1)  # what the business does, not who does what
    if actors and _add_to_record(actors[0], target_text, extras, facts):
        return True
    done = False
    for item in split_list(re.sub(r"^(?:up|for|in|out|on|to|at|with)\s+", "", target_text)) or []:
        noun = parse_noun(item)
        if is_thing(noun.key) and not (
            types.is_attribute_head(noun.head) and not facts.find(noun.key)
        ):
            add_entity_phrase(item, facts)
            target = facts.find(noun.key) or noun.key
            _note_act(
                "" if generic else actors[0],
                verb,
                target,
                extras,
                clause,
                facts,
                plural=noun.plural,
                many=noun.many,
            )
            done = True
    return done


def _add_to_record(
    actor: str, target: str, extras: tuple[tuple[str, str], ...], facts: Facts
) -> bool:
    """ "members rent plots and pay a fee", "… and leave a report with a rating": of that rental."""
    last = next((act for act in reversed(facts.acts) if act.actor == actor), None)
    if last is None:
        return False
    record = words.nominal(last.verb)
    items = split_list(target)
    bare = [item for item in items if not attribute_like(item)]
    if bare and not all(parse_noun(item).head in lex.VAGUE for item in bare):
        return False
    told = [
        phrase
        for preposition, text in extras
        if preposition == "with"
        for phrase in split_list(text)
    ]
    found = [item for item in (*(i for i in items if i not in bare), *told) if attribute_like(item)]
    for item in found:
        add_item(record, item, facts)
    return bool(found)


def split_extras(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The object, and (preposition, phrase) for what follows; "optionally" stays with the phrase."""
    text, inner = mask_parentheses(text)
    first = re.match(r"^(?:for|up for|up to|in|out|on|to|at|with)\s+", text)
    start = first.end() if first else 0
    pieces = list(_PREPOSITIONS.finditer(text, start))
    extras: list[tuple[str, str]] = []
    for at, match in enumerate(pieces):
        end = pieces[at + 1].start() if at + 1 < len(pieces) else len(text)
        phrase = unmask(text[match.end() : end].strip(" ,."), inner)
        phrase = re.sub(r"\s+and$", "", phrase)
        extras.append((match[2].lower(), f"optional {phrase}" if match[1] else phrase))
    target = text[: pieces[0].start()] if pieces else text
    return unmask(target.strip(" ,"), inner), tuple(extras)


def _read_joining(target: str, extras: tuple[tuple[str, str], ...], facts: Facts) -> bool:
    """ "assign a vet to an appointment": the appointment refers to a vet."""
    for preposition, phrase in extras:
        owner = facts.find(parse_noun(phrase).key)
        noun = parse_noun(target)
        if preposition not in ("to", "in", "with", "on", "at", "into") or not is_thing(noun.key):
            continue
        if owner is None and preposition == "to" and is_thing(parse_noun(phrase).key):
            owner = parse_noun(phrase).key
            facts.add_thing(owner, 2)
        if owner is None or (types.is_attribute_head(noun.head) and not facts.find(noun.key)):
            continue
        facts.add_thing(facts.find(noun.key) or noun.key, 2)
        other = facts.find(noun.key) or noun.key
        facts.links.append(Link(owner, other, "many" if noun.plural else "one", optional=True))
        return True
    return False


def _read_passive_act(clause: Clause, facts: Facts) -> bool:
    """ "boats can be booked by customers from … to …"."""
    text = clause.rest_text
    by = re.search(
        r"\bby\s+((?:an?|the|one|each)?\s*[\w ]+?)(?=\s+(?:from|to|on|at|for|with|in|using|via)\b|[,.]|$)",
        text,
    )
    targets = subject_keys(clause.subject_text, facts)
    if not targets or (clause.participle in lex.MANAGE_VERBS - LIGHT and not by):
        return False
    actor_noun = parse_noun(by[1]) if by else None
    actor = ""
    if actor_noun and not is_generic(actor_noun.key) and is_thing(actor_noun.key):
        facts.add_thing(actor_noun.key, 2)
        actor = facts.find(actor_noun.key) or actor_noun.key
    elif not by and clause.participle not in words.verb_forms():
        return False
    rest = text.replace(by[0], " ") if by else text
    _, extras = split_extras(f"x {rest}")
    if not by and not clause.modal and _read_origin(targets, clause.participle, extras, facts):
        return True
    for target in targets:
        _note_act(actor, clause.participle, target, extras, clause, facts, plural=True)
    return True


def _read_origin(
    targets: list[str], verb: str, extras: tuple[tuple[str, str], ...], facts: Facts
) -> bool:
    """ "flushes are picked from bags", "batches are mixed on a date": told of the thing itself."""
    done = False
    for preposition, phrase in extras:
        noun = parse_noun(phrase)
        key = facts.find(noun.key) or noun.key
        for target in targets:
            if preposition in ("on", "at") and noun.key.rpartition("_")[2] in (
                "date",
                "day",
                "time",
            ):
                add_item(target, f"{words.participle(verb)} {preposition}", facts)
            elif not is_thing(noun.key) or is_person(noun.key) or attribute_like(phrase):
                continue
            elif preposition == "into" and noun.plural:
                facts.add_thing(key, 2)
                facts.links.append(Link(key, target, "one"))
            elif preposition in ("from", "in") and (noun.plural or noun.determiner):
                facts.add_thing(key, 2)
                facts.links.append(Link(target, key, "one"))
            else:
                continue
            facts.add_thing(target, 2)
            done = True
    return done


def _note_act(  # noqa: PLR0917
    actor: str, verb: str, target: str, extras: tuple[tuple[str, str], ...], clause: Clause,
    facts: Facts, *, plural: bool, many: bool = False,
) -> None:  # fmt: skip
    if actor:
        facts.add_thing(actor, 2)
    facts.add_thing(target, 2)
    if (
        actor
        and not is_person(actor)
        and not (verb in lex.NOMINALS and verb not in _RELATING and plural)
        and words.nominal(verb) not in facts.strength
        and verb not in _PARTICIPATING
        and verb
        not in ("book", "rent", "borrow", "hire", "reserve", "buy", "order", "lend", "donate")
    ):
        facts.links.append(
            Link(
                actor,
                target,
                "both" if many or (plural and not is_event(actor)) else "one",
                optional=bool(clause.modal),
            )
        )
        _extras_as_items(actor, extras, facts)
        return
    head = target.rpartition("_")[2]
    record = is_event(target) and head not in _SLOTS and verb not in _PARTICIPATING
    mine = (
        verb in LIGHT
        and (is_event(target) or plural)
        and verb not in ("attend", "request", "take", "give")
    )
    asked = verb == "request" and (facts.attributes.get(target) or facts.states.get(target))
    own = asked or verb in ("own", "supervise", "lead", "teach", "run", "organise", "organize")
    if actor and (record or mine or own or (verb in ("teach", "lead", "give") and head in _SLOTS)):
        role = words.participle(verb) + "_by" if verb not in ("make", "place", "do") else ""
        facts.links.append(Link(target, actor, "one", role=role))
        _extras_as_items(target, extras, facts)
        return
    if not actor and (record or mine or verb in LIGHT):
        _extras_as_items(target, extras, facts)
        return
    facts.acts.append(
        Act(
            actor,
            verb,
            target,
            extras,
            actor_word="" if clause.participle else clause.subject_text.lower(),
        )
    )
    facts.context = words.nominal(verb)


def _extras_as_items(owner: str, extras: tuple[tuple[str, str], ...], facts: Facts) -> None:
    """ "patients make appointments with a doctor at a given time"."""
    for _preposition, phrase in [(p, item) for p, text in extras for item in split_list(text)]:
        noun = parse_noun(phrase)
        other = facts.find(noun.key)
        optional = phrase.startswith("optional ")
        if other and other != owner:
            facts.links.append(
                Link(owner, other, "many" if noun.many else "one", optional=optional)
            )
        elif types.is_attribute_head(noun.head) and not noun.plural:
            add_item(owner, phrase, facts, optional=optional)
        elif (
            is_thing(noun.key)
            and noun.determiner in ("a", "an", "one")
            and _preposition in ("with", "for", "at", "in", "to")
        ):
            facts.add_thing(noun.key, 2)
            facts.links.append(Link(owner, noun.key, "one", optional=optional))
