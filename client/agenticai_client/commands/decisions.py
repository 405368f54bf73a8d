"""Deciding about what waits or is under way: a project's run, or one modification."""

from typing import Annotated

import typer

from agenticai_client.commands.common import Json, ProjectArgument
from agenticai_client.session import Session, resolve, session_of

ModificationOption = Annotated[
    str | None,
    typer.Option("--modification", metavar="ID", help="Only this one, whatever else there is."),
]


def approve(
    context: typer.Context, project: ProjectArgument, modification: ModificationOption = None
) -> None:
    """Let a project or modification that waits for approval go on.

    Example: agenticai approve @last
    """
    session = session_of(context)
    said = "Approved; it goes on."
    with session.connect() as client:
        project_id = resolve(client, project)
        if modification:
            decided = client.approve_modification(project_id, modification)
            _tell(session, {"modification": decided}, said)
        else:
            _tell(session, {"project": client.approve(project_id)}, said)


def reject(
    context: typer.Context,
    project: ProjectArgument,
    feedback: Annotated[
        str | None, typer.Option(help="What should be different: it is planned again.")
    ] = None,
    modification: ModificationOption = None,
) -> None:
    """Refuse what waits for approval: it ends, or with feedback it is planned again.

    Example: agenticai reject @last --feedback "Customers need no password"
    """
    session = session_of(context)
    said = "Rejected; it is planned again." if feedback else "Rejected."
    with session.connect() as client:
        project_id = resolve(client, project)
        if modification:
            decided = client.reject_modification(project_id, modification, feedback)
            _tell(session, {"modification": decided}, said)
        else:
            _tell(session, {"project": client.reject(project_id, feedback)}, said)


def cancel(
    context: typer.Context, project: ProjectArgument, modification: ModificationOption = None
) -> None:
    """Stop what is under way, or one modification, also one that waits; finished revisions stay.

    Examples: agenticai cancel @last; agenticai cancel @last --modification mod_01jd3v9k2m7q8r5s
    """
    session = session_of(context)
    with session.connect() as client:
        project_id = resolve(client, project)
        if modification:
            decided = client.cancel_modification(project_id, modification)
            _tell(session, {"modification": decided}, "Cancelled.")
        else:
            _tell(session, {"project": client.cancel(project_id)}, "Cancelled.")


def _tell(session: Session, answer: Json, text: str) -> None:
    if session.json:
        session.emit(answer)
    session.say(text)
