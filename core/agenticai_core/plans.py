"""What the PM agent plans and the Dev agent writes from."""

from typing import Literal

from agenticai_core.models import Impact, Model, ProjectType


class EntityField(Model):
    """One attribute of an entity, as stored and as shown by the API."""

    name: str  # snake_case
    type: Literal[
        "string",
        "text",
        "integer",
        "decimal",
        "float",
        "boolean",
        "date",
        "datetime",
        "time",
        "email",
        "url",
        "phone",
        "enum",
        "reference",
        "uuid",
    ]
    required: bool = True
    unique: bool = False
    choices: tuple[str, ...] = ()  # for enum
    default: str | None = None  # as text; enum choice, number, "true"/"false", "now"
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    references: str | None = None  # for reference: the other entity's name (PascalCase)
    unit: str | None = None  # "kg", "EUR", "minutes"
    description: str = ""


class Rule(Model):
    """A constraint over an entity that one field alone cannot say."""

    kind: Literal[
        "unique_together",  # fields: two or more
        "order",  # fields: (earlier, later): the first must not be after or above the second
        "no_overlap",  # fields: (start, end, *same): no two rows of the same overlap
        "not_negative_stock",  # fields: (quantity, item, *place): movements may not go below zero
        "immutable_after",  # fields: (status, choice): no change once the status is reached
    ]
    fields: tuple[str, ...]
    description: str


class Transition(Model):
    """A verb of the domain that moves an entity from one state to another."""

    verb: str  # "cancel": POST /bookings/{id}/cancel
    field: str  # the enum field
    sources: tuple[str, ...]
    target: str
    description: str = ""


class Entity(Model):
    name: str  # PascalCase singular
    plural: str  # snake_case plural, as in the route
    description: str = ""
    fields: tuple[EntityField, ...] = ()  # besides id, created_at and updated_at
    rules: tuple[Rule, ...] = ()
    transitions: tuple[Transition, ...] = ()
    filters: tuple[str, ...] = ()  # fields by which the list can be filtered
    search: tuple[str, ...] = ()  # text fields that ?q= looks into
    immutable: bool = False  # a ledger: rows are added, never changed (e.g. stock movements)


class ManyToMany(Model):
    left: str
    right: str
    description: str = ""


class Report(Model):
    """A read-only figure over the data: GET /reports/<name>."""

    name: str  # snake_case
    kind: Literal["count_by", "sum_by", "stock_level", "below_minimum", "upcoming", "overdue"]
    entity: str
    field: str | None = None  # what is summed, compared or dated
    group_by: tuple[str, ...] = ()
    description: str = ""


class PlannedFile(Model):
    path: str
    purpose: str


class Plan(Model):
    """What is going to be built: enough to write every file from."""

    name: str
    type: ProjectType
    summary: str
    stack: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()  # packages that the user wants to be used
    entities: tuple[Entity, ...] = ()
    links: tuple[ManyToMany, ...] = ()
    reports: tuple[Report, ...] = ()
    features: tuple[str, ...] = ()  # "authentication", "request_logging", …
    files: tuple[PlannedFile, ...] = ()
    database: str = ""  # what the database's file is called; empty: as the project
    assumptions: tuple[str, ...] = ()  # what the description left open and the plan decided
    not_covered: tuple[str, ...] = ()  # what the description asks for and the plan leaves out


class Analysis(Model):
    """What a model answers when it is asked what a modification would do."""

    impact: Impact
    plan: Plan | None = None  # the plan after the change; None when it was not understood
