"""Runs inside the sandbox and tries what must not work; prints what did work, as JSON.

``argv[1]`` is a JSON object: the worker's process id, a secret file, a folder of ours, a folder
open to everybody, and the names that the environment may hold.
"""

import ctypes
import json
import os
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")  # noqa: S108 -- nothing of ours is there


def open_sockets(_: dict[str, Any]) -> None:
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        try:
            socket.socket(family, socket.SOCK_STREAM).close()
        except OSError:
            continue
        return
    raise PermissionError


def read_outside(given: dict[str, Any]) -> None:
    Path(given["secret"]).read_bytes()


def write_outside(given: dict[str, Any]) -> None:
    Path(given["folder"], "written").write_text("x")


def write_shared(given: dict[str, Any]) -> None:
    for folder in (given["shared"], *SHARED):
        canary = Path(folder, f"canary-{os.getpid()}")
        try:
            canary.write_text("x")
        except OSError:
            continue
        canary.unlink()
        return
    raise PermissionError


def signal_worker(given: dict[str, Any]) -> None:
    os.kill(given["worker"], 0)


def read_environment(given: dict[str, Any]) -> None:
    if set(os.environ) - set(given["environment"]):
        return
    Path(f"/proc/{given['worker']}/environ").read_bytes()


def use_privileges(given: dict[str, Any]) -> None:
    os.chown(Path.cwd(), given["uid"] + 1, -1)


def make_namespace(_: dict[str, Any]) -> None:
    if ctypes.CDLL(None).unshare(0x10000000) != 0:  # CLONE_NEWUSER
        raise PermissionError


def leave_a_daemon() -> None:
    """Fork twice, try to leave session and group, stay; the grandchild's id goes to stdout."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        with suppress(PermissionError):
            os.setsid()
        if os.fork() == 0:
            os.write(writer, str(os.getpid()).encode())
            time.sleep(600)
        os._exit(0)
    print(os.read(reader, 32).decode(), flush=True)  # noqa: T201


def multiply(limit: int) -> None:
    """Start ``limit`` sleeping children; exit with 1 if all of them could be had."""
    for _ in range(limit):
        try:
            if os.fork() == 0:
                time.sleep(600)
                os._exit(0)
        except OSError:
            os._exit(0)
    time.sleep(2)
    os._exit(1)


CANARIES = (
    open_sockets,
    read_outside,
    write_outside,
    write_shared,
    signal_worker,
    read_environment,
    use_privileges,
    make_namespace,
)


def main() -> None:
    given = json.loads(sys.argv[1])
    if "limit" in given:
        leave_a_daemon()
        multiply(given["limit"])
    worked = []
    for canary in CANARIES:
        try:
            canary(given)
        except OSError:
            continue
        worked.append(canary.__name__)
    print(json.dumps(worked))  # noqa: T201


if __name__ == "__main__":
    main()
