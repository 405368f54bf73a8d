"""An entity's transitions, and the states they lead to."""

import keyword
from collections import deque
from dataclasses import dataclass

from agenticai_core.plans import Transition
from agenticai_worker.llm.template.write import names
from agenticai_worker.llm.template.write.columns import Column, quoted
from agenticai_worker.llm.template.write.spec import Thing

# What services and routers already call something of their own.
_TAKEN_VERBS = frozenset(
    {
        "create", "change", "remove", "check", "find_page", "delete", "get", "list", "replace",
        "rows", "models",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Move:
    """A transition: a verb that takes a thing from some states to another."""

    thing: Thing
    source: Transition

    @property
    def column(self) -> Column:
        return self.thing.column(self.source.field)

    @property
    def function(self) -> str:
        clean = names.snake(self.source.verb)
        taken = clean in _TAKEN_VERBS or keyword.iskeyword(clean)
        return f"{clean}_it" if taken else clean

    @property
    def path(self) -> str:
        return names.snake(self.source.verb).replace("_", "-")

    @property
    def refusal(self) -> str:
        """What is said when the state does not allow it, as an f-string."""
        verb, states = names.words(self.source.verb), list(self.source.sources)
        listed = " or ".join(f"'{state}'" for state in states)
        before = _literal(f"Cannot {verb} {self.thing.a} that is '")
        after = _literal(f"'; it must be {listed}")
        return f'f"{before}{{row.{self.column.name}}}{after}"'

    @property
    def text(self) -> str:
        return self.source.description or f"{names.title(self.source.verb)} {self.thing.a}"

    @property
    def target_value(self) -> str:
        return self.source.target

    @property
    def target(self) -> str:
        return member(self.column, self.source.target)

    @property
    def sources(self) -> list[str]:
        return [member(self.column, value) for value in self.source.sources]


@dataclass(frozen=True)
class MoveCase:
    """One test of a move: from a state that allows it, or from one that does not."""

    move: Move
    path: list[str]
    state: str
    allowed: bool
    suffix: str


def moves(thing: Thing) -> list[Move]:
    return [Move(thing, transition) for transition in thing.transitions]


def move_cases(thing: Thing) -> list[MoveCase]:
    cases = []
    for move in moves(thing):
        paths = paths_from_start(thing, move.column)
        good = [value for value in paths if value in move.source.sources]
        bad = [value for value in paths if value not in move.source.sources]
        cases += [MoveCase(move, paths[v], v, True, "") for v in good[:1]]
        cases += [MoveCase(move, paths[v], v, False, "_is_refused") for v in bad[:1]]
    return cases


def paths_from_start(thing: Thing, column: Column) -> dict[str, list[str]]:
    """Each state that can be reached, with the shortest way to it as moves' paths."""
    start = start_state(column)
    found: dict[str, list[str]] = {start: []}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        for move in moves(thing):
            fits = move.source.field == column.source.name and state in move.source.sources
            if fits and move.target_value not in found:
                found[move.target_value] = [*found[state], move.path]
                queue.append(move.target_value)
    return found


def states_beyond(thing: Thing, column: Column, start: str, without: str | None) -> set[str]:
    """The states that moves lead to from ``start``, not passing through ``without``."""
    found, waiting = set[str](), [start]
    while waiting:
        state = waiting.pop()
        if state in found or state == without:
            continue
        found.add(state)
        fitting = (m for m in moves(thing) if m.source.field == column.source.name)
        waiting += [m.target_value for m in fitting if state in m.source.sources]
    return found - {start}


def start_state(column: Column) -> str:
    default = column.source.default
    values = [value for _, value in column.choices]
    return default if default in values else values[0]


def member(column: Column, value: str) -> str:
    return next((name for name, text in column.choices if text == value), column.choices[0][0])


def _literal(text: str) -> str:
    """Text as it stands in an f-string."""
    return quoted(text)[1:-1].replace("{", "{{").replace("}", "}}")
