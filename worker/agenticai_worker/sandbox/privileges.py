"""What the kernel lets this process do to others and to itself."""

import os
import sys
from pathlib import Path

# Numbers of linux/capability.h.
_CHOWN, _DAC_OVERRIDE, _KILL, _SETGID, _SETUID = 0, 1, 5, 6, 7
SYS_CHROOT = 18
# To hand a folder over to another user, to read it back, to become that user, and to kill it.
FOR_A_USER = (_CHOWN, _DAC_OVERRIDE, _KILL, _SETGID, _SETUID)


def have(*capabilities: int) -> bool:
    """Whether this is Linux's root with all of ``capabilities``."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    effective = _effective()
    return all(effective >> number & 1 for number in capabilities)


def _effective() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0
