"""The system on this machine: ``python -m agenticai_local up|demo``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agenticai_core.models import ProjectType
from agenticai_local.demo import run_demo
from agenticai_local.display import show_error
from agenticai_local.errors import LocalError
from agenticai_local.stack import LocalStack
from agenticai_local.up import StopSignals, run_up

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

StateDir = Annotated[Path, typer.Option(help="Where projects, keys and logs are kept.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")]


@app.command()
def up(
    *,
    state_dir: StateDir = Path(".agenticai"),
    api_port: Port = 8000,
    websocket_port: Port = 8080,
    emulator_port: Port = 4566,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget all earlier projects.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on with what a killed emulator left behind.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not show the logs.")] = False,
) -> None:
    """Run the whole system until Ctrl-C; what was made stays for the next time."""
    console, signals = Console(), StopSignals()
    signals.install()
    stack = LocalStack(
        state_dir,
        api_port=api_port,
        websocket_port=websocket_port,
        emulator_port=emulator_port,
        fresh=fresh,
        unclean="keep" if keep else "refuse",
        tell=lambda message: console.print(message, style="bold yellow", markup=False),
        cancel=signals.stop,
    )
    try:
        run_up(stack, signals, console, quiet)
    except LocalError as error:
        show_error(error, Console(stderr=True))
        raise typer.Exit(1) from error


@app.command()
def demo(
    *,
    description: Annotated[str, typer.Option(envvar="AGENTICAI_DEMO_DESCRIPTION")] = "",
    type_: Annotated[str, typer.Option("--type", envvar="AGENTICAI_DEMO_TYPE")] = "",
    name: Annotated[str, typer.Option(envvar="AGENTICAI_DEMO_NAME")] = "",
) -> None:
    """Build one project from a sentence, change it, download it and run its tests."""
    kinds = [kind.value for kind in ProjectType]
    chosen = type_ or ProjectType.API.value
    if chosen not in kinds:
        show_error(
            LocalError(f"There is no type {chosen!r}", hint=f"Choose one of: {', '.join(kinds)}"),
            Console(stderr=True),
        )
        raise typer.Exit(2)
    raise typer.Exit(run_demo(name, chosen, description, Console()))


if __name__ == "__main__":
    app()
