"""Paths that are let through can be stored, listed, zipped and unpacked anywhere."""

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agenticai_core.errors import UnsafePath
from agenticai_core.paths import MAX_PATH, MAX_SEGMENT, check_collisions, safe_path

_TRICKY = st.sampled_from(["..", ".", "", "/", "\\", "\x00", "a", "C:", "~", " ", "con", ".git"])


@given(st.one_of(st.text(max_size=60), st.lists(_TRICKY, max_size=8).map("/".join)))
@example("/etc/passwd")
@example("a/../../b")
@example("a//b")
@example("\u212b.py")  # changes under NFC
def test_what_is_let_through_stays_inside(path: str) -> None:
    try:
        clean = safe_path(path)
    except UnsafePath as error:
        assert error.code == "UNSAFE_PATH"
        assert "\x00" not in error.message
        return
    assert safe_path(clean) == clean
    assert clean == unicodedata.normalize("NFC", path)
    parts = PurePosixPath(clean).parts
    assert "/".join(parts) == clean
    assert not {"..", ".", "/"}.intersection(parts)
    assert PureWindowsPath(clean).parts == parts
    assert not PureWindowsPath(clean).drive
    assert all(part == part.strip() for part in parts)


@pytest.mark.parametrize(
    "path",
    [
        "main.py",
        "src/app/models.py",
        ".github/workflows/ci.yml",
        ".env.example",
        ".gitignore",
        "docs/größe.md",
        "a" * MAX_SEGMENT,
        "tests/console.py",  # begins like a reserved name
        "com.py",
    ],
)
def test_ordinary_paths_are_let_through(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/main.py",
        "../main.py",
        "a/../b",
        "./a",
        "a/",
        "a//b",
        "C:/a",
        "a\\b",
        "a\x00b",
        "a\nb",
        "a?.py",
        "CON",
        "src/nul.txt",
        "com1.py",
        ".git/config",
        "x/.GIT/hooks/pre-commit",
        ".ssh/id",
        ".aws/credentials",
        "a ",
        " a",
        "a.",
        "a" * (MAX_SEGMENT + 1),
        "/".join(["abcdefgh"] * 27),
    ],
)
def test_dangerous_paths_are_refused(path: str) -> None:
    with pytest.raises(UnsafePath):
        safe_path(path)


def test_the_limits_are_exact() -> None:
    longest = "/".join(["a" * 79] * 3)[:MAX_PATH]
    assert safe_path(longest) == longest
    with pytest.raises(UnsafePath):
        safe_path(longest + "a" * (MAX_PATH + 1 - len(longest)))


@pytest.mark.parametrize(
    "paths",
    [
        ["README.md", "readme.md"],
        ["a", "a/b"],
        ["A", "a/b"],
        ["src/x/y.py", "SRC/X"],
        ["straße.md", "STRASSE.md"],
    ],
)
def test_collisions_are_refused(paths: list[str]) -> None:
    with pytest.raises(UnsafePath):
        check_collisions(paths)
    with pytest.raises(UnsafePath):
        check_collisions(reversed(paths))


def test_neighbours_are_no_collision() -> None:
    check_collisions(["a.py", "a/b.py", "ab", "a.pyi", "b/a.py"])
