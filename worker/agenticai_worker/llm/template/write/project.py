"""The whole project that a plan describes, as a tree of files."""

import functools
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import jinja2

from agenticai_core.models import DeploymentConfig
from agenticai_core.plans import Plan
from agenticai_worker.llm.template.write import entities, moves, names, samples
from agenticai_worker.llm.template.write.figures import Figure, figures_of
from agenticai_worker.llm.template.write.lines import FILTERS
from agenticai_worker.llm.template.write.readme import readme_values
from agenticai_worker.llm.template.write.spec import Project, make_spec
from agenticai_worker.llm.template.write.versions import AUTH, RUNTIME, TESTING
from agenticai_worker.llm.template.write.wanted import requirements

_BLUEPRINTS = Path(__file__).resolve().parents[1] / "blueprints"
_RUFF = ("--isolated", "--line-length=100", "--target-version=py311", "--quiet")


def render(plan: Plan) -> Mapping[str, str]:
    """Path -> content of every file that Dev writes. The same plan gives the same files."""
    return _render(plan.model_copy(update={"files": ()}).model_dump_json())


def render_deployment(plan: Plan) -> Mapping[str, str]:
    """Path -> content of the files that Ops adds."""
    project = make_spec(plan)
    return {
        name: _fill(project, f"deployment/{name}.j2")
        for name in ("Dockerfile", ".dockerignore", "compose.yaml", "DEPLOYMENT.md")
    }


def render_platform(
    plan: Plan, deployment: DeploymentConfig, environment: Sequence[str]
) -> Mapping[str, str]:
    """Path -> content of the files that Ops adds for a platform, and for the variables that the
    user has set; ``environment`` has their names."""
    project = make_spec(plan)
    secrets = sorted({*environment, *(["AUTH_SECRET"] if project.auth else [])})
    values = {"region": deployment.region, "environment": environment, "secrets": secrets}
    return {
        "copilot/api/manifest.yml": _fill(project, "deployment/manifest.yml.j2", **values),
        ".env.example": _fill(project, "deployment/.env.example.j2", **values),
    }


@functools.lru_cache(maxsize=64)
def _render(plan_json: str) -> Mapping[str, str]:
    project = make_spec(Plan.model_validate_json(plan_json))
    return _tidy(dict(_files(project)))


def _files(project: Project) -> Iterator[tuple[str, str]]:
    def fill(blueprint: str, **values: object) -> str:
        return _fill(project, blueprint, **values)

    figures = figures_of(project)
    yield "main.py", fill("main.py.j2")
    for package in ("app", "app/schemas", "app/services", "app/routers", "tests"):
        yield f"{package}/__init__.py", ""
    for name in ("config", "database", "errors", "rows", "models/base", "schemas/base"):
        yield f"app/{name}.py", fill(f"app/{name}.py.j2")
    yield "app/application.py", fill("app/application.py.j2", reports=figures)
    exported = sorted(
        [name for thing in project.things for name in entities.exports(thing)]
        + [link.table for link in project.links]
    )
    yield (
        "app/models/__init__.py",
        fill("app/models/__init__.py.j2", exports=exported, exports_of=entities.exports),
    )
    if project.links:
        yield "app/models/links.py", fill("app/models/links.py.j2")
    for thing in project.things:
        yield from entities.entity_files(thing, fill)
    yield "app/routers/health.py", fill("app/routers/health.py.j2")
    if figures:
        yield from _report_files(project, figures)
    yield from _feature_files(project, figures)
    yield "tests/conftest.py", fill("tests/conftest.py.j2")
    yield (
        "tests/samples.py",
        fill("tests/samples.py.j2", sample=samples.sample, numbered=samples.numbered),
    )
    yield "tests/test_service.py", fill("tests/test_service.py.j2")
    needed = RUNTIME | (AUTH if project.auth else {})
    yield "requirements.txt", requirements(needed, project.plan.dependencies)
    yield "requirements-dev.txt", "-r requirements.txt\n" + requirements(TESTING, ())
    yield "pytest.ini", fill("pytest.ini.j2")
    yield ".gitignore", fill(".gitignore.j2")
    yield "README.md", fill("README.md.j2", **readme_values(project, figures))


def _report_files(project: Project, figures: list[Figure]) -> Iterator[tuple[str, str]]:
    now = {
        figure.now.removesuffix("()")
        for figure in figures
        if figure.kind in ("upcoming", "overdue")
    }
    shown = {figure.thing.snake: figure.thing for figure in figures if figure.rows}
    grouped = [figure for figure in figures if not figure.rows and figure.kind != "below_minimum"]
    uses = {
        "today": sorted(now),
        "things": [shown[name] for name in sorted(shown)],
        "functions": {key.function for figure in grouped for key in figure.keys},
    }
    yield (
        "app/routers/reports.py",
        _fill(project, "app/routers/reports.py.j2", reports=figures, uses=uses),
    )
    cases = [samples.FigureCase(figure) for figure in figures]
    yield "tests/test_reports.py", _fill(project, "tests/test_reports.py.j2", reports=cases)


def _feature_files(project: Project, figures: list[Figure]) -> Iterator[tuple[str, str]]:
    if project.auth:
        yield "app/auth.py", _fill(project, "app/auth.py.j2")
        yield "app/routers/auth.py", _fill(project, "app/routers/auth.py.j2")
        yield "tests/test_auth.py", _fill(project, "tests/test_auth.py.j2", reports=figures)
    if project.request_log:
        yield "app/request_log.py", _fill(project, "app/request_log.py.j2")
        yield "tests/test_request_log.py", _fill(project, "tests/test_request_log.py.j2")


def _fill(project: Project, blueprint: str, **values: object) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", names.words(project.name)).strip("_") or "service"
    shared = {
        "project": project,
        "slug": project.plan.database or slug,
        "initial_value": moves.start_state,
    }
    return _environment().get_template(blueprint).render(**shared, **values)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_BLUEPRINTS),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (source code, not HTML)
    )
    environment.filters.update(FILTERS)
    return environment


def _tidy(tree: dict[str, str]) -> dict[str, str]:
    """Sort the imports, drop the unused ones and format, as a person's editor would."""
    with tempfile.TemporaryDirectory(prefix="agenticai-tidy-") as folder:
        root = Path(folder)
        for path, text in tree.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        rules_of_order = ("--select=I,F401,UP", "--fix", "--unfixable=F841", "--no-cache")
        _ruff(root, "check", *rules_of_order)
        _ruff(root, "format", "--no-cache")
        return {path: (root / path).read_text(encoding="utf-8") for path in tree}


def _ruff(root: Path, *arguments: str) -> None:
    program = shutil.which("ruff", path=str(Path(sys.executable).parent)) or "ruff"
    command = [program, arguments[0], *_RUFF, *arguments[1:], "."]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"ruff could not read what was written: {done.stderr[:2000]}")
