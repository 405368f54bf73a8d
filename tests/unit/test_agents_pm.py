"""PM: plans that can be carried out, and impacts that name real files."""

import pytest
from tests.fakes.models import ScriptedModel
from tests.fakes.notes import ANALYSIS, FILES, PLAN, REQUEST
from tests.fakes.work import FakeWork, make_modification, make_project

from agenticai_core.content import put_plan, put_tree
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import Action, Impact, ProjectType
from agenticai_core.plans import Analysis, Plan, PlannedFile
from agenticai_worker.agents import AGENTS
from agenticai_worker.agents.pm import find_impact_problem, find_plan_problem
from agenticai_worker.work import PermanentFailure

TOOLS = None  # the PM uses none


def plan_with(*paths: str) -> Plan:
    files = tuple(PlannedFile(path=path, purpose="x") for path in paths)
    return PLAN.model_copy(update={"files": files})


def analyze(replies, tree=FILES) -> tuple[object, FakeWork]:
    files = MemoryFiles()
    inputs = {
        "plan": put_plan(files, "proj_1", PLAN),
        "manifest": put_tree(files, "proj_1", {p: t.encode() for p, t in tree.items()}),
    }
    work = FakeWork(
        ScriptedModel(replies),
        Action.ANALYZE,
        inputs,
        files=files,
        modification=make_modification(REQUEST),
    )
    return AGENTS[Action.ANALYZE](work, TOOLS), work


def impact(**changes: object) -> Analysis:
    return ANALYSIS.model_copy(update={"impact": ANALYSIS.impact.model_copy(update=changes)})


# ---- planning -----------------------------------------------------------------------------------


def test_a_plan_is_stored_and_told() -> None:
    project = make_project(name="My notes", type=ProjectType.WEB)
    work = FakeWork(ScriptedModel([PLAN]), inputs={"feedback": "smaller"}, project=project)
    outcome = AGENTS[Action.PLAN](work, TOOLS)
    stored = Plan.model_validate_json(work.files.get(outcome.outputs["plan"]))
    assert (stored.name, stored.type) == ("My notes", ProjectType.WEB)
    assert stored.files == PLAN.files
    assert work.told("plan_ready") == [
        {
            "summary": PLAN.summary,
            "entities": ["Note"],
            "files": list(FILES),
            "assumptions": ["Notes are kept in memory."],
            "not_covered": [],
        }
    ]
    assert work.prompts[0].values["feedback"] == "smaller"
    assert work.prompts[0].values["description"] == project.description


def test_a_rerun_asks_no_model_and_gives_the_same_plan() -> None:
    work = FakeWork(ScriptedModel([PLAN]))
    first = AGENTS[Action.PLAN](work, TOOLS)
    assert AGENTS[Action.PLAN](work, TOOLS) == first
    assert len(work.prompts) == 1


def test_a_plan_that_cannot_be_carried_out_is_asked_for_again() -> None:
    work = FakeWork(ScriptedModel([plan_with("app/main.py"), plan_with("../x", "test_a.py"), PLAN]))
    AGENTS[Action.PLAN](work, TOOLS)
    assert "holds no test" in work.prompts[1].complaint
    assert "Unsafe path" in work.prompts[2].complaint


@pytest.mark.parametrize(
    ("paths", "problem"),
    [
        ((), "empty"),
        (("a.py", "a.py", "tests/test_a.py"), "twice"),
        (("/etc/passwd", "tests/test_a.py"), "Unsafe path"),
        (("a.py", "A.py", "tests/test_a.py"), "collides"),
        (("app", "app/main.py", "tests/test_a.py"), "folder"),
        (tuple(f"tests/test_{n}.py" for n in range(200)), "at most"),
    ],
)
def test_plans_that_cannot_be_carried_out(paths: tuple[str, ...], problem: str) -> None:
    assert problem in (find_plan_problem(plan_with(*paths)) or "")


# ---- modifications ------------------------------------------------------------------------------


def test_an_impact_is_stored_and_told_before_anything_changes() -> None:
    outcome, work = analyze([ANALYSIS])
    assert outcome.failure is None
    assert outcome.impact == ANALYSIS.impact
    assert outcome.outputs["old_plan"] == work.task.inputs["plan"]
    assert Plan.model_validate_json(work.files.get(outcome.outputs["plan"])) == ANALYSIS.plan
    stored = Impact.model_validate_json(work.files.get(outcome.outputs["impact"]))
    assert stored == ANALYSIS.impact
    (told,) = work.told("impact_ready")
    assert told["affected_files"] == ["app/main.py", "tests/test_notes.py"]
    assert told["new_files"] == ["app/colours.py"]
    assert "manifest" not in outcome.outputs


def test_what_is_not_understood_ends_with_the_reason() -> None:
    no = Analysis(impact=Impact(understood=False, reason="Do you mean tags?"))
    outcome, work = analyze([no])
    assert outcome.failure.code == "REQUEST_NOT_UNDERSTOOD"
    assert outcome.failure.message == "Do you mean tags?"
    assert outcome.failure.hint
    assert outcome.outputs == {}
    assert work.events == []


def test_an_impact_on_files_that_do_not_exist_is_asked_for_again() -> None:
    outcome, work = analyze([impact(affected_files=("app/gone.py",)), ANALYSIS])
    assert "app/gone.py" in work.prompts[1].complaint
    assert outcome.impact == ANALYSIS.impact


def test_three_impossible_impacts_end_the_task() -> None:
    with pytest.raises(PermanentFailure) as caught:
        analyze([impact(new_files=("../x",))] * 3)
    assert caught.value.failure.code == "MODEL_REPLY_UNUSABLE"


@pytest.mark.parametrize(
    ("analysis", "problem"),
    [
        (impact(affected_files=(), new_files=()), "no file"),
        (impact(new_files=("app/main.py",)), "exist already"),
        (impact(new_files=("README.md/x",)), "folder"),
        (impact(new_files=("a/../b",)), "Unsafe path"),
        (ANALYSIS.model_copy(update={"plan": None}), "`plan` is missing"),
        (Analysis(impact=Impact(understood=False)), "reason"),
    ],
)
def test_impacts_that_cannot_be_carried_out(analysis: Analysis, problem: str) -> None:
    assert problem in (find_impact_problem(analysis, FILES) or "")


def test_the_risk_is_not_low_where_much_relies_on_what_changes() -> None:
    users = {f"app/user{n}.py": "from app import main\n" for n in range(10)}
    outcome, work = analyze([ANALYSIS], {**FILES, **users})
    assert outcome.impact.risk_level == "medium"
    assert work.told("impact_ready")[0]["dependants"] == sorted(users)
