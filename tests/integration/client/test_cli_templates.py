"""Templates and the audit log on the command line: what is read, sent and shown."""

import json
from pathlib import Path

import pytest

from agenticai_client.commands.templates import read_folder
from agenticai_core.templates.builtin import load_builtins

pytestmark = pytest.mark.usefixtures("alone")

BUILTIN = Path(__file__).parents[3] / "core/agenticai_core/templates/builtin"
TEMPLATE = {
    "id": "tpl_1",
    "builtin": False,
    "name": "Greeter\x1b[2J",
    "description": "Greets.\nWell.",
    "category": "cli",
    "type": "api",
    "variables": [
        {
            "name": "project_name",
            "description": "Its [bold]name[/bold]",
            "required": True,
            "default": None,
            "pattern": "[a-z]+",
            "choices": [],
        },
        {
            "name": "greeting",
            "description": "What it says",
            "required": False,
            "default": "Hello",
            "pattern": None,
            "choices": ["Hello", "Moin"],
        },
    ],
    "files": [{"path": "main.py", "content": "é" * 600, "is_template": False}],
}


@pytest.fixture
def folder(tmp_path):
    """A template with a file to render, one to take as it is, and a folder with a variable."""
    root = tmp_path / "mine"
    told = {"name": "Mine", "category": "cli", "renamed": {"src/package": "src/{{ command }}"}}
    files = {
        "template.json": json.dumps(told),
        "files/README.md.j2": "# {{ project_name }}\r\n",
        "files/src/package/main.py": "print('{{ no }}')\n",
        "files/__pycache__/main.pyc": "\0",
    }
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
    return root


def test_a_list_shows_what_to_begin_with(run, system):
    result = run(
        "templates",
        "list",
        "--category",
        "cli",
        "--tag",
        "python",
        "--limit",
        "5",
        answers=[{"templates": [TEMPLATE], "next_cursor": None}],
    )
    assert result.exit_code == 0
    head, line = result.stdout.splitlines()
    assert head.split() == ["ID", "Name", "Category", "Variables", "Whose"]
    assert line.split()[0] == "tpl_1"
    assert "project_name, greeting" in line
    assert "yours" in line
    assert "\x1b" not in result.stdout
    assert system.seen[0].query == {"category": "cli", "tag": "python", "limit": "5"}


def test_an_empty_list_says_so_beside_the_result(run):
    result = run("templates", "list", answers=[{"templates": [], "next_cursor": None}])
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No such templates." in result.stderr


def test_a_template_s_page_tells_what_it_wants_to_know(run, system):
    result = run("templates", "show", "tpl_1", answers=[{"template": TEMPLATE}])
    for part in ("Greeter [2J  (tpl_1)", "Greets.\nWell.", "[bold]name[/bold]", "1.2 kB"):
        assert part in result.stdout
    required, optional = (
        line.split() for line in result.stdout.splitlines() if line.startswith(("project_", "gree"))
    )
    assert required[:3] == ["project_name", "(required)", "[a-z]+"]
    assert optional[:4] == ["greeting", "Hello", "Hello,", "Moin"]
    assert "\x1b" not in result.stdout
    assert system.seen[0].path == "/api/templates/tpl_1"


def test_a_folder_becomes_a_template(run, system, folder):
    result = run("templates", "create", str(folder), answers=[{"template": TEMPLATE}])
    assert result.exit_code == 0, result.output
    assert result.stdout == "tpl_1\n"
    assert "agenticai new --template tpl_1" in result.stderr
    assert system.seen[0].body == {
        "name": "Mine",
        "category": "cli",
        "files": [
            {"path": "README.md", "content": "# {{ project_name }}\r\n", "is_template": True},
            {
                "path": "src/{{ command }}/main.py",
                "content": "print('{{ no }}')\n",
                "is_template": False,
            },
        ],
    }


@pytest.mark.parametrize("builtin", load_builtins(), ids=lambda builtin: builtin.id)
def test_a_built_in_one_s_folder_is_read_as_the_system_reads_it(builtin):
    read = read_folder(BUILTIN / builtin.id)
    expected = builtin.new.model_dump(mode="json")
    assert read.pop("files") == expected["files"]
    assert {name: expected[name] for name in read if name != "variables"} == {
        name: value for name, value in read.items() if name != "variables"
    }


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        ("template.json", b"{", "is not JSON"),
        ("template.json", b"[]", "is not a JSON object"),
        ("template.json", b'{"renamed": 1}', "is not an object of folder"),
        ("files/logo.png", b"\x89PNG", "is not UTF-8 text"),
    ],
)
def test_what_is_wrong_with_a_folder_is_told_before_anything_is_sent(
    run, system, folder, path, content, told
):
    (folder / path).write_bytes(content)
    result = run("templates", "create", str(folder))
    assert result.exit_code == 2
    assert told in " ".join(result.output.replace("│", " ").split())
    assert system.seen == []


@pytest.mark.parametrize("place", ["files/passwd", "files/src/all", "files"])
def test_nothing_is_read_through_a_link(run, system, folder, tmp_path, place):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("mine alone")
    target = folder / place
    if target.exists():
        target.rename(folder / "old")
    target.symlink_to(outside)
    result = run("templates", "create", str(folder))
    assert result.exit_code == 2
    assert "is a link" in " ".join(result.output.replace("│", " ").split())
    assert system.seen == []


def test_a_folder_without_template_or_files_is_none(run, system, tmp_path):
    assert "No such file" in run("templates", "create", ".").output
    (tmp_path / "template.json").write_text("{}")
    assert "files holds no files" in run("templates", "create", ".").output
    assert run("templates", "create", "nowhere").exit_code == 2
    assert system.seen == []


def test_delete_asks_by_name(run, system):
    result = run("templates", "delete", "tpl_1", answers=[{"template": TEMPLATE}], input="n\n")
    assert result.exit_code == 1
    assert "Delete the template Greeter [2J (tpl_1)?" in result.stderr
    assert [seen.method for seen in system.seen] == ["GET"]
    result = run("templates", "delete", "tpl_1", "--yes", answers=[{"template": TEMPLATE}])
    assert (result.exit_code, result.stdout) == (0, "Deleted tpl_1.\n")
    assert system.seen[-1].method == "DELETE"


def test_under_json_each_is_one_document(run):
    lists = {"templates": [TEMPLATE], "next_cursor": None}
    for args, answer in (
        (["list"], lists),
        (["show", "tpl_1"], {"template": TEMPLATE}),
        (["delete", "tpl_1", "--yes"], {"template": TEMPLATE}),
    ):
        result = run("templates", *args, "--json", answers=[answer])
        assert (result.exit_code, result.stderr) == (0, "")
        assert isinstance(json.loads(result.stdout), dict)


def test_the_audit_log_is_a_table(run, system):
    entry = {
        "id": "aud_1",
        "at": "2026-01-01T00:00:00Z",
        "action": "key_created",
        "key_id": None,
        "subject": "key_9",
        "details": {"name": "ci\x07", "scopes": ["read", "write"], "count": 2},
    }
    result = run("audit", "--limit", "3", answers=[{"entries": [entry], "next_cursor": None}])
    assert result.exit_code == 0
    line = result.stdout.splitlines()[1]
    assert "key created" in line
    assert "key_9" in line
    assert "name: ci ; scopes: read, write; count: 2" in line
    assert system.seen[0].query == {"limit": "3"}
    empty = run("audit", answers=[{"entries": [], "next_cursor": None}])
    assert (empty.stdout, empty.stderr) == ("", "Nothing yet.\n")
    again = run("audit", "--json", answers=[{"entries": [entry], "next_cursor": None}])
    assert json.loads(again.stdout) == {"entries": [entry]}


def test_the_audit_log_is_for_admins(run, system):
    system.refuse(403, "FORBIDDEN", message="This needs the scope admin")
    assert run("audit").exit_code == 4
