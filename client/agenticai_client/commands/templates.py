"""Templates: look at them, make one from a folder, delete one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from agenticai_client.commands.common import Json, LimitOption, YesOption, confirm
from agenticai_client.session import session_of
from agenticai_client.show import print_template, template_table
from agenticai_client.wording import one_line

app = typer.Typer(no_args_is_help=True, help="What projects can begin with, built in or yours.")
_NOT_OURS = frozenset({".git", ".venv", "__pycache__", "node_modules"})
TemplateArgument = Annotated[
    str, typer.Argument(metavar="TEMPLATE_ID", help="As `agenticai templates list` shows it.")
]


@app.command("list")
def list_templates(
    context: typer.Context,
    category: Annotated[str | None, typer.Option(help="api, web, data, cli, …")] = None,
    tag: Annotated[str | None, typer.Option(help="Only those that have it.")] = None,
    limit: LimitOption = 50,
) -> None:
    """List templates: yours, newest first, then the built-in ones.

    Example: agenticai templates list --category cli
    """
    session = session_of(context)
    with session.connect() as client:
        found = list(client.list_templates(category=category, tag=tag, limit=limit))
    if session.json:
        session.emit({"templates": found})
    elif found:
        session.out.print(template_table(found))
    else:
        session.note("No such templates.")


@app.command()
def show(context: typer.Context, template_id: TemplateArgument) -> None:
    """Show a template: its variables and its files.

    Example: agenticai templates show cli-tool
    """
    session = session_of(context)
    with session.connect() as client:
        found = client.get_template(template_id)
    if session.json:
        session.emit({"template": found})
    else:
        print_template(session.out, found)


@app.command()
def create(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="With template.json and files/.")
    ],
) -> None:
    """Create a template from a folder.

    `template.json` holds name, description, category, type and variables. Of what lies in
    `files/`, names that end in `.j2` are rendered and lose that ending; the rest is taken as it is.

    Example: agenticai templates create ./my-template
    """
    session = session_of(context)
    fields = read_folder(folder)
    with session.connect() as client:
        made = client.create_template(**fields)
    if session.json:
        session.emit({"template": made})
        return
    session.say(made["id"])
    session.note(f"Begin with it:  agenticai new --template {made['id']} --name …")


@app.command()
def delete(context: typer.Context, template_id: TemplateArgument, yes: YesOption = False) -> None:
    """Delete a template of yours; projects made from it stay as they are.

    Example: agenticai templates delete tpl_01jd3v9k2m7q8r5s6t7u8v9w0x
    """
    session = session_of(context)
    with session.connect() as client:
        if not yes:
            name = one_line(client.get_template(template_id)["name"])
            confirm(f"Delete the template {name} ({template_id})?", yes=yes)
        answer = client.delete_template(template_id)
    if session.json:
        session.emit(answer)
    session.say(f"Deleted {one_line(template_id)}.")


def read_folder(folder: Path) -> Json:
    """A template's fields, from ``template.json``, and its files, in the built-in ones' layout.

    ``renamed`` maps folders in ``files/`` to what they are called in the project, where that
    holds a variable.
    """
    described = folder / "template.json"
    try:
        fields: Any = json.loads(_read_text(described))
    except ValueError as error:
        raise _bad(f"{described} is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise _bad(f"{described} is not a JSON object")
    renamed = fields.pop("renamed", {})
    if not isinstance(renamed, dict):
        raise _bad(f"'renamed' in {described} is not an object of folder -> folder")
    files = [_read_file(path, folder / "files", renamed) for path in _walk(folder / "files")]
    if not files:
        raise _bad(f"{folder / 'files'} holds no files")
    return fields | {"files": files}


def _walk(root: Path) -> Iterator[Path]:
    """The files below, without what tools leave; a link could bring in anything of this machine."""
    for path in [root, *sorted(root.rglob("*"))]:
        if _NOT_OURS.intersection(path.relative_to(root).parts):
            continue
        if path.is_symlink():
            raise _bad(f"{path} is a link; put a copy in its place")
        if path.is_file():
            yield path


def _read_file(path: Path, root: Path, renamed: dict[str, str]) -> Json:
    name = path.relative_to(root).as_posix()
    for start, other in renamed.items():
        if name.startswith(f"{start}/"):
            name = other + name.removeprefix(start)
    return {
        "path": name.removesuffix(".j2"),
        "content": _read_text(path),
        "is_template": name.endswith(".j2"),
    }


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise _bad(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _bad(f"{path} is not UTF-8 text, and a template holds nothing else") from error


def _bad(problem: str) -> typer.BadParameter:
    return typer.BadParameter(problem, param_hint="FOLDER")
