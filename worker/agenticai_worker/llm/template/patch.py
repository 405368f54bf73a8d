"""Changes to a file that a user has edited, as search-and-replace blocks."""

import difflib
from collections.abc import Iterator

from agenticai_worker.llm.base import PermanentModelError

_CONTEXT = 3  # lines before and after a change


def edit_blocks(path: str, before: str, after: str, now: str, nonce: str) -> str:
    """What leads from ``before`` to ``after``, as blocks to be applied to ``now``.

    Raises `PermanentModelError` when the user has changed the very lines that would have to
    change, so that nothing of theirs is overwritten.
    """
    pairs = []
    for old, new in _changes(before.splitlines(), after.splitlines()):
        if _count(now.splitlines(), old) != 1:
            raise PermanentModelError(
                f"{path} has been edited where this change would have to change it",
                code="EDITED_BY_HAND",
                hint="Make this part of the change by hand, or restore the file first",
            )
        pairs.append((old, new))
    body = "".join(
        f"<<<SEARCH {nonce}>>>\n{_joined(old)}<<<REPLACE {nonce}>>>\n{_joined(new)}"
        for old, new in pairs
    )
    return f'<<<EDIT {nonce} path="{path}">>>\n{body}<<<END {nonce}>>>\n'


def _changes(before: list[str], after: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Old and new lines of each change, with enough lines around that the place is the only one."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        first, last = group[0], group[-1]
        start, end = first[1], last[2]
        new = after[first[3] : last[4]]
        lead, trail = 0, 0
        while _count(before, before[start - lead : end + trail]) > 1 and (
            start - lead > 0 or end + trail < len(before)
        ):
            lead, trail = min(lead + 1, start), min(trail + 1, len(before) - end)
        yield (
            before[start - lead : end + trail],
            before[start - lead : start] + new + before[end : end + trail],
        )


def _count(lines: list[str], part: list[str]) -> int:
    size = len(part)
    if not size:
        return 0
    return sum(lines[n : n + size] == part for n in range(len(lines) - size + 1))


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
