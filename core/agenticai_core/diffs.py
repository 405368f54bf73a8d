"""What differs between two revisions: as hunks for programs, as a unified diff for people and
for ``git apply``.

Work is bounded: equal files are not read, large ones not compared, and the search for the
shortest difference ends where its budget does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotFound
from agenticai_core.lines import Block, Budget, find_blocks
from agenticai_core.models import FileEntry, Project
from agenticai_core.paths import safe_path
from agenticai_core.projects import get_project
from agenticai_core.revisions import find_tree
from agenticai_core.store import keys

MAX_FILE = 256 * 1024  # bytes
MAX_LINES = 20_000  # of one file
MAX_TOTAL = 4 * 1024 * 1024  # bytes of all that is compared, both sides
MAX_STEPS = 2_000_000  # of the search in all files: about half a second
CONTEXT = 3  # equal lines around a change
NO_NEWLINE = "\\ No newline at end of file"

Status = Literal["added", "removed", "modified", "binary", "too_large"]
Entries = Mapping[str, FileEntry]


@dataclass(frozen=True)
class Hunk:
    """Lines from 1; each of ``lines`` begins with a space, ``-`` or ``+``, and `NO_NEWLINE`
    follows one that has no line break."""

    old_start: int
    old_lines: int
    new_start: int
    new_lines: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class FileDiff:
    """What became of one file. ``binary`` and ``too_large`` ones differ and are not compared."""

    path: str
    status: Status
    additions: int = 0
    deletions: int = 0
    hunks: tuple[Hunk, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Revision 0 is the empty tree."""

    from_revision: int
    to_revision: int
    files: tuple[FileDiff, ...]


def compare_revisions(
    services: Services,
    owner_id: str,
    project_id: str,
    *,
    from_: int | None = None,
    to: int | None = None,
    path: str | None = None,
) -> Comparison:
    """From one revision (None: the one before ``to``) to another (None: the current one).

    ``path``: of that file alone. Raises `NotFound`, `UnsafePath`.
    """
    project = get_project(services, owner_id, project_id)
    last = project.revision if to is None else to
    first = max(last - 1, 0) if from_ is None else from_
    old, new = (_entries(services, project, number) for number in (first, last))
    if path is not None:
        old, new = _only(safe_path(path), old, new)

    def read(entry: FileEntry) -> bytes:
        return services.files.get(keys.object_key(project_id, entry.sha256))

    return Comparison(first, last, tuple(compare_trees(old, new, read)))


def compare_trees(
    old: Entries, new: Entries, read: Callable[[FileEntry], bytes]
) -> Iterator[FileDiff]:
    """Every file that differs, by path; ``read`` gives a file's content."""
    budget, left = Budget(MAX_STEPS), MAX_TOTAL
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before == after:
            continue
        sides = [side for side in (before, after) if side is not None]
        size = sum(side.size for side in sides)
        if size > left or any(side.size > MAX_FILE for side in sides):
            yield FileDiff(path, "too_large")
            continue
        left -= size
        contents = [None if side is None else read(side) for side in (before, after)]
        yield compare_file(path, contents[0], contents[1], budget)


def compare_file(path: str, old: bytes | None, new: bytes | None, budget: Budget) -> FileDiff:
    """One file; None: it is not there."""
    before, after = (None if side is None else split_lines(side) for side in (old, new))
    if (old is not None and before is None) or (new is not None and after is None):
        return FileDiff(path, "binary")
    a, b = before or [], after or []
    if max(len(a), len(b)) > MAX_LINES:
        return FileDiff(path, "too_large")
    status: Status = "added" if old is None else "removed" if new is None else "modified"
    blocks = find_blocks(a, b, budget)
    return FileDiff(
        path,
        status,
        additions=sum(block.new_end - block.new_start for block in blocks),
        deletions=sum(block.old_end - block.old_start for block in blocks),
        hunks=tuple(_hunk(group, a, b) for group in _groups(blocks)),
    )


def split_lines(content: bytes) -> list[str] | None:
    """Lines with their line feeds, which alone end one; None for what is no text."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    *whole, rest = text.split("\n")
    return [line + "\n" for line in whole] + ([rest] if rest else [])


def to_unified(comparison: Comparison) -> str:
    """In git's format. Files that are not compared have a line that says so, which git passes
    over or, for binary ones, refuses."""
    return "".join(_unified(file) for file in comparison.files)


def _entries(services: Services, project: Project, number: int) -> Entries:
    tree = find_tree(services, project, number) if number else None
    return tree.files if tree else {}


def _only(path: str, old: Entries, new: Entries) -> tuple[Entries, Entries]:
    if path not in old and path not in new:
        raise NotFound(f"Neither revision has a file '{path}'", details={"path": path})
    return tuple({path: one[path]} if path in one else {} for one in (old, new))  # type: ignore[return-value]


def _groups(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Blocks whose context would touch, together."""
    group: list[Block] = []
    for block in blocks:
        if group and block.old_start - group[-1].old_end > 2 * CONTEXT:
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def _hunk(group: Sequence[Block], old: Sequence[str], new: Sequence[str]) -> Hunk:
    first, last = group[0], group[-1]
    lead = min(CONTEXT, first.old_start)
    trail = min(CONTEXT, len(old) - last.old_end)
    at = old_start = first.old_start - lead
    new_start = first.new_start - lead
    lines: list[str] = []
    for block in group:
        lines += _marked(" ", old[at : block.old_start])
        lines += _marked("-", old[block.old_start : block.old_end])
        lines += _marked("+", new[block.new_start : block.new_end])
        at = block.old_end
    lines += _marked(" ", old[at : at + trail])
    old_lines = last.old_end + trail - old_start
    new_lines = last.new_end + trail - new_start
    # Of no lines, the place is that of the line before.
    return Hunk(
        old_start + bool(old_lines), old_lines, new_start + bool(new_lines), new_lines, tuple(lines)
    )


def _marked(mark: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if line.endswith("\n"):
            yield mark + line[:-1]
        else:
            yield mark + line
            yield NO_NEWLINE


def _unified(file: FileDiff) -> str:
    if file.status == "too_large":
        return f"# {file.path} differs and is too large to be compared\n"
    lines = [f"diff --git a/{file.path} b/{file.path}"]
    if file.status == "binary":
        lines.append(f"Binary files a/{file.path} and b/{file.path} differ")
    if file.status == "added":
        lines.append("new file mode 100644")
    if file.status == "removed":
        lines.append("deleted file mode 100644")
    if file.hunks:
        # A tab ends a name that holds a space.
        end = "\t" if " " in file.path else ""
        lines.append("--- /dev/null" if file.status == "added" else f"--- a/{file.path}{end}")
        lines.append("+++ /dev/null" if file.status == "removed" else f"+++ b/{file.path}{end}")
    for hunk in file.hunks:
        lines.append(f"@@ -{hunk.old_start},{hunk.old_lines} +{hunk.new_start},{hunk.new_lines} @@")
        lines += hunk.lines
    return "\n".join([*lines, ""])
