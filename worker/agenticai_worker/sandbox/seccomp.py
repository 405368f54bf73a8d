"""A seccomp filter as classic BPF, put on by prctl: what generated code has no business calling.

Default is allow, because Python and the libraries of the curated environment use a long and
changing list of calls. Denied calls get EPERM, so that code sees an ordinary PermissionError and
a test that needs the network fails with a message instead of a dead process.
"""

import ctypes
import errno
import platform
import struct

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# Name -> number on x86_64 and on aarch64 (None: the call does not exist there).
_DENIED: dict[str, tuple[int | None, int | None]] = {
    # The network. `socketpair` stays: event loops wake themselves through one.
    "socket": (41, 198),
    # Other processes' memory, files and tracing.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # Leaving the process group by which everything is killed.
    "setsid": (112, 157),
    "setpgid": (109, 154),
    # Namespaces and mounts.
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # Wide kernel surfaces with a history of holes.
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "modify_ldt": (154, None),
    "personality": (135, 92),
    # Memory that no process' size shows, or that outlives every process.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    # The machine itself.
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "iopl": (172, None),
    "ioperm": (173, None),
    "vhangup": (153, 58),
}
_SOCKETPAIR = (53, 199)
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_KILL = (62, 129)
_PRLIMIT = (302, 261)
_IOCTL = (16, 29)

_AF_UNIX = 1
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: typing into somebody's terminal
_EVERYBODY = 0xFFFFFFFF  # kill(-1, ...)

_LOAD, _JUMP_EQUAL, _JUMP_ATLEAST, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24  # offsets in struct seccomp_data, little endian
_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_X32 = 0x40000000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def supported() -> bool:
    return platform.machine() in _AUDIT_ARCH


def install(libc: ctypes.CDLL) -> bool:
    """Put the filter on this process and all it starts; False where the kernel has none.

    ``no_new_privs`` must be set. It cannot be taken off again.
    """
    if not supported():
        return False
    code = build(platform.machine())
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    result: int = libc.prctl(22, 2, ctypes.addressof(program), 0, 0)  # PR_SET_SECCOMP, FILTER
    return result == 0


def build(machine: str) -> bytes:
    """The filter's instructions for ``machine`` ("x86_64" or "aarch64")."""
    which = list(_AUDIT_ARCH).index(machine)
    code = [
        _instruction(_LOAD, _ARCH),
        _instruction(_JUMP_EQUAL, _AUDIT_ARCH[machine], 1, 0),
        _instruction(_RETURN, _KILL_PROCESS),  # another ABI would have other numbers
        _instruction(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        code += [_instruction(_JUMP_ATLEAST, _X32, 0, 1), _deny()]
    for numbers in _DENIED.values():
        number = numbers[which]
        if number is not None:
            code += [_instruction(_JUMP_EQUAL, number, 0, 1), _deny()]
    # Its flags lie in memory, out of a filter's sight: with ENOSYS libc takes `clone` instead.
    code += [_instruction(_JUMP_EQUAL, _CLONE3[which], 0, 1), _deny(errno.ENOSYS)]
    code += _denied_unless(_SOCKETPAIR[which], _ARG0, _AF_UNIX)
    code += _denied_unless(_PRLIMIT[which], _ARG0, 0)  # only one's own limits
    code += _denied_if(_KILL[which], _ARG0, _JUMP_EQUAL, _EVERYBODY)
    code += _denied_if(_CLONE[which], _ARG0, _JUMP_SET, _NEW_NAMESPACES)
    for request in _TERMINAL_INPUT:
        code += _denied_if(_IOCTL[which], _ARG1, _JUMP_EQUAL, request)
    code.append(_instruction(_RETURN, _ALLOW))
    return b"".join(code)


def _denied_if(number: int, argument: int, jump: int, value: int) -> list[bytes]:
    """Deny call ``number`` when its argument's low word meets ``value``; else go on."""
    return [
        _instruction(_JUMP_EQUAL, number, 0, 4),
        _instruction(_LOAD, argument),
        _instruction(jump, value, 0, 1),
        _deny(),
        _instruction(_LOAD, _NUMBER),
    ]


def _denied_unless(number: int, argument: int, value: int) -> list[bytes]:
    return [
        _instruction(_JUMP_EQUAL, number, 0, 4),
        _instruction(_LOAD, argument),
        _instruction(_JUMP_EQUAL, value, 1, 0),
        _deny(),
        _instruction(_LOAD, _NUMBER),
    ]


def _deny(code: int = errno.EPERM) -> bytes:
    return _instruction(_RETURN, 0x00050000 | code)


def _instruction(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, when_true, when_false, value)
