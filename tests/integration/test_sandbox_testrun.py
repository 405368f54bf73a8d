"""Small projects through the real sandbox and the real pytest."""

import textwrap
from pathlib import Path

import pytest

from agenticai_core.models import TestReport
from agenticai_worker.quality import measure
from agenticai_worker.sandbox.local import LocalSandbox
from agenticai_worker.sandbox.testrun import run_tests

PYTHON = str(Path(__file__).parents[2] / ".venv-sandbox" / "bin" / "python")

SHOP = {
    "shop/__init__.py": "",
    "shop/prices.py": """
        def total(prices: list[int]) -> int:
            return sum(prices)

        def never_called() -> int:
            return 1
        """,
    "tests/test_prices.py": """
        from shop.prices import total

        def test_total():
            assert total([1, 2]) == 3
        """,
    # What would break or falsify the run if it were obeyed.
    "pyproject.toml": """
        [tool.pytest.ini_options]
        addopts = "-n auto --cov-fail-under=100 --junitxml=elsewhere.xml"
        [tool.coverage.run]
        omit = ["*"]
        """,
}


@pytest.fixture(scope="module")
def sandbox() -> LocalSandbox:
    return LocalSandbox(PYTHON)


def project(**changes: str) -> dict[str, bytes]:
    """The shop with more or other files; "__" in a name stands for "/", "_py" for ".py"."""
    files = dict(SHOP)
    for name, text in changes.items():
        files[name.replace("__", "/").replace("_py", ".py")] = text
    return {path: textwrap.dedent(text).encode() for path, text in files.items()}


def report(sandbox: LocalSandbox, **changes: str) -> TestReport:
    return run_tests(sandbox, project(**changes), 30)


def test_a_good_project(sandbox: LocalSandbox) -> None:
    found = report(sandbox)
    assert found.ok
    assert (found.passed, found.failed, found.errors, found.skipped) == (1, 0, 0, 0)
    assert found.coverage == 0.75  # 3 of 4 statements, and of the tests none
    assert found.missing_lines == {"shop/prices.py": 1}
    assert list(found.slowest) in ([], ["tests/test_prices.py::test_total"])
    assert (found.failures, found.stopped, found.missing_modules) == ((), None, ())
    assert found.sandbox == sandbox.level
    assert "1 passed" in found.output
    assert 0 < found.seconds < 30


def test_an_api_with_a_database(sandbox: LocalSandbox) -> None:
    """Its test client, its event loop and its threads wake each other through socket pairs."""
    main = """
        from collections.abc import Iterator
        from fastapi import Depends, FastAPI
        from sqlalchemy import create_engine, text
        from sqlalchemy.orm import Session

        engine = create_engine("sqlite:///data.db")
        app = FastAPI()

        def session() -> Iterator[Session]:
            with Session(engine) as opened:
                yield opened

        @app.get("/sum")
        def get_sum(session: Session = Depends(session)) -> dict[str, int]:
            return {"sum": session.execute(text("select 20 + 22")).scalar_one()}

        @app.get("/now")
        async def get_now() -> str:
            return "now"
        """
    tests = """
        import asyncio
        from fastapi.testclient import TestClient
        from main import app

        def test_both_kinds_of_route(tmp_path):
            with TestClient(app) as client:
                assert client.get("/sum").json() == {"sum": 42}
                assert client.get("/now").json() == "now"
            (tmp_path / "x").write_text("x")

        def test_loop():
            assert asyncio.run(asyncio.to_thread(lambda: 3)) == 3
        """
    found = report(sandbox, main_py=main, tests__test_main_py=tests)
    assert (found.passed, found.failures) == (3, ())


def test_failures_come_with_their_place_and_message(sandbox: LocalSandbox) -> None:
    tests = """
        import pytest

        @pytest.fixture
        def broken():
            raise RuntimeError("no fixture")

        class TestAll:
            @pytest.mark.parametrize("n", [1, 2])
            def test_small(self, n):
                assert n == 1, "x" * 10_000

        def test_broken(broken): pass

        @pytest.mark.skip(reason="later")
        def test_later(): pass
        """
    found = report(sandbox, tests__test_bad_py=tests)
    assert not found.ok
    assert (found.passed, found.failed, found.errors, found.skipped) == (2, 1, 1, 1)
    by_test = {failure.test: failure.message for failure in found.failures}
    small = by_test["tests/test_bad.py::TestAll::test_small[2]"]
    assert "AssertionError" in small
    assert len(small) <= 4096
    assert "no fixture" in by_test["tests/test_bad.py::test_broken"]


def test_many_failures_are_counted_but_not_all_told(sandbox: LocalSandbox) -> None:
    tests = """
        import pytest
        @pytest.mark.parametrize("n", range(30))
        def test_n(n): assert n < 0
        """
    found = report(sandbox, tests__test_bad_py=tests)
    assert (found.failed, len(found.failures)) == (30, 20)


def test_a_module_of_the_project_that_is_not_there_is_an_error(sandbox: LocalSandbox) -> None:
    found = report(sandbox, tests__test_bad_py="import shop.nowhere", tests__test_c_py="import (")
    assert (found.passed, found.errors, found.missing_modules) == (1, 2, ())
    assert "shop.nowhere" in found.failures[0].message
    assert "SyntaxError" in found.failures[1].message


@pytest.mark.parametrize("place", ["tests__test_bad_py", "conftest_py", "shop__extra_py"])
def test_a_package_outside_the_curated_set_is_unverifiable(
    sandbox: LocalSandbox, place: str
) -> None:
    changes = {place: "import numpy_is_not_here"}
    if place.startswith("shop"):
        changes["tests__test_bad_py"] = "def test_late(): import shop.extra"
    found = report(sandbox, **changes)
    assert found.missing_modules == ("numpy_is_not_here",)
    assert not found.ok


def test_a_project_without_tests_has_not_passed(sandbox: LocalSandbox) -> None:
    found = run_tests(sandbox, {"main.py": b"x = 1\n"}, 30)
    assert not found.ok
    assert found.errors == 1
    assert found.failures[0].message.startswith("No tests were found.")
    assert found.coverage == 0.0


def test_a_test_without_end_is_named(sandbox: LocalSandbox) -> None:
    files = project(tests__test_z_py="def test_z():\n    while True: pass")
    found = run_tests(sandbox, files, 3)
    assert found.stopped == "timeout"
    assert not found.ok
    assert found.failures[0].test == "tests/test_z.py::test_z"
    assert "longer than 3 s" in found.failures[0].message
    assert found.coverage is None


@pytest.mark.parametrize("code", [0, 1, 3])
def test_leaving_in_the_middle_is_not_passing(sandbox: LocalSandbox, code: int) -> None:
    found = report(sandbox, tests__test_z_py=f"def test_z():\n    import os; os._exit({code})")
    assert not found.ok
    assert f"ended with code {code}" in found.failures[0].message


def test_a_report_that_the_exit_code_contradicts_is_not_believed(sandbox: LocalSandbox) -> None:
    """It hides the failed tests, and pytest still ends with 1."""
    conftest = """
        def pytest_unconfigure(config):
            from pathlib import Path
            path = Path(".test-report/junit.xml")
            if path.exists():
                path.write_text('<testsuites><testsuite><testcase classname="a" name="b" '
                                'file="a.py" time="0"/></testsuite></testsuites>')
        """
    found = report(sandbox, conftest_py=conftest, tests__test_z_py="def test_z(): assert False")
    assert not found.ok
    assert "its report does not explain" in found.failures[0].message


def test_the_network_is_refused_like_any_permission(sandbox: LocalSandbox) -> None:
    if "it can open sockets" in sandbox.missing:
        pytest.skip(f"not here: {sandbox.missing}")
    found = report(
        sandbox,
        tests__test_net_py="import socket\ndef test_net(): socket.create_server(('127.0.0.1', 0))",
    )
    assert (found.passed, found.failed) == (1, 1)
    assert "PermissionError" in found.failures[0].message


def test_nothing_tells_where_it_ran(sandbox: LocalSandbox) -> None:
    found = report(sandbox, tests__test_bad_py="import shop.nowhere")
    told = found.model_dump_json()
    assert "agenticai-run-" not in told
    assert str(Path(PYTHON).parent.parent) not in told


def test_scores_of_a_clean_and_of_a_dangerous_project(sandbox: LocalSandbox) -> None:
    clean = measure(sandbox, project(), report(sandbox))
    assert clean.findings == ()
    assert clean.scores.model_dump() == {
        "test_coverage": 0.75,
        "security_score": 1.0,
        "performance_score": 1.0,
    }
    danger = """
        import subprocess
        def run(command):
            subprocess.call(command, shell=True)  # nosec
            copies = []
            for letter in command:
                copies.append(letter * 2)  # noqa
            return copies
        """
    key = "AKIA" + "Z7Q4M2X9K5T8W3RB"
    files = project(
        shop__run_py=danger, json_py="", README=f"key: {key} # pragma: allowlist secret"
    )
    found = measure(sandbox, files, TestReport())
    rules = {(finding.path, finding.rule) for finding in found.findings}
    assert {
        ("shop/run.py", "B602"),
        ("README", "AWS Access Key"),
        ("shop/run.py", "PERF401"),
    } <= rules
    assert found.scores.security_score is not None
    assert found.scores.security_score < 0.5
    assert found.scores.performance_score == pytest.approx(1 / 1.1, abs=1e-4)
    assert found.scores.test_coverage is None


def test_code_that_is_no_python_has_no_scores(sandbox: LocalSandbox) -> None:
    found = measure(sandbox, {"main.py": b"def broken(:\n"}, TestReport())
    assert found.scores.security_score is None
    assert found.scores.performance_score is None
