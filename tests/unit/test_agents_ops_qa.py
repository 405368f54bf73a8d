"""Ops packages a tested candidate; QA reports what the sandbox saw, and nothing better."""

import pytest
from tests.fakes import notes
from tests.fakes.models import ScriptedModel, file_block
from tests.fakes.work import FakeWork

from agenticai_core.content import put_plan, put_tree, read_manifest, read_tree
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import Action, Scores, TestFailure, TestReport
from agenticai_worker.agents import AGENTS, Tools, qa
from agenticai_worker.quality import Quality
from agenticai_worker.sandbox.base import Command, Finished
from agenticai_worker.sandbox.local import SandboxBroken
from agenticai_worker.work import PermanentFailure, TransientFailure

GOOD = TestReport(passed=4, coverage=0.91, seconds=1.234, sandbox="basic")
FAILURES = tuple(TestFailure(test=f"t{n}", message="x" * 5000) for n in range(9))


class NoSandbox:
    level = "none"
    missing = ("everything",)

    def run(self, command: Command) -> Finished:
        raise AssertionError("nothing is run here")


def make_work(action: Action, replies=()) -> FakeWork:
    files = MemoryFiles()
    tree = {path: text.encode() for path, text in notes.FILES.items()}
    inputs = {
        "plan": put_plan(files, "proj_1", notes.PLAN),
        "manifest": put_tree(files, "proj_1", tree),
    }
    return FakeWork(ScriptedModel(replies), action, inputs, files=files)


def run_qa(monkeypatch: pytest.MonkeyPatch, report: TestReport):
    runs: list[dict[str, bytes]] = []

    def run_tests(sandbox, files, timeout):
        assert 1 <= timeout <= qa.TEST_SECONDS
        runs.append(dict(files))
        return report

    quality = Quality(scores=Scores(test_coverage=report.coverage, security_score=1.0))
    monkeypatch.setattr(qa, "run_tests", run_tests)
    monkeypatch.setattr(qa, "measure", lambda *_: quality)
    work = make_work(Action.TEST)
    return AGENTS[Action.TEST](work, Tools(NoSandbox(), "none")), work, runs


def test_packaging_files_join_the_candidate() -> None:
    work = make_work(
        Action.PACKAGE, lambda p: file_block(p.values["path"], notes.PACKAGE[p.values["path"]])
    )
    outcome = AGENTS[Action.PACKAGE](work, Tools(NoSandbox(), "none"))
    manifest = read_manifest(work.files, outcome.outputs["manifest"])
    after = read_tree(work.files, "proj_1", manifest)
    expected = {**notes.FILES, **notes.PACKAGE}
    assert {path: content.decode() for path, content in after.items()} == expected
    assert [event["path"] for event in work.told("file_written")] == list(notes.PACKAGE)


def test_passed_tests_are_told_with_their_scores(monkeypatch) -> None:
    outcome, work, runs = run_qa(monkeypatch, GOOD)
    assert outcome.tests_passed is True
    assert outcome.scores.test_coverage == 0.91
    assert outcome.test_results["passed"] == 4
    assert outcome.test_results["sandbox"] == "basic"
    assert TestReport.model_validate_json(work.files.get(outcome.outputs["report"])) == GOOD
    assert [event.type for event in work.events] == [
        "tests_started",
        "tests_passed",
        "scores_measured",
    ]
    assert runs == [{path: text.encode() for path, text in notes.FILES.items()}]


def test_a_rerun_does_not_run_the_tests_again(monkeypatch) -> None:
    outcome, work, runs = run_qa(monkeypatch, GOOD)
    assert AGENTS[Action.TEST](work, Tools(NoSandbox(), "none")) == outcome
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (TestReport(passed=3, failed=9, failures=FAILURES), "9 tests failed."),
        (TestReport(passed=3, missing_modules=("redis",)), "Unverifiable"),
        (TestReport(passed=3, stopped="timeout", seconds=300.0), "stopped after 300 s (timeout)"),
        (TestReport(), "No test ran."),
    ],
)
def test_anything_else_is_not_passed_and_says_why(monkeypatch, report, reason) -> None:
    outcome, work, _ = run_qa(monkeypatch, report)
    assert outcome.tests_passed is False
    assert reason in outcome.summary
    (told,) = work.told("tests_failed")
    assert reason in told["reason"]
    assert len(told["failures"]) <= 5
    assert all(len(failure["message"]) <= 500 for failure in told["failures"])


def test_a_broken_sandbox_says_nothing_about_the_code(monkeypatch) -> None:
    def run_tests(*_):
        raise SandboxBroken("no space")

    monkeypatch.setattr(qa, "run_tests", run_tests)
    with pytest.raises(TransientFailure, match="no space"):
        AGENTS[Action.TEST](make_work(Action.TEST), Tools(NoSandbox(), "none"))


def test_nothing_runs_in_a_sandbox_that_is_too_weak() -> None:
    with pytest.raises(PermanentFailure) as refusal:
        AGENTS[Action.TEST](make_work(Action.TEST), Tools(NoSandbox(), "basic"))
    assert refusal.value.failure.code == "SANDBOX_TOO_WEAK"
    assert "everything" in refusal.value.failure.message
