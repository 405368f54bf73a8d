"""Revisions, files, documentation and the account on the command line, against the real API."""

import io
import json
import stat
import subprocess
import sys

import pytest
from rich.console import Console
from structlog.testing import capture_logs
from tests.fakes.promoted import promote
from tests.fakes.serving import server_of, serving
from typer.testing import CliRunner

from agenticai_api.main import create_app
from agenticai_client.cli import app
from agenticai_client.sdk import Client
from agenticai_client.session import Session
from agenticai_core import auth
from agenticai_core.bootstrap import Services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store.memory import MemoryStore

SETTINGS = Settings(log_level="CRITICAL")
TREES = ({"main.py": b"print(1)\n"}, {"main.py": b"print(2)\n", "logo.png": b"\xff\xd8"})


@pytest.fixture
def services():
    return Services(MemoryStore(), MemoryFiles(), MemoryQueue())


@pytest.fixture
def client(services, monkeypatch, tmp_path):
    """An SDK beside the command line, with the same address and key."""
    _, secret = auth.create_api_key(services.store, "me", "test", ("read", "write", "admin"))
    api = server_of(create_app(services, SETTINGS))
    # The service logs to stdout, which in here is the command line's as well.
    with capture_logs(), serving(api) as port:
        url = f"http://127.0.0.1:{port}"
        monkeypatch.setenv("AGENTICAI_API_URL", url)
        monkeypatch.setenv("AGENTICAI_API_KEY", secret)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        with Client(url, secret) as made:
            yield made


@pytest.fixture
def built(services, client):
    """A project at rest with two revisions."""
    project_id = client.create_project("Salon", "api", "Dogs")["id"]
    for number, tree in enumerate(TREES, start=1):
        promote(services, project_id, tree, summary=f"Summary {number}")
    return project_id


def run(*args, code=0, **options):
    result = CliRunner().invoke(app, list(args), **options)
    assert result.exit_code == code, (args, result.output)
    return result


def read(*args):
    result = run(*args, "--json")
    assert result.stderr == ""
    return json.loads(result.stdout)


def on_a_terminal(monkeypatch, *args):
    """What a terminal would be sent."""
    screen = io.StringIO()

    def equip(session):
        session.out = Console(file=screen, force_terminal=True, width=100, color_system="standard")
        session.err = Console(file=io.StringIO())

    monkeypatch.setattr(Session, "__post_init__", equip)
    run(*args)
    return screen.getvalue()


@pytest.fixture
def editor(monkeypatch, tmp_path):
    """Make $EDITOR a program that does this to the file that it is given."""

    def use(code):
        script = tmp_path / "an editor.py"
        script.write_text(f"import pathlib, sys\nfile = pathlib.Path(sys.argv[1])\n{code}\n")
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", f"{sys.executable} '{script}'")

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return use


# ---- looking back and going back ----------------------------------------------------------------


def test_revisions_are_listed_newest_first(built):
    lines = run("revisions", "@last").stdout.splitlines()
    assert ["Summary 2" in lines[1], "Summary 1" in lines[2]] == [True, True]
    assert len(run("revisions", "@last", "--limit", "1").stdout.splitlines()) == 2
    assert [one["number"] for one in read("revisions", "@last")["revisions"]] == [2, 1]


def test_a_project_without_a_revision_says_so(client):
    client.create_project("Salon", "api", "Dogs")
    result = run("revisions", "@last")
    assert (result.stdout, result.stderr) == ("", "No revision yet.\n")


def test_a_diff_in_a_pipe_is_a_patch(built, tmp_path):
    (tmp_path / "main.py").write_bytes(TREES[0]["main.py"])
    patch = run("diff", "@last", "--path", "main.py").stdout
    assert "-print(1)\n+print(2)\n" in patch
    subprocess.run(["git", "apply"], input=patch, text=True, cwd=tmp_path, check=True)
    assert (tmp_path / "main.py").read_bytes() == TREES[1]["main.py"]


def test_a_diff_between_any_two_of_one_file_or_all(built):
    assert "logo.png" in run("diff", "@last").stdout
    backwards = run("diff", "@last", "2", "1").stdout
    assert "+print(1)" in backwards
    told = read("diff", "@last", "0", "--path", "main.py")
    assert (told["from_revision"], told["totals"]["additions"]) == (0, 1)
    same = run("diff", "@last", "2")
    assert (same.stdout, same.stderr) == ("", "Nothing differs.\n")
    run("diff", "@last", "7", code=3)


def test_a_terminal_gets_colours_and_nothing_that_it_would_obey(built, client, monkeypatch):
    client.write_file(built, "evil.txt", b"x\x1b]0;title\x07y\n")
    shown = on_a_terminal(monkeypatch, "diff", "@last")
    assert "\x1b[92m+x" in shown
    assert "\x1b]0" not in shown
    assert "\x07" not in shown


def test_rollback_makes_a_revision_with_the_old_files(built, client):
    said = run("rollback", "@last", "1", "--reason", "Wrong", "--yes").stdout
    assert said == "Revision 3 has the files of revision 1.\n"
    assert client.read_file(built, "main.py") == TREES[0]["main.py"]
    assert "Wrong" in client.get_revision(built, 3)["summary"]
    assert read("rollback", "@last", "2", "--yes")["revision"]["number"] == 4
    run("rollback", "@last", "9", "--yes", code=3)


def test_rollback_asks_first(built, client):
    result = run("rollback", "@last", "1", input="n\n", code=1)
    assert "Take Salon back from revision 2 to 1?" in result.stderr
    assert client.get_project(built)["revision"] == 2
    run("rollback", "@last", "1", input="y\n")
    assert client.get_project(built)["revision"] == 3


def test_rollback_leaves_what_came_while_one_was_asked(built, client, monkeypatch):
    def confirm(*_, **__):
        client.write_file(built, "new.txt", b"theirs")
        return True

    monkeypatch.setattr("typer.confirm", confirm)
    assert "Error:" in run("rollback", "@last", "1", code=1).stderr
    assert client.get_project(built)["revision"] == 3


def test_not_while_a_run_is_under_way(built, client):
    client.modify(built, "Add a field")
    result = run("rollback", "@last", "1", "--yes", code=1)
    assert "Error:" in result.stderr
    assert "Hint:" in result.stderr


# ---- files by hand ------------------------------------------------------------------------------


def test_put_takes_a_file_or_stdin_byte_for_byte(built, client, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "mine.bin").write_bytes(b"\x00\xff\r\n")
    mine = "docs/mine.bin"
    assert run("put", "@last", mine, "--as", "a b").stdout == "a b is in revision 3.\n"
    assert client.read_file(built, "a b") == b"\x00\xff\r\n"
    run("put", "@last", "-", "--as", "x.txt", input=b"one\r\n")
    assert client.read_file(built, "x.txt") == b"one\r\n"
    assert read("put", "@last", f"./{mine}")["path"] == mine


@pytest.mark.parametrize("source", ["-", "/etc/hostname", "../mine.txt"])
def test_put_asks_for_a_path_where_the_name_gives_none(built, client, source):
    assert "--as" in run("put", "@last", source, code=2).stderr
    assert client.get_project(built)["revision"] == 2


def test_put_says_what_is_wrong(built):
    assert "No such file" in run("put", "@last", "nothing.txt", code=2).stderr
    result = run("put", "@last", "-", "--as", "../x", input="x", code=1)
    assert "Error:" in result.stderr


def test_rm_removes_a_file_that_earlier_revisions_keep(built, client):
    assert run("rm", "@last", "logo.png").stdout == "logo.png is no longer in revision 3.\n"
    assert sorted(client.files(built)) == ["main.py"]
    assert client.read_file(built, "logo.png", revision=2)
    run("rm", "@last", "logo.png", code=3)
    client.write_file(built, "b.md", b"b")
    assert read("rm", "@last", "main.py")["file"] is None
    assert "last file" in run("rm", "@last", "b.md", code=1).stderr


def test_edit_stores_what_the_editor_left(built, client, editor, tmp_path):
    editor("file.write_text(file.read_text() + 'print(3)\\n')")
    assert run("edit", "@last", "main.py").stdout == "main.py is in revision 3.\n"
    assert client.read_file(built, "main.py") == b"print(2)\nprint(3)\n"
    assert list(tmp_path.glob("agenticai-*")) == []


def test_edit_without_a_change_stores_nothing(built, client, editor, tmp_path):
    editor("")
    assert "left as it was" in run("edit", "@last", "main.py").stdout
    assert client.get_project(built)["revision"] == 2
    assert list(tmp_path.glob("agenticai-*")) == []


def test_edit_keeps_line_ends(built, client, editor):
    client.write_file(built, "dos.txt", b"one\r\ntwo\r\n")
    editor("file.write_bytes(file.read_bytes().replace(b'two', b'2'))")
    run("edit", "@last", "dos.txt")
    assert client.read_file(built, "dos.txt") == b"one\r\n2\r\n"


def test_edit_never_overwrites_what_came_between_and_keeps_the_text(
    built, client, editor, tmp_path
):
    code = "import urllib.request, os\n"
    code += "request = urllib.request.Request(\n"
    code += f"    os.environ['AGENTICAI_API_URL'] + '/api/projects/{built}/files/other.txt',\n"
    code += "    b'theirs', {'X-API-Key': os.environ['AGENTICAI_API_KEY']}, method='PUT')\n"
    code += "urllib.request.urlopen(request)\nfile.write_text('mine')"
    editor(code)
    result = run("edit", "@last", "main.py", code=1)
    assert client.read_file(built, "main.py") == TREES[1]["main.py"]
    (kept,) = tmp_path.glob("agenticai-*/main.py")
    assert str(kept) in result.stderr
    assert kept.read_text() == "mine"
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("code", "path", "said"),
    [
        ("sys.exit(3)", "main.py", "ended with 3"),
        ("file.write_bytes(bytes([255]))", "main.py", "no text any more"),
        ("", "logo.png", "not a text"),
    ],
)
def test_edit_that_cannot_be_stored(built, client, editor, code, path, said):
    editor(code)
    assert said in run("edit", "@last", path, code=1).stderr
    assert client.get_project(built)["revision"] == 2


def test_an_editor_that_is_not_there(built, editor, monkeypatch):
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    result = run("edit", "@last", "main.py", code=1)
    assert "/no/such/editor" in result.stderr
    assert "agenticai put" in result.stderr


# ---- documentation ------------------------------------------------------------------------------


def test_docs_as_markdown_page_and_json(built, monkeypatch):
    assert run("docs", "@last").stdout.startswith("# Salon")
    assert "<!doctype html>" in run("docs", "@last", "--html").stdout.lower()
    assert read("docs", "@last")["markdown"].startswith("# Salon")
    assert "\x1b[" in on_a_terminal(monkeypatch, "docs", "@last")


# ---- the account --------------------------------------------------------------------------------


def test_who_one_is(client):
    shown = run("whoami").stdout
    for part in ("me", "test", "read, write, admin", "100 a second", "never"):
        assert part in shown
    assert read("whoami")["owner_id"] == "me"


def test_usage_of_a_month(client):
    shown = run("usage", "--month", "2025-01").stdout
    assert "2025-01" in shown
    assert "0.0000" in shown
    assert read("usage")["projects"] == []
    assert "month" in run("usage", "--month", "last", code=2).stderr


def test_a_rotated_key_lets_the_old_one_end(client):
    made = read("keys", "create", "ci", "--scope", "read")
    rotated = run("keys", "rotate", made["key"]["id"], "--overlap", "0")
    secret = rotated.stdout.strip()
    assert "The old one is good until" in rotated.stderr
    run("list", "--api-key", secret)
    result = run("list", "--api-key", made["secret"], code=4)
    assert "Hint:" in result.stderr
    again = read("keys", "rotate", read("keys", "list")["keys"][0]["id"])
    assert again["replaced"]["expires_at"]
    assert "Expires" in run("keys", "list").stdout
