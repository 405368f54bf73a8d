"""Plans that together use everything a plan can say, and a strategy for random ones."""

from typing import Any, get_args

from hypothesis import strategies as st

from agenticai_core.plans import Entity, EntityField, ManyToMany, Plan, Report, Rule, Transition

TYPES: tuple[str, ...] = get_args(EntityField.model_fields["type"].annotation)


def field(name: str, type_: str = "string", **values: Any) -> EntityField:
    return EntityField(name=name, type=type_, **values)


def to(entity: str, name: str = "", **values: Any) -> EntityField:
    return field(name or entity.lower(), "reference", references=entity, **values)


def entity(name: str, plural: str, *fields: EntityField, **values: Any) -> Entity:
    return Entity(name=name, plural=plural, fields=fields, **values)


def rule(kind: str, *fields: str, description: str = "It is a rule of the house") -> Rule:
    return Rule(kind=kind, fields=fields, description=description)


def plan(name: str, *entities: Entity, **values: Any) -> Plan:
    return Plan(name=name, type="api", summary=f"{name}: an API.", entities=entities, **values)


def _variants(type_: str) -> list[EntityField]:
    """A type required, optional, unique, with limits and with each kind of default."""
    choices = {"choices": ("in progress", "24h", "größer", 'a "b"', "a-b", "a b", "None")}
    extra: dict[str, Any] = choices if type_ == "enum" else {}
    found = [
        field(f"a_{type_}", type_, **extra),
        field(f"an_optional_{type_}", type_, required=False, **extra),
    ]
    if type_ not in ("enum", "boolean", "text"):
        found.append(field(f"one_{type_}", type_, unique=True, **extra))
    if type_ in ("integer", "decimal", "float"):
        found.append(field(f"some_{type_}", type_, minimum=0, maximum=5, unit="kg"))
        found.append(field(f"least_{type_}", type_, minimum=10, required=False))
    if type_ in ("string", "text"):
        found.append(field(f"short_{type_}", type_, max_length=8))
        found.append(field(f"tiny_{type_}", type_, max_length=1))
    defaults = {
        "string": "as \"is\" \\ it's", "text": "none {yet}", "integer": "3", "decimal": "2.50",
        "float": "0.5", "boolean": "true", "date": "today", "datetime": "now", "time": "now",
        "enum": "größer",
    }  # fmt: skip
    if type_ in defaults:
        found.append(field(f"usual_{type_}", type_, default=defaults[type_], **extra))
    return found


TYPED = plan(
    "All types",
    *(
        entity(
            f"{type_.title()}Sheet",
            f"{type_}_sheets",
            *(variants := _variants(type_)),
            filters=tuple(one.name for one in variants),
            search=tuple(one.name for one in variants),
        )
        for type_ in TYPES
        if type_ != "reference"
    ),
)

RELATED = plan(
    "Workshops & more",
    entity("Person", "people", field("name"), to("Person", "manager", required=False)),
    entity("Chicken", "chickens", field("name"), to("Egg")),
    entity("Egg", "eggs", field("size", "integer", minimum=1), to("Chicken", "mother")),
    entity(
        "Task",
        "tasks",
        field("title"),
        to("Person", "assignee", required=False),
        to("Person", "author"),
        to("Task", "parent", required=False),
        filters=("assignee", "author", "parent"),
    ),
    entity("Tag", "tags", field("name", unique=True)),
    links=(
        ManyToMany(left="Task", right="Tag"),
        ManyToMany(left="Person", right="Person"),
        ManyToMany(left="Tag", right="Nobody"),
    ),
    reports=(
        Report(
            name="by_people", kind="count_by", entity="Task",
            group_by=("author.name", "assignee.name"),
        ),
        Report(name="by_parent", kind="count_by", entity="Task", group_by=("parent.title",)),
        Report(name="gone", kind="count_by", entity="Nothing", group_by=("name",)),
    ),
)  # fmt: skip

RULED = plan(
    "Boat hire",
    entity("Owner", "owners", field("name"), field("email", "email", unique=True)),
    entity("Boat", "boats", field("name"), to("Owner"), field("length", "float", unit="m")),
    entity(
        "Booking",
        "bookings",
        to("Boat"),
        field("starts_on", "date"),
        field("ends_on", "date"),
        field("deposit", "decimal", minimum=0),
        field("price", "decimal", minimum=0),
        field("status", "enum", choices=("asked", "confirmed", "cancelled", "lost")),
        field("payment", "enum", choices=("open", "paid"), default="open"),
        rules=(
            rule("no_overlap", "starts_on", "ends_on", "boat", description="One boat, one party"),
            rule("order", "starts_on", "ends_on", description="It ends after it starts"),
            rule("order", "deposit", "price", description="No more deposit than the price"),
            rule("immutable_after", "payment", "paid", description="What is paid is final"),
        ),
        transitions=(
            Transition(verb="confirm", field="status", sources=("asked",), target="confirmed"),
            Transition(
                verb="cancel", field="status", sources=("asked", "confirmed"), target="cancelled"
            ),
            Transition(verb="revive", field="status", sources=("cancelled",), target="asked"),
            Transition(verb="check", field="status", sources=("lost",), target="asked"),
            Transition(verb="create", field="payment", sources=("paid",), target="open"),
            Transition(verb="pay", field="payment", sources=("open",), target="paid"),
        ),
        filters=("boat", "starts_on", "price", "status", "payment"),
    ),
    entity(
        "Seat",
        "seats",
        to("Boat"),
        field("row", "integer", minimum=1, maximum=9),
        field("letter", max_length=1),
        rules=(rule("unique_together", "boat", "row", "letter"),),
    ),
    entity("Part", "parts", field("name", unique=True), field("minimum_stock", "integer")),
    entity(
        "Movement",
        "movements",
        to("Part"),
        field("quantity", "integer"),
        field("moved_at", "datetime", default="now"),
        rules=(rule("not_negative_stock", "quantity", "part", description="There is not so much"),),
        immutable=True,
        filters=("part", "moved_at", "quantity"),
    ),
    reports=(
        Report(name="by_status", kind="count_by", entity="Booking", group_by=("status",)),
        Report(
            name="income", kind="sum_by", entity="Booking", field="price",
            group_by=("boat.name", "starts_on.month"),
        ),
        Report(
            name="by_owner", kind="count_by", entity="Booking",
            group_by=("boat.owner", "created_at.month"),
        ),
        Report(
            name="weekly", kind="sum_by", entity="Booking", field="price",
            group_by=("starts_on.week",),
        ),
        Report(
            name="stock", kind="stock_level", entity="Movement", field="quantity",
            group_by=("part",),
        ),
        Report(name="short", kind="below_minimum", entity="Part", field="minimum_stock"),
        Report(name="upcoming", kind="upcoming", entity="Booking", field="starts_on"),
        Report(name="overdue", kind="overdue", entity="Booking", field="ends_on"),
    ),
    features=("authentication", "request_logging"),
    assumptions=("A boat has one owner.",),
    not_covered=("A map of the harbour",),
)  # fmt: skip

_TEXTS = 'It\'s "so" \\ or """so""" {{ here }} {% x %}\n<<<END abc>>>\n# no | heading\u2028'

HOSTILE = Plan(
    name='The "B\\n" & Sons\'s',
    type="api",
    summary=_TEXTS,
    entities=(
        *(
            entity(name, plural, field("name"), description=_TEXTS)
            for name, plural in (
                ("Class", "classes"), ("Field", "fields"), ("Query", "queries"), ("Test", "tests"),
                ("Model", "models"), ("Health", "health"), ("Row", "rows"), ("Auth", "auth"),
                ("Data", "data"), ("Email", "emails"), ("Day", "days"), ("User", "users"),
            )
        ),
        entity("Order", "orders", field("class"), field("order", "integer"), to("Date")),
        entity(
            "Date",
            "dates",
            field("date", "date"),
            field("datetime", "datetime", required=False),
            field("time", "time", required=False),
            filters=("date", "datetime", "time"),
        ),
        entity(
            "Session",
            "sessions",
            field("status", "enum", choices=("open", "closed", "Open"), description=_TEXTS),
            transitions=(
                Transition(
                    verb="return", field="status", sources=("open",), target="closed",
                    description=_TEXTS,
                ),
                Transition(verb="list", field="status", sources=("closed",), target="open"),
            ),
        ),
        entity("Page", "pages", field("q"), field("limit", "integer"), field("sort"),
               field("offset", required=False), filters=("q", "limit", "sort", "offset"),
               search=("q",)),
        entity("Report", "reports", field("copy"), field("json"), field("schema"), field("type"),
               field("model_name"), field("id"), field("metadata", required=False),
               filters=("copy", "json", "schema", "type")),
        entity("Item", "items", field("items"), field("total", "integer")),
        entity("Items", "items_records", field("name"), to("Item")),
        entity("Equipment", "equipment", field("name")),
        entity("Import", "imports", field("import"), field("from", "date"), field("to", "date"),
               rules=(rule("order", "from", "to", description=_TEXTS),)),
    ),
    links=(ManyToMany(left="Class", right="Order"), ManyToMany(left="Query", right="Query")),
    reports=(
        Report(name="models", kind="count_by", entity="Order", group_by=("date.date",)),
        Report(name="period", kind="count_by", entity="Date", group_by=("date.month",),
               description=_TEXTS),
        Report(name="class", kind="upcoming", entity="Date", field="date"),
    ),
    features=("authentication",),
    assumptions=(_TEXTS,),
    not_covered=(_TEXTS,),
)  # fmt: skip

CROWDED = plan(
    "Week plan",
    entity(
        "Menu",
        "menus",
        field("weekday", "enum", choices=("mon", "tue", "wed", "thu"), unique=True),
        field("price", "decimal", minimum=0),
    ),
    entity(
        "Slot",
        "slots",
        field("day", "enum", choices=("mon", "tue", "wed")),
        field("number", "integer", minimum=1, maximum=6),
        rules=(rule("unique_together", "day", "number"),),
    ),
    entity(
        "Cell",
        "cells",
        field("row", "integer", minimum=0, maximum=9),
        field("column", "integer"),
        field("value", "float", unique=True),
        rules=(rule("unique_together", "row", "column"),),
    ),
    reports=(
        Report(name="by_day", kind="count_by", entity="Slot", group_by=("day",)),
        Report(name="by_weekday", kind="count_by", entity="Menu", group_by=("weekday",)),
        Report(name="rows", kind="sum_by", entity="Cell", field="value", group_by=("row",)),
        Report(name="columns", kind="count_by", entity="Cell", group_by=("column",)),
    ),
)

SMALL = plan("Notes", entity("Note", "notes", field("title"), field("body", "text")))
EMPTY = plan("Nothing in it", entity("Thing", "things"))

ALL = {
    "typed": TYPED,
    "related": RELATED,
    "ruled": RULED,
    "hostile": HOSTILE,
    "crowded": CROWDED,
    "small": SMALL,
    "empty": EMPTY,
}

# ---- random plans -------------------------------------------------------------------------------

_NAMES = ("Order", "Visit", "Plan", "Bed", "Ox", "UserGroup", "Class", "Health")
_WORDS = ("name", "size", "class", "due", "from", "note_text", "q", "id", "price", "state", "copy")
_free_text = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@st.composite
def _fields(draw: st.DrawFn, entities: tuple[str, ...]) -> EntityField:
    type_ = draw(st.sampled_from(TYPES))
    values: dict[str, Any] = {
        "required": draw(st.booleans()),
        "unique": draw(st.booleans()) and type_ in ("string", "email", "uuid", "reference"),
        "description": draw(_free_text),
    }
    if type_ == "enum":
        some = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs")), min_size=1, max_size=9)
        values["choices"] = tuple(draw(st.lists(some, min_size=1, max_size=4, unique=True)))
        values["default"] = draw(st.sampled_from((None, values["choices"][0])))
    if type_ == "reference":
        values["references"] = draw(st.sampled_from(entities))
    if type_ in ("integer", "decimal", "float"):
        values["minimum"] = draw(st.sampled_from((None, 0, 1, -3)))
        values["maximum"] = draw(st.sampled_from((None, 10, 100)))
        values["default"] = draw(st.sampled_from((None, "4", "nonsense")))
    if type_ in ("date", "datetime", "time"):
        values["default"] = draw(st.sampled_from((None, "now", "today")))
    if type_ in ("string", "text"):
        values["max_length"] = draw(st.sampled_from((None, 1, 5, 40)))
    return field(draw(st.sampled_from(_WORDS)), type_, **values)


@st.composite
def _entities(draw: st.DrawFn, name: str, entities: tuple[str, ...]) -> Entity:
    own = draw(st.lists(_fields(entities), max_size=5, unique_by=lambda one: one.name))
    by_type = {one.type: one.name for one in own}
    names = [one.name for one in own]
    rules, transitions = [], []
    status = next((one for one in own if one.type == "enum" and len(one.choices) > 1), None)
    if status is not None and draw(st.booleans()):
        verb, (first, second) = (
            draw(st.sampled_from(("close", "check", "list"))),
            status.choices[:2],
        )
        transitions = [Transition(verb=verb, field=status.name, sources=(first,), target=second)]
        rules.append(rule("immutable_after", status.name, second))
    if len(names) > 1 and draw(st.booleans()):
        rules.append(rule("unique_together", *names[:2]))
    moments = [one.name for one in own if one.type == "date"]
    if len(moments) > 1:
        rules += [rule("order", *moments[:2]), rule("no_overlap", *moments[:2])]
    if {"integer", "reference"} <= by_type.keys() and draw(st.booleans()):
        rules.append(rule("not_negative_stock", by_type["integer"], by_type["reference"]))
    return Entity(
        name=name,
        plural=f"{name.lower()}s",
        description=draw(_free_text),
        fields=tuple(own),
        rules=tuple(rules),
        transitions=tuple(transitions),
        filters=tuple(names[: draw(st.integers(0, 5))]),
        search=tuple(names[:2]),
        immutable=draw(st.booleans()),
    )


@st.composite
def _reports(draw: st.DrawFn, entities: tuple[Entity, ...]) -> Report:
    chosen = draw(st.sampled_from(entities))
    names = tuple(one.name for one in chosen.fields)
    kinds = get_args(Report.model_fields["kind"].annotation)
    paths = st.sampled_from((*names, *(f"{name}.month" for name in names), "created_at.month"))
    return Report(
        name=draw(st.sampled_from(("overview", "week", "class"))),
        kind=draw(st.sampled_from(kinds)),
        entity=chosen.name,
        field=draw(st.sampled_from(names)) if names else None,
        group_by=tuple(draw(st.lists(paths, max_size=2, unique=True))),
        description=draw(_free_text),
    )


@st.composite
def random_plans(draw: st.DrawFn) -> Plan:
    """A plan that a model could have made: sound in form, whatever it says."""
    names = tuple(draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=4, unique=True)))
    entities = tuple(draw(_entities(name, names)) for name in names)
    pairs = st.builds(ManyToMany, left=st.sampled_from(names), right=st.sampled_from(names))
    return Plan(
        name=draw(st.sampled_from(("A shop", "Ωmega", "x" * 60))),
        type="api",
        summary=draw(_free_text),
        entities=entities,
        links=tuple(draw(st.lists(pairs, max_size=1))),
        reports=tuple(draw(st.lists(_reports(entities), max_size=2, unique_by=lambda r: r.name))),
        features=tuple(draw(st.sets(st.sampled_from(("authentication", "request_logging"))))),
        assumptions=(draw(_free_text),),
    )
