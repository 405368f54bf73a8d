"""Free ports, and who sits on a taken one."""

import socket

import psutil

from agenticai_local.errors import LocalError

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def choose_port(wanted: int, what: str, option: str) -> int:
    """``wanted``, or any free port when it is 0; raises `LocalError` when it is taken."""
    if wanted == 0:
        return free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except PermissionError as error:
            raise LocalError(
                f"Port {wanted} for {what} needs rights that you do not have",
                hint=f"Choose one above 1023: make up ARGS='{option} 8001'",
            ) from error
        except OSError as error:
            raise LocalError(
                f"Port {wanted} for {what} is in use by {_owner(wanted)}",
                hint=f"Stop it, or choose another port (0 takes any): make up ARGS='{option} 0'",
            ) from error
    return wanted


def _owner(port: int) -> str:
    try:
        for found in psutil.net_connections(kind="tcp"):
            listens = found.status == psutil.CONN_LISTEN and found.laddr and found.pid
            if listens and found.laddr.port == port:
                return f"{psutil.Process(found.pid).name()} (process {found.pid})"
    except psutil.Error:  # other users' processes: the system does not tell
        pass
    return "another process"
