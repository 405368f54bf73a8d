"""Status fields, and the transitions that their choices and the verbs imply."""

from agenticai_core.plans import EntityField, Transition
from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.drafts import Board, Draft, a_an, spoken
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.records import event_key

# States that something must have come before.
_REACHED = frozenset(lex.STATE_VERBS.values()) | lex.BAD_ENDS | lex.GOOD_ENDS
# What a thing was before somebody did this to it.
_BEFORE = {
    "return": "out", "publish": "draft", "unpublish": "published", "complete": "planned", "finish": "started",
    "start": "planned", "cancel": "active", "archive": "active", "close": "open", "reopen": "closed",
    "check_in": "expected", "check_out": "available", "resolve": "open", "discharge": "admitted",
    "activate": "inactive", "deactivate": "active", "suspend": "active", "retire": "active", "resume": "paused",
    "pause": "active", "ship": "new", "dispatch": "new", "deliver": "new", "receive": "ordered", "sign": "draft",
    "submit": "draft", "renew": "active", "lock": "open", "unlock": "locked", "block": "active", "refund": "paid",
    "expire": "active", "settle": "open", "escalate": "open", "revoke": "active", "terminate": "active",
}  # fmt: skip
_VERB_FOR = {
    "in_progress": "start", "done": "finish", "active": "activate", "inactive": "deactivate", "open": "reopen",
    "started": "start", "out": "hand_out", "checked_in": "check_in", "checked_out": "check_out", "sold": "sell",
    "published": "publish", "closed": "close", "lost": "report_lost", "missing": "report_missing",
    "canceled": "cancel", "underway": "start", "under_way": "start", "ready": "mark_ready",
}  # fmt: skip


def add_states(facts: Facts, board: Board) -> None:
    """Status fields from stated choices and from verbs; then the transitions between choices."""
    touched: dict[str, None] = {}
    for key, choices in facts.states.items():
        draft = board.find(key)
        if draft:
            _widen(draft, choices)
            touched[draft.key] = None
    for verb, key in facts.transitions:
        draft = _moved(verb, key, facts, board)
        if draft is None:
            board.leave_out(f"Nothing to {spoken(verb)}: no {spoken(key)} is described")
        elif _add_move(draft, verb, board):
            touched[draft.key] = None
    for draft in board.drafts.values():
        status = draft.status()
        if status and (draft.key in touched or not draft.transitions):
            _add_transitions(draft, status)
            _set_first(draft, status.name, board)


# Of a resource that is now free and now not: any state may follow any other.
_FREE_STATES = ("free", "available", "vacant", "idle", "empty", "in_stock", "unoccupied")
_TEMPORARY = (
    "borrow",
    "lend",
    "rent",
    "hire",
    "book",
    "reserve",
    "charter",
    "lease",
    "loan",
    "take",
    "check-out",
)
_OF_THE_RECORD = ("return", "check_in", "check_out", "renew", "cancel")


def _moved(verb: str, key: str, facts: Facts, board: Board) -> Draft | None:
    """The draft that a verb moves; "return a tool" moves its loan, not the tool."""
    draft = board.find(key)
    if draft is None or draft.status() or draft.event or verb not in _OF_THE_RECORD:
        return draft
    for act in facts.acts:
        if act.verb in _TEMPORARY and board.find(act.target) is draft:
            event = board.drafts.get(event_key(act, board))
            if event and event is not draft:
                return event
    holders = [
        d for d in board.drafts.values() if d.event and d.references(draft.name) and d.status()
    ]
    return holders[0] if board.changing and len(holders) == 1 else draft


def _widen(draft: Draft, choices: tuple[str, ...], *, first_given: bool = False) -> None:
    old = draft.status()
    merged = tuple(dict.fromkeys((*(old.choices if old else ()), *choices)))
    if (
        old is None
        and not first_given
        and not set(merged) & lex.FIRST_STATES
        and merged[0] in _REACHED
    ):
        merged = ("pending", *merged)
    name = old.name if old else "status"
    if name in draft.fields and not old:
        del draft.fields[name]
    default = old.default if old else None
    draft.put(
        EntityField(name=name, type="enum", choices=merged, default=default or _first_of(merged)),
        replace=True,
    )


def _first_of(choices: tuple[str, ...]) -> str:
    if choices[0] in _REACHED - lex.FIRST_STATES:
        return next((c for c in choices if c in lex.FIRST_STATES), choices[0])
    return choices[0]


def _add_move(draft: Draft, verb: str, board: Board) -> bool:
    target = lex.STATE_VERBS.get(verb) or verb.removeprefix("mark_")
    status = draft.status()
    if status and target in status.choices:
        return True
    if status is None:
        before = _before(draft, verb)
        _widen(draft, (before, target), first_given=True)
        board.assume(
            f"{a_an(draft).capitalize()} has a status, {spoken(before)} at first, which “{spoken(verb)}” changes."
        )
        return True
    if verb == "reopen" and status.choices:
        return True
    _widen(draft, (target,))
    return True


def _before(draft: Draft, verb: str) -> str:
    for base, noun in lex.NOMINALS.items():
        if noun == draft.key and verb in ("return", "cancel", "check_in", "check_out"):
            preferred = "borrowed" if noun == "loan" else words.participle(base)
            return preferred if preferred != lex.STATE_VERBS.get(verb) else "open"
    return _BEFORE.get(verb, "pending")


def _set_first(draft: Draft, name: str, board: Board) -> None:
    status = draft.fields[name]
    if status.default is None:
        first = _first_of(status.choices)
        draft.fields[name] = status.model_copy(update={"default": first})
        board.assume(f"A new {spoken(draft.key)} starts as {spoken(first)}.")


def _add_transitions(draft: Draft, status: EntityField) -> None:
    """One verb per state that can be reached, from the states before it."""
    known = {(t.verb, t.target) for t in draft.transitions}
    taken = {t.verb for t in draft.transitions}
    reached = {t.target for t in draft.transitions}
    first = status.default or _first_of(status.choices)
    for choice in status.choices:
        if choice in reached or (choice == first and not _is_free(first, status.choices)):
            continue
        sources = _sources(choice, status.choices, first)
        verb = verb_for(choice)
        if not sources or (verb, choice) in known or verb in taken:
            continue
        taken.add(verb)
        draft.transitions.append(
            Transition(
                verb=verb, field=status.name, sources=sources, target=choice,
                description=f"{spoken(draft.key).capitalize()}: {' or '.join(map(spoken, sources))} → {spoken(choice)}",
            )
        )  # fmt: skip


def verb_for(choice: str) -> str:
    """The verb that leads to a state: confirmed -> confirm, in_progress -> start."""
    for base, target in lex.STATE_VERBS.items():
        if target == choice and base not in ("reopen", "unpublish"):
            return base
    if choice in _VERB_FOR:
        return _VERB_FOR[choice]
    if "_" not in choice:
        known = words.base_of_participle(choice)
        if known and known != choice and words.is_python_name(known):
            return known
    running = words.verb_base(choice, "ing")
    return running if running and words.is_python_name(running) else f"mark_{choice}"


def _sources(choice: str, choices: tuple[str, ...], first: str) -> tuple[str, ...]:
    """States from which a choice is reached, reading the list as the order of a life.

    Bad ends come from any living state (rejections only before anything was accepted); the others
    from the living state before them.
    """
    if _is_free(first, choices):
        return tuple(c for c in choices if c != choice)
    living = [c for c in choices if c not in lex.BAD_ENDS and c not in lex.GOOD_ENDS]
    if first not in living:
        living.insert(0, first)
    if choice in ("rejected", "declined", "refused", "denied"):
        return tuple(
            living[:1] if first in ("pending", "requested") else [c for c in living if c == first]
        )
    if choice in lex.BAD_ENDS:
        return tuple(c for c in living if c != choice)
    before = [c for c in choices[: choices.index(choice)] if c not in lex.BAD_ENDS]
    if (
        choices[:1] == ("pending",)
        and first == "pending"
        and choices[1] in _REACHED | lex.FIRST_STATES
    ):
        return tuple(
            c for c in before if c not in lex.GOOD_ENDS
        )  # "may be released or transferred"
    if choice in lex.GOOD_ENDS and before and before[-1] in lex.GOOD_ENDS:
        return (before[-1],)
    candidates = [c for c in before if c not in lex.GOOD_ENDS] or [first]
    if _toggles(choice, first):
        return (first,)
    return (candidates[-1],)


def _is_free(first: str, choices: tuple[str, ...]) -> bool:
    return first in _FREE_STATES and not set(choices) & set(lex.STATE_VERBS.values())


def _toggles(choice: str, first: str) -> bool:
    return {choice, first} in (
        {"active", "inactive"},
        {"open", "closed"},
        {"available", "unavailable"},
    )
