"""The demo against a client that only pretends: it succeeds only if everything happened."""

import io
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from agenticai_client.sdk import Client
from agenticai_local.demo import Demo, DemoFailed, run_demo
from agenticai_local.errors import LocalError

Json = dict[str, Any]
GOOD_TEST = "def test_it():\n    from main import one\n    assert one() == 1\n"


def event(seq: int, type_: str, **data: Any) -> Json:
    at = "2026-01-01T00:00:00.000000Z"
    return {"project_id": "p", "seq": seq, "id": str(seq), "type": type_, "at": at, "data": data}


class PretendClient:
    """A project that is active at once, and a modification that is applied at once."""

    def __init__(self, **wrong: Any) -> None:
        self.project: Json = {
            "id": "p", "name": "Salon", "type": "api", "status": "active", "revision": 2,
            "model": "template", "failure": None, "scores": {"test_coverage": 0.9},
        }  # fmt: skip
        self.change: Json = {"id": "mod_1", "status": "applied", "failure": None}
        self.state = "live"
        self.test = GOOD_TEST
        self.asked: list[tuple[str, int]] = []
        for name, value in wrong.items():
            setattr(self, name, value)

    def create_project(self, name: str, type: str, description: str) -> Json:
        return {"id": "p"}

    def get_project(self, project_id: str) -> Json:
        return self.project

    def follow_project(
        self, project_id: str, after: int, notice: Callable[[str, str], None]
    ) -> Iterator[Json]:
        self.asked.append(("create", after))
        notice(self.state, "no reason")
        yield event(after + 1, "file_written", agent="dev", path="main.py")
        yield event(after + 2, "project_active")

    def modify(self, project_id: str, request: str) -> Json:
        return self.change

    def get_modification(self, project_id: str, modification_id: str) -> Json:
        return self.change

    def follow_modification(
        self, project_id: str, modification: str, after: int, notice: Callable[[str, str], None]
    ) -> Iterator[Json]:
        self.asked.append(("modify", after))
        notice(self.state, "no reason")
        yield event(after + 1, "modification_complete", modification_id=modification)

    def files(self, project_id: str) -> Json:
        return {"main.py": {}, "test_main.py": {}}

    def archive(self, project_id: str) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as target:
            target.writestr("main.py", "def one():\n    return 1\n")
            target.writestr("test_main.py", self.test)
        return packed.getvalue()


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=200)


@pytest.fixture
def use_own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agenticai_local.demo.SANDBOX_PYTHON", Path(sys.executable))


def said(console: Console) -> str:
    return cast(io.StringIO, console.file).getvalue()


def run(client: PretendClient, console: Console, output: Path) -> Any:
    return Demo(cast(Client, client), console).run("Salon", "api", "A salon", output)


@pytest.mark.usefixtures("use_own_python")
def test_all_steps_are_shown_and_told(tmp_path: Path, console: Console) -> None:
    client = PretendClient()
    result = run(client, console, tmp_path)
    assert result.folder == tmp_path / "salon"
    assert (result.files, result.tests.passed, result.tests.failed) == (2, 1, 0)
    assert set(result.seconds) == {"Create", "Modify", "Download", "Test"}
    assert client.asked == [("create", 0), ("modify", 2)]  # no event is shown twice
    assert "wrote main.py" in said(console)


@pytest.mark.usefixtures("use_own_python")
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"project": {"status": "failed", "failure": {"message": "No idea"}}}, "failed: No idea"),
        ({"change": {"id": "m", "status": "rejected", "failure": None}}, "is rejected"),
        ({"state": "polling"}, "the WebSocket was never connected"),
        ({"test": GOOD_TEST.replace("== 1", "== 2")}, "did not pass(.|\n)*assert 1 == 2"),
        ({"test": ""}, "did not pass"),
    ],
)
def test_whatever_does_not_happen_fails_it(
    tmp_path: Path, console: Console, wrong: Json, reason: str
) -> None:
    with pytest.raises(DemoFailed, match=reason):
        run(PretendClient(**wrong), console, tmp_path)


def test_a_failure_is_told_with_its_hint_and_the_logs(
    tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken(*_: Any, **__: Any) -> None:
        raise LocalError("api ended", hint="look there")

    monkeypatch.setattr("agenticai_local.demo.LocalStack", broken)
    assert run_demo("", "api", "", console) == 1
    for expected in ("The demo failed: api ended", "look there", "/logs"):
        assert expected in said(console)


def test_ctrl_c_is_no_failure_but_no_success_either(
    tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("agenticai_local.demo.LocalStack", interrupted)
    assert run_demo("", "api", "", console) == 130
    assert list(tmp_path.iterdir()) == []
