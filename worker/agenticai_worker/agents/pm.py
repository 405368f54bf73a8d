"""PM: turns a description into a plan, and a request into an impact that can be approved."""

from collections.abc import Mapping, Sequence

from agenticai_core.content import put_document, put_plan
from agenticai_core.errors import UnsafePath
from agenticai_core.models import EventDraft, Failure, Impact, Outcome
from agenticai_core.paths import check_collisions, safe_path
from agenticai_core.plans import Analysis, Plan
from agenticai_worker.agents.ask import ask_json
from agenticai_worker.agents.base import OUTPUT_TOKENS, Tools, read_text_tree
from agenticai_worker.edits import MAX_FILES
from agenticai_worker.imports import dependants, import_graph
from agenticai_worker.llm.base import Prompt
from agenticai_worker.work import PermanentFailure, Work

MAX_PLANNED_FILES = 150
_MANY_DEPENDANTS = 8


def plan(work: Work, tools: Tools) -> Outcome:  # noqa: ARG001 - every agent has this form
    """Plan the project; outputs ``plan``."""
    made = Plan.model_validate_json(
        work.unit(
            "plan",
            lambda: _make_plan(work).model_dump_json().encode(),
            lambda result: [_plan_ready(work, Plan.model_validate_json(result))],
        )
    )
    key = put_plan(work.files, work.project.id, made)
    return Outcome(outputs={"plan": key}, summary=made.summary)


def _make_plan(work: Work) -> Plan:
    project = work.project
    prompt = Prompt(
        "plan",
        {
            "name": project.name,
            "type": project.type.value,
            "description": project.description,
            "feedback": work.task.inputs.get("feedback", ""),
            "dependencies": project.dependencies,
            "environment": project.environment,
            "messages": project.messages,
        },
        max_output_tokens=2 * OUTPUT_TOKENS,
    )
    made = ask_json(work, prompt, Plan, find_plan_problem)
    fixed = {"name": project.name, "type": project.type, "dependencies": project.dependencies}
    return made.model_copy(update=fixed)


def find_plan_problem(plan: Plan) -> str | None:
    """What keeps a plan from being carried out, in words for the model, or None."""
    paths = [file.path for file in plan.files]
    if not paths:
        return "`files` is empty; list every file to write"
    if len(paths) > MAX_PLANNED_FILES:
        return f"`files` has {len(paths)} entries; at most {MAX_PLANNED_FILES} are possible"
    if len(set(paths)) < len(paths):
        return "`files` names a path twice"
    if not any(path.rsplit("/", 1)[-1].startswith("test_") for path in paths):
        return "`files` holds no test (tests/test_….py)"
    return _find_path_problem(paths)


def _find_path_problem(paths: Sequence[str]) -> str | None:
    try:
        for path in paths:
            if safe_path(path) != path:
                return f"the path {path!r} is not in its usual spelling"
        check_collisions(paths)
    except UnsafePath as error:
        return error.message
    return None


def _plan_ready(work: Work, plan: Plan) -> EventDraft:
    return work.event(
        "plan",
        "plan_ready",
        summary=plan.summary,
        entities=[entity.name for entity in plan.entities],
        files=[file.path for file in plan.files],
        assumptions=list(plan.assumptions),
        not_covered=list(plan.not_covered),
    )


# ---- modifications ------------------------------------------------------------------------------


def analyze(work: Work, tools: Tools) -> Outcome:  # noqa: ARG001 - every agent has this form
    """Say what a request would change; outputs ``old_plan``, ``plan`` and ``impact``.

    A request that is not understood ends the task with ``REQUEST_NOT_UNDERSTOOD`` before
    anything has changed.
    """
    tree = read_text_tree(work)
    analysis = Analysis.model_validate_json(
        work.unit(
            "analysis",
            lambda: _make_analysis(work, tree).model_dump_json().encode(),
            lambda result: _impact_events(work, tree, Analysis.model_validate_json(result)),
        )
    )
    impact, new_plan = analysis.impact, analysis.plan
    if not impact.understood or new_plan is None:
        return Outcome(failure=_not_understood(impact), impact=impact, summary=impact.reason)
    outputs = {
        "old_plan": work.task.inputs[_plan_before(work)],
        "plan": put_plan(work.files, work.project.id, new_plan),
        "impact": put_document(work.files, work.project.id, impact),
    }
    return Outcome(outputs=outputs, impact=impact, summary=impact.summary)


def _make_analysis(work: Work, tree: Mapping[str, str]) -> Analysis:
    if work.modification is None:
        raise PermanentFailure("NO_REQUEST", "There is no modification to analyse.")
    plan_now = work.document(_plan_before(work), Plan)
    prompt = Prompt(
        "analyze",
        {
            "request": work.modification.request,
            "plan": plan_now,
            "tree": tree,
            "feedback": work.task.inputs.get("feedback", ""),
            "messages": work.project.messages,
        },
        max_output_tokens=2 * OUTPUT_TOKENS,
    )
    analysis = ask_json(
        work, prompt, Analysis, lambda analysis: find_impact_problem(analysis, tree)
    )
    if analysis.plan is None:
        return analysis
    fixed = {
        "name": plan_now.name,
        "type": plan_now.type,
        "dependencies": plan_now.dependencies,
    }
    return Analysis(
        impact=_with_risk(analysis.impact, tree), plan=analysis.plan.model_copy(update=fixed)
    )


def _plan_before(work: Work) -> str:
    """The input that is the plan before the change: an analysis that was rejected has left its
    own as ``plan``."""
    return "old_plan" if "old_plan" in work.task.inputs else "plan"


def find_impact_problem(analysis: Analysis, tree: Mapping[str, str]) -> str | None:
    """What keeps an analysis from being carried out on ``tree``, in words for the model."""
    impact = analysis.impact
    if not impact.understood:
        return None if impact.reason else "`impact.reason` does not say what is not understood"
    if analysis.plan is None:
        return "`plan` is missing: give the whole plan after the change"
    if not impact.affected_files and not impact.new_files:
        return "`impact` names no file that would change"
    absent = sorted(set(impact.affected_files) - tree.keys())
    if absent:
        return f"`affected_files` names files that do not exist: {', '.join(absent[:10])}"
    present = sorted(set(impact.new_files) & tree.keys())
    if present:
        return f"`new_files` names files that exist already: {', '.join(present[:10])}"
    if len(tree) + len(impact.new_files) > MAX_FILES:
        return f"a project has at most {MAX_FILES} files"
    return _find_path_problem([*tree, *impact.new_files])


def _with_risk(impact: Impact, tree: Mapping[str, str]) -> Impact:
    """Never a low risk where much of the project relies on what changes."""
    relying = len(_relying(impact, tree))
    if impact.risk_level == "low" and relying >= _MANY_DEPENDANTS:
        return impact.model_copy(update={"risk_level": "medium"})
    return impact


def _relying(impact: Impact, tree: Mapping[str, str]) -> tuple[str, ...]:
    """Files that import what changes, and stay as they are."""
    return dependants(import_graph(tree), impact.affected_files)


def _impact_events(work: Work, tree: Mapping[str, str], analysis: Analysis) -> Sequence[EventDraft]:
    impact = analysis.impact
    if not impact.understood:
        return []
    return [
        work.event(
            "impact",
            "impact_ready",
            summary=impact.summary,
            risk_level=impact.risk_level,
            affected_files=list(impact.affected_files),
            new_files=list(impact.new_files),
            dependants=list(_relying(impact, tree)),
            estimated_time=impact.estimated_time,
            steps=list(impact.steps),
        )
    ]


def _not_understood(impact: Impact) -> Failure:
    return Failure(
        code="REQUEST_NOT_UNDERSTOOD",
        message=impact.reason or "The request was not understood.",
        hint="Nothing was changed. Say it in other words, one change at a time.",
    )
