"""Each built-in template, rendered, and what it contains run as its README says."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.fakes import service_template

from agenticai_core.paths import check_collisions, safe_path
from agenticai_core.plans import Analysis
from agenticai_core.templates import rendering
from agenticai_core.templates.builtin import BuiltIn, load_builtins
from agenticai_core.templates.values import fill_in
from agenticai_worker.agents.qa import find_unverifiable
from agenticai_worker.llm.base import Prompt
from agenticai_worker.llm.template.model import TemplateModel
from agenticai_worker.sandbox.local import LocalSandbox
from agenticai_worker.sandbox.testrun import run_tests

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-sandbox" / "bin" / "python"
BUILTINS = {one.id: one for one in load_builtins()}
# Names that a careless template would turn into broken code.
NAMES = ("My API", "O'Brien & Söhne (2), v1.0+", "-- 日本")
GIVEN: Mapping[str, Mapping[str, str]] = {
    "rest-api-fastapi": {"db_name": "mydb"},
    "cli-tool": {"command": "text-kit"},
}
# Other values than the defaults, of every variable.
OTHER: Mapping[str, Mapping[str, str]] = {
    "rest-api-fastapi": {"db_name": "a", "project_description": "Keeps what's there; all of it."},
    "cli-tool": {"command": "zz", "project_description": "Does this, and that."},
    "data-pipeline": {"db_name": "store", "currency": "JPY", "python_version": "3.13"},
    "microservice-events": {"db_name": "x", "port": "9000", "python_version": "3.11"},
    "static-site": {
        "base_url": "https://example.test/docs",
        "project_description": "Ünïcode & more: it's fine.",
        "language": "de",
        "author": "A & B",
    },
    "web-app-react": {
        "project_description": "Ünïcode & more: it's fine.",
        "language": "de",
        "dev_port": "3000",
    },
}
CASES = [(id_, name) for id_ in BUILTINS for name in NAMES]
WITH_PYTHON = sorted(set(BUILTINS) - {"web-app-react"})


def render(
    builtin: BuiltIn, name: str = NAMES[0], values: Mapping[str, str] | None = None
) -> dict[str, str]:
    given = GIVEN.get(builtin.id, {}) if values is None else values
    request = {
        "files": [file.model_dump() for file in builtin.new.files],
        "plan": builtin.plan,
        "variables": fill_in(builtin.new.variables, name, given),
    }
    made: dict[str, str] = rendering.render(request)["files"]
    return made


def write(tree: Mapping[str, str], folder: Path) -> Path:
    for path, text in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def run(folder: Path, *command: str | Path, seconds: float = 100, **variables: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def sandbox() -> LocalSandbox:
    return LocalSandbox(str(PYTHON))


# ---- all of them --------------------------------------------------------------------------------


def test_all_of_them_are_there() -> None:
    assert set(BUILTINS) == {
        "cli-tool",
        "data-pipeline",
        "microservice-events",
        "rest-api-fastapi",
        "static-site",
        "web-app-react",
    }


@pytest.mark.parametrize(("id_", "name"), CASES)
def test_what_is_rendered_is_a_tree_that_can_be_stored(id_: str, name: str) -> None:
    tree = render(BUILTINS[id_], name)

    assert [safe_path(path) for path in tree] == list(tree)
    check_collisions(tree)
    assert {"README.md", ".gitignore"} <= tree.keys()
    for path, text in tree.items():
        assert "{%" not in text, path
        assert "{{ " not in text, path
        assert text == "" or text.endswith("\n"), path
    assert name in tree["README.md"]


@pytest.mark.parametrize("id_", BUILTINS)
def test_every_variable_changes_something(id_: str) -> None:
    builtin = BUILTINS[id_]
    base = render(builtin)

    assert set(OTHER.get(id_, {})) | {"project_name"} == {one.name for one in builtin.new.variables}
    for name, value in OTHER[id_].items():
        assert render(builtin, values={**GIVEN.get(id_, {}), name: value}) != base, name
    assert render(builtin, "Another") != base


@pytest.mark.parametrize("id_", WITH_PYTHON)
def test_python_is_clean(id_: str, tmp_path: Path) -> None:
    write(render(BUILTINS[id_], NAMES[1], OTHER[id_]), tmp_path)
    ruff = ROOT / ".venv" / "bin" / "ruff"
    own = [] if (tmp_path / "pyproject.toml").exists() else ["--isolated", "--line-length=100"]

    run(tmp_path, ruff, "check", "--no-cache", *own, ".")
    run(tmp_path, ruff, "format", "--no-cache", "--check", *own, ".")


@pytest.mark.parametrize("id_", sorted(set(WITH_PYTHON) - {"rest-api-fastapi", "static-site"}))
def test_python_is_typed(id_: str, tmp_path: Path) -> None:
    write(render(BUILTINS[id_]), tmp_path)
    mypy = ROOT / ".venv" / "bin" / "mypy"

    assert "Success" in run(tmp_path, mypy, "--python-executable", PYTHON, MYPYPATH="src:.")


@pytest.mark.parametrize("id_", WITH_PYTHON)
def test_its_tests_pass_where_the_service_runs_them(id_: str, sandbox: LocalSandbox) -> None:
    tree = {path: text.encode() for path, text in render(BUILTINS[id_], NAMES[1]).items()}
    report = run_tests(sandbox, tree, 100)

    assert find_unverifiable(tree) is None
    assert report.ok, report.output
    assert report.skipped == 0
    assert id_ == "static-site" or (report.coverage or 0) > 0.9


@pytest.mark.parametrize("id_", WITH_PYTHON)
def test_its_tests_pass_with_other_values(id_: str, tmp_path: Path) -> None:
    write(render(BUILTINS[id_], NAMES[2], OTHER[id_]), tmp_path)

    assert " passed" in run(tmp_path, PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider")


# ---- one by one ---------------------------------------------------------------------------------


def test_the_service_template_is_what_the_engine_writes() -> None:
    """After a change of the engine: ``python -m tests.fakes.service_template``."""
    root = service_template.FOLDER / "files"
    stored = {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in root.rglob("*")
        if path.is_file()
    }

    assert stored == service_template.template_files()


@pytest.mark.parametrize("name", [*NAMES, "x" * 60])
@pytest.mark.parametrize("values", [GIVEN["rest-api-fastapi"], OTHER["rest-api-fastapi"]])
def test_the_service_can_be_changed_by_the_engine(name: str, values: Mapping[str, str]) -> None:
    builtin = BUILTINS["rest-api-fastapi"]
    filled = fill_in(builtin.new.variables, name, values)

    assert render(builtin, name, values) == service_template.written(
        service_template.planned(filled)
    )


def test_a_change_of_the_service_is_what_was_asked_for_and_nothing_else() -> None:
    values = {"project_name": "My API", "db_name": "mydb", "project_description": "Keeps things."}
    plan = service_template.planned(values)
    asked = {"request": "Add a field weight in kg to items", "messages": (), "feedback": ""}
    prompt = Prompt("analyze", asked | {"plan": plan, "tree": service_template.written(plan)})
    analysis = TemplateModel().generate(prompt, Analysis).value

    assert analysis is not None
    assert analysis.plan is not None
    assert len(analysis.impact.steps) == 1
    assert "weight" in analysis.impact.summary
    assert (analysis.plan.database, analysis.plan.summary) == ("mydb", "Keeps things.")
    assert "README.md" in analysis.impact.affected_files
    assert "app/config.py" not in analysis.impact.affected_files


def test_the_command_runs(tmp_path: Path) -> None:
    write(render(BUILTINS["cli-tool"]), tmp_path)
    (tmp_path / "a.txt").write_text("one two\nthree\n")
    printed = run(tmp_path, PYTHON, "-m", "text_kit", "count", "--json", "a.txt", PYTHONPATH="src")

    assert json.loads(printed)["total"] == {"lines": 2, "words": 3, "bytes": 14}


def test_the_pipeline_runs(tmp_path: Path) -> None:
    write(render(BUILTINS["data-pipeline"]), tmp_path)
    for _ in range(2):
        printed = run(tmp_path, PYTHON, "-m", "pipeline", "data/orders.csv", PYTHONPATH="src")

        assert json.loads(printed) == {"loaded": 5, "rejected": 0}
    assert (tmp_path / "warehouse.db").exists()


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src") and value]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_link_of_the_site_leads_to_a_file() -> None:
    """By other eyes than the site's own tests, which could be wrong in the same way."""
    tree = render(BUILTINS["static-site"], NAMES[1], OTHER["static-site"])
    pages = [path for path in tree if path.endswith(".html")]
    for path in pages:
        parser = _Links()
        parser.feed(tree[path])
        parser.close()
        local = [link.split("#")[0] for link in parser.found if not link.startswith("#")]
        assert local
        assert {f"site/{link.lstrip('/')}" for link in local} <= tree.keys()
        assert NAMES[1] in parser.text
        assert "A & B" in parser.text
    assert len(pages) == 3


# ---- React --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def npm_cache() -> Path:
    """The packages that `requirements/setup-react` has fetched for exactly this lock."""
    if shutil.which("npm") is None:
        pytest.skip("Node.js is not installed, so the React template cannot be built")
    told = run(ROOT, ROOT / "requirements" / "setup-react", "--where").strip()
    assert (Path(told) / ".complete").exists(), "the packages are missing: requirements/setup-react"
    return Path(told)


def npm(folder: Path, cache: Path, *arguments: str) -> str:
    return run(folder, "npm", *arguments, seconds=300, npm_config_cache=str(cache))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_react_application_is_built_tested_and_clean(npm_cache: Path, tmp_path: Path) -> None:
    builtin = BUILTINS["web-app-react"]
    write(render(builtin, NAMES[1], OTHER["web-app-react"]), tmp_path)

    npm(tmp_path, npm_cache, "ci", "--offline", "--no-audit", "--no-fund")
    npm(tmp_path, npm_cache, "run", "build")
    assert " passed" in npm(tmp_path, npm_cache, "test")
    npm(tmp_path, npm_cache, "run", "lint")

    page = (tmp_path / "dist" / "index.html").read_text(encoding="utf-8")
    assert 'lang="de"' in page
    assert "<title>O&#39;Brien &amp; Söhne (2), v1.0+</title>" in page


def test_the_react_lock_names_no_address_to_download_from() -> None:
    lock = json.loads(render(BUILTINS["web-app-react"])["package-lock.json"])

    assert lock["name"] == lock["packages"][""]["name"] == "my-api"
    assert not [path for path, one in lock["packages"].items() if "resolved" in one]
    assert all("integrity" in one for path, one in lock["packages"].items() if path)


def test_the_react_application_is_unverifiable_here_and_said_to_be() -> None:
    tree = {path: text.encode() for path, text in render(BUILTINS["web-app-react"]).items()}

    assert "Node.js" in (find_unverifiable(tree) or "")
