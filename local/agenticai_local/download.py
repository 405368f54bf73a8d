"""Put a project's archive into a folder of its own, in the place of an earlier one."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from agenticai_client.archive import read_archive
from agenticai_client.names import folder_from
from agenticai_local.errors import LocalError

_MAX_NAME = 80  # of a folder; a project's name may be longer


def save_archive(archive: bytes, parent: Path, project_name: str) -> Path:
    """Extract to ``parent/<project name>`` and return that folder.

    What was there before is replaced as a whole, once the new one is complete. Raises
    `agenticai_client.errors.UnsafeArchive` for an archive that would leave its folder.
    """
    files = read_archive(archive)
    parent.mkdir(parents=True, exist_ok=True)
    target = parent / folder_from(project_name)[:_MAX_NAME]
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    try:
        _write(files, fresh)
        _remove(target)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    folder.chmod(0o755)
    for path, content in files.items():
        target = folder / path
        if not target.resolve().is_relative_to(folder.resolve()):
            raise LocalError(f"The archive names a file outside its folder: {path!r}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _remove(target: Path) -> None:
    """A link is removed itself, never what it leads to."""
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.exists():
        shutil.rmtree(target)
