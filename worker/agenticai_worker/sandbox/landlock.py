"""Landlock: this process and what it starts see only the listed parts of the file system.

Needs no privilege, and a kernel of 5.13 or later with Landlock switched on. Newer kernels add
TCP, and signals to processes outside; what the kernel knows is used.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every machine
_VERSION = 1  # flag of create_ruleset: answer the interface's version
_PATH_BENEATH = 1

_READ = 0b1101  # execute, read a file, list a folder
_ALL = {1: 13, 2: 14, 3: 15, 4: 15}  # interface's version -> number of file rights; later: 16
_FILE_RIGHTS = 0b1100000000000111  # those that make sense on a single file
_TCP = 0b11  # bind, connect
_SCOPES = 0b11  # abstract unix sockets, signals


def version(libc: ctypes.CDLL) -> int:
    """The kernel's interface version; 0 where there is no Landlock."""
    answer: int = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    return max(answer, 0)


def prepare(libc: ctypes.CDLL, readable: Iterable[str], writable: Iterable[str]) -> int | None:
    """A ruleset's descriptor, or None where there is no Landlock.

    To be made while the paths can still be opened, so before a change of user.
    """
    known = version(libc)
    if known == 0:
        return None
    rights = (1 << _ALL.get(known, 16)) - 1
    fields = [rights] + ([_TCP] if known >= 4 else []) + ([_SCOPES] if known >= 6 else [])
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset: int = libc.syscall(
        _CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0)
    )
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    for path in readable:
        _allow(libc, ruleset, path, _READ)
    for path in writable:
        _allow(libc, ruleset, path, rights)
    return ruleset


def restrict(libc: ctypes.CDLL, ruleset: int) -> None:
    """Put the ruleset on this process for good; ``no_new_privs`` must be set."""
    if libc.syscall(_RESTRICT_SELF, ruleset, ctypes.c_uint(0)) != 0:
        raise OSError(ctypes.get_errno(), "landlock_restrict_self")


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= _FILE_RIGHTS
        rule = struct.pack("=Qi", rights, opened)
        if libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, ctypes.c_uint(0)) != 0:
            raise OSError(ctypes.get_errno(), f"landlock_add_rule {path}")
    finally:
        os.close(opened)
