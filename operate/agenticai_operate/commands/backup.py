"""Copies of everything, and the way back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agenticai_client.session import Session, session_of
from agenticai_operate.commands.common import AppOption, EnvOption, YesOption, operator

if TYPE_CHECKING:
    from agenticai_operate.backup.layout import Manifest

Target = Annotated[Path, typer.Argument(help="A .tar.gz file, or a folder.")]


@operator
def backup(
    context: typer.Context,
    target: Target,
    *,
    app_name: AppOption = None,
    env: EnvOption = None,
) -> None:
    """Copy the table and the bucket into a folder or a .tar.gz file, with check sums.

    The system may run meanwhile; then the copy is of no single moment: the table first, the objects
    after it. Values of projects' environment variables stay in Parameter Store and are not copied.

    Example: agenticai backup agenticai-prod.tar.gz --app agenticai --env prod
    """
    from agenticai_operate.backup.making import make_backup
    from agenticai_operate.places import find_place

    session, place = session_of(context), find_place(app_name, env)
    with _progress(session) as tell:
        manifest = make_backup(place, target, tell)
    if session.json:
        session.emit(_as_json(manifest))
        return
    session.say(
        f"{manifest.items} items and {manifest.objects} objects"
        f" ({manifest.bytes / 1e6:.1f} MB) are in {target}"
    )
    if manifest.vanished:
        session.note(f"{manifest.vanished} objects were deleted while they were copied.")
    if manifest.torn:
        session.note(f"{manifest.torn} projects did not rest long enough: back up once more.")
    _tell_values(session, manifest, "Not copied")


@operator
def restore(
    context: typer.Context,
    source: Target,
    *,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace items of the same key; leave all others."),
    ] = False,
    yes: YesOption = False,
    app_name: AppOption = None,
    env: EnvOption = None,
) -> None:
    """Bring a backup back into an empty table and its bucket.

    Check sums are compared before anything is written. A restore that was interrupted goes on when
    it is started again.

    Example: agenticai restore agenticai-prod.tar.gz --app agenticai --env test --yes
    """
    from agenticai_operate.backup.packing import unpacked
    from agenticai_operate.backup.restore import restore as bring_back
    from agenticai_operate.places import find_place

    session, place = session_of(context), find_place(app_name, env)
    table = place.table
    if not yes:
        verb = "Overwrite what is in" if overwrite else "Restore into"
        typer.confirm(
            f"{verb} the table {table} and the bucket {place.bucket}?", abort=True, err=True
        )
    with unpacked(source) as folder, _progress(session) as tell:
        done = bring_back(place, folder, overwrite=overwrite, tell=tell)
    if session.json:
        session.emit(
            _as_json(done.manifest)
            | {
                "written_items": done.items,
                "written_objects": done.objects,
                "taken_up": done.taken_up,
            }
        )
        return
    again = ", going on where an earlier run stopped" if done.taken_up else ""
    session.say(
        f"{done.items} items and {done.objects} objects are written to {table}{again};"
        f" the backup has {done.manifest.items} and {done.manifest.objects}"
    )
    _tell_values(session, done.manifest, "Set again")


def _as_json(manifest: "Manifest") -> dict[str, Any]:
    return manifest.model_dump(mode="json", exclude={"files"})


def _tell_values(session: Session, manifest: "Manifest", what: str) -> None:
    for project in manifest.without_values:
        names = ", ".join(project.variables)
        session.note(f"{what}: the values of {names} of {project.name} ({project.project_id})")


@contextmanager
def _progress(session: Session) -> Iterator[Callable[[str, int], None]]:
    """A line that counts on a terminal; silence elsewhere."""
    if session.quiet or session.json or not session.err.is_terminal:
        yield lambda _what, _count: None
        return
    with session.err.status("looking") as status:
        yield lambda what, count: status.update(f"{count:,} {what}")
