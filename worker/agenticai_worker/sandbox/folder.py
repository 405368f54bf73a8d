"""A run's folder: reading back what untrusted code left in it, and removing it.

Standard library only, for the launcher uses it too. Nothing runs in the folder any more when
these are called, so what is looked at does not change in between.
"""

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path


def read_regular(root: Path, path: str, cap: int) -> bytes | None:
    """The content of the regular file ``path`` below ``root``; None if it is anything else.

    Refused: symbolic links anywhere on the way, hard links, devices, pipes, more than ``cap``
    bytes.
    """
    *folders, name = path.split("/")
    place = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
            os.close(place)
            place = below
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        return _read(os.open(name, flags, dir_fd=place), cap)
    except OSError:  # absent, a link, closed to us: there is nothing to collect
        return None
    finally:
        os.close(place)


def read_tail(path: Path, size: int) -> str:
    """The last ``size`` bytes as text; empty when there is no such file."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read(size).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def remove_tree(base: Path) -> None:
    """Remove a folder even where something in it took away its own permissions."""
    for folder, names, _ in os.walk(base):
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                with suppress(OSError):
                    path.chmod(stat.S_IRWXU)
    shutil.rmtree(base, ignore_errors=True)


def _read(opened: int, cap: int) -> bytes | None:
    with os.fdopen(opened, "rb") as file:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > cap:
            return None
        return file.read(cap)
