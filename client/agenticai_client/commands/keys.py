"""API keys: make, list, rotate, revoke. Needs a key with the scope ``admin``."""

from enum import StrEnum
from typing import Annotated

import typer

from agenticai_client.commands.common import finite
from agenticai_client.session import session_of
from agenticai_client.show import key_table
from agenticai_client.wording import local_time

KeyArgument = Annotated[str, typer.Argument(metavar="KEY_ID", help="Its id, not the key itself.")]
app = typer.Typer(no_args_is_help=True, help="Your API keys.")


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="May be given several times. Default: read, write.")
    ] = None,
) -> None:
    """Create a key; it is shown this once.

    Example: agenticai keys create "build server" --scope read
    """
    session = session_of(context)
    with session.connect() as client:
        scopes = scope or [Scope.READ, Scope.WRITE]
        answer = client.create_key(name, tuple(each.value for each in scopes))
    if session.json:
        session.emit(answer)
        return
    session.say(answer["secret"])
    session.note(f"{answer['key']['id']}: keep the key above, nothing can show it again.")


@app.command("list")
def list_keys(context: typer.Context) -> None:
    """List your keys, without their secrets."""
    session = session_of(context)
    with session.connect() as client:
        found = client.list_keys()
    if session.json:
        session.emit({"keys": found})
    else:
        session.out.print(key_table(found))


@app.command()
def rotate(
    context: typer.Context,
    key_id: KeyArgument,
    overlap: Annotated[
        float,
        typer.Option(
            metavar="HOURS", min=0, callback=finite, help="So long the old one stays good."
        ),
    ] = 24,
) -> None:
    """Make a new key in the place of one; the new one is shown this once.

    Example: agenticai keys rotate key_01jd3v9k2m7q8r5s6t7u8v9w0x --overlap 1
    """
    session = session_of(context)
    with session.connect() as client:
        answer = client.rotate_key(key_id, round(overlap * 3600))
    if session.json:
        session.emit(answer)
        return
    session.say(answer["secret"])
    ends = local_time(answer["replaced"]["expires_at"], "%Y-%m-%d %H:%M:%S")
    session.note(
        f"{answer['key']['id']}: keep the key above, nothing can show it again.\n"
        f"The old one is good until {ends}."
    )


@app.command()
def revoke(
    context: typer.Context,
    key_id: KeyArgument,
) -> None:
    """Revoke a key for good.

    Example: agenticai keys revoke key_01jd3v9k2m7q8r5s6t7u8v9w0x
    """
    session = session_of(context)
    with session.connect() as client:
        answer = client.revoke_key(key_id)
    if session.json:
        session.emit(answer)
    session.say(f"Revoked {answer['key']['id']} ({answer['key']['name']}).")
