"""What a user wants beside the description: packages, a platform, an environment."""

from typing import Any

import pytest
import yaml
from tests.fakes.work import FakeWork, make_modification, make_project
from tests.unit.engine_render import plans

from agenticai_core.content import read_manifest, read_tree
from agenticai_core.models import Action, DeploymentConfig, Outcome, Project
from agenticai_core.plans import Plan
from agenticai_worker.agents import AGENTS
from agenticai_worker.llm.template.model import TemplateModel
from agenticai_worker.llm.template.write.project import render, render_platform
from agenticai_worker.llm.template.write.versions import AUTH, RUNTIME
from agenticai_worker.llm.template.write.wanted import is_python, requirements, with_wanted

PLAN: Plan = next(iter(plans.ALL.values())).model_copy(update={"features": ()})


class House:
    """One project through PM, Dev and Ops."""

    def __init__(self, **wishes: Any) -> None:
        described = {"description": "Shelves hold books. A book has a title and a price."}
        self.project: Project = make_project(**described | wishes)
        self.inputs: dict[str, str] = {}
        self.work = FakeWork(TemplateModel(), project=self.project)
        for action in (Action.PLAN, Action.GENERATE, Action.PACKAGE):
            self.run(action)

    def run(self, action: Action, request: str = "") -> Outcome:
        self.work = FakeWork(
            TemplateModel(),
            action,
            self.inputs,
            files=self.work.files,
            project=self.project,
            modification=make_modification(request) if request else None,
        )
        outcome = AGENTS[action](self.work, None)  # type: ignore[arg-type]
        assert outcome.failure is None
        self.inputs |= outcome.outputs
        return outcome

    @property
    def tree(self) -> dict[str, str]:
        manifest = read_manifest(self.work.files, self.inputs["manifest"])
        tree = read_tree(self.work.files, self.project.id, manifest)
        return {path: content.decode() for path, content in tree.items()}

    @property
    def plan(self) -> Plan:
        return Plan.model_validate_json(self.work.files.get(self.inputs["plan"]))


# ---- packages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ("celery", "celery"),
        ("celery>=5,<6", "celery>=5,<6"),
        ("FastAPI", f"fastapi=={RUNTIME['fastapi']}"),
        ("fastapi>=0.1", f"fastapi=={RUNTIME['fastapi']}"),
        ("uvicorn[standard]", f"uvicorn[standard]=={RUNTIME['uvicorn']}"),
    ],
)
def test_a_wanted_package_has_one_line(wanted: str, line: str) -> None:
    lines = requirements(RUNTIME, [wanted]).splitlines()

    assert line in lines
    assert len(lines) == len(RUNTIME) + (wanted.startswith("celery"))


@pytest.mark.parametrize("wanted", ["@angular/core", "react", "vue@3", "express@^4.0.0"])
def test_what_is_no_python_package_is_left_out(wanted: str) -> None:
    assert not is_python(wanted)
    assert requirements(RUNTIME, [wanted]) == requirements(RUNTIME, [])
    assert "Left out" in with_wanted(PLAN, (wanted,)).assumptions[-1]


def test_assumptions_name_what_no_code_uses() -> None:
    plan = with_wanted(PLAN, ("fastapi", "celery", "pyjwt", "pytest"))

    assert plan.dependencies == ("fastapi", "celery", "pyjwt", "pytest")
    assert "celery, pyjwt. The built-in engine" in plan.assumptions[-1]
    assert with_wanted(PLAN, ("fastapi",)).assumptions == PLAN.assumptions
    secure = PLAN.model_copy(update={"features": ("authentication",)})
    assert with_wanted(secure, tuple(AUTH)).assumptions == PLAN.assumptions


def test_wanted_packages_reach_the_project_and_stay_through_a_change() -> None:
    house = House(dependencies=("celery", "@angular/core"))

    assert "celery\n" in house.tree["requirements.txt"]
    assert "angular" not in house.tree["requirements.txt"]
    assert not any("celery" in text for path, text in house.tree.items() if path.endswith(".py"))
    assert any("celery" in note for note in house.plan.assumptions)
    house.run(Action.ANALYZE, "Add user authentication")
    house.run(Action.APPLY, "Add user authentication")
    assert "celery\n" in house.tree["requirements.txt"]
    assert "pyjwt==" in house.tree["requirements.txt"]


def test_only_the_requirements_and_the_readme_know_of_them() -> None:
    with_celery = PLAN.model_copy(update={"dependencies": ("celery",)})
    before, after = render(PLAN), render(with_celery)

    assert [path for path in after if before[path] != after[path]] == ["requirements.txt"]


# ---- platforms ----------------------------------------------------------------------------------


def test_docker_is_packaged_as_ever() -> None:
    tree = House().tree

    assert {"Dockerfile", ".dockerignore", "compose.yaml", "DEPLOYMENT.md"} <= set(tree)
    assert not [path for path in tree if path.startswith("copilot") or ".env" in path]


def test_aws_gets_a_manifest_with_names_and_no_values() -> None:
    house = House(
        deployment_config=DeploymentConfig(platform="aws", region="eu-west-1"),
        environment=("PORT", "SMTP_PASSWORD"),
    )

    text = house.tree["copilot/api/manifest.yml"]
    manifest = yaml.safe_load(text)
    assert manifest["type"] == "Load Balanced Web Service"
    assert manifest["image"] == {"build": "Dockerfile", "port": 8000}
    assert manifest["http"] == {"path": "/", "healthcheck": {"path": "/health"}}
    assert manifest["variables"] == {"AWS_DEFAULT_REGION": "eu-west-1"}
    root = "/copilot/${COPILOT_APPLICATION_NAME}/${COPILOT_ENVIRONMENT_NAME}/secrets"
    assert manifest["secrets"] == {n: f"{root}/{n}" for n in ("PORT", "SMTP_PASSWORD")}
    assert "--region eu-west-1" in text


def test_a_login_has_its_secret_too() -> None:
    plan = PLAN.model_copy(update={"features": ("authentication",)})
    files = render_platform(plan, DeploymentConfig(platform="aws"), ())

    assert list(yaml.safe_load(files["copilot/api/manifest.yml"])["secrets"]) == ["AUTH_SECRET"]
    plain = render_platform(PLAN, DeploymentConfig(platform="aws"), ())
    assert "secrets" not in yaml.safe_load(plain["copilot/api/manifest.yml"])


def test_an_example_of_the_environment_has_names_alone() -> None:
    lines = House(environment=("PORT", "SMTP_PASSWORD")).tree[".env.example"].splitlines()

    assert [line for line in lines if not line.startswith("#")] == ["PORT=", "SMTP_PASSWORD="]


# ---- impact -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "risk"),
    [
        ("Log all requests", "low"),
        ("Add an optional note to books", "medium"),  # much relies on the model
        ("Add user authentication", "high"),
        ("Remove the price from books", "high"),
    ],
)
def test_an_impact_says_everything(request_: str, risk: str) -> None:
    impact = House().run(Action.ANALYZE, request_).impact

    assert impact is not None
    assert impact.understood
    assert (impact.summary, impact.steps) != ("", ())
    assert impact.affected_files
    assert impact.estimated_time.startswith("about ")
    assert impact.risk_level == risk


def test_a_rejected_analysis_starts_from_the_plan_before_it() -> None:
    house = House()
    before = house.inputs["plan"]
    house.run(Action.ANALYZE, "Add user authentication")

    house.inputs["feedback"] = "Log all requests"
    impact = house.run(Action.ANALYZE, "Add user authentication").impact

    assert house.inputs["old_plan"] == before
    assert set(house.plan.features) == {"authentication", "request_logging"}
    assert impact is not None
    assert len(impact.steps) == 2
