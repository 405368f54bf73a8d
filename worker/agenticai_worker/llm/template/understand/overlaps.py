"""Rules that periods may not overlap: "a boat can't be booked twice at the same time"."""

import re

from agenticai_core.plans import EntityField
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.drafts import Board, Draft, a_an, spoken
from agenticai_worker.llm.template.understand.facts import RawRule
from agenticai_worker.llm.template.understand.limits import is_said, put_rule
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


# ---- one function per kind of raw rule ----------------------------------------------------------------


def forbid_overlap(raw: RawRule, board: Board) -> bool:
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
    named = [d for d in board.drafts.values() if is_said(d, raw.words)]
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
