"""What the reading collects before anything is decided: things, attributes, links, acts, wishes."""

from dataclasses import dataclass, field

from agenticai_worker.llm.template.understand.attributes import Attribute

# What an act says beside its object: (preposition, phrase).
Extras = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Link:
    """``source`` has one ``target`` (kind "one") or many of them ("many")."""

    source: str
    target: str
    kind: str
    role: str = ""  # the participle, for names like approved_by
    optional: bool = False
    unique: bool = False


@dataclass(frozen=True)
class Act:
    """Somebody does something to a thing: "customers book a boat from … to …"."""

    actor: str  # "" for a generic one
    verb: str
    target: str
    extras: Extras = ()
    optional: frozenset[str] = frozenset()  # the phrases that are optional
    actor_word: str = ""


@dataclass(frozen=True)
class Wish:
    """A figure, list or search that is asked for."""

    kind: str  # count, sum, overdue, upcoming, low_stock, search, filter
    subject: str  # as written
    by: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class RawRule:
    kind: str
    text: str
    subject: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tweak:
    """ "the email must be unique": a constraint on a field given apart from it."""

    owner: str
    field: str
    constraint: str


@dataclass
class Facts:
    """Mutable collector; keys are singular snake_case nouns."""

    order: list[str] = field(default_factory=list)  # things in order of first mention
    strength: dict[str, int] = field(default_factory=dict)
    mentions: dict[str, int] = field(default_factory=dict)
    attributes: dict[str, list[Attribute]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    states: dict[str, tuple[str, ...]] = field(default_factory=dict)
    transitions: list[tuple[str, str]] = field(default_factory=list)  # (verb, thing)
    rules: list[RawRule] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    tweaks: list[Tweak] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    not_covered: list[str] = field(default_factory=list)
    not_understood: list[str] = field(default_factory=list)
    misspelt: dict[str, str] = field(default_factory=dict)  # as written -> as read
    topic: str = ""
    context: str = ""  # the thing spoken of last, for "it" and "they"
    known: frozenset[str] = frozenset()  # things of an existing plan

    def add_thing(self, key: str, strength: int = 1) -> None:
        """Count a mention; 1 weak (needs support), 2 listed or acted upon, 3 has attributes."""
        if not key:
            return
        if key not in self.strength:
            self.order.append(key)
        self.strength[key] = max(self.strength.get(key, 0), strength)
        self.mentions[key] = self.mentions.get(key, 0) + 1

    def add_attribute(self, owner: str, attribute: Attribute) -> None:
        self.add_thing(owner, 3)
        self.attributes.setdefault(owner, []).append(attribute)

    def add_feature(self, name: str) -> None:
        if name not in self.features:
            self.features.append(name)

    def add_gap(self, text: str) -> None:
        if text and text not in self.not_covered:
            self.not_covered.append(text)

    def find(self, key: str) -> str | None:
        """The thing that a noun names: itself, or the one compound that ends in it, or its head."""
        if key in self.strength or key in self.known:
            return key
        things = [*self.order, *sorted(self.known - set(self.order))]
        longer = [t for t in things if t.endswith("_" + key)]
        if len(longer) == 1:
            return longer[0]
        shorter = [t for t in things if key.endswith("_" + t)]
        return max(shorter, key=len) if shorter else None
