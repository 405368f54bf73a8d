"""Replies become trees: what is well formed is applied, everything else is told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenticai_core.paths import safe_path
from agenticai_worker.edits import Block, apply_blocks, make_nonce, parse
from agenticai_worker.syntax import MAX_FILE_CHARACTERS, find_problem

N = "3f9c01ab22cd"
MAIN = "import os\n\n\ndef read():\n    return 1\n\n\ndef write():\n    return 1\n"


def write(block: Block, nonce: str = N) -> str:
    """A block as a model writes it."""
    head = f'<<<{block.kind.upper()} {nonce} path="{block.path}">>>\n'
    if block.kind == "file":
        return head + block.content + f"<<<END {nonce}>>>\n"
    if block.kind != "edit":
        return head
    pairs = "".join(
        f"<<<SEARCH {nonce}>>>\n{_text(search)}<<<REPLACE {nonce}>>>\n{_text(replace)}"
        for search, replace in block.pairs
    )
    return head + pairs + f"<<<END {nonce}>>>\n"


def _text(lines: tuple[str, ...]) -> str:
    return "".join(f"{line}\n" for line in lines)


def run(reply: str, tree: dict[str, str] | None = None, allowed: set[str] | None = None):
    parsed = parse(reply, N)
    applied = apply_blocks(tree or {}, parsed.blocks, allowed)
    return applied, [*parsed.rejected, *applied.rejected]


def edit(search: str, replace: str, path: str = "main.py") -> str:
    pair = (tuple(search.split("\n")), tuple(replace.split("\n")) if replace else ())
    return write(Block("edit", path, pairs=(pair,)))


def test_a_whole_file_is_written_between_other_text() -> None:
    reply = f'Here it is:\n<<<FILE {N} path="app/main.py">>>\nx = 1\n\n<<<END {N}>>>\nDone.'
    applied, rejected = run(reply)
    assert applied.tree == {"app/main.py": "x = 1\n\n"}
    assert applied.settled == {"app/main.py"}
    assert not rejected


def test_windows_line_ends_become_plain_ones() -> None:
    reply = write(Block("file", "a.txt", lines=("one", "two"))).replace("\n", "\r\n")
    assert run(reply)[0].tree == {"a.txt": "one\ntwo\n"}


def test_a_markdown_fence_around_a_file_is_taken_off() -> None:
    applied, _ = run(write(Block("file", "a.py", lines=("```python", "x = 1", "```"))))
    assert applied.tree["a.py"] == "x = 1\n"


def test_an_edit_replaces_the_lines_it_names() -> None:
    applied, rejected = run(edit("def write():\n    return 1", "def write():\n    return 2"), {
        "main.py": MAIN
    })  # fmt: skip
    assert not rejected
    assert applied.tree["main.py"] == MAIN[: MAIN.rindex("1")] + "2\n"
    assert applied.changes == {"main.py": applied.tree["main.py"]}


def test_several_pairs_of_one_edit_are_applied_in_order() -> None:
    pairs = (
        (("import os",), ("import sys",)),
        (("def read():",), ("def load():",)),
    )
    applied, rejected = run(write(Block("edit", "main.py", pairs=pairs)), {"main.py": MAIN})
    assert not rejected
    assert applied.tree["main.py"] == MAIN.replace("os", "sys").replace("read", "load")


def test_spaces_at_the_end_of_lines_do_not_matter_when_nothing_fits_exactly() -> None:
    applied, rejected = run(edit("x = 1", "x = 2"), {"main.py": "x = 1  \ny = 1\n"})
    assert not rejected
    assert applied.tree["main.py"] == "x = 2\ny = 1\n"


def test_an_exact_place_wins_over_one_that_differs_in_spaces() -> None:
    applied, rejected = run(edit("x = 1", "x = 2"), {"main.py": "x = 1\nx = 1  \n"})
    assert not rejected
    assert applied.tree["main.py"] == "x = 2\nx = 1  \n"


@pytest.mark.parametrize(
    ("search", "reason"),
    [
        ("    return 1", "stands 2 times"),
        ("    return 7", "is not in the file"),
        ("return", "is not in the file"),
        ("", "SEARCH part is empty"),
    ],
)
def test_a_search_must_fit_exactly_one_place(search: str, reason: str) -> None:
    applied, rejected = run(edit(search, "pass"), {"main.py": MAIN})
    assert applied.tree == {"main.py": MAIN}
    assert reason in rejected[0].reason


def test_a_failed_block_leaves_the_others_standing() -> None:
    reply = edit("nothing", "x") + write(Block("file", "b.py", lines=("y = 1",)))
    applied, rejected = run(reply, {"main.py": MAIN})
    assert applied.settled == {"b.py"}
    assert [item.path for item in rejected] == ["main.py"]


def test_a_half_failed_edit_changes_nothing_of_its_file() -> None:
    pairs = ((("import os",), ("import sys",)), (("nothing",), ("x",)))
    applied, rejected = run(write(Block("edit", "main.py", pairs=pairs)), {"main.py": MAIN})
    assert applied.tree == {"main.py": MAIN}
    assert len(rejected) == 1


def test_delete_and_keep() -> None:
    reply = write(Block("delete", "old.py")) + write(Block("keep", "main.py"))
    applied, rejected = run(reply, {"main.py": MAIN, "old.py": ""})
    assert not rejected
    assert applied.tree == {"main.py": MAIN}
    assert applied.changes == {"old.py": None}
    assert applied.settled == {"main.py", "old.py"}


@pytest.mark.parametrize("kind", ["delete", "keep", "edit"])
def test_what_does_not_exist_cannot_be_changed(kind) -> None:
    pairs = ((("x",), ("y",)),)
    _, rejected = run(write(Block(kind, "gone.py", pairs=pairs)))
    assert rejected[0].reason == "there is no such file"


@pytest.mark.parametrize(
    "path",
    ["../x.py", "/etc/passwd", "a/../../b", ".git/config", "con.txt", "a\\b", "a//b", "x" * 300],
)
def test_unsafe_paths_are_refused(path: str) -> None:
    applied, rejected = run(write(Block("file", path, lines=("x",))))
    assert applied.tree == {}
    assert len(rejected) == 1


def test_colliding_paths_are_refused() -> None:
    applied, rejected = run(write(Block("file", "APP/main.py", lines=("x = 1",))), {"app": ""})
    assert applied.tree == {"app": ""}
    assert "folder" in rejected[0].reason


def test_paths_outside_the_allowed_ones_are_refused_as_such() -> None:
    reply = write(Block("file", "b.py", lines=("x = 1",)))
    applied, rejected = run(reply, {"a.py": ""}, {"a.py"})
    assert applied.tree == {"a.py": ""}
    assert rejected[0].outside


def test_two_blocks_for_one_file_are_one_too_many() -> None:
    block = write(Block("file", "a.py", lines=("x = 1",)))
    _, rejected = run(block + block)
    assert "two blocks" in rejected[0].reason


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "no block at all"),
        ('<<<FILE other path="a.py">>>\nx = 1\n<<<END other>>>', "this call's code"),
        (f'<<<FILE {N} path="a.py">>>\nx = 1\n', "not closed"),
        (f'<<<FILE {N} path="a.py">>>\nx = 1\n<<<FILE {N} path="b.py">>>\ny\n', "not closed"),
        (f"<<<FILE {N}>>>\nx = 1\n<<<END {N}>>>", "names no path"),
        (f'<<<EDIT {N} path="a.py">>>\nx\n', "text between"),
        (f'<<<EDIT {N} path="a.py">>>\n<<<REPLACE {N}>>>\n', "none belongs"),
        (f'<<<EDIT {N} path="a.py">>>\n<<<SEARCH {N}>>>\nx\n<<<END {N}>>>', "none belongs"),
    ],
)
def test_replies_out_of_form_are_told(reply: str, reason: str) -> None:
    applied, rejected = run(reply)
    assert applied.tree == {}
    assert reason in rejected[0].reason


def test_markers_of_another_call_inside_a_file_are_just_text() -> None:
    lines = ('<<<FILE 000000 path="x">>>', "<<<END 000000>>>")
    applied, rejected = run(write(Block("file", "a.txt", lines=lines)))
    assert not rejected
    assert applied.tree["a.txt"] == "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "def f(:\n"),
        ("a.py", "x = " + "(" * 500),
        ("a.py", "x = 1\n# ... rest unchanged\n"),
        ("a.py", "# rest of the code remains the same\n"),
        ("a.py", "def f():\n    x = 1\n    ...\n"),
        ("a.py", "def f():\n    ...\n"),
        ("a.py", "import os\n...\n"),
        ("a.js", "// existing code\n"),
        ("a.js", "f();\n...\n"),
        ("a.html", "<!-- ... -->\n"),
        ("a.css", "/* remaining content here */\n"),
        ("a.json", '{"a": 1,}'),
        ("a.toml", "a = \n"),
        ("a.yaml", "a: [1\n"),
        ("a.yaml", "[" * 5000),
        ("a.json", "[" * 100_000),
        ("a.txt", "a\x00b"),
        ("a.txt", "x" * (MAX_FILE_CHARACTERS + 1)),
    ],
)
def test_contents_that_cannot_be_meant_are_refused(path: str, text: str) -> None:
    applied, rejected = run(write(Block("file", path, lines=tuple(text.split("\n")))))
    assert applied.tree == {}
    assert len(rejected) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "class Store(Protocol):\n    def get(self) -> int: ...\n"),
        ("a.py", "class Missing(Exception): ...\n"),
        (
            "a.py",
            "class A:\n    @abstractmethod\n    def f(self):\n        '''Doc.'''\n        ...\n",
        ),
        ("a.py", "@overload\ndef f(x: int) -> int: ...\n"),
        ("a.py", "x: tuple[int, ...] = ()\ny = Field(...)\n"),
        ("a.py", "# the rest of the week is free\nx = '\\d'\n"),
        ("a.md", "# ...\n"),
        ("a.yaml", "a: &x [1]\nb: *x\n"),
        ("empty.json", ""),
    ],
)
def test_honest_contents_are_kept(path: str, text: str) -> None:
    applied, rejected = run(write(Block("file", path, lines=tuple(text.split("\n")[:-1]))))
    assert not rejected
    assert applied.tree == {path: text}


def test_nonces_are_repeatable_and_differ_by_call() -> None:
    assert make_nonce("task", "unit", "0") == make_nonce("task", "unit", "0")
    assert make_nonce("task", "unit", "0") != make_nonce("task", "unit", "1")
    assert make_nonce("ab", "c") != make_nonce("a", "bc")
    assert re.fullmatch("[0-9a-f]{12}", make_nonce("task"))


# ---- for any input ------------------------------------------------------------------------------

_LINE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), max_size=30
)
_LINES = st.lists(_LINE, max_size=8).map(tuple)
_PATH = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,2}\.txt", fullmatch=True)


@given(st.dictionaries(_PATH, _LINES, max_size=5))
def test_every_tree_survives_being_written_and_read(tree: dict[str, tuple[str, ...]]) -> None:
    reply = "\n".join(write(Block("file", path, lines=lines)) for path, lines in tree.items())
    blocks = parse(reply, N).blocks
    fenced = {path for path, lines in tree.items() if lines and lines[0].startswith("```")}
    assert {b.path: b.lines for b in blocks if b.path not in fenced} == {
        path: lines for path, lines in tree.items() if path not in fenced
    }


@given(_LINES, st.data())
def test_replacing_any_unique_run_of_lines_gives_what_it_says(lines, data) -> None:
    numbered = [f"{number} {line}" for number, line in enumerate(lines)] + ["end"]
    start = data.draw(st.integers(0, len(numbered) - 1))
    stop = data.draw(st.integers(start + 1, len(numbered)))
    new = data.draw(_LINES)
    block = Block("edit", "a.txt", pairs=((tuple(numbered[start:stop]), new),))
    applied, rejected = run(write(block), {"a.txt": "\n".join(numbered)})
    assert not rejected
    assert applied.tree["a.txt"] == "\n".join([*numbered[:start], *new, *numbered[stop:]])


_PIECES = st.sampled_from(
    [
        *(f"<<<{kind} {N}>>>" for kind in ("FILE", "EDIT", "SEARCH", "REPLACE", "END", "KEEP")),
        *(f'<<<FILE {N} path="{path}">>>' for path in ("a.py", "../b", "/c", "d.json", "A.py")),
        f'<<<EDIT {N} path="main.py">>>',
        f'<<<DELETE {N} path="main.py">>>',
        '<<<FILE x path="a.py">>>',
        "import os",
        "def read():",
        "",
        "...",
        "{",
    ]
)


@given(st.lists(_PIECES | st.text(max_size=40), max_size=25))
def test_no_reply_crashes_or_escapes(lines: list[str]) -> None:
    applied, _ = run("\n".join(lines), {"main.py": MAIN}, {"main.py", "a.py", "d.json"})
    assert applied.tree.keys() <= {"main.py", "a.py", "d.json"}
    assert all(safe_path(path) == path for path in applied.tree)
    assert applied.settled <= {"main.py", "a.py", "d.json"}


_SUFFIXES = st.sampled_from(["py", "json", "toml", "yaml", "js", "html", "md", "txt", ""])


@given(_SUFFIXES, st.text(max_size=200) | st.text("{}[]()&*!:-#.'\"\\\n\t ax1", max_size=200))
def test_no_content_crashes_its_check(suffix: str, text: str) -> None:
    problem = find_problem(f"a.{suffix}", text)
    assert problem is None or problem
