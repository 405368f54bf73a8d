"""Changes to a file that a user has edited: both sides' changes, or a refusal."""

import difflib
from dataclasses import dataclass

from agenticai_worker.llm.base import PermanentModelError


@dataclass(frozen=True)
class _Change:
    """Lines ``start`` to ``end`` of the common origin become ``new``."""

    start: int
    end: int
    new: tuple[str, ...]

    def touches(self, other: "_Change") -> bool:
        return self.start <= other.end and other.start <= self.end


def merge(path: str, before: str, after: str, now: str) -> str:
    """``now``, which somebody made from ``before``, with what leads from ``before`` to ``after``.

    Raises `PermanentModelError` when both have changed the same lines, or neighbouring ones, so
    that nothing of the user's is overwritten.
    """
    origin = before.split("\n")
    ours, theirs = _changes(origin, after.split("\n")), _changes(origin, now.split("\n"))
    ours = [change for change in ours if change not in theirs]
    if any(mine.touches(other) for mine in ours for other in theirs):
        raise edited_by_hand(path)
    merged: list[str] = []
    at = 0
    for change in sorted([*ours, *theirs], key=lambda change: change.start):
        merged += [*origin[at : change.start], *change.new]
        at = change.end
    return "\n".join([*merged, *origin[at:]])


def edited_by_hand(path: str) -> PermanentModelError:
    return PermanentModelError(
        f"{path} has been edited where this change would have to change it",
        code="EDITED_BY_HAND",
        hint="Make this part of the change by hand, or restore the file first",
    )


def _changes(before: list[str], after: list[str]) -> list[_Change]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return [
        _Change(start, end, tuple(after[new_start:new_end]))
        for kind, start, end, new_start, new_end in matcher.get_opcodes()
        if kind != "equal"
    ]
