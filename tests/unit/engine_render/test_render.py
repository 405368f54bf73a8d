"""Every file of every project parses, is clean, and is the same each time."""

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.unit.engine_render import plans

from agenticai_core.paths import check_collisions, safe_path
from agenticai_core.plans import Plan
from agenticai_worker.edits import MAX_FILES
from agenticai_worker.llm.template.write import project as engine
from agenticai_worker.llm.template.write.purposes import purpose_of
from agenticai_worker.llm.template.write.spec import make_spec
from agenticai_worker.llm.template.write.versions import AUTH, RUNTIME, TESTING

RUFF = str(Path(sys.executable).parent / "ruff")


def render_all(plan: Plan) -> Mapping[str, str]:
    return {**engine.render(plan), **engine.render_deployment(plan)}


def find_faults(tree: Mapping[str, str], folder: Path) -> str:
    """What ruff finds in the tree: syntax, unknown and unused names."""
    for path, text in tree.items():
        if path.endswith(".py"):
            ast.parse(text, path)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    command = [RUFF, "check", "--isolated", "--no-cache", "--select=E9,F", "--quiet", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout


@pytest.mark.parametrize("name", plans.ALL)
def test_projects_are_sound(name: str, tmp_path: Path) -> None:
    tree = render_all(plans.ALL[name])
    assert find_faults(tree, tmp_path) == ""
    assert all(safe_path(path) == path for path in tree)
    check_collisions(tree)
    assert len(tree) <= MAX_FILES


@pytest.mark.parametrize("name", plans.ALL)
def test_the_same_plan_gives_the_same_files(name: str) -> None:
    first = dict(engine.render(plans.ALL[name]))
    engine._render.cache_clear()
    assert dict(engine.render(plans.ALL[name])) == first


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plans.random_plans())
def test_random_plans_give_sound_projects(
    tmp_path_factory: pytest.TempPathFactory, plan: Plan
) -> None:
    tree = render_all(plan)
    assert find_faults(tree, tmp_path_factory.mktemp("random")) == ""
    check_collisions(tree)


def test_files_are_told_what_they_are_for() -> None:
    tree = engine.render(plans.RULED)
    assert [path for path in tree if purpose_of(path) == "Part of the project"] == []


@pytest.mark.parametrize("packages", [RUNTIME, AUTH, TESTING])
def test_versions_are_those_of_the_sandbox(repo_root: Path, packages: dict[str, str]) -> None:
    lock = (repo_root / "requirements" / "sandbox.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.M))
    assert {name: locked.get(name) for name in packages} == packages


def test_entities_never_take_the_place_of_the_services_own_modules() -> None:
    health, auth, report = (
        plans.entity("Health", "health", plans.field("name")),
        plans.entity("Auth", "auth", plans.field("name")),
        plans.entity("Report", "reports", plans.field("name")),
    )
    count = plans.Report(name="all", kind="count_by", entity="Auth", group_by=("name",))
    plan = plans.plan("Clash", health, auth, report, reports=(count,), features=("authentication",))
    tree = engine.render(plan)
    assert "SELECT 1" in tree["app/routers/health.py"]
    assert "/login" in tree["app/routers/auth.py"]
    assert "/all" in tree["app/routers/reports.py"]
    prefixes = re.findall(r'prefix="(/\w+)"', "".join(tree.values()))
    assert len(set(prefixes)) == len(prefixes)


def test_a_circle_of_required_references_is_broken_once() -> None:
    things = {thing.name: thing for thing in make_spec(plans.RELATED).things}
    circle = [
        things["Chicken"].column("egg").nullable,
        things["Egg"].column("mother").nullable,
    ]
    assert sorted(circle) == [False, True]


@pytest.mark.parametrize("name", plans.ALL)
def test_readme_tables_and_commands_are_whole(name: str) -> None:
    readme = engine.render(plans.ALL[name])["README.md"]
    for line in readme.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")
            assert len(re.findall(r"(?<!\\)\|", line)) == 4
    for shell in re.findall(r"```sh\n(.*?)```", readme, re.S):
        subprocess.run(["sh", "-n"], input=shell, text=True, check=True)


def test_readme_says_what_was_assumed_and_left_out() -> None:
    readme = engine.render(plans.RULED)["README.md"]
    assert "A boat has one owner." in readme
    assert "A map of the harbour" in readme
    assert "One boat, one party" in readme
