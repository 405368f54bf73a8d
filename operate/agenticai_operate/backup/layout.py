"""What a backup is made of.

    manifest.json           format, origin, counts, and the SHA-256 of each file below
    table/000001.jsonl …    items as DynamoDB has them, one a line
    objects.jsonl           key, SHA-256, size and content type of each object, one a line
    objects/<sha256>        contents, once each however many keys have them

File names never come from keys: a key may be anything, a file's name may not. A `.tar.gz` holds
the very same files.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from agenticai_operate.errors import BadBackup

FORMAT = 1
MANIFEST = "manifest.json"
OBJECT_INDEX = "objects.jsonl"
OBJECTS = "objects"
TABLE = "table"
ITEMS_PER_FILE = 1000

_SHA = re.compile(r"[0-9a-f]{64}")
_LISTED = re.compile(r"table/\d{6}\.jsonl|objects\.jsonl")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Listed(_Frozen):
    sha256: str
    size: int  # bytes


class WithoutValues(_Frozen):
    """A project whose environment variables have values, which no backup holds."""

    project_id: str
    name: str
    variables: tuple[str, ...]


class Manifest(_Frozen):
    format: int = FORMAT
    app: str
    env: str
    table: str
    bucket: str
    began_at: str
    ended_at: str
    version: str  # of agenticai
    items: int
    objects: int  # keys
    bytes: int  # of contents, each counted once
    vanished: int  # objects that were deleted while they were copied
    torn: int = 0  # projects that never rested long enough to be read as of one moment
    files: dict[str, Listed]
    without_values: tuple[WithoutValues, ...] = ()


class ObjectEntry(_Frozen):
    key: str
    sha256: str
    size: int
    content_type: str


def read_manifest(folder: Path) -> Manifest:
    """Raises `BadBackup`."""
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        known = json.loads(text).get("format")
        if known != FORMAT:
            raise BadBackup(
                f"The backup has format {known}, this version reads {FORMAT}",
                hint="Restore it with the version of agenticai that wrote it",
            )
        return Manifest.model_validate_json(text)
    except FileNotFoundError as error:
        raise BadBackup(
            f"There is no {MANIFEST} in {folder}", hint="It is written last: was it interrupted?"
        ) from error
    except (OSError, ValueError, AttributeError, ValidationError) as error:
        raise BadBackup(f"{MANIFEST} cannot be read: {error}") from error


def verify(folder: Path, manifest: Manifest) -> None:
    """Compare everything with its check sum. Raises `BadBackup`, which names what differs."""
    for name, listed in manifest.files.items():
        if not _LISTED.fullmatch(name):
            raise BadBackup(f"The backup lists a file that is no part of one: {name!r}")
        _compare(folder / name, listed.sha256, listed.size)
    if OBJECT_INDEX not in manifest.files:
        raise BadBackup(f"The backup lists no {OBJECT_INDEX}")
    items = sum(1 for _ in read_items(folder, manifest))
    entries = list(read_entries(folder))
    if (items, len(entries)) != (manifest.items, manifest.objects):
        raise BadBackup("The backup holds another number of items or objects than it says")
    for sha256, size in {(entry.sha256, entry.size) for entry in entries}:
        _compare(object_file(folder, sha256), sha256, size)


def read_items(folder: Path, manifest: Manifest) -> Iterator[dict[str, Any]]:
    """Items in DynamoDB's own notation."""
    for name in sorted(name for name in manifest.files if name.startswith(TABLE)):
        with (folder / name).open(encoding="utf-8") as lines:
            for line in lines:
                yield {key: _from_json(value) for key, value in json.loads(line).items()}


def read_entries(folder: Path) -> Iterator[ObjectEntry]:
    with (folder / OBJECT_INDEX).open(encoding="utf-8") as lines:
        for line in lines:
            yield ObjectEntry.model_validate_json(line)


def object_file(folder: Path, sha256: str) -> Path:
    if not _SHA.fullmatch(sha256):
        raise BadBackup(f"{sha256!r} is no SHA-256")
    return folder / OBJECTS / sha256


def item_line(item: Mapping[str, Any]) -> str:
    """An item in DynamoDB's notation as one line of JSON; binary values in base 64."""
    return json.dumps(item, default=_to_json, ensure_ascii=False, separators=(",", ":")) + "\n"


def sum_of(path: Path) -> Listed:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Listed(sha256=digest, size=path.stat().st_size)


def _compare(path: Path, sha256: str, size: int) -> None:
    found = sum_of(path) if path.is_file() and not path.is_symlink() else None
    if found is None:
        raise BadBackup(f"{path.name} is missing", hint="Take another copy of the backup")
    if (found.sha256, found.size) != (sha256, size):
        raise BadBackup(
            f"{path.name} is not what was written: its check sum differs",
            hint="Take another copy of the backup; nothing has been restored",
        )


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    raise TypeError(f"no JSON for {type(value).__name__}")


def _from_json(value: dict[str, Any]) -> dict[str, Any]:
    """Undo `_to_json` below a value of DynamoDB's notation: {"B": "…"} holds bytes again."""
    (kind, inner), *_ = value.items()
    if kind == "B":
        return {kind: base64.b64decode(inner)}
    if kind == "BS":
        return {kind: [base64.b64decode(one) for one in inner]}
    if kind == "L":
        return {kind: [_from_json(one) for one in inner]}
    if kind == "M":
        return {kind: {name: _from_json(one) for name, one in inner.items()}}
    return value
