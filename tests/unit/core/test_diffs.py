"""Differences: the shortest where that can be had, true always, in bounded time."""

import random
import subprocess
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenticai_core import diffs
from agenticai_core.content import sha256
from agenticai_core.diffs import Comparison, FileDiff, compare_file, compare_trees, to_unified
from agenticai_core.lines import Budget, find_blocks
from agenticai_core.models import FileEntry

Tree = Mapping[str, bytes]
LINES = st.lists(st.sampled_from("abcde"), max_size=12)


# ---- lines --------------------------------------------------------------------------------------


def rebuild(old: Sequence[str], new: Sequence[str], steps: int) -> int:
    """Check that the blocks lead from ``old`` to ``new``; how many lines they touch."""
    made: list[str] = []
    at = touched = 0
    blocks = find_blocks(old, new, Budget(steps))
    for before, after in pairwise(blocks):
        assert before.old_end < after.old_start  # an equal line lies between
    for block in blocks:
        made += old[at : block.old_start]
        assert len(made) == block.new_start
        made += new[block.new_start : block.new_end]
        at = block.old_end
        touched += block.old_end - block.old_start + block.new_end - block.new_start
    assert made + list(old[at:]) == list(new)
    return touched


def longest_common(old: Sequence[str], new: Sequence[str]) -> int:
    before = [0] * (len(new) + 1)
    for a in old:
        row = [0]
        for j, b in enumerate(new):
            row.append(before[j] + 1 if a == b else max(before[j + 1], row[-1]))
        before = row
    return before[-1]


@settings(max_examples=500)
@given(old=LINES, new=LINES)
def test_blocks_are_the_shortest_way(old: list[str], new: list[str]) -> None:
    shortest = len(old) + len(new) - 2 * longest_common(old, new)
    assert rebuild(old, new, 10**6) == shortest


@given(old=LINES, new=LINES, steps=st.integers(0, 30))
def test_without_a_budget_they_are_true_all_the_same(
    old: list[str], new: list[str], steps: int
) -> None:
    rebuild(old, new, steps)


def nasty(kind: str, count: int) -> tuple[list[str], list[str]]:
    chance = random.Random(1)
    if kind == "few":  # every line is there many times
        return [chance.choice("abc") for _ in range(count)], [
            chance.choice("bcd") for _ in range(count)
        ]
    if kind == "reversed":
        lines = [str(n) for n in range(count)]
        return lines, lines[::-1]
    if kind == "one and many":
        return ["x"], ["y" if n % 2 else "x" for n in range(count)]
    return [f"a{n % 51}" for n in range(count)], [f"a{n % 49}" for n in range(count)]


@pytest.mark.parametrize("kind", ["few", "reversed", "one and many", "popular"])
def test_the_worst_lines_take_no_longer_than_their_budget(kind: str) -> None:
    old, new = nasty(kind, diffs.MAX_LINES)
    started = time.process_time()
    rebuild(old, new, diffs.MAX_STEPS)
    assert time.process_time() - started < 10  # half a second; without a budget, hours


# ---- trees --------------------------------------------------------------------------------------


def entries(tree: Tree) -> dict[str, FileEntry]:
    return {
        path: FileEntry(sha256=sha256(content), size=len(content)) for path, content in tree.items()
    }


def compare(old: Tree, new: Tree) -> tuple[list[FileDiff], list[str]]:
    """The differences, and the hashes of what was read for them."""
    contents = {sha256(content): content for content in [*old.values(), *new.values()]}
    read: list[str] = []

    def reader(entry: FileEntry) -> bytes:
        read.append(entry.sha256)
        return contents[entry.sha256]

    return list(compare_trees(entries(old), entries(new), reader)), read


def test_equal_files_are_not_read() -> None:
    same = {f"same{n}": b"x" for n in range(5)}
    found, read = compare({**same, "a": b"1\n"}, {**same, "a": b"2\n"})
    assert [(file.path, file.status) for file in found] == [("a", "modified")]
    assert read == [sha256(b"1\n"), sha256(b"2\n")]


def test_each_kind_of_change_is_told() -> None:
    old = {"gone": b"1\n2\n", "kept": b"k\n", "bin": b"\0", "text": b"a\n", "latin": b"\xe9\n"}
    new = {"new": b"1\n", "kept": b"k\n", "bin": b"\1\0", "text": b"b\nc\n", "latin": b"e\n"}
    found, _ = compare(old, new)
    assert {f.path: (f.status, f.additions, f.deletions) for f in found} == {
        "bin": ("binary", 0, 0),
        "gone": ("removed", 0, 2),
        "latin": ("binary", 0, 0),
        "new": ("added", 1, 0),
        "text": ("modified", 2, 1),
    }


def test_large_files_are_named_and_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    large = b"x\n" * diffs.MAX_FILE
    found, read = compare({"a": large}, {"a": large + b"y", "b": b"1"})
    assert [(file.path, file.status) for file in found] == [("a", "too_large"), ("b", "added")]
    assert read == [sha256(b"1")]
    assert "a differs and is too large" in to_unified(Comparison(1, 2, tuple(found)))

    monkeypatch.setattr(diffs, "MAX_TOTAL", 10)
    found, read = compare({}, {"a": b"1" * 6, "b": b"2" * 6, "c": b"3" * 4})
    assert [file.status for file in found] == ["added", "too_large", "added"]


def test_too_many_lines_are_not_compared() -> None:
    many = b"\n" * (diffs.MAX_LINES + 1)
    assert compare_file("a", b"", many, Budget(10**6)).status == "too_large"
    assert compare_file("a", b"", many[1:], Budget(10**6)).additions == diffs.MAX_LINES


def test_all_files_share_one_budget() -> None:
    chance = random.Random(2)

    def lines() -> bytes:
        return "".join(f"{chance.randrange(40)}\n" for _ in range(5000)).encode()

    old, new = ({f"f{n}": lines() for n in range(40)} for _ in range(2))
    started = time.process_time()
    found, _ = compare(old, new)
    assert time.process_time() - started < 20
    assert {file.status for file in found} == {"modified"}


def test_hunks_have_three_lines_around_them() -> None:
    old = [f"{n}\n" for n in range(1, 31)]
    new = [*old[:9], "ten\n", *old[10:16], "17!\n", *old[17:29], "last"]
    file = compare_file("a", "".join(old).encode(), "".join(new).encode(), Budget(10**6))
    first, second = file.hunks
    assert (first.old_start, first.old_lines, first.new_start, first.new_lines) == (7, 14, 7, 14)
    assert first.lines[:5] == (" 7", " 8", " 9", "-10", "+ten")
    assert (second.old_start, second.old_lines) == (27, 4)
    assert second.lines == (" 27", " 28", " 29", "-30", "+last", "\\ No newline at end of file")


# ---- applied by git -----------------------------------------------------------------------------

LINE = st.one_of(
    st.sampled_from(
        ["", "a", "b", "same", "\r", "x\r", "é ü 日本", "+", "-- a", "\\ No", "\t", "\x0c"]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\0"), max_size=8),
)
CONTENT = st.tuples(st.lists(LINE, max_size=14), st.booleans()).map(
    lambda told: ("\n".join(told[0]) + "\n" * told[1]).encode()
)
PATHS = ("a", "b c/d  e.txt", "é/日本.py", "x/y/z", "+ plus", "- minus", "tab-less.md")
TREES = st.dictionaries(st.sampled_from(PATHS), CONTENT, max_size=5)


def write(folder: Path, tree: Tree) -> None:
    for path, content in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def read(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def apply(folder: Path, patch: str) -> None:
    """By git, which knows nothing of any repository or configuration here."""
    command = ["git", "apply", "--whitespace=nowarn", "--allow-empty", "-"]
    environment = {
        "PATH": "/usr/bin:/bin:/usr/local/bin",
        "GIT_DIR": str(folder / ".none"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(folder),
    }
    done = subprocess.run(
        command, cwd=folder, input=patch.encode(), capture_output=True, env=environment, check=False
    )
    assert done.returncode == 0, (done.stderr.decode(), patch)


def check_patch(old: Tree, new: Tree) -> None:
    found, _ = compare(old, new)
    with TemporaryDirectory() as name:
        write(Path(name), old)
        apply(Path(name), to_unified(Comparison(1, 2, tuple(found))))
        assert read(Path(name)) == dict(new)


@settings(max_examples=60, deadline=None)
@given(old=TREES, new=TREES)
def test_git_applies_the_unified_diff(old: Tree, new: Tree) -> None:
    check_patch(old, new)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), old=st.lists(LINE, min_size=5, max_size=40))
def test_git_applies_small_changes_of_long_files(data: st.DataObject, old: list[str]) -> None:
    new = list(old)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(new)))
        new[at : at + data.draw(st.integers(0, 2))] = data.draw(st.lists(LINE, max_size=2))
    check_patch({"b c": "\n".join(old).encode()}, {"b c": "\n".join(new).encode()})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {"empty": b""}),
        ({"empty": b"", "a": b""}, {"a": b""}),
        ({"a": b"x"}, {"a": b""}),
        ({"a": b""}, {"a": b"x"}),
        ({"a": b"x\r\ny\r\n"}, {"a": b"x\ny\r\n"}),
        ({"a": b"x"}, {"a": b"x\n"}),
        ({"a b": b"1\n"}, {"c d": b"1\n"}),
    ],
)
def test_git_applies_the_edges(old: Tree, new: Tree) -> None:
    check_patch(old, new)


def test_what_is_too_large_does_not_spoil_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffs, "MAX_FILE", 5)
    old = {"a": b"1\n", "b": b"large file\n", "c": b"1\n"}
    new = {"a": b"2\n", "b": b"larger file\n", "c": b"2"}
    found, _ = compare(old, new)
    with TemporaryDirectory() as name:
        write(Path(name), old)
        apply(Path(name), to_unified(Comparison(1, 2, tuple(found))))
        assert read(Path(name)) == {**new, "b": old["b"]}
