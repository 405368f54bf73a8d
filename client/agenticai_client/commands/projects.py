"""Looking at projects, taking their files, deleting them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agenticai_client.archive import Pulled, unpack
from agenticai_client.commands.common import LimitOption, ProjectArgument, YesOption, confirm
from agenticai_client.names import folder_from
from agenticai_client.sdk import Client
from agenticai_client.session import Session, resolve, session_of
from agenticai_client.show import file_table, print_project, project_table
from agenticai_client.wording import one_line
from agenticai_core.models import ProjectStatus, ProjectType


def list_projects(
    context: typer.Context,
    status: Annotated[ProjectStatus | None, typer.Option(help="Only those.")] = None,
    type_: Annotated[ProjectType | None, typer.Option("--type", help="Only those.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only those that have it.")] = None,
    limit: LimitOption = 50,
) -> None:
    """List your projects, newest first.

    Example: agenticai list --status failed
    """
    session = session_of(context)
    with session.connect() as client:
        found = list(
            client.list_projects(
                status=status.value if status else None,
                type=type_.value if type_ else None,
                tag=tag,
                limit=limit,
            )
        )
    if session.json:
        session.emit({"projects": found})
    elif found:
        session.out.print(project_table(found))
    elif status or type_ or tag:
        session.note("No such projects.")
    else:
        session.note('No projects yet. Begin one: agenticai new "A booking API for a dog salon"')


def show(context: typer.Context, project: ProjectArgument) -> None:
    """Show a project: status, scores, latest modifications, why it failed.

    Example: agenticai show @last
    """
    session = session_of(context)
    with session.connect() as client:
        found = client.get_project(resolve(client, project))
        modifications = list(client.list_modifications(found["id"], limit=5))
    if session.json:
        session.emit({"project": found, "modifications": modifications})
    else:
        print_project(session.out, found, modifications)


def files(
    context: typer.Context,
    project: ProjectArgument,
    path: Annotated[str | None, typer.Argument(help="Print this file.")] = None,
) -> None:
    """List a project's files, or print one of them as it is.

    Examples: agenticai files @last; agenticai files @last main.py > main.py
    """
    session = session_of(context)
    with session.connect() as client:
        project_id = resolve(client, project)
        if path is not None:
            _print_file(session, client, project_id, path)
            return
        found = client.files(project_id)
    if session.json:
        session.emit({"files": found})
    elif found:
        session.out.print(file_table(found))
    else:
        session.note("No files yet.")


def pull(
    context: typer.Context,
    project: ProjectArgument,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Default: a folder of the project's name.")
    ] = None,
    revision: Annotated[
        int | None, typer.Option(min=1, help="An earlier one. Default: the current one.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that holds other files.")
    ] = False,
) -> None:
    """Download a project's files into a folder; again, to bring it up to date.

    Examples: agenticai pull @last; agenticai pull @last ./salon --revision 2
    """
    session = session_of(context)
    with session.connect() as client:
        project_id = resolve(client, project)
        target, pulled = pull_into(client, project_id, folder, revision=revision, force=force)
    if session.json:
        session.emit({"folder": str(target), "written": pulled.written, "removed": pulled.removed})
    session.say(pulled_line(target, pulled))


def pull_into(
    client: Client,
    project_id: str,
    folder: Path | None,
    *,
    revision: int | None = None,
    force: bool = False,
) -> tuple[Path, Pulled]:
    """Write the files; the folder is named after the project when none is given."""
    target = folder or Path(folder_from(client.get_project(project_id)["name"]))
    return target, unpack(client.archive(project_id, revision), target, project_id, force=force)


def pulled_line(target: Path, pulled: Pulled) -> str:
    removed = f", removed {len(pulled.removed)}" if pulled.removed else ""
    return f"Wrote {len(pulled.written)} files to {target}{removed}."


def delete(
    context: typer.Context,
    project: ProjectArgument,
    yes: YesOption = False,
) -> None:
    """Delete a project with all its files, for good.

    Example: agenticai delete 9w0x --yes
    """
    session = session_of(context)
    with session.connect() as client:
        found = client.get_project(resolve(client, project))
        name = f"{one_line(found['name'])} ({found['id']})"
        confirm(f"Delete {name} with all its files?", yes=yes)
        deleted = client.delete_project(found["id"])
    if session.json:
        session.emit({"project": deleted})
    session.say(f"Deleting {name}.")


def _print_file(session: Session, client: Client, project_id: str, path: str) -> None:
    content = client.read_file(project_id, path)
    if session.json:
        session.emit({"path": path, "content": content.decode(errors="replace")})
        return
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
