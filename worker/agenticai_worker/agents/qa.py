"""QA: runs the candidate's own tests in the sandbox and measures what it is worth."""

from collections.abc import Mapping, Sequence
from typing import Any

from agenticai_core.content import put_document, read_tree
from agenticai_core.models import EventDraft, Manifest, Model, Outcome, TestReport
from agenticai_worker.agents.base import Tools
from agenticai_worker.quality import Quality, measure
from agenticai_worker.sandbox.local import SandboxBroken
from agenticai_worker.sandbox.testrun import run_tests
from agenticai_worker.work import PermanentFailure, TransientFailure, Work

TEST_SECONDS = 300.0
_MARGIN = 30.0  # of the time left: to measure and to store
_STRENGTH = ("none", "basic", "strong")
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
    _must_be_safe(tools)
    files = read_tree(work.files, work.project.id, work.document("manifest", Manifest))
    work.unit("start", lambda: b"", lambda _: [_started(work, files)])
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


def _must_be_safe(tools: Tools) -> None:
    if _STRENGTH.index(tools.sandbox.level) < _STRENGTH.index(tools.required):
        missing = ", ".join(tools.sandbox.missing) or "isolation"
        raise PermanentFailure(
            "SANDBOX_TOO_WEAK",
            f"Generated code may run in a {tools.required} sandbox only; this one is "
            f"{tools.sandbox.level}, it lacks: {missing}",
            "Run the worker where these are available, or lower AGENTICAI_SANDBOX_REQUIRE",
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
