"""Three scores from 0 to 1 for a generated project, each from something measured.

**Coverage** is the share of the project's own statements that its tests ran (coverage.py).

**Security** (bandit for code, detect-secrets for secrets). A finding's risk is its severity times
the tool's confidence in it, both mapped to 0..1, and a quarter of that in test files::

    security = (1 - worst / 2) / (1 + rest / kloc)

``worst`` is the highest risk, ``rest`` the sum of the others, ``kloc`` thousands of lines of
code, at least 1. The worst one caps the score by itself, at 0.5 for one that is certainly severe:
a hole is not made up for by a thousand clean lines, as it would be in an average. The others
count by density, so that a large project is not worse for being large. Comments by which code
excuses itself (``nosec``, ``noqa``, ``allowlist``) are ignored.

**Performance** is a *static proxy*: nothing is loaded or timed but the tests::

    performance = (1 - slow / 2) / (1 + weights / kloc)

``weights`` is the sum over ruff's findings outside the tests (0.5 for a call that blocks an event
loop, ASYNC; 0.2 for a function of cyclomatic complexity above 10, C901; 0.1 for a slow idiom,
PERF) and ``slow`` the share of the ten slowest tests that took longer than a second.

The weights are judgements, not measurements; they only have to rank projects alike from one
version of the formula to the next. A score whose tool failed is None. Change anything here and
`FORMULA_VERSION` changes too.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any, Literal

from agenticai_core.models import Model, Scores, TestReport
from agenticai_worker.sandbox.base import Command, Sandbox
from agenticai_worker.sandbox.environment import RUN_PREFIX

FORMULA_VERSION = "1"
TOOL_TIMEOUT = 60.0  # s for each tool

Grade = Literal["low", "medium", "high"]
_SEVERITY: Mapping[Grade, float] = {"low": 0.1, "medium": 0.4, "high": 1.0}
_CONFIDENCE: Mapping[Grade, float] = {"low": 0.3, "medium": 0.7, "high": 1.0}
_GRADES: Mapping[str, Grade] = {"LOW": "low", "MEDIUM": "medium", "HIGH": "high"}
_IN_TESTS = 0.25

# What detect-secrets is less sure of than of a key with a known form: type -> severity, confidence.
_VAGUE_SECRETS: Mapping[str, tuple[Grade, Grade]] = {
    "Base64 High Entropy String": ("high", "low"),
    "Hex High Entropy String": ("high", "low"),
    "Secret Keyword": ("high", "medium"),
    "Basic Auth Credentials": ("high", "medium"),
    "Public IP (ipv4)": ("low", "low"),
}
_RUFF_RULES = "ASYNC,C901,PERF"
_RUFF_WEIGHTS = {"ASYNC": 0.5, "C901": 0.2, "PERF": 0.1}
_SLOW_TEST = 1.0  # s


class Finding(Model):
    """One thing that a tool found. ``line`` counts from 1."""

    tool: Literal["bandit", "detect-secrets", "ruff"]
    rule: str
    path: str
    line: int
    message: str
    severity: Grade
    confidence: Grade


class Quality(Model):
    scores: Scores
    findings: tuple[Finding, ...] = ()
    formula_version: str = FORMULA_VERSION
    performance_kind: str = "static proxy"  # to be shown beside the figure


def measure(sandbox: Sandbox, files: Mapping[str, bytes], report: TestReport) -> Quality:
    """Score the project ``files`` (path -> content) whose tests gave ``report``.

    The tools run in ``sandbox``, under the worker's own interpreter: they parse hostile text.
    """
    code = {path: content for path, content in files.items() if path.endswith(".py")}
    kloc = max(1.0, _count_lines(code) / 1000)
    bandit = _scan_code(sandbox, code)
    secrets = _scan_secrets(sandbox, files)
    ruff = _scan_idioms(sandbox, code)
    scores = Scores(
        test_coverage=report.coverage,
        security_score=None
        if bandit is None or secrets is None
        else score_security(_once_per_line(bandit + secrets), kloc),
        performance_score=None if ruff is None else score_performance(ruff, kloc, report),
    )
    found = _once_per_line((bandit or []) + (secrets or [])) + (ruff or [])
    return Quality(scores=scores, findings=tuple(found))


def score_security(findings: list[Finding], kloc: float) -> float:
    risks = sorted((_risk(finding) for finding in findings), reverse=True)
    worst = risks[0] if risks else 0.0
    return round((1 - worst / 2) / (1 + sum(risks[1:]) / kloc), 4)


def score_performance(findings: list[Finding], kloc: float, report: TestReport) -> float:
    weights = sum(_RUFF_WEIGHTS[_family(finding.rule)] for finding in findings)
    times = list(report.slowest.values())
    slow = sum(seconds > _SLOW_TEST for seconds in times) / len(times) if times else 0.0
    return round((1 - slow / 2) / (1 + weights / kloc), 4)


def is_test(path: str) -> bool:
    """Whether a file belongs to the tests rather than to what they test."""
    *folders, name = PurePosixPath(path).parts
    return (
        "tests" in folders
        or name.startswith("test_")
        or name.endswith("_test.py")
        or name == "conftest.py"
    )


def _risk(finding: Finding) -> float:
    risk = _SEVERITY[finding.severity] * _CONFIDENCE[finding.confidence]
    return risk * _IN_TESTS if is_test(finding.path) else risk


def _once_per_line(findings: list[Finding]) -> list[Finding]:
    """Of several findings on a line the worst: a password there is one flaw, whoever sees it."""
    worst: dict[tuple[str, int], Finding] = {}
    for finding in findings:
        place = (finding.path, finding.line)
        if place not in worst or _risk(finding) > _risk(worst[place]):
            worst[place] = finding
    return [worst[place] for place in sorted(worst)]


def _scan_code(sandbox: Sandbox, code: Mapping[str, bytes]) -> list[Finding] | None:
    """Bandit's findings; None if there is no code or it could not be read."""
    options = ("-r", ".", "--format", "json", "--quiet", "--exit-zero", "--ignore-nosec")
    return _scan(sandbox, ("bandit", *options), code, _read_bandit) if code else None


def _scan_secrets(sandbox: Sandbox, files: Mapping[str, bytes]) -> list[Finding] | None:
    argv = ("agenticai_worker.secret_scan", *sorted(files))
    return _scan(sandbox, argv, files, _read_secrets)


def _scan_idioms(sandbox: Sandbox, code: Mapping[str, bytes]) -> list[Finding] | None:
    """Ruff's findings outside the tests; None if there is no such code or it is not Python."""
    tested = {path: content for path, content in code.items() if not is_test(path)}
    options = ("--isolated", "--no-cache", "--ignore-noqa", "--exit-zero", "--output-format=json")
    argv = ("ruff", "check", *options, f"--select={_RUFF_RULES}", ".")
    return _scan(sandbox, argv, tested, _read_ruff) if tested else None


def _scan(
    sandbox: Sandbox,
    module: tuple[str, ...],
    files: Mapping[str, bytes],
    read: Callable[[str], list[Finding]],
) -> list[Finding] | None:
    """Run ``python -m <module>`` over ``files``; None unless it ended well and made sense.

    -I, for otherwise a file of the project could pass for a module of the tool.
    """
    finished = sandbox.run(
        Command(
            argv=(sys.executable, "-I", "-m", *module),
            files=files,
            timeout=TOOL_TIMEOUT,
        )
    )
    if finished.exit_code != 0:
        return None
    try:
        return [finding for finding in read(finished.stdout) if finding.path in files]
    except (ValueError, KeyError, TypeError):
        return None


def _read_bandit(text: str) -> list[Finding]:
    document: dict[str, Any] = json.loads(text)
    if document["errors"]:
        raise ValueError("a file could not be parsed")
    findings = [
        Finding(
            tool="bandit",
            rule=item["test_id"],
            path=item["filename"].removeprefix("./"),
            line=item["line_number"],
            message=item["issue_text"],
            severity=_GRADES.get(item["issue_severity"], "low"),
            confidence=_GRADES.get(item["issue_confidence"], "low"),
        )
        for item in document["results"]
    ]
    # Assertions are what tests are made of.
    return [found for found in findings if not (found.rule == "B101" and is_test(found.path))]


def _read_secrets(text: str) -> list[Finding]:
    findings = []
    for line in text.splitlines():
        item = json.loads(line)
        severity, confidence = _VAGUE_SECRETS.get(item["type"], ("high", "high"))
        findings.append(
            Finding(
                tool="detect-secrets",
                rule=item["type"],
                path=item["path"],
                line=item["line"],
                message=f"This looks like a secret: {item['type']}",
                severity=severity,
                confidence=confidence,
            )
        )
    return findings


def _read_ruff(text: str) -> list[Finding]:
    items: list[dict[str, Any]] = json.loads(text)
    if any(item["code"] == "invalid-syntax" for item in items):
        raise ValueError("a file could not be parsed")
    return [
        Finding(
            tool="ruff",
            rule=item["code"],
            path=_relative(item["filename"]),
            line=item["location"]["row"],
            message=item["message"],
            severity="medium" if _family(item["code"]) == "ASYNC" else "low",
            confidence="medium",
        )
        for item in items
    ]


def _relative(path: str) -> str:
    """Ruff names files in full: what comes after the run's folder."""
    return path.partition(RUN_PREFIX)[2].partition("/work/")[2] or path


def _family(rule: str) -> str:
    return rule if rule in _RUFF_WEIGHTS else rule.rstrip("0123456789")


def _count_lines(code: Mapping[str, bytes]) -> int:
    return sum(bool(line.strip()) for content in code.values() for line in content.splitlines())
