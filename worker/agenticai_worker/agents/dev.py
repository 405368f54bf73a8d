"""Dev: writes the planned files, makes approved changes, and repairs what fails its tests."""

from collections.abc import Mapping
from dataclasses import dataclass

from agenticai_core.errors import UnsafePath
from agenticai_core.models import Impact, Manifest, Outcome, TestReport
from agenticai_core.paths import safe_path
from agenticai_core.plans import Plan, PlannedFile
from agenticai_worker.agents.ask import Scope, ask_blocks, ask_json
from agenticai_worker.agents.base import (
    OUTPUT_TOKENS,
    Tools,
    change_unit,
    current_plan,
    read_text_tree,
    store_changes,
    update_tree,
)
from agenticai_worker.agents.ops import files_to_package
from agenticai_worker.llm.base import Prompt
from agenticai_worker.prompts.schemas import Diagnosis
from agenticai_worker.work import PermanentFailure, Work

MAX_REPAIRED = 12  # files in one repair


def generate(work: Work, tools: Tools) -> Outcome:  # noqa: ARG001 - every agent has this form
    """Write every planned file, one unit each; outputs ``manifest``."""
    plan = current_plan(work)
    later = files_to_package(work.project)
    files = [file for file in plan.files if file.path not in later]
    written: dict[str, str] = {}
    for number, file in enumerate(files, start=1):
        step = (number, len(files))
        unit = f"file:{file.path}"

        def produce(file: PlannedFile = file, unit: str = unit) -> Mapping[str, str | None]:
            return _write_file(work, unit, plan, file, written)

        update_tree(written, change_unit(work, unit, step, produce))
    manifest = store_changes(work, written, None)
    return Outcome(outputs={"manifest": manifest}, summary=f"Wrote {len(written)} files.")


def _write_file(
    work: Work, unit: str, plan: Plan, file: PlannedFile, written: Mapping[str, str]
) -> Mapping[str, str | None]:
    def make_prompt(tree: Mapping[str, str]) -> Prompt:
        values = {
            "plan": plan,
            "path": file.path,
            "purpose": file.purpose,
            "written": tree,
            "messages": work.project.messages,
        }
        return Prompt("generate", values, max_output_tokens=OUTPUT_TOKENS)

    only = frozenset({file.path})
    return ask_blocks(work, unit, make_prompt, written, Scope(only, only, strict=False))


# ---- modifications ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Change:
    """An approved change."""

    request: str
    impact: Impact
    plan: Plan
    old_plan: Plan

    @property
    def approved(self) -> frozenset[str]:
        return _approved(self.impact)

    def paths(self) -> list[str]:
        """In the plan's order of writing, so that what others import comes first."""
        order = {file.path: position for position, file in enumerate(self.plan.files)}
        return sorted(self.approved, key=lambda path: (order.get(path, len(order)), path))


def apply(work: Work, tools: Tools) -> Outcome:  # noqa: ARG001 - every agent has this form
    """Make an approved change, one unit per file; outputs ``manifest``."""
    impact = work.document("impact", Impact)
    change = _Change(
        request=work.modification.request if work.modification else impact.summary,
        impact=impact,
        plan=current_plan(work),
        old_plan=work.document("old_plan", Plan),
    )
    base = work.document("manifest", Manifest)
    changes = _change_files(work, change, read_text_tree(work))
    if not changes:
        raise PermanentFailure(
            "NOTHING_CHANGED",
            "The change was understood, but no file had to change for it.",
            "The project may do this already; say more exactly what is missing.",
        )
    return Outcome(
        outputs={"manifest": store_changes(work, changes, base)},
        modified_files=tuple(sorted(changes)),
        summary=impact.summary,
    )


def _change_files(work: Work, change: _Change, tree: dict[str, str]) -> dict[str, str | None]:
    changes: dict[str, str | None] = {}
    paths = change.paths()
    for number, path in enumerate(paths, start=1):
        unit = f"file:{path}"

        def produce(path: str = path, unit: str = unit) -> Mapping[str, str | None]:
            return _change_file(work, unit, change, path, tree)

        done = change_unit(work, unit, (number, len(paths)), produce)
        update_tree(tree, done)
        changes |= done
    return changes


def _change_file(
    work: Work, unit: str, change: _Change, path: str, tree: Mapping[str, str]
) -> Mapping[str, str | None]:
    if path not in tree and path in change.impact.affected_files:
        return {}  # an earlier unit of this change has deleted it

    def make_prompt(now: Mapping[str, str]) -> Prompt:
        values = {
            "request": change.request,
            "plan": change.plan,
            "old_plan": change.old_plan,
            "path": path,
            "content": now.get(path, ""),
            "impact": change.impact,
            "tree": now,
            "messages": work.project.messages,
        }
        return Prompt("apply", values, max_output_tokens=OUTPUT_TOKENS)

    return ask_blocks(work, unit, make_prompt, tree, Scope(frozenset({path}), change.approved))


def _approved(impact: Impact) -> frozenset[str]:
    return frozenset((*impact.affected_files, *impact.new_files))


# ---- repairs ------------------------------------------------------------------------------------


def repair(work: Work, tools: Tools) -> Outcome:  # noqa: ARG001 - every agent has this form
    """Find why the tests fail and correct it; outputs ``manifest``.

    In a modification only the files of the approved impact may change.
    """
    broken = _Broken(
        plan=current_plan(work),
        report=work.document("report", TestReport),
        tree=read_text_tree(work),
        approved=_approved_in(work),
    )
    base = work.document("manifest", Manifest)
    diagnosis = _diagnose(work, broken)
    changes = change_unit(work, "repair", (1, 1), lambda: _correct(work, broken, diagnosis))
    return Outcome(
        outputs={"manifest": store_changes(work, changes, base)},
        modified_files=tuple(sorted(changes)),
        summary=diagnosis.cause,
    )


@dataclass(frozen=True)
class _Broken:
    """A candidate that fails its tests; ``approved`` is empty where any file may change."""

    plan: Plan
    report: TestReport
    tree: Mapping[str, str]
    approved: frozenset[str]


def _approved_in(work: Work) -> frozenset[str]:
    if "impact" not in work.task.inputs:
        return frozenset()
    return _approved(work.document("impact", Impact))


def _diagnose(work: Work, broken: _Broken) -> Diagnosis:
    values = {
        "plan": broken.plan,
        "report": broken.report,
        "tree": broken.tree,
        "failing": failing_files(broken.report, broken.tree),
        "approved": tuple(sorted(broken.approved)),
    }
    prompt = Prompt("diagnose", values, max_output_tokens=OUTPUT_TOKENS)

    def produce() -> bytes:
        diagnosis = ask_json(
            work, prompt, Diagnosis, lambda found: find_diagnosis_problem(found, broken.approved)
        )
        return diagnosis.model_dump_json().encode()

    return Diagnosis.model_validate_json(work.unit("diagnosis", produce))


def failing_files(report: TestReport, tree: Mapping[str, str]) -> tuple[str, ...]:
    """The files of the tests that failed, and those that their messages name."""
    tests = {failure.test.split("::", 1)[0] for failure in report.failures}
    messages = "\n".join(failure.message for failure in report.failures) + report.output
    return tuple(path for path in sorted(tree) if path in tests or path in messages)


def find_diagnosis_problem(diagnosis: Diagnosis, approved: frozenset[str]) -> str | None:
    """What keeps a diagnosis from being acted on, in words for the model, or None."""
    if not diagnosis.paths:
        return "`paths` is empty; name the files that have to change"
    if len(diagnosis.paths) > MAX_REPAIRED:
        return f"`paths` names more than {MAX_REPAIRED} files; find the one cause"
    try:
        if any(safe_path(path) != path for path in diagnosis.paths):
            return "`paths` holds a path that is not in its usual spelling"
    except UnsafePath as error:
        return error.message
    outside = sorted(set(diagnosis.paths) - approved) if approved else []
    if outside:
        return (
            f"`paths` names files outside of the approved impact: {', '.join(outside)}. "
            "Correct the failure in the approved files"
        )
    return None


def _correct(work: Work, broken: _Broken, diagnosis: Diagnosis) -> Mapping[str, str | None]:
    def make_prompt(now: Mapping[str, str]) -> Prompt:
        values = {
            "plan": broken.plan,
            "report": broken.report,
            "tree": now,
            "paths": diagnosis.paths,
            "cause": diagnosis.cause,
            "messages": work.project.messages,
        }
        return Prompt("repair", values, max_output_tokens=2 * OUTPUT_TOKENS)

    scope = Scope(frozenset(), frozenset(diagnosis.paths) | broken.approved)
    return ask_blocks(work, "repair", make_prompt, broken.tree, scope)
