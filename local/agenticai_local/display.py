"""How paths and errors are shown on a terminal."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from agenticai_local.errors import LocalError


def shown(path: Path) -> str:
    """Relative to where the user is, if it is below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def show_error(error: LocalError, console: Console) -> None:
    console.print(Text.assemble(("error: ", "bold red"), error.message), soft_wrap=True)
    if error.hint:
        console.print(Text(f"       {error.hint}"), soft_wrap=True)
