"""One run of the command line: where it talks to, how it shows things, how it ends."""

import json
import sys
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from agenticai_client.errors import ApiError, ClientError, ConnectionFailed, NotConfigured
from agenticai_client.find import Target, find_target
from agenticai_client.names import ManyProjects, NoSuchProject, find_project, is_full_id
from agenticai_client.sdk import Client
from agenticai_client.wording import one_line, plain

SEARCHED = 500  # newest projects among which an abbreviated id is looked for
_PIPE_WIDTH = 160  # a table in a file or a pipe has no terminal to fit into


class ExitCode(IntEnum):
    """Documented in `agenticai --help`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    UNREACHABLE = 5
    INTERRUPTED = 130


@dataclass
class Session:
    api_url: str | None = None
    api_key: str | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    out: Console = field(init=False)
    err: Console = field(init=False)

    def __post_init__(self) -> None:
        self.out = _console(sys.stdout.isatty(), stderr=False, no_color=self.no_color)
        self.err = _console(sys.stderr.isatty(), stderr=True, no_color=self.no_color)

    @cached_property
    def target(self) -> Target:
        return find_target(self.api_url, self.api_key)

    def connect(self) -> Client:
        target = self.target
        return Client(target.api_url, target.api_key, websocket_url=target.websocket_url)

    def emit(self, document: Any) -> None:
        """The result of a command under ``--json``: one document, or one of its lines."""
        compact = {} if isinstance(document, dict) and "seq" in document else {"indent": 2}
        typer.echo(json.dumps(document, ensure_ascii=False, **compact))  # type: ignore[arg-type]

    def say(self, text: str, style: str = "") -> None:
        """A line of the result, for people."""
        if not self.json:
            self.out.print(Text(plain(text), style=style), soft_wrap=True)

    def note(self, text: str) -> None:
        """Something beside the result."""
        if not (self.quiet or self.json):
            self.err.print(Text(plain(text), style="dim"), soft_wrap=True)

    def complain(self, error: ClientError) -> None:
        if self.json:
            typer.echo(json.dumps(_as_json(error), ensure_ascii=False), err=True)
            return
        self.err.print(Text(f"Error: {plain(error.message)}", style="red"), soft_wrap=True)
        for problem in _other_problems(error):
            self.err.print(Text(f"  {problem}", style="red"), soft_wrap=True)
        if error.hint:
            self.err.print(Text(f"Hint: {plain(error.hint)}", style="yellow"), soft_wrap=True)
        if isinstance(error, ApiError) and error.status >= 500 and error.request_id:
            self.err.print(Text(f"Request: {one_line(error.request_id)}", style="dim"))


def session_of(context: typer.Context) -> Session:
    session: Session = context.find_root().obj
    return session


def resolve(client: Client, typed: str) -> str:
    """The project's id for what was typed: an id, a part of one, a name, or ``@last``."""
    if is_full_id(typed):
        return typed
    if typed == "@last":
        return find_project(typed, client.list_projects(limit=1))
    return find_project(typed, client.list_projects(limit=SEARCHED))


def exit_code_of(error: ClientError) -> ExitCode:
    if isinstance(error, ApiError):
        return _by_status(error)
    if isinstance(error, ConnectionFailed | NotConfigured):
        return ExitCode.UNREACHABLE
    if isinstance(error, NoSuchProject):
        return ExitCode.NOT_FOUND
    return ExitCode.USAGE if isinstance(error, ManyProjects) else ExitCode.FAILED


def _by_status(error: ApiError) -> ExitCode:
    if error.status in (401, 403):
        return ExitCode.NOT_ALLOWED
    if error.status == 404:
        return ExitCode.NOT_FOUND
    if error.status in (400, 413, 422):
        return ExitCode.USAGE
    return ExitCode.UNREACHABLE if error.status in (502, 503, 504) else ExitCode.FAILED


def _console(terminal: bool, *, stderr: bool, no_color: bool) -> Console:
    return Console(
        stderr=stderr,
        no_color=no_color or None,
        highlight=False,
        width=None if terminal else _PIPE_WIDTH,
    )


def _other_problems(error: ClientError) -> list[str]:
    """A validation error's problems beside the first, which the message tells already."""
    problems = error.details.get("errors") if isinstance(error, ApiError) else None
    if not isinstance(problems, list):
        return []
    return [
        one_line(f"{problem.get('field')} {problem.get('message')}")
        for problem in problems[1:]
        if isinstance(problem, dict)
    ]


def _as_json(error: ClientError) -> dict[str, Any]:
    body: dict[str, Any] = {"message": error.message, "hint": error.hint}
    if isinstance(error, ApiError):
        body |= {"code": error.code, "status": error.status, "details": error.details}
        return {"success": False, "error": body, "request_id": error.request_id}
    name = type(error).__name__
    code = "".join(f"_{c}" if c.isupper() else c.upper() for c in name).lstrip("_")
    return {"success": False, "error": body | {"code": code}}
