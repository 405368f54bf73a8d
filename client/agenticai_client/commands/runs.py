"""Following work, asking for changes, and speaking into it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from agenticai_client.commands.common import (
    ProjectArgument,
    WatchOption,
    exit_badly_if,
    read_text,
)
from agenticai_client.commands.projects import pull_into, pulled_line
from agenticai_client.errors import ApiError
from agenticai_client.follow import Followed, follow
from agenticai_client.sdk import Client
from agenticai_client.session import Session, resolve, session_of
from agenticai_client.show import print_failure
from agenticai_client.wording import one_line, scores_line

Json = dict[str, Any]


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
    exit_badly_if(seen.ended_badly)


def modify(
    context: typer.Context,
    project: ProjectArgument,
    request: Annotated[
        str, typer.Argument(help="What to change, in your own words; - reads it from stdin.")
    ],
    watch_it: WatchOption = True,
) -> None:
    """Ask for a change to a project.

    Example: agenticai modify @last "Add user authentication"
    """
    session = session_of(context)
    text = read_text(request)
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
    exit_badly_if(modification["status"] in ("failed", "rejected", "cancelled"))


def say(
    context: typer.Context,
    project: ProjectArgument,
    text: Annotated[
        str, typer.Argument(help="What the agents should heed; - reads it from stdin.")
    ],
) -> None:
    """Say something into the work under way; the steps that are still to come heed it.

    Example: agenticai say @last "Prices are in euros, with two decimals"
    """
    session = session_of(context)
    with session.connect() as client:
        found = client.send_message(resolve(client, project), read_text(text))
    if session.json:
        session.emit({"project": found})
    session.say("Said. An event tells if it could not be heeded.")


def retry(context: typer.Context, project: ProjectArgument, watch_it: WatchOption = True) -> None:
    """Try a failed project again; what was finished before an outage is not done twice.

    Example: agenticai retry @last
    """
    session = session_of(context)
    with session.connect() as client:
        project_id = resolve(client, project)
        head = client.events(project_id, limit=1)["head"]
        found = client.retry(project_id)
        if watch_it:
            found = follow_build(session, client, project_id, after=head)
    if session.json:
        session.emit({"project": found})
    elif not watch_it:
        session.say("Trying it again.")
    exit_badly_if(found["status"] in ("failed", "cancelled"))


def follow_build(
    session: Session,
    client: Client,
    project_id: str,
    *,
    after: int = 0,
    pull: Path | None = None,
) -> Json:
    """Show a creation's events after number ``after`` to its end, and how it went."""
    seen = follow(
        session,
        project_id,
        lambda notice: client.follow_project(project_id, after, notice),
        after=after,
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
