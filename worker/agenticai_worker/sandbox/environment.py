"""All that a run finds in its environment: nothing of the worker's."""

from pathlib import Path

RUN_PREFIX = "agenticai-run-"  # of the name of a run's own folder


def clean_environment(python: str, home: Path) -> dict[str, str]:
    """Variables for a run of ``python`` whose home and temporary folder is ``home``."""
    return {
        "PATH": f"{Path(python).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home),
        "USER": "sandbox",
        "LOGNAME": "sandbox",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
    }


NAMES = frozenset(clean_environment("/python", Path("/")))
