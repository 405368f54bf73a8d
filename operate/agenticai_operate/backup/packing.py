"""A backup as one file: the folder's files in a `.tar.gz`."""

import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agenticai_operate.errors import BadBackup

SUFFIX = ".tar.gz"


def is_packed(path: Path) -> bool:
    return path.name.endswith((SUFFIX, ".tgz"))


def pack(folder: Path, archive: Path) -> None:
    """The archive is there as a whole or not at all, and only its owner may read it."""
    part = archive.with_name(archive.name + ".part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    with tarfile.open(part, "w:gz", compresslevel=6) as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                tar.add(path, path.relative_to(folder).as_posix(), recursive=False)
    part.replace(archive)


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The folder of a backup; that of an archive lives beside it for as long as this lasts."""
    if not is_packed(path):
        yield path
        return
    folder = Path(tempfile.mkdtemp(prefix=".restore-", dir=path.parent))
    try:
        _extract(path, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _extract(path: Path, folder: Path) -> None:
    try:
        with tarfile.open(path, "r:gz") as tar:
            for member in tar:
                if not (member.isfile() or member.isdir()):
                    raise BadBackup(f"The archive holds something that is no file: {member.name}")
                tar.extract(member, folder, filter="data")
    except FileNotFoundError as error:
        raise BadBackup(f"There is no {path}") from error
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BadBackup(
            f"{path.name} cannot be unpacked: {error}", hint="Take another copy of the backup"
        ) from error
