"""Following work to its end on the command line: live lines, then how it went."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

import typer

from agenticai_client.errors import ConnectionFailed
from agenticai_client.sdk import MODIFICATION_ENDS, PROJECT_ENDS
from agenticai_client.session import ExitCode, Session
from agenticai_client.show import LiveView
from agenticai_client.wording import BAD

Json = dict[str, Any]
Events = Iterator[Json]


@dataclass
class Followed:
    """What was seen on the way."""

    last: int
    seconds: float = 0.0
    ending: str | None = None  # the type of the last event that ended something
    tests: int | None = None

    @property
    def ended_badly(self) -> bool:
        return self.ending in BAD

    def take(self, event: Json) -> None:
        self.last = event["seq"]
        if event["type"] in PROJECT_ENDS | MODIFICATION_ENDS:
            self.ending = event["type"]
        if event["type"] == "tests_passed":
            self.tests = (event.get("data") or {}).get("passed")


def follow(
    session: Session,
    project_id: str,
    start: Callable[[Callable[[str, str], None]], Events],
    *,
    after: int = 0,
    lines: bool = False,
) -> Followed:
    """Show events as they come, until they end. ``start`` makes them, given where notices go.

    ``lines``: each as a line of JSON. Ctrl-C leaves, and says how to go on: the work does.
    """
    seen = Followed(after)
    view = LiveView(session.out, verbose=session.verbose)
    began = time.monotonic()
    told: list[str] = []
    events = start(lambda state, reason: _tell(session, told, state, reason))
    try:
        # Closing the generator closes the socket at once, not whenever memory is cleaned up.
        with (
            closing(cast(Any, events)),
            view.running(silent=lines or session.json or session.quiet),
        ):
            for event in events:
                seen.take(event)
                if lines:
                    session.emit(event)
                elif not (session.json or session.quiet):
                    view.show(event)
                _ask_for_approval(session, event)
    except KeyboardInterrupt:
        _leave(project_id, seen.last)
    except ConnectionFailed as error:
        error.hint = (
            f"The work may go on without you: agenticai watch {project_id} --after {seen.last}"
        )
        raise
    seen.seconds = time.monotonic() - began
    return seen


def _leave(project_id: str, last: int) -> None:
    typer.echo(
        "\nNo longer watching; the work goes on. To see the rest:\n"
        f"  agenticai watch {project_id} --after {last}",
        err=True,
    )
    raise typer.Exit(ExitCode.INTERRUPTED)


def _ask_for_approval(session: Session, event: Json) -> None:
    if event["type"] == "approval_required":
        project_id = event["project_id"]
        session.note(
            f"Look at it with `agenticai show {project_id}`, then, in another terminal:\n"
            f"  agenticai approve {project_id}    or    agenticai reject {project_id}"
        )


def _tell(session: Session, told: list[str], state: str, reason: str) -> None:
    """A change of the connection; that it is up is news only after it was down."""
    if state == "live" and not told:
        return
    told.append(state)
    why = reason.rstrip(".")
    words = {
        "live": "The live connection is up.",
        "polling": f"No live connection ({why}); reading the log every second instead.",
        "offline": f"Nothing answers ({why}); trying again.",
    }
    session.note(words[state])
