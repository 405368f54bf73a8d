"""Run a downloaded project's own tests, outside the system that made it."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

_SECONDS = 120


@dataclass(frozen=True)
class TestRun:
    """``coverage`` 0..1 over all files, tests left out; ``output`` is all that was printed."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    passed: int
    failed: int
    coverage: float | None
    seconds: float
    output: str

    @property
    def ok(self) -> bool:
        return self.passed > 0 and self.failed == 0


def run_tests(folder: Path, python: Path) -> TestRun:
    """Run them in a copy of ``folder``, so that they leave nothing behind, with a bare environment.

    ``python`` is the interpreter of an environment that has what the project needs.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="agenticai-check-") as temporary:
        place = Path(temporary)
        shutil.copytree(folder, place / "project")
        exit_code, output = _pytest(place, python)
        passed, failed = _counts(place / "junit.xml")
        if exit_code != 0:
            failed = max(failed, 1)
        coverage = _coverage(place / "coverage.json")
    return TestRun(passed, failed, coverage, time.monotonic() - started, output)


def _pytest(place: Path, python: Path) -> tuple[int, str]:
    reports = [f"--junitxml={place}/junit.xml", f"--cov-report=json:{place}/coverage.json"]
    env = {
        "PATH": os.defpath,
        "HOME": str(place),
        "TMPDIR": str(place),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(
            [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--cov=.", *reports],
            cwd=place / "project",
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, f"The tests did not end within {_SECONDS} s"
    return done.returncode, done.stdout


def _counts(report: Path) -> tuple[int, int]:
    """Passed; failed or broken."""
    if not report.exists():
        return 0, 0
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))  # noqa: S314  (pytest's)

    def total(name: str) -> int:
        return sum(int(suite.get(name, 0)) for suite in suites)

    bad = total("failures") + total("errors")
    return total("tests") - bad - total("skipped"), bad


def _coverage(report: Path) -> float | None:
    if not report.exists():
        return None
    files = json.loads(report.read_text())["files"]
    code = [entry["summary"] for path, entry in files.items() if not path.startswith("tests/")]
    lines = sum(summary["num_statements"] for summary in code)
    return sum(summary["covered_lines"] for summary in code) / lines if lines else None
