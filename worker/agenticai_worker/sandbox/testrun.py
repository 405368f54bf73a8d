"""Runs a generated project's own tests in a sandbox and says what came of it.

The project's tests run in the same process as pytest, so code that wants to can fake a report.
Two things keep that from being easy: the exit code and the report have to agree, and both need
at least one test that passed. More would need an observer that the code cannot reach; what the
sandbox guards is everybody else, not the project from itself.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from agenticai_core.models import TestFailure, TestReport
from agenticai_worker.sandbox.base import Command, Finished, Sandbox
from agenticai_worker.sandbox.environment import RUN_PREFIX
from agenticai_worker.sandbox.junit import BadReport, Case, parse_junit

MAX_FAILURES = 20
MAX_MESSAGE = 4096  # characters of one failure
MAX_OUTPUT = 16_384  # characters of the run's output that a report keeps
SLOWEST = 10

_FOLDER = ".test-report"
_JUNIT, _COVERAGE = f"{_FOLDER}/junit.xml", f"{_FOLDER}/coverage.json"
_COVERAGE_CONFIG, _NO_CONFIG = f"{_FOLDER}/coveragerc", "pytest.ini"
_TEST_FILES = ("tests/*", "*/tests/*", "test_*.py", "*/test_*.py", "*_test.py", "conftest.py")

# Ours, and the project's is ignored: what it leaves out would not count. Files that no test ever
# imports are counted too, in folders without an __init__.py as well.
_COVERAGERC = f"""\
[run]
source = .
data_file = {_FOLDER}/coverage
relative_files = true
omit =
    */conftest.py
    setup.py
    {(chr(10) + "    ").join(_TEST_FILES)}
[report]
include_namespace_packages = true
ignore_errors = true
[json]
output = {_COVERAGE}
"""
_ARGUMENTS = (
    "python",
    "-m",
    "pytest",
    "-v",  # names a test before it runs: if one never ends, the output's last line is its name
    "--no-header",
    "--color=no",
    "--tb=short",
    "--continue-on-collection-errors",
    "-p",
    "no:cacheprovider",
    # A project's other pytest settings hold. Its default arguments do not: they may ask for
    # plugins that are not here (-n auto), other report paths, or a coverage threshold.
    "--override-ini=addopts=",
    "--override-ini=junit_family=xunit1",
    f"--junitxml={_JUNIT}",
    "--cov",
    f"--cov-config={_COVERAGE_CONFIG}",
    f"--cov-report=json:{_COVERAGE}",
)
_PASSED, _FAILED, _NO_TESTS = 0, 1, 5  # pytest's exit codes
_MISSING_MODULE = re.compile(r"ModuleNotFoundError: No module named '([A-Za-z_]\w*)'")
_RUNNING_TEST = re.compile(r"^(\S+::.+?) *$")
# Where the run and its interpreter lie differs from run to run and is nobody's business.
_RUN_FOLDER = re.compile(rf"[^\s'\"]*/{RUN_PREFIX}\w+/(?:work/?)?")
_LIBRARY = re.compile(r"[^\s'\"]*/lib/python3\.\d+/")
_STOPPED = {
    "timeout": "The run was stopped: it took longer than {timeout:g} s.",
    "memory": "The run was stopped: it used too much memory.",
    "disk": "The run was stopped: it wrote too much to disk.",
    "output": "The run was stopped: it printed too much.",
    "processes": "The run was stopped: it started too many processes or threads.",
}


def run_tests(sandbox: Sandbox, files: Mapping[str, bytes], timeout: float) -> TestReport:
    """Run pytest with coverage over ``files`` (path -> content) for at most ``timeout`` seconds.

    Never raises for what the tests do: a crash, a stop and a missing report are in the report,
    each with a failure that says so. `SandboxBroken` and `UnsafePath` pass through.
    """
    finished = sandbox.run(
        Command(
            argv=_ARGUMENTS,
            files={**files, **_our_files(files)},
            timeout=timeout,
            collect=(_JUNIT, _COVERAGE),
        )
    )
    cases, failures = _judge(finished, timeout)
    missing = _missing_modules(finished, cases, files)
    coverage, missing_lines = _read_coverage(finished.collected.get(_COVERAGE))
    slowest = sorted(cases, key=lambda case: case.seconds, reverse=True)[:SLOWEST]
    failed = [case for case in cases if case.result in ("failed", "error")]
    failures += [TestFailure(test=case.test, message=_trim(case.message)) for case in failed]
    return TestReport(
        passed=_count(cases, "passed"),
        failed=_count(cases, "failed"),
        errors=_count(cases, "error") + len(failures) - len(failed),
        skipped=_count(cases, "skipped"),
        failures=tuple(failures[:MAX_FAILURES]),
        coverage=coverage,
        missing_lines=missing_lines,
        slowest={case.test: case.seconds for case in slowest if case.seconds > 0},
        missing_modules=missing,
        stopped=finished.stopped,
        output=_output(finished),
        seconds=round(finished.seconds, 3),
        sandbox=sandbox.level,
    )


def _our_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The coverage settings, and an empty pytest.ini for a project that has no pytest settings.

    Without one, pytest would look for settings in the folders above, which are not the project's.
    """
    ours = {_COVERAGE_CONFIG: _COVERAGERC.encode()}
    configured = (
        _NO_CONFIG in files
        or ".pytest.ini" in files
        or "pytest.toml" in files
        or b"[tool.pytest" in files.get("pyproject.toml", b"")
        or b"[pytest]" in files.get("tox.ini", b"")
        or b"[tool:pytest]" in files.get("setup.cfg", b"")
    )
    return ours if configured else {**ours, _NO_CONFIG: b"[pytest]\n"}


def _judge(finished: Finished, timeout: float) -> tuple[list[Case], list[TestFailure]]:
    """The tests' results, and what was wrong with the run as a whole (at most one failure)."""
    if finished.stopped is not None:
        message = _STOPPED[finished.stopped].format(timeout=timeout)
        return [], [TestFailure(test=_last_test(finished), message=message)]
    try:
        cases = parse_junit(finished.collected.get(_JUNIT, b""))
    except BadReport as error:
        problem = f"pytest ended with code {finished.exit_code} and left no report: {error}\n"
        return [], [_whole_run(problem + _output(finished)[-MAX_MESSAGE // 2 :])]
    good = not any(case.result in ("failed", "error") for case in cases)
    if finished.exit_code == _NO_TESTS or not cases:
        return cases, [_whole_run("No tests were found.\n" + _output(finished)[-1000:])]
    if finished.exit_code not in (_PASSED, _FAILED) or good != (finished.exit_code == _PASSED):
        problem = f"pytest ended with code {finished.exit_code}, which its report does not explain"
        return cases, [_whole_run(f"{problem}.\n{_output(finished)[-MAX_MESSAGE // 2 :]}")]
    return cases, []


def _whole_run(message: str) -> TestFailure:
    return TestFailure(test="(the whole run)", message=_trim(message))


def _last_test(finished: Finished) -> str:
    """The test that was running when the run was killed, if the last line of output names one."""
    lines = finished.stdout.rstrip("\n").splitlines()
    match = _RUNNING_TEST.match(lines[-1]) if lines else None
    return match.group(1) if match else "(the whole run)"


def _missing_modules(
    finished: Finished, cases: Iterable[Case], files: Mapping[str, bytes]
) -> tuple[str, ...]:
    """Modules that neither the project, nor Python, nor the curated environment has.

    A name with a dot in the message is a part missing from something that is there: a mistake
    in the code, not a missing package.
    """
    texts = [case.message for case in cases if case.result in ("failed", "error")]
    if not texts and finished.exit_code != _PASSED:
        texts = [finished.stdout, finished.stderr]  # a conftest that cannot be read, for one
    own = {path.split("/")[0].removesuffix(".py") for path in files}
    own |= {path.split("/")[1].removesuffix(".py") for path in files if path.startswith("src/")}
    named = {name for text in texts for name in _MISSING_MODULE.findall(text)}
    return tuple(sorted(named - own - sys.stdlib_module_names))


def _read_coverage(content: bytes | None) -> tuple[float | None, dict[str, int]]:
    """The share of the project's own statements that ran, and by file how many never did."""
    try:
        document: dict[str, Any] = json.loads(content or b"null")
        totals = document["totals"]
        statements, covered = int(totals["num_statements"]), int(totals["covered_lines"])
        missing = {
            str(path): int(entry["summary"]["missing_lines"])
            for path, entry in document["files"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None, {}
    if not 0 <= covered <= statements or statements == 0:
        return None, {}
    return round(covered / statements, 4), {path: n for path, n in missing.items() if n > 0}


def _count(cases: Iterable[Case], result: str) -> int:
    return sum(case.result == result for case in cases)


def _trim(message: str) -> str:
    """The start says where, the end says what: of a long message the middle goes."""
    message = _clean(message)
    if len(message) <= MAX_MESSAGE:
        return message
    half = (MAX_MESSAGE - 20) // 2
    return f"{message[:half]}\n[…]\n{message[-half:]}"


def _output(finished: Finished) -> str:
    return _clean(finished.stdout + finished.stderr)[-MAX_OUTPUT:]


def _clean(text: str) -> str:
    return _LIBRARY.sub("<python>/", _RUN_FOLDER.sub("", text))
