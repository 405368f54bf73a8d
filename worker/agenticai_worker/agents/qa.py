"""QA: runs the candidate's own tests in the sandbox and measures what it is worth."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agenticai_core.content import put_document, read_tree
from agenticai_core.models import EventDraft, Manifest, Model, Outcome, Scores, TestReport
from agenticai_worker.agents.base import Tools, must_be_safe
from agenticai_worker.quality import Quality, measure
from agenticai_worker.sandbox.local import SandboxBroken
from agenticai_worker.sandbox.testrun import run_tests
from agenticai_worker.work import TransientFailure, Work

TEST_SECONDS = 300.0
_MARGIN = 30.0  # of the time left: to measure and to store
_SHOWN_FAILURES = 5
_SHOWN_CHARACTERS = 500


class _Examined(Model):
    """What the unit "tests" stores."""

    report: TestReport
    quality: Quality


def test(work: Work, tools: Tools) -> Outcome:
    """Run the tests of the candidate ``manifest``; outputs ``report``.

    Refuses to run anything in a sandbox weaker than ``tools.required``.
    """
    must_be_safe(tools)
    files = read_tree(work.files, work.project.id, work.document("manifest", Manifest))
    work.unit("start", lambda: b"", lambda _: [_started(work, files)])
    if reason := find_unverifiable(files):
        return _unverifiable(work, reason)
    examined = _Examined.model_validate_json(
        work.unit(
            "tests",
            lambda: _examine(work, tools, files).model_dump_json().encode(),
            lambda result: _events(work, _Examined.model_validate_json(result)),
        )
    )
    report = examined.report
    return Outcome(
        tests_passed=report.ok,
        outputs={"report": put_document(work.files, work.project.id, report)},
        scores=examined.quality.scores,
        test_results=_results(report),
        summary=describe(report),
    )


def find_unverifiable(files: Mapping[str, bytes]) -> str | None:
    """Why a project's tests cannot be run here: it has none for Python, and is of another kind.

    None for every other project, even one that should have tests and does not.
    """
    if any(_is_python_test(path) for path in files):
        return None
    if _has_script(files.get("package.json"), "test"):
        return "The project's tests need Node.js, which the sandbox does not have"
    if "index.html" in files and not any(path.endswith(".py") for path in files):
        return "The project is a static site without tests that the sandbox can run"
    return None


def _is_python_test(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


def _has_script(package: bytes | None, name: str) -> bool:
    try:
        scripts = json.loads(package or b"null")["scripts"]
        return isinstance(scripts[name], str) and bool(scripts[name].strip())
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _unverifiable(work: Work, reason: str) -> Outcome:
    """Nothing was run, so nothing is passed and nothing is scored."""
    work.unit(
        "tests", lambda: b"", lambda _: [work.event("tests", "tests_unverifiable", reason=reason)]
    )
    report = TestReport(unverifiable=reason)
    return Outcome(
        tests_unverifiable=True,
        outputs={"report": put_document(work.files, work.project.id, report)},
        scores=Scores(),
        test_results=_results(report),
        summary=describe(report),
    )


def _examine(work: Work, tools: Tools, files: Mapping[str, bytes]) -> _Examined:
    seconds = max(min(TEST_SECONDS, work.remaining() - _MARGIN), 1.0)
    try:
        report = run_tests(tools.sandbox, files, seconds)
        work.check()
        return _Examined(report=report, quality=measure(tools.sandbox, files, report))
    except SandboxBroken as error:
        raise TransientFailure(f"The sandbox could not run the tests: {error}") from error


def describe(report: TestReport) -> str:
    """How the run went, in one sentence for the user."""
    if report.unverifiable:
        return f"Unverifiable: {report.unverifiable}."
    if report.missing_modules:
        modules = ", ".join(report.missing_modules)
        return f"Unverifiable: the tests need packages that are not available here: {modules}."
    if report.stopped:
        return f"The tests were stopped after {report.seconds:.0f} s ({report.stopped})."
    if not report.passed and not report.failed and not report.errors:
        return "No test ran."
    failed = report.failed + report.errors
    return f"{failed} tests failed." if failed else f"All {report.passed} tests passed."


def _started(work: Work, files: Mapping[str, bytes]) -> EventDraft:
    return work.event("tests_started", "tests_started", files=len(files), round=work.task.round)


def _events(work: Work, examined: _Examined) -> Sequence[EventDraft]:
    kind = "tests_passed" if examined.report.ok else "tests_failed"
    return [
        work.event("tests", kind, **_results(examined.report)),
        work.event("scores", "scores_measured", **_scores(examined.quality)),
    ]


def _scores(quality: Quality) -> dict[str, Any]:
    return {
        **quality.scores.model_dump(),
        "formula_version": quality.formula_version,
        "performance_kind": quality.performance_kind,
        "findings": len(quality.findings),
        "worst_findings": [
            {"path": finding.path, "line": finding.line, "message": finding.message[:200]}
            for finding in quality.findings
            if finding.severity == "high"
        ][:_SHOWN_FAILURES],
    }


def _results(report: TestReport) -> dict[str, Any]:
    """What the user sees of a report; the whole of it lies in the bucket."""
    return {
        "passed": report.passed,
        "failed": report.failed,
        "errors": report.errors,
        "skipped": report.skipped,
        "coverage": report.coverage,
        "seconds": round(report.seconds, 2),
        "sandbox": report.sandbox,
        "reason": describe(report),
        "failures": [
            {"test": failure.test[:200], "message": failure.message[:_SHOWN_CHARACTERS]}
            for failure in report.failures[:_SHOWN_FAILURES]
        ],
    }
