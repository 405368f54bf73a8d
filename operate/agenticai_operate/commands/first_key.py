"""The first API key of an owner, for whoever may write to the table; the API makes all others."""

import re
from typing import Annotated

import typer

from agenticai_client.session import session_of
from agenticai_operate.commands.common import AppOption, EnvOption, operator

# An owner's name is part of keys in the table, whose parts are divided by '#'.
_OWNER = re.compile(r"[A-Za-z0-9_-]{1,64}")

Owner = Annotated[
    str,
    typer.Argument(metavar="OWNER", help="Whose projects it opens: a name that stays for good."),
]


@operator
def first_key(
    context: typer.Context,
    owner: Owner,
    *,
    name: Annotated[str, typer.Option(help="What the key is called.")] = "first",
    app_name: AppOption = None,
    env: EnvOption = None,
) -> None:
    """Make an owner's first API key, with all scopes, and show it this once.

    It is written to the table itself, with an entry in the audit log. Further keys are made through
    the API, which checks who asks.

    Example: agenticai first-key team --app agenticai --env test
    """
    from agenticai_core.auth import create_api_key
    from agenticai_operate.errors import BadOwner
    from agenticai_operate.places import find_place

    if not _OWNER.fullmatch(owner):
        raise BadOwner(f"'{owner}' cannot be an owner", hint="1 to 64 letters, digits, '-' and '_'")
    session, place = session_of(context), find_place(app_name, env)
    key, secret = create_api_key(place.store, owner, name, ("read", "write", "admin"))
    if session.json:
        session.emit({"id": key.id, "owner_id": key.owner_id, "name": key.name, "secret": secret})
        return
    session.say(secret)
    session.note(f"{key.id} of {owner} is in {place.table}; nothing can show the key again.")
