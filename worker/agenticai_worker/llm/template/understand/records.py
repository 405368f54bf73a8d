"""The records that acts leave: a booking has a boat, a customer and dates."""

import re

from agenticai_core.plans import EntityField
from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import types, words
from agenticai_worker.llm.template.understand.attributes import parse_attribute
from agenticai_worker.llm.template.understand.drafts import Board, Draft, a_an, spoken
from agenticai_worker.llm.template.understand.facts import Act, Facts
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import is_event, is_person, is_thing, parse_noun

_PLACES = lex.word_set(
    "warehouse store location depot shelf bin site room branch place building facility office "
    "storage shop zone area"
)


RESERVING = lex.word_set("book reserve rent hire charter lease schedule occupy")


_MEASURING = {"weigh": "weight", "measure": "value"}


_BUYING = lex.word_set("order buy purchase sell")


# ---- acts -----------------------------------------------------------------------------------------


def event_key(act: Act, board: Board) -> str:
    """The key of the record that an act leaves: an entity of that name, or the verb's noun."""
    noun = words.nominal(act.verb)
    gerund = words.gerund(act.verb)
    for candidate in (noun, gerund):
        for key in board.drafts:
            if key == candidate or key.endswith("_" + candidate):
                return key
    return noun


def place_acts(facts: Facts, board: Board) -> list[Act]:
    placed: list[Act] = []
    for act in facts.acts:
        if not board.find(act.target):
            continue
        key = event_key(act, board)
        if key == act.target:
            continue
        draft = board.drafts.get(key) or board.add(key)
        if not draft:
            continue
        draft.event = True
        placed.append(act)
        actor = board.find(act.actor) if act.actor else None
        target = board.find(act.target)
        same = [a for a in facts.acts if event_key(a, board) == key]
        others = {parse_noun(phrase).key for a in same for _, phrase in a.extras}
        several = len({a.target for a in same} - others - {a.actor for a in same}) > 1
        if actor and actor is not draft:
            actor.actor = True
            board.refer(draft, actor)
        if target and target is not draft:
            board.refer(draft, target, required=not several)
    return placed


def finish_act(act: Act, board: Board) -> None:
    """Dates, quantities and further parties of an act, as the phrase after the verb gives them."""
    draft = board.drafts.get(event_key(act, board))
    if not draft:
        return
    for preposition, phrase in [(p, item) for p, text in act.extras for item in split_list(text)]:
        _place_extra(draft, preposition, phrase, board)
    if (
        act.actor_word
        and not act.actor
        and not any(is_person(f.name) for f in draft.of_type("reference"))
    ):
        name = f"{words.participle(act.verb)}_by"
        draft.put(EntityField(name=name, type="string", max_length=200, description="Who did it"))
        board.assume(
            f"Who {words.third_person(act.verb)} a {spoken(act.target)} is kept as a name ({name}): the text describes no such person."
        )
    if act.verb in _BUYING and not draft.of_type("integer"):
        draft.put(EntityField(name="quantity", type="integer", minimum=1, default="1"))
        board.assume(f"{a_an(draft).capitalize()} has a quantity, 1 unless given.")
    if act.verb in _MEASURING:
        draft.put(EntityField(name=_MEASURING[act.verb], type="float", minimum=0))
        board.assume(f"{a_an(draft).capitalize()} keeps the {_MEASURING[act.verb]} that was found.")
    if act.verb in ("rate", "review"):
        if not any("rating" in f or "score" in f for f in draft.fields):
            draft.put(EntityField(name="rating", type="integer", minimum=1, maximum=5))
            board.assume(f"A {spoken(draft.key)} carries a rating from 1 to 5.")
        draft.put(EntityField(name="comment", type="text", required=False))
    if not draft.of_type("date", "datetime"):
        _date_act(draft, act, board)


def _date_act(draft: Draft, act: Act, board: Board) -> None:
    referred = [board.named(f.references) for f in draft.of_type("reference")]
    if any(d and is_event(d.key) and not d.actor for d in referred):
        return  # a seat at a screening: the screening says when
    if act.verb in RESERVING:
        for name in ("start_date", "end_date"):
            draft.put(EntityField(name=name, type="date"))
        board.assume(f"{a_an(draft).capitalize()} runs from a start date to an end date.")
        return
    name = f"{words.participle(act.verb)}_on"
    draft.put(EntityField(name=name, type="date", default="now"))
    board.assume(
        f"{a_an(draft).capitalize()} keeps the day it was made ({name}), today unless given."
    )


def _place_extra(draft: Draft, preposition: str, phrase: str, board: Board) -> None:
    optional = phrase.startswith("optional ")
    phrase = re.sub(r"^optional\s+", "", phrase)
    if re.search(
        r"\b(?:period|dates|date range|time range|certain time|while|duration of time|time slot|given time)\b",
        phrase,
    ):
        if not draft.of_type("date", "datetime"):
            for name in (
                ("start_date", "end_date") if "time" not in phrase else ("starts_at", "ends_at")
            ):
                draft.put(
                    EntityField(name=name, type="date" if name.endswith("date") else "datetime")
                )
            board.assume(f"{a_an(draft).capitalize()} runs from a start to an end.")
        return
    noun = parse_noun(phrase)
    if (
        preposition in ("to", "with", "from", "by", "for")
        and is_person(noun.key)
        and is_thing(noun.key)
        and not board.find(noun.key)
    ):
        board.add(noun.key)
    target = board.find(noun.key)
    if target is None and noun.determiner in ("a", "an", "one") and is_event(noun.key):
        target = board.add(noun.key)
    if target and target is not draft:
        if target.name not in [f.references for f in draft.fields.values()]:
            board.refer(draft, target, required=not optional)
        return
    attribute = parse_attribute(phrase)
    if attribute is None or re.match(r"\d", phrase):
        return
    head = attribute.key.split("_")[-1]
    kept = preposition in ("per", "with") and not noun.plural and is_thing(noun.key)
    if types.is_attribute_head(head) or head in ("start", "end") or attribute.field.unit or kept:
        made = attribute.field
        if preposition == "per" and head in ("day", "week", "month", "year"):
            return
        if head in ("start", "end"):
            made = made.model_copy(update={"type": "datetime", "name": f"{head}s_at"})
        draft.put(made.model_copy(update={"required": made.required and not optional}))


# ---- events without an anchor ----------------------------------------------------------------------


def anchor_events(fresh: list[str], board: Board) -> None:
    """An inspection is of something: an event that refers to nothing gets the first fitting thing."""
    linked = {name for m in board.links for name in (m.left, m.right)}
    for key in fresh:
        draft = board.drafts.get(key)
        if not draft or not draft.event or draft.name in linked or draft.actor:
            continue
        if _is_ledger(key):
            _anchor_ledger(draft, board)
            continue
        references = draft.of_type("reference")
        if references and not (_needs_object(key) and all(is_person(f.name) for f in references)):
            continue
        if any(
            f.name in ("name", "title", "email") or f.name.endswith("_name")
            for f in draft.fields.values()
        ):
            continue  # it speaks for itself
        things = [d for d in board.drafts.values() if not d.event and not is_person(d.key)]
        if references and len(things) != 1:
            continue
        thing = next(
            (d for d in board.drafts.values() if not d.event and d is not draft and not is_person(d.key)
             and not d.references(draft.name)), None,
        )  # fmt: skip
        if thing:
            board.refer(draft, thing)
            board.assume(
                f"{a_an(draft).capitalize()} is about one {spoken(thing.key)}; the text does not say so."
            )


def _needs_object(key: str) -> bool:
    """ "a review" is always of something, though "an appointment" may be with somebody only."""
    return key.rpartition("_")[2] in lex.NOMINALS.values() and not key.endswith("appointment")


def _is_ledger(key: str) -> bool:
    return bool(re.search(r"(^|_)(stock|inventory)_", key)) or key in ("movement", "transfer")


def _anchor_ledger(draft: Draft, board: Board) -> None:
    """Stock moves of something, somewhere."""
    places = [d for d in board.drafts.values() if d.key.rpartition("_")[2] in _PLACES]
    things = [
        d for d in board.drafts.values() if d not in places and not d.event and not is_person(d.key)
    ]
    has_thing = any(draft.references(d.name) for d in things)
    if not things and (made := board.add("item")):
        things = [made]
        board.assume("What is in stock is called an item; the text does not name it.")
    if things and not has_thing:
        board.refer(draft, things[0])
    for place in places:
        board.refer(draft, place)
    if not draft.of_type("integer", "float", "decimal"):
        draft.put(
            EntityField(
                name="quantity", type="integer", description="Positive comes in, negative goes out"
            )
        )
        board.assume(
            f"The quantity of {a_an(draft)} is positive when stock comes in and negative when it goes out."
        )
    draft.put(EntityField(name="moved_at", type="datetime", default="now"))
    draft.put(EntityField(name="reason", type="string", required=False, max_length=200))
    draft.immutable = True
    board.assume(
        f"{spoken(draft.plural).capitalize()} are a ledger: they are added, never changed."
    )
