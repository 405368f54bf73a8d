"""Wishes turned into reports, filters and searches over the entities there are."""

import re

from agenticai_core.plans import EntityField, Report
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.constraints import match_field, period
from agenticai_worker.llm.template.understand.drafts import Board, Draft, a_an, spoken
from agenticai_worker.llm.template.understand.facts import Facts, Wish
from agenticai_worker.llm.template.understand.fields import parse_attribute
from agenticai_worker.llm.template.understand.nouns import parse_noun

_NUMERIC = ("integer", "decimal", "float")
_EMPTY = frozenset(
    ["the", "all", "our", "number", "of", "total", "each", "different", "how", "many", "a"]
)
_TIME_UNITS = ("day", "week", "month", "year")


def add_reports(facts: Facts, board: Board, reports: list[Report]) -> None:
    """Append to ``reports``; what cannot be mapped is left out by name."""
    for wish in facts.wishes:
        made = _HANDLERS[wish.kind](wish, board, reports)
        if not made:
            board.leave_out(
                f"Not understood as a figure, list or search over the data: “{wish.text[:140]}”"
            )


def put_report(reports: list[Report], report: Report) -> bool:
    if not any(r.name == report.name for r in reports):
        reports.append(report)
    return True


def _entity_in(text: str, board: Board) -> Draft | None:
    """The entity that a phrase speaks of, from its head or any word in it."""
    found = board.find(parse_noun(text).key)
    if found:
        return found
    said = {words.singular(w) for w in re.findall(r"[a-z]+", text.lower())}
    near = [d for d in board.drafts.values() if d.key.rpartition("_")[2] in said]
    if near:
        return near[0]
    verbs = {words.verb_base(w) for w in re.findall(r"[a-z]+", text.lower())} - {None}
    return next(
        (d for d in board.drafts.values() for v in verbs if v and words.nominal(v) == d.key), None
    )


def group_field(text: str, draft: Draft, board: Board) -> str | None:
    """The field of an entity that a phrase after "per" names; "month" by its date is "<date>.month"."""
    key = parse_noun(text).key or words.to_snake(text)
    if key in _TIME_UNITS:
        dates = draft.of_type("date", "datetime")
        return f"{dates[0].name}.{key}" if dates else f"created_at.{key}"
    other = board.find(key)
    if other and draft.references(other.name):
        return draft.references(other.name)[0]
    field = match_field(key, draft)
    if field:
        return field
    if other and other is not draft:
        return _through(draft, other, board)
    return None


def _through(draft: Draft, other: Draft, board: Board) -> str | None:
    """A reference of a reference: an inspection's hive's apiary is "hive.apiary"."""
    for field in draft.of_type("reference"):
        middle = board.named(field.references)
        if middle and middle is not draft and middle.references(other.name):
            return f"{field.name}.{middle.references(other.name)[0]}"
    return None


def _groups(wish: Wish, draft: Draft, board: Board) -> tuple[str, ...] | None:
    fields = [group_field(text, draft, board) for text in wish.by]
    return tuple(f for f in fields if f) if fields and all(fields) else None


def _count(wish: Wish, board: Board, reports: list[Report]) -> bool:
    draft = _entity_in(wish.subject, board)
    group = board.find(parse_noun(wish.by[0]).key) if wish.by else None
    if draft is None or draft is group:
        return False
    groups = _groups(wish, draft, board)
    if not groups:
        return False
    _note_unused(wish, draft, board)
    name = f"{draft.plural}_by_{'_and_'.join(_short(g) for g in groups)}"
    text = f"How many {spoken(draft.plural)} per {words.join_words([spoken(_short(g)) for g in groups])}"
    return put_report(
        reports,
        Report(name=name, kind="count_by", entity=draft.name, group_by=groups, description=text),
    )


def _note_unused(wish: Wish, draft: Draft, board: Board) -> None:
    """ "outstanding orders by customer": all orders are counted, and that is said."""
    *before, _ = [*re.findall(r"[a-z]+", wish.subject.lower()), ""][:-1] or [""]
    known = {*draft.key.split("_"), *draft.plural.split("_")} | _EMPTY
    unused = [w for w in before if w not in known and not words.verb_readings(w)]
    if unused and not board.changing:
        board.leave_out(
            f"“{' '.join(unused)}” in “{wish.text.strip()}”: all {spoken(draft.plural)} are counted"
        )


def _short(group: str) -> str:
    return group.rpartition(".")[2]


def _sum(wish: Wish, board: Board, reports: list[Report]) -> bool:
    """ "total amount per customer", "honey harvested per apiary": a number of some entity."""
    subject = re.sub(r"^(?:total|sum of|overall|the|amount of)\s+", "", wish.subject.lower())
    plain = board.drafts.get(parse_noun(subject).key) or board.drafts.get(parse_noun(subject).head)
    if plain and not re.search(r"\b(?:total|sum)\b", wish.text, re.I):
        return _count(Wish("count", subject, wish.by, wish.text), board, reports)
    for draft, field in _numbers_for(subject, board):
        groups = _groups(wish, draft, board)
        if groups:
            by = "_and_".join(_short(g) for g in groups)
            name = (
                f"{field.name}_by_{by}"
                if field.name.startswith("total")
                else f"total_{field.name}_by_{by}"
            )
            text = f"Total {spoken(field.name)} of {spoken(draft.plural)} per {words.join_words([spoken(_short(g)) for g in groups])}"
            return put_report(
                reports, Report(name=name, kind="sum_by", entity=draft.name, field=field.name, group_by=groups, description=text)
            )  # fmt: skip
    if (
        board.find(parse_noun(subject).key)
        and not re.match(r"(?:total|sum)\b", wish.text, re.I)
        and _count(Wish("count", subject, wish.by, wish.text), board, reports)
    ):
        return True
    return _new_measure(subject, wish, board, reports)


def _numbers_for(subject: str, board: Board) -> list[tuple[Draft, EntityField]]:
    """Numeric fields that a phrase may mean, the best first."""
    said = {words.singular(w) for w in re.findall(r"[a-z]+", subject)}
    money = bool(
        said
        & {
            "revenue",
            "income",
            "turnover",
            "sale",
            "spending",
            "cost",
            "earning",
            "money",
            "value",
            "expense",
            "spend",
            "takings",
            "amount",
        }
    )
    scored: list[tuple[int, Draft, EntityField]] = []
    for draft in board.drafts.values():
        for field in draft.of_type(*_NUMERIC):
            parts = {words.singular(p) for p in field.name.split("_")}
            score = 4 * len(parts & said) + (2 if draft.key.rpartition("_")[2] in said else 0)
            score += (
                2 if money and field.type == "decimal" and not field.name.endswith("rate") else 0
            )
            score += (
                1
                if {words.nominal(b) for w in said if (b := words.verb_base(w))} & {draft.key}
                else 0
            )
            score += 1 if draft.event and score else 0
            if parts & said or (money and field.type == "decimal") or score >= 2:
                scored.append((score, draft, field))
    return [(d, f) for _, d, f in sorted(scored, key=lambda s: -s[0])]


def _new_measure(subject: str, wish: Wish, board: Board, reports: list[Report]) -> bool:
    """ "honey harvested per apiary": nothing holds it yet, so the act becomes a record of amounts."""
    match = re.match(r"^(?:how much )?([a-z]+)\s+(?:was\s+|is\s+|were\s+)?([a-z]+)$", subject)
    base = words.verb_base(match[2], "ed") if match else None
    group = board.find(parse_noun(wish.by[0]).key) if wish.by else None
    if not match or not base or not group:
        return False
    key = words.nominal(base)
    draft = board.drafts.get(key) or board.add(key)
    if draft is None:
        return False
    draft.event = True
    amount = words.to_snake(f"{words.singular(match[1])} amount")
    board.refer(draft, group)
    draft.put(EntityField(name="date", type="date", default="now"))
    draft.put(EntityField(name=amount, type="decimal", minimum=0))
    board.assume(
        f"{a_an(draft).capitalize()} is recorded with a date, {spoken(amount)} and {spoken(group.key)}, "
        f"because “{wish.text.strip()}” needs it and nothing in the text holds it."
    )
    return _sum(Wish("sum", amount.replace("_", " "), wish.by, wish.text), board, reports)


def _most(wish: Wish, board: Board, reports: list[Report]) -> bool:
    """ "most borrowed tools": loans counted per tool."""
    said = re.findall(r"[a-z]+", wish.text.lower())
    thing = _entity_in(wish.subject, board)
    for word in said:
        base = words.verb_base(word, "ed")
        event = board.find(words.nominal(base)) if base else None
        if event and thing and event is not thing and event.references(thing.name):
            return _count(Wish("count", event.key, (thing.key,), wish.text), board, reports)
    if thing:
        holders = [d for d in board.drafts.values() if d.event and d.references(thing.name)]
        if len(holders) == 1:
            return _count(Wish("count", holders[0].key, (thing.key,), wish.text), board, reports)
    return False


def _overdue(wish: Wish, board: Board, reports: list[Report]) -> bool:
    draft = _entity_in(wish.subject, board) or _entity_in(wish.text, board)
    if draft is None:
        return False
    holders = [d for d in board.drafts.values() if d.event and d.references(draft.name)]
    if not draft.event and not draft.of_type("date", "datetime") and len(holders) == 1:
        draft = holders[0]
    timed = draft.of_type("date", "datetime")
    due = next(
        (f for f in timed if re.search(r"due|deadline|return|end|until|expir", f.name)), None
    )
    if due is None:
        due = EntityField(name="due_date", type="date", required=not board.changing)
        draft.put(due)
        board.assume(
            f"{a_an(draft).capitalize()} has a due date, so that one can see what is overdue."
        )
    name = f"overdue_{draft.plural}"
    text = f"{spoken(draft.plural).capitalize()} whose {spoken(due.name)} has passed and that are not finished"
    return put_report(
        reports,
        Report(name=name, kind="overdue", entity=draft.name, field=due.name, description=text),
    )


def _upcoming(wish: Wish, board: Board, reports: list[Report]) -> bool:
    draft = _entity_in(wish.subject, board) or _dated(wish.subject, board)
    if draft is None:
        return False
    dates = draft.of_type("date", "datetime")
    found = period(draft)
    if "expir" in wish.text or " due" in wish.text:
        dates = [f for f in dates if re.search(r"expir|due|until|end", f.name)] or dates
    elif found and draft.fields[found[0]].type != "time":
        dates = [draft.fields[found[0]]]
    if not dates:
        return False
    name = f"upcoming_{draft.plural}"
    text = f"{spoken(draft.plural).capitalize()} whose {spoken(dates[0].name)} lies ahead, the nearest first"
    return put_report(
        reports,
        Report(
            name=name, kind="upcoming", entity=draft.name, field=dates[0].name, description=text
        ),
    )


def _dated(text: str, board: Board) -> Draft | None:
    """ "warranty expiring soon": the thing with a date of that name."""
    key = parse_noun(text).key
    return next(
        (d for d in board.drafts.values() for f in d.of_type("date", "datetime") if key and f.name.startswith(key)),
        None,
    )  # fmt: skip


def _ledger(board: Board) -> tuple[Draft, str, tuple[str, ...]] | None:
    for draft in board.drafts.values():
        if draft.immutable and draft.of_type(*_NUMERIC) and draft.of_type("reference"):
            return (
                draft,
                draft.of_type(*_NUMERIC)[0].name,
                tuple(f.name for f in draft.of_type("reference")),
            )
    return None


def _low_stock(wish: Wish, board: Board, reports: list[Report]) -> bool:
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
            (f for f in item.of_type(*_NUMERIC) if re.search(r"min|reorder|threshold", f.name)),
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
    thing = _entity_in(wish.subject, board)
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


def _stock(_wish: Wish, board: Board, reports: list[Report]) -> bool:
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


def _filter(wish: Wish, board: Board, _reports: list[Report]) -> bool:
    draft = _entity_in(wish.subject, board)
    if draft is None:
        return False
    done = bool(wish.by)
    for text in wish.by:
        field = group_field(re.sub(r"\s+range$", "", text), draft, board)
        if (
            field is None
            and (attribute := parse_attribute(text))
            and not board.find(attribute.key)
            and not board.changing
        ):
            draft.put(attribute.field.model_copy(update={"required": False}))
            field = attribute.field.name if attribute.field.name in draft.fields else None
            if field:
                board.assume(
                    f"{a_an(draft).capitalize()} has a {spoken(field)}, because one can filter by it."
                )
        if field is None or "." in field:
            done = False
        elif field not in draft.filters:
            draft.filters.append(field)
    return done


def _search(wish: Wish, board: Board, reports: list[Report]) -> bool:
    """Text fields are searched, all others filtered by."""
    draft = _entity_in(wish.subject, board)
    if draft is None:
        return False
    rest: list[str] = []
    for text in wish.by:
        field = match_field(parse_noun(text).key or words.to_snake(text), draft)
        if field and draft.fields[field].type in ("string", "text", "email", "phone"):
            draft.search.append(field)
        else:
            rest.append(text)
    return not rest or _filter(Wish("filter", wish.subject, tuple(rest), wish.text), board, reports)


def _state(wish: Wish, board: Board, _reports: list[Report]) -> bool:
    """ "unpaid invoices", "approved requests": a filter on a flag or a state, if there is one."""
    draft = _entity_in(wish.subject, board)
    word = words.to_snake(wish.by[0])
    if draft is None:
        return False
    records = [d for d in board.drafts.values() if d.event and d.references(draft.name)]
    return any(_filter_state(word, one) for one in (draft, *records))


def _filter_state(word: str, draft: Draft) -> bool:
    bare = {word, word.removeprefix("un"), word.removeprefix("in")}
    for field in draft.fields.values():
        flag = field.type == "boolean" and field.name.removeprefix("is_") in bare
        if flag or word in field.choices:
            if field.name not in draft.filters:
                draft.filters.append(field.name)
            return True
    return False


def _other(_wish: Wish, _board: Board, _reports: list[Report]) -> bool:
    return False


_HANDLERS = {
    "state": _state, "other": _other,
    "count": _count, "sum": _sum, "most": _most, "overdue": _overdue, "upcoming": _upcoming,
    "low_stock": _low_stock, "stock": _stock, "filter": _filter, "search": _search,
}  # fmt: skip
