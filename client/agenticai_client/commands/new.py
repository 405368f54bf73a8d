"""Beginning a project: from a description, or from a template."""

import os
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agenticai_client.commands.common import (
    Json,
    WatchOption,
    exit_badly_if,
    finite,
    read_text,
)
from agenticai_client.commands.runs import follow_build
from agenticai_client.names import name_from
from agenticai_client.session import session_of
from agenticai_client.wording import one_line
from agenticai_core.models import ProjectType


class Platform(StrEnum):
    DOCKER = "docker"
    AWS = "aws"


def new(
    context: typer.Context,
    description: Annotated[
        str | None,
        typer.Argument(help="What to build, in your own words; - reads it from stdin."),
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(help="Default: taken from the description.")] = None,
    type_: Annotated[
        ProjectType | None, typer.Option("--type", help="What kind. Default: api.")
    ] = None,
    template: Annotated[
        str | None, typer.Option(metavar="ID", help="Begin with it: see `agenticai templates`.")
    ] = None,
    var: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A variable of the template; again for the next."),
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="To find it by; again for more.")] = None,
    dependency: Annotated[
        list[str] | None, typer.Option(help="A package that the code is to use; again for more.")
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A variable that the project needs where it runs; again for more. Its value is"
            " read from your environment, or asked for: it never stands in the command.",
        ),
    ] = None,
    platform: Annotated[Platform | None, typer.Option(help="What to package it for.")] = None,
    region: Annotated[str | None, typer.Option(help="Of the platform: us-east-1, …")] = None,
    watch_it: WatchOption = True,
    pull: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Download the files there when ready.")
    ] = None,
    approval: Annotated[
        bool, typer.Option("--approval", help="Wait for `agenticai approve` before writing code.")
    ] = False,
    token_budget: Annotated[
        int | None, typer.Option(min=1, help="The most tokens a language model may use.")
    ] = None,
    cost_budget: Annotated[
        float | None,
        typer.Option(
            metavar="DOLLARS", callback=finite, help="The most a language model may cost."
        ),
    ] = None,
) -> None:
    """Create a project from a description or a template.

    Examples: agenticai new "Appointments for a dog salon, with owners and dogs" --pull ./salon;
    agenticai new --template cli-tool --name Counter --var command=counter
    """
    session = session_of(context)
    if pull and not watch_it:
        raise typer.BadParameter("the files are there at the end only", param_hint="--pull")
    text = read_text(description) if description is not None else None
    _check_start(text, name, type_, template, var)
    options = _given(
        {
            "approval": "required" if approval else None,
            "tags": tag,
            "dependencies": dependency,
            "environment_vars": dict(_read_environment(env or ())),
            "deployment_config": _given({"platform": platform, "region": region}),
            "token_budget": token_budget,
            "cost_budget_usd": cost_budget,
        }
    )
    called = name or name_from(text or "")
    with session.connect() as client:
        if template:
            told = options | _given({"description": text})
            values = _read_variables(var or ())
            project = client.create_from_template(template, called, values, **told)
        else:
            kind = type_ or ProjectType.API
            project = client.create_project(called, kind.value, text or "", **options)
        session.note(f"Created {one_line(project['name'])} ({project['id']}).")
        if watch_it:
            project = follow_build(session, client, project["id"], pull=pull)
    if session.json:
        session.emit({"project": project})
    elif not watch_it:
        session.say(project["id"])
    exit_badly_if(project["status"] in ("failed", "cancelled"))


def _check_start(
    text: str | None,
    name: str | None,
    type_: ProjectType | None,
    template: str | None,
    var: Sequence[str] | None,
) -> None:
    """What does not go together, before anything is asked for or sent."""
    if template is None and text is None:
        raise typer.BadParameter("say what to build, or begin with a --template")
    if template is None and var:
        raise typer.BadParameter("only a --template has variables", param_hint="--var")
    if template and type_:
        raise typer.BadParameter("a template has a kind of its own", param_hint="--type")
    if text is None and name is None:
        raise typer.BadParameter("the project needs a name", param_hint="--name")


def _read_variables(given: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise typer.BadParameter(f"{each!r} is not NAME=VALUE", param_hint="--var")
        if name in values:
            raise typer.BadParameter(f"{name} is given twice", param_hint="--var")
        values[name] = value
    return values


def _read_environment(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and value of each; messages never repeat what may be a secret."""
    for given in dict.fromkeys(names):
        name, equals, _ = given.partition("=")
        if equals:
            raise typer.BadParameter(
                f"give {name} without its value, which others could read in your shell's history:"
                " it is taken from your environment, or asked for",
                param_hint="--env",
            )
        yield name, os.environ[name] if name in os.environ else _ask(name)


def _ask(name: str) -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            f"{name} is not in your environment, and there is nobody to ask", param_hint="--env"
        )
    value: str = typer.prompt(name, hide_input=True, err=True)
    return value


def _given(options: Json) -> Json:
    """Only what was given: the rest is the system's to choose."""
    return {name: value for name, value in options.items() if value not in (None, {}, [])}
