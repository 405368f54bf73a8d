"""Sensible fields where the text gives none, and filters and searches for every list."""

import re

from agenticai_core.plans import EntityField
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.drafts import Board, Draft, a_an, spoken
from agenticai_worker.llm.template.understand.nouns import is_event, is_person

_LABELS = (
    "name",
    "title",
    "label",
    "code",
    "number",
    "first_name",
    "last_name",
    "subject",
    "headline",
)
_MONEY_RECORDS = frozenset(
    [
        "payment",
        "expense",
        "invoice",
        "donation",
        "purchase",
        "sale",
        "fee",
        "fine",
        "bill",
        "refund",
        "income",
        "transaction",
        "deposit",
        "withdrawal",
        "pledge",
        "contribution",
        "grant",
        "order",
        "budget",
    ]
)
_STATES_UNSAID = ("open", "in_progress", "done")


def complete(board: Board, fresh: list[str]) -> None:
    """Fill in entities that came without fields; then types that depend on their neighbours."""
    for key in fresh:
        draft = board.drafts.get(key)
        if draft:
            _fill(draft, board)
    settle_types(board)
    for draft in board.drafts.values():
        _order_fields(draft)
        _list_options(draft)
        draft.description = draft.description or _describe(draft)


def settle_types(board: Board) -> None:
    """Types that depend on the fields beside them, and statuses without choices."""
    for draft in board.drafts.values():
        _fix_types(draft, board)


def _own(draft: Draft) -> list[EntityField]:
    return [
        f for f in draft.fields.values() if f.type != "reference" and not f.name.endswith("status")
    ]


def _fill(draft: Draft, board: Board) -> None:
    named = len(_own(draft)) > 1 and bool(draft.of_type("string"))
    acts = draft.actor or (is_person(draft.key) and not draft.event)
    if acts and not _has_label(draft) and not named:
        _put(draft, board, EntityField(name="name", type="string", max_length=200))
        if len(_own(draft)) == 1:
            _put(draft, board, EntityField(name="email", type="email", required=False))
        return
    if draft.event or is_event(draft.key) or draft.key.rpartition("_")[2] in _MONEY_RECORDS:
        _fill_event(draft, board)
        return
    own = _own(draft)
    recorded = draft.of_type("date", "datetime") and (
        draft.of_type("reference") or draft.of_type("decimal")
    )
    if not any(f.type == "string" for f in own) and not recorded:
        _put(draft, board, EntityField(name="name", type="string", max_length=200))
        if not own:
            _put(draft, board, EntityField(name="description", type="text", required=False))


def _fill_event(draft: Draft, board: Board) -> None:
    head = draft.key.rpartition("_")[2]
    own = _own(draft)
    if head in _MONEY_RECORDS and not draft.of_type("decimal", "integer", "float"):
        _put(draft, board, EntityField(name="amount", type="decimal", minimum=0))
    timed = any(
        (d := board.named(f.references)) and is_event(d.key) and not d.actor
        for f in draft.of_type("reference")
    )
    if (
        not draft.of_type("date", "datetime", "time")
        and not timed
        and not (own and any(f.name in _LABELS for f in own))
    ):
        _put(draft, board, EntityField(name="date", type="date"))
    if not draft.of_type("reference") and not any(f.type == "string" for f in own):
        _put(draft, board, EntityField(name="title", type="string", max_length=200))
    if not own:
        _put(draft, board, EntityField(name="notes", type="text", required=False))


def _has_label(draft: Draft) -> bool:
    return any(f.name in _LABELS or f.name.endswith("_name") for f in draft.fields.values())


def _put(draft: Draft, board: Board, field: EntityField) -> None:
    if draft.put(field):
        article = "an " if field.name[:1] in "aeiou" or not field.required else "a "
        article = "" if words.is_plural(field.name) else article
        article += "" if field.required else "optional "
        board.assume(
            f"{a_an(draft).capitalize()} has {article}{spoken(field.name)}; the text does not list it."
        )


def _fix_types(draft: Draft, board: Board) -> None:
    """A clock time without any date beside it is a moment; a status without choices gets some."""
    dated = bool(draft.of_type("date"))
    for field in list(draft.fields.values()):
        head = field.name.split("_")[-1]
        if field.type == "time" and not dated and _is_moment(field.name, draft):
            draft.fields[field.name] = field.model_copy(update={"type": "datetime"})
        elif field.type == "string" and field.name in ("status", "state") and not field.choices:
            draft.fields[field.name] = field.model_copy(
                update={
                    "type": "enum",
                    "choices": _STATES_UNSAID,
                    "default": "open",
                    "max_length": None,
                }
            )
            board.assume(
                f"The {field.name} of {a_an(draft)} is {words.join_words(list(map(spoken, _STATES_UNSAID)), 'or')}; the text gives no values."
            )
        elif field.type == "string" and head == "priority" and not field.choices:
            draft.fields[field.name] = field.model_copy(
                update={
                    "type": "enum",
                    "choices": ("low", "medium", "high"),
                    "default": "medium",
                    "max_length": None,
                }
            )
            board.assume(
                f"The priority of {a_an(draft)} is low, medium or high; the text gives no values."
            )
        elif field.type == "string" and field.max_length is None:
            draft.fields[field.name] = field.model_copy(update={"max_length": 200})


def _is_moment(name: str, draft: Draft) -> bool:
    return (
        draft.event or is_event(draft.key) or not re.match(r"(?:opening|closing|open|close)", name)
    )


def _order_fields(draft: Draft) -> None:
    """Names first, then references, then the rest in the order of the text, long text last."""

    def rank(field: EntityField) -> int:
        if field.name in _LABELS or field.name.endswith("_name"):
            return 0
        return 3 if field.type == "text" else 1 if field.type == "reference" else 2

    if len(draft.fields) > 1:
        draft.fields = {f.name: f for f in sorted(draft.fields.values(), key=rank)}


def _list_options(draft: Draft) -> None:
    """Lists filter by references, states, flags and dates, and search names and codes."""
    for field in draft.fields.values():
        if (
            field.type in ("reference", "enum", "boolean", "date")
            and field.name not in draft.filters
        ):
            draft.filters.append(field.name)
    if not draft.search:
        texts = [f.name for f in draft.of_type("string", "email")]
        labels = [n for n in texts if n in _LABELS or n.endswith("_name") or n.endswith("number")]
        draft.search = (labels or texts)[:3]


def _describe(draft: Draft) -> str:
    names = [spoken(f) for f in draft.fields]
    return (
        f"{a_an(draft).capitalize()} with {words.join_words(names)}"
        if names
        else a_an(draft).capitalize()
    )
