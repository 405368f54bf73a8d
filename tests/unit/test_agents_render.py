"""Dev renders a template in the sandbox, Ops keeps what it brings, QA tells what it cannot run."""

import json
from typing import Any

import pytest
from tests.fakes.models import ScriptedModel
from tests.fakes.work import FakeWork, make_project

from agenticai_core.content import put_document, put_plan, put_tree, read_manifest, read_tree
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import Action, EventDraft, Scores, TestReport
from agenticai_core.plans import Plan
from agenticai_core.templates import builtin, rendering
from agenticai_core.templates.models import Template, TemplateFile, TemplateSnapshot
from agenticai_worker.agents import AGENTS, Tools
from agenticai_worker.agents.qa import find_unverifiable
from agenticai_worker.agents.render import RENDER_SECONDS
from agenticai_worker.llm.template.model import TemplateModel
from agenticai_worker.sandbox.base import Command, Finished
from agenticai_worker.sandbox.local import LocalSandbox, SandboxBroken
from agenticai_worker.work import PermanentFailure, TransientFailure

AT = "2026-01-01T00:00:00.000000Z"


@pytest.fixture(scope="module")
def sandbox() -> LocalSandbox:
    return LocalSandbox()


class Answering:
    """A sandbox that gives this instead of running anything."""

    level, missing = "strong", ()

    def __init__(self, **fields: Any) -> None:
        self.fields = {"exit_code": 0, "stdout": "", "stderr": "", "collected": {}, "seconds": 1.0}
        self.fields |= fields
        self.commands: list[Command] = []

    def run(self, command: Command) -> Finished:
        self.commands.append(command)
        return Finished(**self.fields)


def file(path: str, content: str = "", *, is_template: bool = True) -> TemplateFile:
    return TemplateFile(path=path, content=content, is_template=is_template)


def make_work(*files: TemplateFile, plan: str | None = None, **variables: str) -> FakeWork:
    template = Template(
        id="tmpl_1",
        owner_id="owner_1",
        name="Notes",
        description="Keeps notes.",
        category="api",
        type="api",
        tech_stack=("Python",),
        plan=plan,
        created_at=AT,
        updated_at=AT,
    )
    snapshot = TemplateSnapshot(template=template, files=files, variables=variables)
    store = MemoryFiles()
    key = put_document(store, "proj_1", snapshot)
    project = make_project(template_key=key, template_id="tmpl_1", name="Mine")
    return FakeWork(ScriptedModel(()), Action.RENDER, files=store, project=project)


def render(work: FakeWork, sandbox: Any) -> tuple[dict[str, str], Plan]:
    outcome = AGENTS[Action.RENDER](work, Tools(sandbox))
    tree = read_tree(work.files, "proj_1", read_manifest(work.files, outcome.outputs["manifest"]))
    plan = Plan.model_validate_json(work.files.get(outcome.outputs["plan"]))
    return {path: text.decode() for path, text in tree.items()}, plan


def failure_of(work: FakeWork, sandbox: Any) -> str:
    with pytest.raises(PermanentFailure) as failed:
        AGENTS[Action.RENDER](work, Tools(sandbox))
    assert failed.value.failure.code == "TEMPLATE_FAILED"
    assert work.events == []
    return failed.value.failure.message


def test_a_template_becomes_files_with_an_event_each(sandbox) -> None:
    work = make_work(
        file("{{ name | slug }}.py", "NAME = {{ name | quoted }}\n"),
        file("raw.txt", "{{ raw }}", is_template=False),
        name="Büro 1",
    )
    files, plan = render(work, sandbox)

    assert files == {"buro-1.py": 'NAME = "Büro 1"\n', "raw.txt": "{{ raw }}"}
    assert [(one["path"], one["n"], one["of"]) for one in work.told("file_written")] == [
        ("buro-1.py", 1, 2),
        ("raw.txt", 2, 2),
    ]
    assert (plan.name, plan.summary, plan.entities) == ("Mine", "Keeps notes.", ())
    assert [one.path for one in plan.files] == list(files)


def test_a_rerun_renders_nothing_again(sandbox) -> None:
    work = make_work(file("a", "b"))
    first = render(work, sandbox)
    idle = Answering()

    assert render(work, idle) == first
    assert idle.commands == []
    assert len(work.events) == 1


def test_a_templates_own_plan_is_rendered(sandbox) -> None:
    plan = '{"name": "x", "type": "web", "summary": {{ about | quoted }}, "database": "d"}'
    _, made = render(make_work(file("a", "b"), plan=plan, about='"Notes"'), sandbox)

    assert (made.summary, made.database) == ('"Notes"', "d")
    assert (made.name, made.type.value) == ("Mine", "api")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([file("ok"), file("a.txt", "x\n{{ absent }}")], "a.txt, line 2: 'absent' is undefined"),
        ([file("{{ name }}")], "Unsafe path '../up'"),
        ([file("{{ name }}/b"), file("{{ name[:2] }}")], "Unsafe path"),
        ([file("{{ 'A' }}"), file("a")], "collides"),
        ([file("{% if 0 %}x{% endif %}")], "every file has an empty path"),
    ],
)
def test_what_is_wrong_is_told(sandbox, files, words) -> None:
    assert words in failure_of(make_work(*files, name="../up"), sandbox)


def test_a_template_that_never_ends_is_stopped(sandbox, monkeypatch) -> None:
    monkeypatch.setattr("agenticai_worker.agents.render.RENDER_SECONDS", 1.0)
    forever = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"

    assert "(timeout)" in failure_of(make_work(file("a", forever)), sandbox)


def test_a_template_that_fills_the_memory_is_stopped(sandbox) -> None:
    much = "{% set ns = namespace(s='x' * 1000) %}{% for i in range(60) %}"
    much += "{% set ns.s = ns.s ~ ns.s %}{% endfor %}"

    assert failure_of(make_work(file("a", much)), sandbox)


def test_a_template_cannot_get_out_of_its_language(sandbox) -> None:
    escapes = [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ '{0.__class__.__init__.__globals__}'.format(joiner) }}",
        "{{ namespace.__init__.__globals__['os'] }}",
    ]
    for escape in escapes:
        assert "unsafe" in failure_of(make_work(file("a", escape)), sandbox)


def test_the_sandbox_is_bounded() -> None:
    idle = Answering(collected={rendering.RESULT: b'{"files": {"a": "b"}, "plan": null}'})
    render(make_work(file("a", "b")), idle)

    (command,) = idle.commands
    assert (command.timeout, command.memory_mb) == (RENDER_SECONDS, 512)
    assert set(command.files) == {"render.py", rendering.REQUEST}


@pytest.mark.parametrize(
    "result",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"files": [], "plan": null}',
        b'{"files": {"a": 1}, "plan": null}',
        b'{"files": {"a": "\\ud800"}, "plan": null}',
        b'{"files": {"a": "b"}, "plan": {}}',
        b'{"files": {"../a": "b"}, "plan": null}',
        b'{"error": "x"}',
        b"[" * 100_000,
    ],
)
def test_nothing_that_the_program_leaves_is_relied_on(result) -> None:
    sandbox = Answering(collected={rendering.RESULT: result}, stderr="Traceback\nMemoryError\n")

    assert failure_of(make_work(file("a", "b")), sandbox)


def test_a_broken_sandbox_says_nothing_about_the_template() -> None:
    class Broken(Answering):
        def run(self, command: Command) -> Finished:
            raise SandboxBroken("no space")

    with pytest.raises(TransientFailure, match="no space"):
        AGENTS[Action.RENDER](make_work(file("a")), Tools(Broken()))


def test_a_weak_sandbox_is_refused() -> None:
    class Weak(Answering):
        level = "none"

    with pytest.raises(PermanentFailure, match="sandbox only"):
        AGENTS[Action.RENDER](make_work(file("a")), Tools(Weak(), "basic"))


# ---- packaging ----------------------------------------------------------------------------------


def package(tree: dict[str, str], plan: Plan) -> dict[str, str]:
    files = MemoryFiles()
    inputs = {
        "plan": put_plan(files, "proj_1", plan),
        "manifest": put_tree(files, "proj_1", {path: text.encode() for path, text in tree.items()}),
    }
    project = make_project(template_key="t")
    work = FakeWork(TemplateModel(), Action.PACKAGE, inputs, files=files, project=project)
    outcome = AGENTS[Action.PACKAGE](work, Tools(Answering()))
    made = read_tree(files, "proj_1", read_manifest(files, outcome.outputs["manifest"]))
    return {path: text.decode() for path, text in made.items()}


def test_nothing_is_added_to_a_template_of_another_kind() -> None:
    tree = {"index.html": "x"}

    assert package(tree, Plan(name="n", type="web", summary="s")) == tree


def test_a_service_keeps_its_own_packaging_and_gets_what_is_missing() -> None:
    plan = next(one.plan for one in builtin.load_builtins() if one.id == "rest-api-fastapi")
    values = {"project_name": "N", "db_name": "d", "project_description": ""}
    text = rendering.render({"files": [], "plan": plan, "variables": values})["plan"]
    made = package({"Dockerfile": "FROM mine\n"}, Plan.model_validate_json(text))

    assert made["Dockerfile"] == "FROM mine\n"
    assert "/data/d.db" in made["DEPLOYMENT.md"]


# ---- tests that cannot be run -------------------------------------------------------------------

NODE = json.dumps({"scripts": {"test": "vitest run"}}).encode()


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"package.json": NODE, "src/a.ts": b""}, "Node.js"),
        ({"package.json": NODE, "scripts/build.py": b""}, "Node.js"),
        ({"index.html": b"<p>", "style.css": b""}, "static site"),
    ],
)
def test_projects_of_another_kind_are_unverifiable(tree, words) -> None:
    assert words in (find_unverifiable(tree) or "")


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"main.py": b""},
        {"package.json": NODE, "tests/test_a.py": b""},
        {"package.json": NODE, "a_test.py": b""},
        {"index.html": b"", "main.py": b""},
        {"package.json": b"{}"},
        {"package.json": b"["},
        {"package.json": b'{"scripts": {"test": ""}}'},
        {"package.json": b'{"scripts": ["test"]}'},
        {"README.md": b""},
    ],
)
def test_all_others_have_to_pass_tests(tree) -> None:
    assert find_unverifiable(tree) is None


def test_unverifiable_is_told_and_never_counted_as_passed() -> None:
    files = MemoryFiles()
    inputs = {"manifest": put_tree(files, "proj_1", {"package.json": NODE})}
    work = FakeWork(ScriptedModel(()), Action.TEST, inputs, files=files)
    outcome = AGENTS[Action.TEST](work, Tools(Answering()))

    assert (outcome.tests_passed, outcome.tests_unverifiable) == (None, True)
    assert outcome.scores == Scores()
    assert outcome.test_results["passed"] == 0
    assert "Unverifiable" in outcome.test_results["reason"]
    report = TestReport.model_validate_json(files.get(outcome.outputs["report"]))
    assert not report.ok
    told: list[EventDraft] = work.events
    assert [one.type for one in told] == ["tests_started", "tests_unverifiable"]


def test_even_a_report_full_of_passed_tests_is_not_ok_when_it_is_unverifiable() -> None:
    assert TestReport(passed=3).ok
    assert not TestReport(passed=3, unverifiable="no Node.js").ok
