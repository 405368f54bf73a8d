"""Run a command that ends with whoever started it: ``python -I -S child.py <parent> <command…>``.

A supervisor that is killed cannot stop its children. So each asks the kernel (Linux only) for a
SIGTERM on its parent's death, and then becomes the command; the request survives the exec.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the request was made
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  (a list from the supervisor, no shell)


if __name__ == "__main__":
    main()
