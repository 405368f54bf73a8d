"""What goes wrong outside is told with a code, a hint and an exit code that fits."""

import io
import json
import sys

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from rich.console import Console
from typer.testing import CliRunner

from agenticai_client.cli import app
from agenticai_client.errors import ApiError
from agenticai_client.session import ExitCode, Session, exit_code_of
from agenticai_core.errors import Unavailable
from agenticai_core.store.base import StoreUnavailable
from agenticai_operate.commands.backup import _progress
from agenticai_operate.commands.common import operator


def of_aws(code):
    return ClientError({"Error": {"Code": code, "Message": "so it is"}}, "Scan")


CASES = [
    (NoCredentialsError(), "NOT_AUTHENTICATED", ExitCode.NOT_ALLOWED),
    (of_aws("ExpiredTokenException"), "NOT_AUTHENTICATED", ExitCode.NOT_ALLOWED),
    (of_aws("AccessDeniedException"), "NOT_ALLOWED", ExitCode.NOT_ALLOWED),
    (of_aws("AccessDenied"), "NOT_ALLOWED", ExitCode.NOT_ALLOWED),
    (of_aws("ResourceNotFoundException"), "NOT_FOUND", ExitCode.NOT_FOUND),
    (of_aws("AWS.SimpleQueueService.NonExistentQueue"), "NOT_FOUND", ExitCode.NOT_FOUND),
    (of_aws("NoSuchBucket"), "NOT_FOUND", ExitCode.NOT_FOUND),
    (of_aws("SomethingElse"), "AWS_ERROR", ExitCode.FAILED),
    (EndpointConnectionError(endpoint_url="http://x"), "UNAVAILABLE", ExitCode.UNREACHABLE),
    (StoreUnavailable("throttled"), "UNAVAILABLE", ExitCode.UNREACHABLE),
    (Unavailable("The bucket is away"), "UNAVAILABLE", ExitCode.UNREACHABLE),
]


@pytest.mark.parametrize(("error", "code", "exit_code"), CASES, ids=[repr(c[0]) for c in CASES])
def test_an_error_has_a_code_and_an_exit_code(error, code, exit_code):
    @operator
    def command():
        raise error

    with pytest.raises(ApiError) as told:
        command()
    assert told.value.code == code
    assert exit_code_of(told.value) == exit_code


def test_no_answer_ends_with_a_hint(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setattr(
        "agenticai_operate.places.AWS_CONFIG",
        Config(retries={"total_max_attempts": 1}),
    )
    result = CliRunner().invoke(app, ["dlq", "list", "--app", "a", "--env", "b", "--json"])
    assert result.exit_code == ExitCode.UNREACHABLE
    told = json.loads(result.stderr)["error"]
    assert told["code"] == "UNAVAILABLE"
    assert "AWS_ENDPOINT_URL" in told["hint"]


def test_without_the_extra_its_name_is_told(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("agenticai_operate.cost.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "yaml", None)
    result = CliRunner().invoke(app, ["cost"])
    assert result.exit_code == ExitCode.FAILED
    assert "agenticai[operate]" in result.stderr


def test_a_variable_that_makes_no_sense_is_told(monkeypatch):
    monkeypatch.setenv("AGENTICAI_SWEEP_SECONDS", "soon")
    result = CliRunner().invoke(app, ["dlq", "list"])
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "make no sense" in result.stderr


@pytest.mark.parametrize(("quiet", "terminal"), [(False, True), (True, True), (False, False)])
def test_progress_is_for_terminals(quiet, terminal):
    session, screen = Session(quiet=quiet), io.StringIO()
    session.err = Console(file=screen, force_terminal=terminal, width=60)
    with _progress(session) as tell:
        tell("items", 2000)
    assert bool(screen.getvalue()) == (terminal and not quiet)
