"""The operator's commands of `agenticai`, which finds them by the entry point of this function."""

import typer

from agenticai_operate.commands import backup, cost, dlq, first_key

_PANEL = "Operating the system"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("cost", rich_help_panel=_PANEL)(cost.cost)
    app.add_typer(dlq.app, name="dlq", rich_help_panel=_PANEL)
    app.command("first-key", rich_help_panel=_PANEL)(first_key.first_key)
    app.command("backup", rich_help_panel=_PANEL)(backup.backup)
    app.command("restore", rich_help_panel=_PANEL)(backup.restore)
