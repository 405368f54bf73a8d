"""Starting work, following it, and deciding about it."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from agenticai_client.commands.projects import ProjectArgument, pull_into, pulled_line
from agenticai_client.errors import ApiError
from agenticai_client.follow import Followed, follow
from agenticai_client.names import name_from
from agenticai_client.sdk import Client
from agenticai_client.session import ExitCode, Session, resolve, session_of
from agenticai_client.show import print_failure
from agenticai_client.wording import one_line, scores_line
from agenticai_core.models import ProjectType

Json = dict[str, Any]
Watch = Annotated[
    bool, typer.Option("--watch/--no-watch", help="Follow the work to its end, or just start it.")
]


def new(
    context: typer.Context,
    description: Annotated[
        str, typer.Argument(help="What to build, in your own words; - reads it from stdin.")
    ],
    *,
    name: Annotated[str | None, typer.Option(help="Default: taken from the description.")] = None,
    type_: Annotated[ProjectType, typer.Option("--type", help="What kind.")] = ProjectType.API,
    watch_it: Watch = True,
    pull: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Download the files there when ready.")
    ] = None,
    approval: Annotated[
        bool, typer.Option("--approval", help="Wait for `agenticai approve` before writing code.")
    ] = False,
    token_budget: Annotated[
        int | None, typer.Option(min=1, help="The most tokens a language model may use.")
    ] = None,
) -> None:
    """Create a project from a description.

    Example: agenticai new "Appointments for a dog salon, with owners and dogs" --pull ./salon
    """
    session = session_of(context)
    if pull and not watch_it:
        raise typer.BadParameter("the files are there at the end only", param_hint="--pull")
    text = _read(description)
    options: Json = {"approval": "required" if approval else None, "token_budget": token_budget}
    with session.connect() as client:
        project = client.create_project(
            name or name_from(text),
            type_.value,
            text,
            **{key: value for key, value in options.items() if value is not None},
        )
        session.note(f"Created {one_line(project['name'])} ({project['id']}).")
        if watch_it:
            project = _build(session, client, project["id"], pull)
    if session.json:
        session.emit({"project": project})
    elif not watch_it:
        session.say(project["id"])
    _exit_badly_if(project["status"] in ("failed", "cancelled"))


def watch(
    context: typer.Context,
    project: ProjectArgument,
    after: Annotated[int, typer.Option(min=0, help="Begin after this event number.")] = 0,
    forever: Annotated[
        bool, typer.Option("--forever", help="Do not end when the work does.")
    ] = False,
) -> None:
    """Show a project's events, past and live, until nothing is under way.

    Under --json each event is a line of JSON.

    Examples: agenticai watch @last; agenticai watch @last --after 40 --json
    """
    session = session_of(context)
    with session.connect() as client:
        project_id = resolve(client, project)
        seen = follow(
            session,
            project_id,
            lambda notice: (
                client.watch(project_id, after, notice=notice)
                if forever
                else client.follow_project(project_id, after, notice)
            ),
            after=after,
            lines=session.json,
        )
    _exit_badly_if(seen.ended_badly)


def modify(
    context: typer.Context,
    project: ProjectArgument,
    request: Annotated[
        str, typer.Argument(help="What to change, in your own words; - reads it from stdin.")
    ],
    watch_it: Watch = True,
) -> None:
    """Ask for a change to a project.

    Example: agenticai modify @last "Add user authentication"
    """
    session = session_of(context)
    text = _read(request)
    with session.connect() as client:
        project_id = resolve(client, project)
        head = client.events(project_id, limit=1)["head"]
        modification = client.modify(project_id, text)
        if watch_it:
            modification = _change(session, client, modification, head)
    if session.json:
        session.emit({"modification": modification})
    elif not watch_it:
        session.say(modification["id"])
    _exit_badly_if(modification["status"] in ("failed", "rejected", "cancelled"))


def approve(context: typer.Context, project: ProjectArgument) -> None:
    """Let a project or modification that waits for approval go on.

    Example: agenticai approve @last
    """
    session = session_of(context)
    with session.connect() as client:
        _tell(session, client.approve(resolve(client, project)), "Approved; it goes on.")


def reject(
    context: typer.Context,
    project: ProjectArgument,
    feedback: Annotated[
        str | None, typer.Option(help="What should be different: it is planned again.")
    ] = None,
) -> None:
    """Refuse what waits for approval: it ends, or with feedback it is planned again.

    Example: agenticai reject @last --feedback "Customers need no password"
    """
    session = session_of(context)
    said = "Rejected; it is planned again." if feedback else "Rejected."
    with session.connect() as client:
        _tell(session, client.reject(resolve(client, project), feedback), said)


def cancel(context: typer.Context, project: ProjectArgument) -> None:
    """Stop what is under way; finished revisions stay.

    Example: agenticai cancel @last
    """
    session = session_of(context)
    with session.connect() as client:
        _tell(session, client.cancel(resolve(client, project)), "Cancelled.")


def _build(session: Session, client: Client, project_id: str, pull: Path | None) -> Json:
    seen = follow(
        session, project_id, lambda notice: client.follow_project(project_id, notice=notice)
    )
    project = client.get_project(project_id)
    if project["status"] != "active":
        session.say(f"{one_line(project['name'])}: {project['status']}.", style="red")
        if not session.json:
            print_failure(session.err, project)
        return project
    count = len(client.files(project_id))
    session.say(f"{one_line(project['name'])} is ready: {_summary(project, seen, count)}.")
    if pull:
        session.say(pulled_line(*pull_into(client, project_id, pull)))
    else:
        session.note(f"Download it:  agenticai pull {project_id}")
    session.note(f'Change it:    agenticai modify {project_id} "Add user authentication"')
    return project


def _change(session: Session, client: Client, modification: Json, head: int) -> Json:
    project_id, wanted = modification["project_id"], modification["id"]
    seen = follow(
        session,
        project_id,
        lambda notice: client.follow_modification(project_id, wanted, head, notice),
        after=head,
    )
    try:
        modification = client.get_modification(project_id, wanted)
    except ApiError as error:
        error.hint = "The project may have been deleted meanwhile."
        raise
    said = f"The change is {modification['status']} after {seen.seconds:.0f} s"
    changed = modification.get("modified_files") or ()
    session.say(said + (f": {len(changed)} files." if changed else "."))
    if not session.json:
        print_failure(session.err, modification)
    return modification


def _summary(project: Json, seen: Followed, count: int) -> str:
    parts = [f"{count} files"]
    if seen.tests is not None:
        parts.append(f"{seen.tests} tests passed")
    parts += [scores_line(project["scores"]), f"{seen.seconds:.0f} s"]
    return ", ".join(part for part in parts if part)


def _tell(session: Session, project: Json, text: str) -> None:
    if session.json:
        session.emit({"project": project})
    session.say(text)


def _read(text: str) -> str:
    given = sys.stdin.read() if text == "-" else text
    if not given.strip():
        raise typer.BadParameter("say something: it is empty")
    return given.strip()


def _exit_badly_if(bad: bool) -> None:
    if bad:
        raise typer.Exit(ExitCode.FAILED)
