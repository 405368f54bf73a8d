"""Arguments and small steps that several commands share."""

import math
import sys
from typing import Annotated, Any

import typer

from agenticai_client.session import ExitCode

Json = dict[str, Any]
ProjectArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="A project: its id, the start or end of it, its name, or @last."
    ),
]
WatchOption = Annotated[
    bool, typer.Option("--watch/--no-watch", help="Follow the work to its end, or just start it.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
LimitOption = Annotated[int, typer.Option(min=1, help="At most this many.")]


def read_text(given: str) -> str:
    """What was typed, or stdin for ``-``; without the space around it, and never empty."""
    text = sys.stdin.read() if given == "-" else given
    if not text.strip():
        raise typer.BadParameter("say something: it is empty")
    return text.strip()


def finite(value: float | None) -> float | None:
    """The callback of an option: infinity and NaN are floats too, and no amount of anything."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter("is not a number of anything")
    return value


def confirm(question: str, *, yes: bool) -> None:
    """Ask on stderr, so that stdout stays a result; a no ends the command."""
    if not yes and not typer.confirm(question, err=True):
        raise typer.Abort()


def exit_badly_if(bad: bool) -> None:
    if bad:
        raise typer.Exit(ExitCode.FAILED)
