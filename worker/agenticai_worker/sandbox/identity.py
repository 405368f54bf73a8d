"""What an interpreter needs to see, and whether a run can have a user of its own."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path

from agenticai_worker.sandbox import privileges

# What Python, the C library and TLS read besides the interpreter's own folders. Not all of /etc:
# where a run keeps its user, passwords of services may lie there.
SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/sbin",
    *(
        f"/etc/{name}"
        for name in (
            "alternatives",
            "group",
            "hosts",
            "ld.so.cache",
            "ld.so.conf",
            "ld.so.conf.d",
            "localtime",
            "mime.types",
            "nsswitch.conf",
            "os-release",
            "passwd",
            "ssl",
            "timezone",
        )
    ),
)
_PROBE = """\
import json, os, sys
print(json.dumps([sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, *sys.path,
    os.path.dirname(sys.executable), os.path.dirname(os.path.realpath(sys.executable))]))
"""
_FIRST_UID, _UIDS = 40_000, 20_000


@cache
def readable_roots(python: str) -> tuple[str, ...]:
    """Folders below which the interpreter finds itself and its libraries."""
    answer = subprocess.run(
        [python, "-I", "-c", _PROBE], capture_output=True, check=True, timeout=60, env={}
    )
    roots = {os.path.abspath(root) for root in json.loads(answer.stdout) if root}  # noqa: PTH100
    return tuple(sorted(root for root in roots if root != "/" and Path(root).exists()))


def own_uid(paths: tuple[str, ...]) -> int | None:
    """A user id that nobody else has, or None if this process cannot give one away.

    A different one for each thread that may run something at the same time, so that runs cannot
    reach each other. None too when one of ``paths`` lies where other users cannot go.
    """
    if not privileges.have(*privileges.FOR_A_USER):
        return None
    if not all(_open_to_others(Path(path)) for path in paths):
        return None
    return _FIRST_UID + _native_thread() % _UIDS


def _native_thread() -> int:
    import threading

    return threading.get_native_id()


def _open_to_others(path: Path) -> bool:
    """Whether everybody may read ``path`` and pass through each folder above it."""
    resolved = path.resolve()
    return bool(resolved.stat().st_mode & 0o004) and all(
        folder.stat().st_mode & 0o001 for folder in resolved.parents
    )
