"""The difference of two lists of lines, in bounded time.

Myers' greedy algorithm finds the shortest edit script in time that grows with the number of
differences. Where these are too many for what is left of a budget, everything between the common
start and the common end counts as replaced: coarser, and as true.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """Lines ``old_start`` to ``old_end`` became lines ``new_start`` to ``new_end`` (exclusive)."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


@dataclass
class Budget:
    """Steps of the search that may still be made; shared by all that is compared together."""

    steps: int

    def take(self, steps: int) -> bool:
        self.steps -= steps
        return self.steps >= 0


def find_blocks(old: Sequence[str], new: Sequence[str], budget: Budget) -> list[Block]:
    """Where the lists differ, in order; between two blocks there is an equal line at least."""
    start = _count_equal(zip(old, new, strict=False))
    rest = min(len(old), len(new)) - start
    end = min(rest, _count_equal(zip(reversed(old), reversed(new), strict=False)))
    numbers: dict[str, int] = {}

    def numbered(lines: Sequence[str]) -> list[int]:
        middle = lines[start : len(lines) - end]
        return [numbers.setdefault(line, len(numbers)) for line in middle]

    spans = _search(numbered(old), numbered(new), budget)
    return [Block(a + start, b + start, c + start, d + start) for a, b, c, d in spans]


_Span = tuple[int, int, int, int]


def _count_equal(pairs: Iterator[tuple[str, str]]) -> int:
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count


def _search(old: list[int], new: list[int], budget: Budget) -> list[_Span]:
    """``old`` and ``new`` have neither their first nor their last line in common."""
    if not old and not new:
        return []
    levels = _climb(old, new, budget) if old and new else None
    if levels is None:
        return [(0, len(old), 0, len(new))]
    return _join(_descend(levels, len(old), len(new)))


@dataclass(frozen=True)
class _Level:
    """How far along ``old`` so many edits lead, on every second diagonal from ``lowest`` on.

    A diagonal's number is the lines used of ``old`` less those used of ``new``.
    """

    lowest: int
    reach: "array[int]"

    def at(self, diagonal: int) -> int:
        place = (diagonal - self.lowest) // 2
        return self.reach[place] if 0 <= place < len(self.reach) else -1


def _climb(old: list[int], new: list[int], budget: Budget) -> list[_Level] | None:
    """A level for each number of edits, up to that which leads to both ends; None when the
    budget ends first."""
    n, m = len(old), len(new)
    levels = [_Level(0, array("l", [0]))]
    for edits in range(1, n + m + 1):
        before = levels[-1]
        # No more insertions than new lines, no more deletions than old ones.
        lowest, highest = max(-edits, edits - 2 * m), min(edits, 2 * n - edits)
        known = [-1, *before.reach, -1]
        shift = (lowest - before.lowest + 1) // 2
        reach: array[int] = array("l")
        steps = 0
        for place, diagonal in enumerate(range(lowest, highest + 1, 2), start=shift):
            below, above = known[place], known[place + 1]
            x = begun = above if above > below else below + 1
            while x < n and x - diagonal < m and old[x] == new[x - diagonal]:
                x += 1
            reach.append(x)
            steps += 1 + x - begun
            if x >= n and x - diagonal >= m:
                return levels
        levels.append(_Level(lowest, reach))
        if not budget.take(steps):
            return None
    return None


def _descend(levels: list[_Level], x: int, y: int) -> Iterator[_Span]:
    """Single insertions and deletions, from the last to the first."""
    for level in reversed(levels):
        diagonal = x - y
        below, above = level.at(diagonal - 1), level.at(diagonal + 1)
        if above > below:
            x, y = above, above - diagonal - 1
            yield (x, x, y, y + 1)
        else:
            x, y = below, below - diagonal + 1
            yield (x, x + 1, y, y)


def _join(edits: Iterator[_Span]) -> list[_Span]:
    """Neighbouring edits as one, from the first to the last."""
    joined: list[_Span] = []
    for edit in edits:
        span = edit
        if joined and (edit[1], edit[3]) == (joined[-1][0], joined[-1][2]):
            after = joined.pop()
            span = (edit[0], after[1], edit[2], after[3])
        joined.append(span)
    return joined[::-1]
