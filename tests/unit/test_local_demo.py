"""The demo's parts: the download stays in its folder, tests run apart, words stay as they are."""

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from agenticai_client.errors import UnsafeArchive
from agenticai_local.check import run_tests
from agenticai_local.download import save_archive

TEST = "from main import double\n\ndef test_double():\n    assert double(2) == {}\n"


def archive(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for path, text in files.items():
            target.writestr(path, text)
    return packed.getvalue()


def test_an_earlier_download_is_replaced_as_a_whole(tmp_path: Path) -> None:
    first = save_archive(archive(**{"old.py": "1", "a/b.py": "1"}), tmp_path, "Dog salon")
    second = save_archive(archive(**{"a/b.py": "2"}), tmp_path, "Dog salon")
    assert first == second == tmp_path / "dog-salon"
    assert [path.name for path in tmp_path.iterdir()] == ["dog-salon"]
    assert (second / "a" / "b.py").read_text() == "2"
    assert not (second / "old.py").exists()


@pytest.mark.parametrize("name", ["../../etc", "/etc/passwd", "..", "a/b", "\x00", "x" * 5000])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = save_archive(archive(**{"main.py": ""}), tmp_path / "out", name)
    assert folder.parent == tmp_path / "out"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("path", ["../evil.py", "/evil.py", "a/../../evil.py"])
def test_an_archive_that_leaves_its_folder_is_refused(tmp_path: Path, path: str) -> None:
    save_archive(archive(**{"main.py": "kept"}), tmp_path / "out", "p")
    with pytest.raises(UnsafeArchive):
        save_archive(archive(**{path: "evil"}), tmp_path / "out", "p")
    assert (tmp_path / "out" / "p" / "main.py").read_text() == "kept"
    assert [found.name for found in tmp_path.rglob("*.py")] == ["main.py"]


def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "p").symlink_to(precious)
    save_archive(archive(**{"main.py": ""}), tmp_path / "out", "p")
    assert (precious / "file").read_text() == "kept"
    assert not (tmp_path / "out" / "p").is_symlink()


def project(folder: Path, expected: int) -> Path:
    (folder / "tests").mkdir(parents=True)
    code = "def double(n):\n    return 2 * n\n\ndef unused():\n    return 1\n"
    (folder / "main.py").write_text(code)
    (folder / "conftest.py").write_text("")
    (folder / "tests" / "test_main.py").write_text(TEST.format(expected))
    return folder


def test_passing_tests_are_counted_with_their_coverage(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", expected=4)
    before = sorted(tmp_path.rglob("*"))
    run = run_tests(folder, Path(sys.executable))
    assert (run.ok, run.passed, run.failed) == (True, 1, 0), run.output
    assert run.coverage == pytest.approx(3 / 4)  # unused() is never run; tests do not count
    assert sorted(tmp_path.rglob("*")) == before


def test_failing_tests_are_told_with_their_output(tmp_path: Path) -> None:
    run = run_tests(project(tmp_path / "p", expected=5), Path(sys.executable))
    assert (run.ok, run.passed, run.failed) == (False, 0, 1)
    assert "assert 4 == 5" in run.output


def test_no_tests_are_not_a_success(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "main.py").write_text("")
    assert not run_tests(tmp_path / "p", Path(sys.executable)).ok


def test_the_tests_see_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "secret")
    folder = project(tmp_path / "p", expected=4)
    look = "import os\ndef test_env():\n    assert 'GEMINI_API_KEY' not in os.environ\n"
    (folder / "tests" / "test_env.py").write_text(look)
    assert run_tests(folder, Path(sys.executable)).passed == 2


@pytest.mark.parametrize(
    "words",
    [
        "$(touch {flag})",
        "`touch {flag}`",
        "'; touch {flag}; '",
        '" && touch {flag} && "',
        "$(shell touch {flag})",
        "costs $5 & 10% of $HOME, \"quoted\" 'twice' \\ #1",
    ],
)
def test_make_hands_the_users_words_on_as_they_are(
    repo_root: Path, tmp_path: Path, words: str
) -> None:
    flag = tmp_path / "flag"
    words = words.format(flag=flag) if "{flag}" in words else words
    (tmp_path / "Makefile").write_text(
        (repo_root / "Makefile").read_text()
        + "\nsetup:\n\t@true\ndemo:\n\t@printenv AGENTICAI_DEMO_DESCRIPTION\n"
    )
    done = subprocess.run(
        ["make", "-s", "demo", f"DESCRIPTION={words}"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "NAME": "of the machine"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{words}\n"
    assert not flag.exists()
