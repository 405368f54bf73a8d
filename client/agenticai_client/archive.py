"""Extracting a project's zip: nothing outside the folder, nothing of the user's overwritten.

A pulled folder holds ``.agenticai-pull.json`` with what was written, so that the next pull of the
same project can tell its own files from the user's work.
"""

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from agenticai_client.errors import FolderInUse, UnsafeArchive

MARKER = ".agenticai-pull.json"
MAX_FILES = 20_000
MAX_BYTES = 500 * 2**20


@dataclass(frozen=True)
class Pulled:
    """What a pull did to the folder; paths relative to it."""

    written: list[str]
    removed: list[str]


def read_archive(data: bytes) -> dict[str, bytes]:
    """Path -> content. Raises `UnsafeArchive` for paths or sizes that no project has."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            entries = [entry for entry in packed.infolist() if not entry.is_dir()]
            _check_size(entries)
            for entry in entries:
                _check_entry(entry)
            _check_distinct(entry.filename for entry in entries)
            return {entry.filename: packed.read(entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise UnsafeArchive(f"The archive cannot be read: {error}") from error


def unpack(data: bytes, folder: Path, project_id: str, *, force: bool = False) -> Pulled:
    """Write a project's archive to ``folder``.

    Into an empty or new folder, or one that holds an earlier pull of the same project; files
    changed there since, and any other folder with content, need ``force``: `FolderInUse`.
    Files of the earlier pull that the project no longer has are removed, if unchanged.
    """
    files = read_archive(data)
    before = _read_marker(folder, project_id)
    if not force:
        _check_folder(folder, files, before)
    for path, content in files.items():
        target = _target(folder, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    gone = [path for path in sorted(before.keys() - files.keys()) if _is_as(folder, path, before)]
    for path in gone:
        _target(folder, path).unlink()
    _write_marker(folder, project_id, files)
    return Pulled(sorted(files), gone)


def _check_size(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise UnsafeArchive(
            f"The archive is too large: more than {MAX_FILES} files or {MAX_BYTES >> 20} MB."
        )


def _check_entry(entry: zipfile.ZipInfo) -> None:
    # orig_filename: the reader cuts the other one at a NUL and turns separators around.
    name = entry.orig_filename
    kind = stat.S_IFMT(entry.external_attr >> 16)
    bad = (
        name != entry.filename
        or not name.isprintable()
        or "\\" in name
        or ":" in name
        or any(part in ("", ".", "..") for part in name.split("/"))
        or PurePosixPath(name).parts[0] == MARKER
        or kind not in (0, stat.S_IFREG)
    )
    if bad:
        shown = name.encode("unicode_escape").decode()
        raise UnsafeArchive(f"The archive holds an unsafe entry: {shown}")


def _check_distinct(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise UnsafeArchive(f"The archive holds {name} twice.")
        seen.add(name.casefold())


def _check_folder(folder: Path, files: Mapping[str, bytes], before: Mapping[str, str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise FolderInUse(f"{folder} is not a folder.")
    if not before and folder.exists() and any(folder.iterdir()):
        raise FolderInUse(
            f"{folder} is not empty, and no earlier pull of this project.",
            hint="Choose another folder, or --force to write into this one.",
        )
    lost = [
        path
        for path, content in files.items()
        if _target(folder, path).exists()
        and not _is_as(folder, path, before)
        and _target(folder, path).read_bytes() != content
    ]
    if lost:
        raise FolderInUse(
            f"You changed what would be overwritten: {', '.join(sorted(lost)[:5])}"
            + (" …" if len(lost) > 5 else ""),
            hint="Keep a copy, or pull into another folder; --force overwrites.",
        )


def _target(folder: Path, path: str) -> Path:
    """Where ``path`` goes; a link on the way would lead out of the folder, so none is followed."""
    target = folder
    for part in path.split("/"):
        target = target / part
        if target.is_symlink():
            raise FolderInUse(f"{target} is a link; it is not written through.")
    return target


def _is_as(folder: Path, path: str, marker: Mapping[str, str]) -> bool:
    target = _target(folder, path)
    return target.is_file() and _sha256(target.read_bytes()) == marker.get(path)


def _read_marker(folder: Path, project_id: str) -> dict[str, str]:
    """What the last pull of this project wrote: path -> sha256; empty if there was none."""
    try:
        marker: Any = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        mine = marker["project_id"] == project_id
        return {str(k): str(v) for k, v in marker["files"].items() if _plain(k)} if mine else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _plain(path: str) -> bool:
    return bool(path) and not any(part in ("", ".", "..") for part in path.split("/"))


def _write_marker(folder: Path, project_id: str, files: Mapping[str, bytes]) -> None:
    hashes = {path: _sha256(content) for path, content in sorted(files.items())}
    text = json.dumps({"project_id": project_id, "files": hashes}, indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    _target(folder, MARKER).write_text(text + "\n", encoding="utf-8")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
