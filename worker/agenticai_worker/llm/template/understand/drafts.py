"""Entities while they are being made: mutable, found by key, checked for names that clash."""

from dataclasses import dataclass, field

from agenticai_core.plans import Entity, EntityField, ManyToMany, Plan, Rule, Transition
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.fields import safe_name

MAX_ENTITIES = 12
MAX_FIELDS = 25
# Class names that Python keeps for itself, and the generated code's own table.
_TAKEN_CLASSES = frozenset(["AuthUser", "False", "None", "True"])


@dataclass
class Draft:
    """One entity under construction; ``key`` is its singular snake_case noun."""

    key: str
    name: str
    plural: str
    description: str = ""
    fields: dict[str, EntityField] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    immutable: bool = False
    event: bool = False
    actor: bool = False  # somebody who does things, whatever the noun looks like

    def put(self, made: EntityField, *, replace: bool = False) -> bool:
        """Add a field; one of the same name stays unless ``replace``."""
        name = safe_name(made.name, self.key)
        made = made.model_copy(update={"name": name})
        if name in self.fields and not replace:
            return False
        if name not in self.fields and len(self.fields) >= MAX_FIELDS:
            return False
        self.fields[name] = made
        return True

    def references(self, name: str) -> list[str]:
        """The fields that refer to the entity of that name."""
        return [f.name for f in self.fields.values() if f.references == name]

    def of_type(self, *types: str) -> list[EntityField]:
        return [f for f in self.fields.values() if f.type in types]

    def status(self) -> EntityField | None:
        """The enum that tells the state, if there is one."""
        enums = [f for f in self.fields.values() if f.type == "enum"]
        return next(
            (f for f in enums if f.name.split("_")[-1] in ("status", "state", "stage")), None
        )

    def to_entity(self) -> Entity:
        return Entity(
            name=self.name,
            plural=self.plural,
            description=self.description,
            fields=tuple(self.fields.values()),
            rules=tuple(self.rules),
            transitions=tuple(self.transitions),
            filters=tuple(dict.fromkeys(f for f in self.filters if f in self.fields)),
            search=tuple(dict.fromkeys(f for f in self.search if f in self.fields)),
            immutable=self.immutable,
        )


@dataclass
class Board:
    """All drafts and what the decisions left behind."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    links: list[ManyToMany] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    not_covered: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)  # what changed, when a plan is being changed
    changing: bool = False

    def find(self, key: str) -> Draft | None:
        """The entity that a noun names: exact, the only one that ends so, or the noun's head."""
        if not key:
            return None
        if key in self.drafts:
            return self.drafts[key]
        longer = [d for k, d in self.drafts.items() if k.endswith("_" + key)]
        if len(longer) == 1:
            return longer[0]
        for tail in ("_request", "_record", "_entry"):
            if key.removesuffix(tail) in self.drafts:
                return self.drafts[key.removesuffix(tail)]
        shorter = [k for k in self.drafts if key.endswith("_" + k)]
        return self.drafts[max(shorter, key=len)] if shorter else None

    def named(self, name: str | None) -> Draft | None:
        return next((d for d in self.drafts.values() if d.name == name), None)

    def add(self, key: str) -> Draft | None:
        """A new entity; None when there are too many already."""
        if key in self.drafts:
            return self.drafts[key]
        if len(self.drafts) >= MAX_ENTITIES:
            text = f"{words.plural_snake(key).replace('_', ' ')}: at most {MAX_ENTITIES} kinds of things are built"
            if text not in self.not_covered:
                self.not_covered.append(text)
            return None
        name = words.to_pascal(key)
        if name in _TAKEN_CLASSES or not words.is_python_name(name):
            name += "Record"
            self.assume(
                f"{key.capitalize()} is called {name} in the code, because the short name is taken there."
            )
        plural = words.plural_snake(key)
        while any(d.plural == plural for d in self.drafts.values()):
            plural += "_list"
        draft = Draft(key, name, plural)
        self.drafts[key] = draft
        return draft

    def assume(self, text: str) -> None:
        if text not in self.assumptions:
            self.assumptions.append(text)

    def leave_out(self, text: str) -> None:
        if text not in self.not_covered:
            self.not_covered.append(text)

    def refer(
        self,
        source: Draft,
        target: Draft,
        *,
        name: str = "",
        required: bool = True,
        unique: bool = False,
    ) -> bool:
        """A reference field from ``source`` to ``target``; False if it is there already."""
        if not name and source.references(target.name):
            return False
        name = name or (f"parent_{target.key}" if source is target else reference_name(target))
        if name in source.fields and source.fields[name].type != "reference":
            del source.fields[name]
        made = EntityField(
            name=name, type="reference", references=target.name, required=required and source is not target,
            unique=unique,
        )  # fmt: skip
        return source.put(made)

    def link(self, left: Draft, right: Draft) -> bool:
        pair = {left.name, right.name}
        if any({m.left, m.right} == pair for m in self.links):
            return False
        text = f"{a_an(left)} can have several {spoken(right.plural)}, and the other way round"
        self.links.append(ManyToMany(left=left.name, right=right.name, description=text))
        return True


def reference_name(target: Draft) -> str:
    name = target.key
    return name if words.is_python_name(name) else f"{name}_record"


def spoken(snake: str) -> str:
    return snake.replace("_", " ")


def a_an(draft: Draft) -> str:
    noun = spoken(draft.key)
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def board_of(plan: Plan) -> Board:
    """The drafts of a plan that is to be changed."""
    board = Board(changing=True)
    for entity in plan.entities:
        key = words.to_snake("_".join(_split_pascal(entity.name)))
        if entity.name.endswith("Record") and entity.name.removesuffix("Record") in _TAKEN_CLASSES:
            key = key.removesuffix("_record")
        board.drafts[key] = Draft(
            key, entity.name, entity.plural, entity.description, {f.name: f for f in entity.fields},
            list(entity.rules), list(entity.transitions), list(entity.filters), list(entity.search), entity.immutable,
        )  # fmt: skip
    board.links = list(plan.links)
    return board


def _split_pascal(name: str) -> list[str]:
    out = ""
    for char in name:
        out += f" {char}" if char.isupper() else char
    return out.lower().split()
