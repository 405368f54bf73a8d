"""Who you are here, and what you used."""

from typing import Annotated

import typer

from agenticai_client.session import session_of
from agenticai_client.show import print_me, print_usage


def whoami(context: typer.Context) -> None:
    """Show who you are here: owner, key, what it may do, and your limits.

    Example: agenticai whoami
    """
    session = session_of(context)
    with session.connect() as client:
        answer = client.me()
    if session.json:
        session.emit(answer)
    else:
        print_me(session.out, answer)


def usage(
    context: typer.Context,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Default: this month (UTC).")
    ] = None,
) -> None:
    """Show what you used in a month: requests, tokens and cost, by project.

    Example: agenticai usage --month 2025-11
    """
    session = session_of(context)
    with session.connect() as client:
        answer = client.usage(month)
    if session.json:
        session.emit(answer)
    else:
        print_usage(session.out, answer)
