"""Finds out what the sandbox is worth here, by trying to break out of it.

"strong": nothing that the canaries try works. "basic": generated code has no network, sees none
of our secrets in its environment, is limited in number and leaves nothing behind, but it may
reach files or processes that this user could. "none": not even that.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agenticai_worker.sandbox.base import Command, Finished, Level
from agenticai_worker.sandbox.environment import NAMES
from agenticai_worker.sandbox.folder import remove_tree
from agenticai_worker.sandbox.orders import Result

Run = Callable[[Command], tuple[Finished, Result]]

_SCRIPT = Path(__file__).with_name("canaries.py")
_TIMEOUT = 20.0
_CHILDREN = 400  # more than a run may have
_ESCAPES = {
    "open_sockets": "it can open sockets",
    "read_outside": "it can read this user's files",
    "write_outside": "it can write to this user's folders",
    "write_shared": "it can write to folders open to everybody",
    "signal_worker": "it can signal the worker",
    "read_environment": "it can read the worker's environment",
    "use_privileges": "it keeps root's privileges",
    "make_namespace": "it can make namespaces",
    "multiply": "it can start any number of processes",
    "leave_a_daemon": "it can leave a process behind",
}
_NEVER = frozenset(
    {"open_sockets", "read_environment", "use_privileges", "multiply", "leave_a_daemon"}
)


@dataclass(frozen=True)
class Verdict:
    level: Level
    missing: tuple[str, ...]


_verdicts: dict[Hashable, Verdict] = {}


def examine(kind: Hashable, run: Run) -> Verdict:
    """The verdict on ``run``, found once per process for each ``kind`` of sandbox."""
    if kind in _verdicts:
        return _verdicts[kind]
    place = Path(tempfile.mkdtemp(prefix="agenticai-canary-"))
    try:
        layers, escaped = _try_to_escape(place, run)
    except (RuntimeError, OSError, ValueError, subprocess.SubprocessError) as error:
        # Not kept: on a machine that is merely too busy the next attempt succeeds.
        return Verdict("none", (f"the self-test failed: {error}",))
    finally:
        remove_tree(place)
    _verdicts[kind] = judge(layers, escaped)
    return _verdicts[kind]


def judge(layers: list[str], escaped: set[str]) -> Verdict:
    """From the layers that this kernel lacks and the canaries that got out."""
    if not escaped:
        return Verdict("strong", ())
    missing = (*layers, *(_ESCAPES[name] for name in _ESCAPES if name in escaped))
    # A root that can write anywhere owns the machine.
    never = _NEVER | ({"write_outside"} if os.geteuid() == 0 else set())
    return Verdict("none" if escaped & never else "basic", missing)


def _try_to_escape(place: Path, run: Run) -> tuple[list[str], set[str]]:
    given = _bait(place)
    finished, result = run(_command(given))
    if finished.exit_code != 0:
        raise ValueError(f"canaries ended with {finished.exit_code}: {finished.stderr[-500:]}")
    escaped = set(json.loads(finished.stdout))
    if not escaped <= set(_ESCAPES):
        raise ValueError("canaries answered something else")
    crowd, _ = run(_command({"limit": _CHILDREN}))
    if crowd.exit_code != 0 and crowd.stopped not in ("processes", "memory"):
        escaped.add("multiply")
    with suppress(ProcessLookupError):
        os.kill(int(crowd.stdout), 0)
        escaped.add("leave_a_daemon")
    return result.missing, escaped


def _bait(place: Path) -> dict[str, object]:
    place.chmod(0o755)
    secret, folder, shared = place / "secret", place / "folder", place / "shared"
    secret.write_text("canary")
    secret.chmod(0o600)
    folder.mkdir(mode=0o755)
    shared.mkdir()
    shared.chmod(0o1777)
    return {
        "worker": os.getpid(),
        "uid": os.getuid(),
        "secret": str(secret),
        "folder": str(folder),
        "shared": str(shared),
    }


def _command(given: dict[str, object]) -> Command:
    argument = json.dumps({**given, "environment": sorted(NAMES)})
    return Command(
        argv=("python", "canaries.py", argument),
        files={"canaries.py": _SCRIPT.read_bytes()},
        timeout=_TIMEOUT,
    )
