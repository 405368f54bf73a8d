"""What a process does to itself before it becomes the untrusted command.

Each layer that cannot be had here is named in the answer; the caller decides whether what is left
is enough. A layer that exists and fails is an error: the command then does not start.
"""

import ctypes
import math
import os
import signal
import struct
import sys
from pathlib import Path

from agenticai_worker.sandbox import landlock, seccomp
from agenticai_worker.sandbox.orders import Order
from agenticai_worker.sandbox.rootfs import DEVICES, below

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_OPEN_FILES = 512
# Numeric libraries reserve much more address space than they use, so the size of what is really
# used is watched from outside and this limit only stops what runs away faster than that.
_ADDRESS_SPACE_FACTOR, _ADDRESS_SPACE_FLOOR = 4, 4 << 30


def load_libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    libc.syscall.restype = ctypes.c_long
    return libc


def confine(order: Order, supervisor: int) -> list[str]:
    """Enter every layer; returns those missing. Afterwards only `execve` is left to do."""
    os.setsid()
    os.umask(0o077)
    _redirect(order)
    _limit(order)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and exec keeps that
        signal.signal(number, signal.SIG_DFL)
    if sys.platform != "linux":
        os.chdir(order.work)
        _change_user(order.uid)
        return ["memory watchdog", "no_new_privs", "seccomp", "landlock"]
    return _confine_on_linux(order, supervisor)


def _confine_on_linux(order: Order, supervisor: int) -> list[str]:
    missing = [] if order.root else ["a root folder of its own"]
    libc = load_libc()
    # If memory runs out for the whole container, this goes before the worker does.
    Path("/proc/self/oom_score_adj").write_text("1000")
    devices = [below(order.root, device) for device in DEVICES]
    ruleset = landlock.prepare(libc, order.readable, [*order.writable, *devices])
    os.chdir(order.work)
    if order.root is not None:  # the current folder is below it, and nothing open is above it
        os.chroot(order.root)
    _change_user(order.uid)
    _drop_capabilities(libc)
    # After the change of user, which clears it.
    _check(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG")
    if os.getppid() != supervisor:
        raise RuntimeError("the launcher has gone")
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")
    if ruleset is None:
        missing.append("landlock")
    else:
        landlock.restrict(libc, ruleset)
    if not seccomp.install(libc):
        missing.append("seccomp")
    return missing


def _redirect(order: Order) -> None:
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for target, path, flags in (
        (0, "/dev/null", os.O_RDONLY),
        (1, order.stdout, append),
        (2, order.stderr, append),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, target)
        os.close(opened)


def _limit(order: Order) -> None:
    import resource

    cpu = math.ceil(order.timeout * (os.cpu_count() or 1)) + 1
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_FSIZE: max(order.disk, order.output),
        resource.RLIMIT_AS: max(order.memory * _ADDRESS_SPACE_FACTOR, _ADDRESS_SPACE_FLOOR),
        resource.RLIMIT_NPROC: _tasks_allowed(order),
    }
    for limit, most in wanted.items():
        _, hard = resource.getrlimit(limit)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(limit, (value, value))
        except (ValueError, OSError):
            if sys.platform == "linux":  # macOS refuses some of them
                raise


def _tasks_allowed(order: Order) -> int:
    """The kernel counts all of a user's tasks, so a shared user needs room for the others'.

    It never counts root's: there, as everywhere, the watchdog counts too.
    """
    if order.uid is not None:
        return order.tasks
    return count_tasks(os.getuid()) + 2 * order.tasks


def count_tasks(uid: int) -> int:
    """Threads of all of a user's processes; 0 where there is no /proc."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == uid:
                total += sum(1 for _ in (folder / "task").iterdir())
        except OSError:  # it ended meanwhile
            continue
    return total


def _change_user(uid: int | None) -> None:
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Without them a root that could not change its user still cannot reach other processes.

    They do not come back at exec: `no_new_privs` sees to that.
    """
    header = struct.pack("=Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    _check(libc.capset(header, bytes(24)), "capset")


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), what)
