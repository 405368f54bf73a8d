"""`agenticai`, the command line. The commands are in `commands`, this is what they share."""

from functools import partial
from importlib.metadata import entry_points, version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from agenticai_client.commands import (
    account,
    decisions,
    doctor,
    keys,
    projects,
    revisions,
    runs,
    templates,
)
from agenticai_client.commands.audit import audit
from agenticai_client.commands.new import new
from agenticai_client.errors import ClientError
from agenticai_client.session import ExitCode, Session, exit_code_of

_SWITCHES = frozenset({"--json", "--quiet", "-q", "--verbose", "-v", "--no-color"})
_OPTIONS = frozenset({"--api-url", "--api-key"})
_HELP = "\n\n".join(
    (
        "Describe a project in a sentence; four agents plan, write, test and package it.",
        'agenticai new "Appointments for a dog salon, with owners and dogs"',
        'agenticai modify @last "Add user authentication"',
        "agenticai pull @last ./salon",
        "The system is found by --api-url and --api-key, then AGENTICAI_API_URL and"
        " AGENTICAI_API_KEY, then .agenticai/local.json in this folder, those above it, or your"
        " home folder. A project may be named by its id, a start or end of it that only one has,"
        " its name, or @last for the newest. The options below may stand anywhere in the line.",
    )
)
_EPILOG = (
    "Exit codes: 0 done, 1 the work failed or was refused, 2 wrong usage, 3 not found,"
    " 4 key missing or not allowed, 5 the system cannot be reached, 130 stopped by Ctrl-C."
)


class Cli(TyperGroup):
    """Takes the common options wherever they stand, and ends errors with their exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, hoist(args))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ClientError as error:
            session = ctx.obj or Session()
            session.complain(error)
            raise typer.Exit(exit_code_of(error)) from error
        except KeyboardInterrupt:
            raise typer.Exit(ExitCode.INTERRUPTED) from None


def hoist(args: list[str]) -> list[str]:
    """The common options first, then the rest in its order; nothing after ``--`` is touched."""
    first: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in _SWITCHES or word.split("=", 1)[0] in _OPTIONS - {word}:
            first.append(word)
        elif word in _OPTIONS:
            first += [word, *[next(words, "")]]
        else:
            rest.append(word)
    return first + rest


app = typer.Typer(
    cls=Cli,
    help=_HELP,
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"agenticai {version('agenticai')}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    *,
    api_url: Annotated[str | None, typer.Option(help="Where the API is.")] = None,
    api_key: Annotated[str | None, typer.Option(help="Your key.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout, and nothing else.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Results and errors only.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also what the model writes, as it does.")
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Say it.")
    ] = False,
) -> None:
    context.obj = Session(
        api_url=api_url,
        api_key=api_key,
        json=as_json,
        quiet=quiet,
        verbose=verbose,
        no_color=no_color,
    )


_project = partial(app.command, rich_help_panel="Projects")
_work = partial(app.command, rich_help_panel="Work under way")
_code = partial(app.command, rich_help_panel="Revisions and files")
_account = partial(app.command, rich_help_panel="Account and system")

_project()(new)
_project("list")(projects.list_projects)
_project()(projects.show)
_project()(runs.modify)
_project()(projects.delete)
app.add_typer(templates.app, name="templates", rich_help_panel="Projects")
_work()(runs.watch)
_work()(runs.say)
_work()(decisions.approve)
_work()(decisions.reject)
_work()(decisions.cancel)
_work()(runs.retry)
_code()(projects.files)
_code()(projects.pull)
_code()(revisions.docs)
_code()(revisions.revisions)
_code()(revisions.diff)
_code()(revisions.rollback)
_code()(revisions.put)
_code()(revisions.edit)
_code()(revisions.rm)
_account()(account.whoami)
_account()(account.usage)
app.add_typer(keys.app, name="keys", rich_help_panel="Account and system")
_account()(audit)
_account()(doctor.doctor)
# Commands of other packages that are installed, such as the operator's: each takes this app.
for _plugin in entry_points(group="agenticai.commands"):
    _plugin.load()(app)

if __name__ == "__main__":
    app()
