"""Every event that the system tells of, and every action of a task, has words of its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from agenticai_client.wording import BAD, DOING, GOOD, WORDS, describe
from agenticai_core.models import Action

ROOT = Path(__file__).parents[3]
SOURCES = [
    path
    for part in ("core/agenticai_core", "worker/agenticai_worker")
    for path in sorted((ROOT / part).rglob("*.py"))
    if "builtin" not in path.parts
]


def type_arguments(tree: ast.Module, *, decides: bool) -> Iterator[ast.expr]:
    """What is said to be an event's type: to `tell`, `event` or `EventDraft`; where the workflow
    ``decides``, in a pair of type and data."""
    for node in ast.walk(tree):
        if decides and isinstance(node, ast.Tuple) and len(node.elts) == 2:
            yield node.elts[0]
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            position = {"tell": 0, "event": 1}.get(name)
            if position is not None and len(node.args) > position:
                yield node.args[position]
            if name == "EventDraft":
                yield from (word.value for word in node.keywords if word.arg == "type")


def constants(expression: ast.expr) -> Iterator[str]:
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield expression.value
    elif isinstance(expression, ast.IfExp):
        yield from constants(expression.body)
        yield from constants(expression.orelse)


def assigned(name: str, tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets):
            yield node.value


def types_told() -> set[str]:
    found: set[str] = set()
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for argument in type_arguments(tree, decides=path.name == "workflow.py"):
            named = assigned(argument.id, tree) if isinstance(argument, ast.Name) else [argument]
            found.update(text for value in named for text in constants(value))
    return found


def test_every_event_of_the_sources_has_words_and_no_other():
    assert types_told() == WORDS.keys()


def test_every_action_of_a_task_has_words():
    assert DOING.keys() == set(Action)
    assert types_told() > BAD | GOOD


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("message", {"text": "Prices are\nin euros"}, "you say: Prices are in euros"),
        ("message_not_used", {"text": "Blue", "reason": "Too late"}, "not heeded: Blue (Too late)"),
        (
            "project_retried",
            {"from": "generate", "units": 3, "failure": "WORKER_LOST"},
            "tried again: writes the code; 3 steps of it are done already",
        ),
        ("project_retried", {"from": "plan", "units": 0}, "tried again: plans"),
        (
            "rolled_back",
            {"revision": 4, "source": 2, "reason": "Wrong prices"},
            "back to revision 2, as revision 4: Wrong prices",
        ),
        ("rolled_back", {"revision": 4, "source": 2}, "back to revision 2, as revision 4"),
        (
            "file_edited",
            {"path": "a.md", "change": "removed", "revision": 3},
            "removed by hand: a.md (revision 3)",
        ),
        ("tests_unverifiable", {"reason": "They need Node.js"}, "not tested: They need Node.js"),
    ],
)
def test_what_people_did_is_told(kind, data, said):
    assert describe({"type": kind, "data": data}) == said


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_no_event_is_without_words_when_it_holds_nothing(kind):
    assert "\n" not in describe({"type": kind})
