"""Reports of stock: what a ledger's movements add up to, and what runs low."""

import re

from agenticai_core.plans import EntityField, Report
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.drafts import Board, Draft, a_an, spoken
from agenticai_worker.llm.template.understand.facts import Wish
from agenticai_worker.llm.template.understand.report_targets import NUMERIC, entity_in, put_report


def _ledger(board: Board) -> tuple[Draft, str, tuple[str, ...]] | None:
    for draft in board.drafts.values():
        if draft.immutable and draft.of_type(*NUMERIC) and draft.of_type("reference"):
            return (
                draft,
                draft.of_type(*NUMERIC)[0].name,
                tuple(f.name for f in draft.of_type("reference")),
            )
    return None


def add_low_stock(wish: Wish, board: Board, reports: list[Report]) -> bool:
    """Things whose stock is below their minimum; both are fields of the thing."""
    for draft in board.drafts.values():
        numbers = draft.of_type("integer", "float", "decimal")
        minimum = next((f for f in numbers if re.search(r"min|reorder|threshold", f.name)), None)
        stock = next(
            (
                f
                for f in numbers
                if f is not minimum and re.search(r"stock|quantity|qty|on_hand|level|count", f.name)
            ),
            None,
        )
        if stock and not draft.immutable and not draft.event:
            return _below(draft, stock, minimum, board, reports)
    ledger = _ledger(board)
    if ledger and (item := board.named(ledger[0].fields[ledger[2][0]].references)):
        minimum = next(
            (f for f in item.of_type(*NUMERIC) if re.search(r"min|reorder|threshold", f.name)),
            None,
        )
        minimum = minimum or _put_minimum(item, board)
        text = (
            f"{spoken(item.plural).capitalize()} whose stock is below their {spoken(minimum.name)}"
        )
        return put_report(
            reports,
            Report(
                name="low_stock",
                kind="below_minimum",
                entity=item.name,
                field=minimum.name,
                description=text,
            ),
        )
    thing = entity_in(wish.subject, board)
    if thing is None or thing.event:
        return False
    stock = EntityField(name="stock", type="integer", minimum=0, default="0")
    thing.put(stock)
    board.assume(
        f"{a_an(thing).capitalize()} has a stock, 0 at first, so that one can see when it runs low."
    )
    return _below(thing, stock, None, board, reports)


def _put_minimum(draft: Draft, board: Board) -> EntityField:
    minimum = EntityField(name="minimum_stock", type="integer", minimum=0, default="0")
    draft.put(minimum)
    board.assume(
        f"{a_an(draft).capitalize()} has a minimum stock, 0 unless given; below it the stock counts as low."
    )
    return minimum


def _below(
    draft: Draft,
    stock: EntityField,
    minimum: EntityField | None,
    board: Board,
    reports: list[Report],
) -> bool:
    minimum = minimum or _put_minimum(draft, board)
    text = f"{spoken(draft.plural).capitalize()} whose {spoken(stock.name)} is below their {spoken(minimum.name)}"
    return put_report(
        reports,
        Report(
            name=f"low_{draft.plural}",
            kind="below_minimum",
            entity=draft.name,
            field=stock.name,
            group_by=(minimum.name,),
            description=text,
        ),
    )


def add_stock(_wish: Wish, board: Board, reports: list[Report]) -> bool:
    return add_stock_level(board, reports)


def add_stock_level(board: Board, reports: list[Report]) -> bool:
    """The stock that a ledger's movements add up to."""
    ledger = _ledger(board)
    if ledger is None:
        return False
    draft, quantity, references = ledger
    text = f"Stock per {words.join_words([spoken(r) for r in references])}: the sum of all {spoken(draft.plural)}"
    return put_report(
        reports,
        Report(
            name="stock_levels",
            kind="stock_level",
            entity=draft.name,
            field=quantity,
            group_by=references,
            description=text,
        ),
    )
