"""What a confined run uses: its processes, memory and disk, read from outside."""

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_BLOCK = 512  # unit of st_blocks
_ENTRY = 4096  # what an empty file or folder counts, so that a million of them is not free


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    threads: int
    resident: int  # bytes; what processes share counts for each of them


def descendants(root: int) -> list[Process]:
    """Every process below ``root``, however deep; empty where there is no /proc."""
    if sys.platform != "linux":
        return []
    children: dict[int, list[Process]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 -- called often; names are enough
        if name.isdigit() and (process := _read(name)):
            children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += [process.pid for process in below]
    return found


def _read(pid: str) -> Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:  # it ended meanwhile
        return None
    # Counted from behind the name, which may hold spaces and brackets: field 3 is fields[0].
    fields = text[text.rindex(b")") + 2 :].split()
    return Process(int(pid), int(fields[1]), int(fields[17]), int(fields[21]) * _PAGE)


def disk_use(folders: list[str], processes: list[Process], enough: int) -> int:
    """Bytes on disk below ``folders`` and in deleted files still open; stops above ``enough``."""
    total = _deleted_but_open(processes)
    waiting = list(folders)
    while waiting and total <= enough:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    total += max(status.st_blocks * _BLOCK, _ENTRY)
                    if stat.S_ISDIR(status.st_mode):
                        waiting.append(entry.path)
        except OSError:  # removed meanwhile, or closed to us
            continue
    return total


def _deleted_but_open(processes: list[Process]) -> int:
    sizes = {}
    for process in processes:
        for path in Path(f"/proc/{process.pid}/fd").glob("*"):
            try:
                status = path.stat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                sizes[(status.st_dev, status.st_ino)] = status.st_blocks * _BLOCK
    return sum(sizes.values())
