"""Looking back, going back, and changing a file by hand."""

import sys
from pathlib import Path, PurePath
from typing import Annotated, Any

import typer
from rich.markdown import Markdown
from rich.syntax import Syntax

from agenticai_client.commands.common import LimitOption, ProjectArgument, YesOption, confirm
from agenticai_client.editor import edited
from agenticai_client.errors import ClientError
from agenticai_client.sdk import Client
from agenticai_client.session import Session, resolve, session_of
from agenticai_client.show import revision_table
from agenticai_client.wording import one_line, plain

Json = dict[str, Any]
PathArgument = Annotated[str, typer.Argument(metavar="PATH", help="The file in the project.")]


def revisions(context: typer.Context, project: ProjectArgument, limit: LimitOption = 20) -> None:
    """List a project's revisions, newest first.

    Example: agenticai revisions @last
    """
    session = session_of(context)
    with session.connect() as client:
        found = list(client.list_revisions(resolve(client, project), limit))
    if session.json:
        session.emit({"revisions": found})
    elif found:
        session.out.print(revision_table(found))
    else:
        session.note("No revision yet.")


def diff(
    context: typer.Context,
    project: ProjectArgument,
    from_: Annotated[
        int | None,
        typer.Argument(metavar="FROM", min=0, help="Default: the one before TO; 0: no file."),
    ] = None,
    to: Annotated[
        int | None, typer.Argument(metavar="TO", min=1, help="Default: the current one.")
    ] = None,
    path: Annotated[str | None, typer.Option(help="Only this file.")] = None,
) -> None:
    """Show what differs between two revisions; in a pipe as a patch for `git apply`.

    Examples: agenticai diff @last; agenticai diff @last 1 3 --path main.py
    """
    session = session_of(context)
    with session.connect() as client:
        project_id = resolve(client, project)
        if session.json:
            session.emit(client.diff(project_id, from_, to, path))
            return
        text = client.diff_text(project_id, from_, to, path)
    if not text:
        session.note("Nothing differs.")
    elif session.out.is_terminal:
        session.out.print(
            Syntax(plain(text).rstrip("\n"), "diff", theme="ansi_dark", word_wrap=True)
        )
    else:
        _write(text)


def rollback(
    context: typer.Context,
    project: ProjectArgument,
    revision: Annotated[int, typer.Argument(min=1, help="The one to go back to.")],
    reason: Annotated[str | None, typer.Option(help="Kept in the new revision's summary.")] = None,
    yes: YesOption = False,
) -> None:
    """Make an earlier revision current again, as a new one: nothing is lost.

    Example: agenticai rollback @last 2 --reason "The prices were right before"
    """
    session = session_of(context)
    with session.connect() as client:
        found = client.get_project(resolve(client, project))
        current, name = found["revision"], one_line(found["name"])
        confirm(f"Take {name} back from revision {current} to {revision}?", yes=yes)
        made = client.rollback(
            found["id"], revision, reason=reason, expected_revision=current or None
        )
    if session.json:
        session.emit({"revision": made})
    session.say(f"Revision {made['number']} has the files of revision {revision}.")


def put(
    context: typer.Context,
    project: ProjectArgument,
    source: Annotated[
        str, typer.Argument(metavar="FILE", help="One of yours; - reads it from stdin.")
    ],
    path: Annotated[
        str | None,
        typer.Option("--as", metavar="PATH", help="Its path there. Default: as you wrote FILE."),
    ] = None,
) -> None:
    """Add or replace a file of a project by one of yours: a revision of its own.

    Example: agenticai put @last ./drafts/terms.md --as docs/terms.md
    """
    session = session_of(context)
    target = path or _target(source)
    content = _read(source)
    with session.connect() as client:
        _tell(session, client.write_file(resolve(client, project), target, content))


def rm(context: typer.Context, project: ProjectArgument, path: PathArgument) -> None:
    """Remove a file from a project: a revision of its own, earlier ones keep it.

    Example: agenticai rm @last docs/terms.md
    """
    session = session_of(context)
    with session.connect() as client:
        _tell(session, client.delete_file(resolve(client, project), path))


def edit(context: typer.Context, project: ProjectArgument, path: PathArgument) -> None:
    """Open a file of a project in your $EDITOR and store it when you are done.

    It is not stored if somebody else changed the project meanwhile; then your text is kept.

    Example: agenticai edit @last README.md
    """
    session = session_of(context)
    with session.connect() as client:
        project_id = resolve(client, project)
        revision = client.get_project(project_id)["revision"]
        before = _text(client, project_id, path, revision)
        with edited(path, before) as after:
            if after == before:
                session.say(f"{one_line(path)} is left as it was.")
                return
            stored = client.write_file(project_id, path, after.encode(), revision)
    _tell(session, stored)


def docs(
    context: typer.Context,
    project: ProjectArgument,
    html: Annotated[bool, typer.Option("--html", help="As a page, not as Markdown.")] = False,
) -> None:
    """Show a project's documentation: what it is, how it is built, its routes.

    Example: agenticai docs @last --html > salon.html
    """
    session = session_of(context)
    with session.connect() as client:
        text = client.docs(resolve(client, project), html=html)
    if session.json:
        session.emit({"html" if html else "markdown": text})
    elif session.out.is_terminal and not html:
        session.out.print(Markdown(plain(text), hyperlinks=False))
    else:
        _write(text)


def _text(client: Client, project_id: str, path: str, revision: int) -> str:
    content = client.read_file(project_id, path, revision)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ClientError(
            f"{path} is not a text.", hint="Replace it as a whole: agenticai put"
        ) from error


def _tell(session: Session, stored: Json) -> None:
    if session.json:
        session.emit(stored)
    verb = "is in" if stored["file"] else "is no longer in"
    session.say(f"{one_line(stored['path'])} {verb} revision {stored['revision']['number']}.")


def _target(source: str) -> str:
    """The path in the project that a file of one's own has there, unless another is given."""
    place = PurePath(source)
    if source == "-" or place.is_absolute() or ".." in place.parts:
        raise typer.BadParameter("say its path in the project", param_hint="--as")
    return place.as_posix()


def _read(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{source}: {error.strerror}", param_hint="FILE") from error


def _write(text: str) -> None:
    """As it is: no line end of this machine's, no wrapping."""
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
