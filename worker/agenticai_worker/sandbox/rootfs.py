"""A root folder of its own for generated code: a file system in which nothing of ours lies.

An image can carry one; a process that may do so confines each run to it with chroot(2), which
needs nothing of the kernel but root's right, where Landlock needs a kernel that has it. It holds
the interpreters under the same paths as outside, and is not mounted: files of it are readable, and
a run writes to its own folder below ``runs`` alone.
"""

import errno
import os
import stat
from pathlib import Path

from agenticai_worker.sandbox import privileges

# Those of `/dev` that are read and written like files, with the numbers that Linux gives them.
DEVICES = {
    "/dev/null": (1, 3),
    "/dev/zero": (1, 5),
    "/dev/full": (1, 7),
    "/dev/random": (1, 8),
    "/dev/urandom": (1, 9),
}
_REFUSED = (errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOENT)


def usable(root: Path | None) -> Path | None:
    """``root``, furnished for runs; None where it is not there or this process cannot use it."""
    if root is None or not privileges.have(*privileges.FOR_A_USER, privileges.SYS_CHROOT):
        return None
    try:
        place = root.resolve(strict=True)
        _furnish(place)
    except OSError as error:
        if error.errno in _REFUSED:
            return None
        raise
    return place


def runs(root: Path) -> Path:
    """Where the runs' folders lie; whoever runs can pass through it and not list it."""
    return root / "runs"


def below(root: str | None, path: str) -> str:
    """``path`` of a process whose root folder is ``root``, as we see it."""
    return path if root is None else f"{root}{path}"


def inside(root: Path | None, path: Path) -> Path:
    """``path`` of ours, as a process sees it whose root folder is ``root``."""
    return path if root is None else Path("/", path.relative_to(root))


def _furnish(root: Path) -> None:
    """Make what an image cannot hold everywhere: devices, and the folder of the runs."""
    runs(root).mkdir(exist_ok=True)
    runs(root).chmod(0o711)
    for name, (major, minor) in DEVICES.items():
        device = Path(below(str(root), name))
        device.parent.mkdir(exist_ok=True)
        if not device.is_char_device():
            _make_device(device, os.makedev(major, minor))
        with device.open("rb"):  # a file system or a container may forbid the use of devices
            pass


def _make_device(device: Path, number: int) -> None:
    try:
        os.mknod(device, stat.S_IFCHR, number)
    except FileExistsError:  # another process of this node was faster
        return
    device.chmod(0o666)
