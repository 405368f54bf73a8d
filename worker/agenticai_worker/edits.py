"""From a model's reply to a tree of files.

Code comes as tagged blocks of plain text, each marker on a line of its own and carrying a nonce
that the text of a user or of a file cannot know::

    <<<FILE 3f9c path="app/main.py">>>      the whole file
    …
    <<<END 3f9c>>>
    <<<EDIT 3f9c path="app/main.py">>>      one or more replacements of whole lines
    <<<SEARCH 3f9c>>>
    …
    <<<REPLACE 3f9c>>>
    …
    <<<END 3f9c>>>
    <<<DELETE 3f9c path="app/old.py">>>
    <<<KEEP 3f9c path="app/new.py">>>       this file needs no change

Everything here is pure, and takes hostile input: what cannot be used is told, never raised.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from agenticai_core.errors import UnsafePath
from agenticai_core.paths import check_collisions, safe_path
from agenticai_worker.syntax import find_problem

MAX_FILES = 400
_MARKER = re.compile(
    r"^\s*<<<(?P<kind>FILE|EDIT|DELETE|KEEP|SEARCH|REPLACE|END)"
    r"(?:\s+(?P<nonce>[0-9A-Za-z]+))?(?:\s+path=\"(?P<path>[^\"]*)\")?\s*>>>\s*$"
)
Kind = Literal["file", "edit", "delete", "keep"]


@dataclass(frozen=True)
class Block:
    """One block of a reply. ``lines`` for a file, ``pairs`` of (search, replace) for an edit."""

    kind: Kind
    path: str
    lines: tuple[str, ...] = ()
    pairs: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()

    @property
    def content(self) -> str:
        """The file's text: every line ends in a newline."""
        return "".join(f"{line}\n" for line in self.lines)


@dataclass(frozen=True)
class Rejected:
    """A block, or a part of a reply (``path`` is then ""), that could not be used."""

    path: str
    reason: str
    outside: bool = False  # the path is not among those that may be changed


@dataclass(frozen=True)
class Parsed:
    blocks: tuple[Block, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True)
class Applied:
    """The tree afterwards. ``settled`` are the paths of all blocks that could be used."""

    tree: Mapping[str, str]
    settled: frozenset[str] = frozenset()
    rejected: tuple[Rejected, ...] = ()
    changes: Mapping[str, str | None] = field(default_factory=dict)  # None: deleted


def make_nonce(*parts: str) -> str:
    """A mark that is the same on every rerun, and unknown to whoever wrote the text before.

    The first part is a task's id: 80 random bits that are drawn after a user's text is stored.
    """
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:12]


# ---- reading a reply ----------------------------------------------------------------------------


def parse(reply: str, nonce: str) -> Parsed:
    """The blocks of ``reply`` that carry ``nonce``; text around them is ignored."""
    reader = _Reader(nonce)
    for line in reply.replace("\r\n", "\n").split("\n"):
        reader.read(line)
    return reader.finish()


class _Reader:
    """A line by line reader: at any time outside, in a file, or in a part of an edit."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._blocks: list[Block] = []
        self._rejected: list[Rejected] = []
        self._path = ""
        self._state: Literal["outside", "file", "edit", "search", "replace"] = "outside"
        self._lines: list[str] = []
        self._search: tuple[str, ...] = ()
        self._pairs: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def read(self, line: str) -> None:
        marker = _MARKER.match(line) if "<<<" in line[:200] else None
        if marker is None or marker["nonce"] != self._nonce:
            self._read_text(line, looks_like_marker=marker is not None)
        elif marker["kind"] in ("FILE", "EDIT", "DELETE", "KEEP"):
            self._open(marker["kind"], marker["path"])
        else:
            self._step(marker["kind"])

    def finish(self) -> Parsed:
        if self._state != "outside":
            self._reject("its block is not closed by an END marker")
        if not self._blocks and not self._rejected:
            self._rejected.append(Rejected("", "the reply holds no block at all"))
        return Parsed(tuple(self._blocks), tuple(self._rejected))

    def _read_text(self, line: str, *, looks_like_marker: bool) -> None:
        if self._state == "outside":
            if looks_like_marker:
                self._rejected.append(Rejected("", "a marker does not carry this call's code"))
        elif self._state == "edit":
            if line.strip():
                self._reject("text between EDIT and SEARCH")
        else:
            self._lines.append(line)

    def _open(self, kind: str, path: str | None) -> None:
        if self._state != "outside":
            self._reject("its block is not closed by an END marker")
        if not path:
            self._rejected.append(Rejected("", f"a {kind} marker names no path"))
            return
        self._path, self._lines, self._pairs = path, [], []
        if kind == "FILE":
            self._state = "file"
        elif kind == "EDIT":
            self._state = "edit"
        else:
            self._blocks.append(Block("delete" if kind == "DELETE" else "keep", path))

    def _step(self, kind: str) -> None:
        match kind, self._state:
            case "SEARCH", "edit":
                self._state = "search"
            case "SEARCH", "replace":
                self._close_pair()
                self._state = "search"
            case "REPLACE", "search":
                self._search, self._lines = tuple(self._lines), []
                self._state = "replace"
            case "END", "file":
                self._close(Block("file", self._path, lines=_unfenced(self._path, self._lines)))
            case "END", "replace":
                self._close_pair()
                self._close(Block("edit", self._path, pairs=tuple(self._pairs)))
            case "END", "outside":
                pass  # after a block that was already given up, or a DELETE closed by mistake
            case _:
                self._reject(f"a {kind} marker where none belongs")

    def _close_pair(self) -> None:
        self._pairs.append((self._search, tuple(self._lines)))
        self._lines = []

    def _close(self, block: Block) -> None:
        self._blocks.append(block)
        self._state = "outside"

    def _reject(self, reason: str) -> None:
        self._rejected.append(Rejected(self._path, reason))
        self._state = "outside"


def _unfenced(path: str, lines: list[str]) -> tuple[str, ...]:
    """Without the Markdown fence that models like to put around a whole file."""
    if path.endswith(".md") or len(lines) < 2:
        return tuple(lines)
    fenced = lines[0].startswith("```") and lines[-1].strip() == "```"
    return tuple(lines[1:-1] if fenced else lines)


# ---- applying it --------------------------------------------------------------------------------


def apply_blocks(
    tree: Mapping[str, str], blocks: Collection[Block], allowed: Collection[str] | None = None
) -> Applied:
    """Apply each block that can be applied; tell why the others cannot.

    ``allowed`` are the paths that may be touched (None: any). The result never holds a path that
    `safe_path` refuses, nor a file that does not parse.
    """
    new = dict(tree)
    settled: set[str] = set()
    rejected: list[Rejected] = []
    for block in blocks:
        try:
            path = _apply_one(new, block, allowed, settled)
        except _Unusable as error:
            rejected.append(error.rejected)
        else:
            settled.add(path)
    changes = {path: text for path, text in new.items() if tree.get(path) != text}
    gone = {path: None for path in tree if path not in new}
    return Applied(new, frozenset(settled), tuple(rejected), {**changes, **gone})


class _Unusable(Exception):
    def __init__(self, path: str, reason: str, *, outside: bool = False) -> None:
        super().__init__(reason)
        self.rejected = Rejected(path[:200], reason, outside)


def _apply_one(
    tree: dict[str, str], block: Block, allowed: Collection[str] | None, settled: set[str]
) -> str:
    try:
        path = safe_path(block.path)
    except UnsafePath as error:
        raise _Unusable(block.path, error.message) from error
    if allowed is not None and path not in allowed:
        raise _Unusable(path, "this file may not be changed here", outside=True)
    if block.kind == "file":
        _put(tree, path, block.content, settled)
        return path
    if path not in tree:
        raise _Unusable(path, "there is no such file")
    if block.kind == "delete":
        del tree[path]
    elif block.kind == "edit":
        _edit(tree, path, block)
    return path


def _put(tree: dict[str, str], path: str, text: str, settled: set[str]) -> None:
    if path in settled:
        raise _Unusable(path, "the reply holds two blocks for this file")
    if path not in tree:
        if len(tree) >= MAX_FILES:
            raise _Unusable(path, f"a project has at most {MAX_FILES} files")
        try:
            check_collisions([*tree, path])
        except UnsafePath as error:
            raise _Unusable(path, error.message) from error
    if problem := find_problem(path, text):
        raise _Unusable(path, problem)
    tree[path] = text


def _edit(tree: dict[str, str], path: str, block: Block) -> None:
    lines = tree[path].split("\n")
    for search, replace in block.pairs:
        at = _find_lines(lines, search, path)
        lines[at : at + len(search)] = replace
    text = "\n".join(lines)
    if problem := find_problem(path, text):
        raise _Unusable(path, problem)
    tree[path] = text


def _find_lines(lines: list[str], search: tuple[str, ...], path: str) -> int:
    """Where ``search`` stands in ``lines``: exactly, else apart from spaces at ends of lines."""
    if not any(line.strip() for line in search):
        raise _Unusable(path, "a SEARCH part is empty; quote the lines to replace")
    found = _positions(lines, list(search))
    if not found:
        found = _positions([line.rstrip() for line in lines], [line.rstrip() for line in search])
    shown = next(line for line in search if line.strip()).strip()[:80]
    if not found:
        raise _Unusable(path, f"a SEARCH part (it starts with {shown!r}) is not in the file")
    if len(found) > 1:
        raise _Unusable(
            path,
            f"a SEARCH part (it starts with {shown!r}) stands {len(found)} times in the file; "
            "quote more lines around it",
        )
    return found[0]


def _positions(lines: list[str], search: list[str]) -> list[int]:
    """Where ``search`` begins in ``lines``; at most ten places."""
    size = len(search)
    found = []
    for at in range(len(lines) - size + 1):
        if lines[at] == search[0] and lines[at : at + size] == search:
            found.append(at)
            if len(found) == 10:
                break
    return found
