"""The formulas of the scores, and what a failed tool does to them."""

import json
from dataclasses import dataclass, field

import pytest

from agenticai_core.models import TestReport
from agenticai_worker.quality import (
    FORMULA_VERSION,
    Finding,
    Grade,
    is_test,
    measure,
    score_performance,
    score_security,
)
from agenticai_worker.sandbox.base import Command, Finished, Level


def finding(
    severity: Grade, confidence: Grade, path: str = "a.py", rule: str = "B1", line: int = 1
) -> Finding:
    return Finding(
        tool="bandit",
        rule=rule,
        path=path,
        line=line,
        message="",
        severity=severity,
        confidence=confidence,
    )


@dataclass
class ToolSandbox:
    """Answers each tool's run with a given output."""

    outputs: dict[str, str]
    exit_code: int = 0
    level: Level = "none"
    missing: tuple[str, ...] = ()
    commands: list[Command] = field(default_factory=list)

    def run(self, command: Command) -> Finished:
        self.commands.append(command)
        output = self.outputs[command.argv[3]]
        return Finished(self.exit_code, output, "", {}, 0.1)


def tools(
    bandit: list[dict[str, object]] | None = None, secrets: str = "", ruff: str = "[]"
) -> dict[str, str]:
    return {
        "bandit": json.dumps({"errors": [], "results": bandit or []}),
        "agenticai_worker.secret_scan": secrets,
        "ruff": ruff,
    }


def bandit_result(path: str, rule: str, line: int = 1) -> dict[str, object]:
    return {
        "filename": f"./{path}",
        "test_id": rule,
        "line_number": line,
        "issue_text": "bad",
        "issue_severity": "LOW",
        "issue_confidence": "HIGH",
    }


FILES = {"a.py": b"x = 1\n", "tests/test_a.py": b"assert 1\n"}


def test_nothing_found_is_the_best_score() -> None:
    assert score_security([], 1) == 1.0
    assert score_performance([], 1, TestReport()) == 1.0


def test_the_worst_finding_caps_the_score_however_large_the_project() -> None:
    severe = [finding("high", "high")]
    assert score_security(severe, 1) == score_security(severe, 1000) == 0.5


def test_further_findings_count_by_density() -> None:
    several = [finding("medium", "high"), finding("medium", "high")]
    assert score_security(several, 1) == pytest.approx(0.8 / 1.4, abs=1e-4)
    assert score_security(several, 10) == pytest.approx(0.8 / 1.04, abs=1e-4)


def test_less_severe_less_certain_and_in_tests_weigh_less() -> None:
    scores = [
        score_security([found], 1)
        for found in (
            finding("high", "high"),
            finding("high", "medium"),
            finding("high", "high", path="tests/test_a.py"),
            finding("low", "high"),
            finding("low", "low"),
        )
    ]
    assert scores == sorted(set(scores))


def test_performance_weighs_the_kind_of_finding_and_slow_tests() -> None:
    blocking = [finding("low", "low", rule="ASYNC210")]
    complex_, idiom = [finding("low", "low", rule="C901")], [finding("low", "low", rule="PERF401")]
    fast = TestReport(slowest={"a": 0.1, "b": 0.2})
    scores = [score_performance(found, 1, fast) for found in (blocking, complex_, idiom)]
    assert scores == [0.6667, 0.8333, 0.9091]
    slow = TestReport(slowest={"a": 3.0, "b": 0.2})
    assert score_performance([], 1, slow) == 0.75


def test_assertions_are_fine_in_tests_only() -> None:
    results = [bandit_result("a.py", "B101"), bandit_result("tests/test_a.py", "B101")]
    found = measure(ToolSandbox(tools(results)), FILES, TestReport())
    assert [(each.path, each.rule) for each in found.findings] == [("a.py", "B101")]


def test_two_tools_on_one_line_are_one_finding() -> None:
    secret = json.dumps({"path": "a.py", "line": 1, "type": "AWS Access Key"})
    sandbox = ToolSandbox(tools([bandit_result("a.py", "B105")], secret))
    found = measure(sandbox, FILES, TestReport(coverage=0.9))
    assert [each.rule for each in found.findings] == ["AWS Access Key"]
    assert found.scores.security_score == 0.5
    assert found.scores.test_coverage == 0.9
    assert (found.formula_version, found.performance_kind) == (FORMULA_VERSION, "static proxy")


@pytest.mark.parametrize("broken", ["bandit", "agenticai_worker.secret_scan"])
def test_a_tool_that_fails_leaves_no_score(broken: str) -> None:
    sandbox = ToolSandbox({**tools(), broken: "Traceback"})
    scores = measure(sandbox, FILES, TestReport()).scores
    assert scores.security_score is None
    assert scores.performance_score == 1.0


def test_tools_that_end_badly_leave_no_scores() -> None:
    scores = measure(ToolSandbox(tools(), exit_code=2), FILES, TestReport()).scores
    assert (scores.security_score, scores.performance_score) == (None, None)


def test_without_code_there_is_nothing_to_score() -> None:
    scores = measure(ToolSandbox(tools()), {"README.md": b"hello"}, TestReport()).scores
    assert scores.model_dump() == {
        "test_coverage": None,
        "security_score": None,
        "performance_score": None,
    }


def test_a_finding_in_a_file_that_is_not_the_projects_is_dropped() -> None:
    found = measure(ToolSandbox(tools([bandit_result("/etc/x.py", "B1")])), FILES, TestReport())
    assert found.findings == ()


def test_tools_see_no_settings_of_the_project_and_no_modules_of_it() -> None:
    sandbox = ToolSandbox(tools())
    measure(sandbox, {**FILES, ".bandit": b"[bandit]\nskips: B602\n"}, TestReport())
    assert all(command.argv[1:3] == ("-I", "-m") for command in sandbox.commands)
    bandit = next(command for command in sandbox.commands if command.argv[3] == "bandit")
    assert set(bandit.files) == set(FILES)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/helpers.py", True),
        ("app/test_a.py", True),
        ("a_test.py", True),
        ("conftest.py", True),
        ("app/testing.py", False),
        ("app/latest.py", False),
    ],
)
def test_which_files_are_tests(path: str, expected: bool) -> None:
    assert is_test(path) is expected
