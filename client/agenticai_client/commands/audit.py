"""What was done that cannot be undone."""

import typer

from agenticai_client.commands.common import LimitOption
from agenticai_client.session import session_of
from agenticai_client.show import audit_table


def audit(context: typer.Context, limit: LimitOption = 50) -> None:
    """List what was done that cannot be undone, newest first: keys, deleted projects.

    Needs a key with the scope `admin`.

    Example: agenticai audit --limit 10
    """
    session = session_of(context)
    with session.connect() as client:
        found = list(client.audit(limit))
    if session.json:
        session.emit({"entries": found})
    elif found:
        session.out.print(audit_table(found))
    else:
        session.note("Nothing yet.")
