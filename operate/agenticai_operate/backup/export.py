"""Copy a table and a bucket into a folder.

This is the one place that scans the table: whoever copies everything has to read everything.
Projects that were written to meanwhile are read again, each as of one moment (`partitions`). The
table is copied first, the objects afterwards. Objects never change under their key, and are written
before the item that points to them: so what an item names is among the objects, unless its project
was deleted meanwhile.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from agenticai_core.clock import now, stamp
from agenticai_core.store import keys
from agenticai_operate.backup.layout import (
    ITEMS_PER_FILE,
    MANIFEST,
    OBJECT_INDEX,
    OBJECTS,
    TABLE,
    Manifest,
    ObjectEntry,
    WithoutValues,
    item_line,
    sum_of,
)
from agenticai_operate.backup.marker import is_marker
from agenticai_operate.backup.partitions import Partition, Row, find_torn, note, read_whole
from agenticai_operate.errors import TargetInUse
from agenticai_operate.places import Place

Tell = Callable[[str, int], None]  # what is being copied, and how many there are so far

LEFT_OUT = "archives/"  # built again when somebody asks for one
SEGMENTS = 4  # of the table that are read at the same time
_THREADS = 16
_GONE = frozenset({"NoSuchKey", "404"})


def export(place: Place, folder: Path, tell: Tell = lambda _what, _count: None) -> Manifest:
    """Write a backup into an empty or new folder. Raises `TargetInUse`."""
    if folder.exists() and any(folder.iterdir()):
        raise TargetInUse(f"{folder} is not empty", hint="Name a new folder, or a .tar.gz file")
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / TABLE).mkdir()
    (folder / OBJECTS).mkdir()
    began = stamp(now())
    scanned = _Items(folder, tell)
    client, table = place.dynamo, place.table
    with ThreadPoolExecutor(SEGMENTS) as pool:
        list(pool.map(lambda one: scanned.add(_scan(client, table, one)), range(SEGMENTS)))
    scanned.close()
    torn = _read_torn_again(place, scanned)
    entries, vanished = _copy_objects(place, folder, tell)
    files = {name: sum_of(folder / name) for name in [*scanned.names, OBJECT_INDEX]}
    contents = {entry.sha256: entry.size for entry in entries}
    manifest = Manifest(
        app=place.settings.app,
        env=place.settings.env,
        table=table,
        bucket=place.bucket,
        began_at=began,
        ended_at=stamp(now()),
        version=version("agenticai"),
        items=scanned.count,
        objects=len(entries),
        bytes=sum(contents.values()),
        vanished=vanished,
        torn=torn,
        files=files,
        without_values=tuple(sorted(scanned.without_values, key=lambda one: one.project_id)),
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    return manifest


def _scan(client: Any, table: str, segment: int) -> Iterator[Row]:
    pages = client.get_paginator("scan").paginate(
        TableName=table, Segment=segment, TotalSegments=SEGMENTS, ConsistentRead=True
    )
    for page in pages:
        yield from page["Items"]


def _read_torn_again(place: Place, scanned: "_Items") -> int:
    """Replace projects that were written to while they were read; how many stay as they were."""
    client, table = place.dynamo, place.table
    torn = list(find_torn(place.store, scanned.partitions))
    scanned.drop({keys.project_pk(project_id) for project_id in torn})
    unsettled = 0
    for project_id in torn:
        rows, whole = read_whole(place.store, project_id, partial(_query, client, table))
        scanned.add(rows)
        unsettled += not whole
    scanned.close()
    return unsettled


def _query(client: Any, table: str, pk: str) -> Iterator[Row]:
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="PK = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
        ConsistentRead=True,
    )
    for page in pages:
        yield from page["Items"]


class _Items:
    """Writes items into files of a thousand lines. Safe under threads."""

    def __init__(self, folder: Path, tell: Tell) -> None:
        self._folder = folder
        self._tell = tell
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self.names: list[str] = []
        self.without_values: list[WithoutValues] = []
        self.partitions: dict[str, Partition] = {}
        self.count = 0

    def add(self, items: Iterable[Row]) -> None:
        for item in items:
            if is_marker(item):
                continue
            with self._lock:
                self._lines.append(item_line(item))
                self.count += 1
                self.without_values += _secret_of(item)
                note(self.partitions, item)
                if len(self._lines) == ITEMS_PER_FILE:
                    self.close()
                    self._tell("items", self.count)

    def drop(self, pks: set[str]) -> None:
        """Take all items of some partitions out again."""
        for name in self.names if pks else ():
            path = self._folder / name
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if json.loads(line)["PK"]["S"] not in pks]
            self.count -= len(lines) - len(kept)
            path.write_text("".join(kept), encoding="utf-8")
        self.without_values = [
            one for one in self.without_values if keys.project_pk(one.project_id) not in pks
        ]

    def close(self) -> None:
        """Write what no file holds yet."""
        if not self._lines:
            return
        name = f"{TABLE}/{len(self.names) + 1:06d}.jsonl"
        (self._folder / name).write_text("".join(self._lines), encoding="utf-8")
        self.names.append(name)
        self._lines = []


def _secret_of(item: Row) -> list[WithoutValues]:
    """A project's names of variables, where it has any."""
    if item.get("EntityType") != {"S": "Project"} or not item.get("environment", {}).get("L"):
        return []
    names = tuple(name["S"] for name in item["environment"]["L"])
    return [WithoutValues(project_id=item["id"]["S"], name=item["name"]["S"], variables=names)]


def _copy_objects(place: Place, folder: Path, tell: Tell) -> tuple[list[ObjectEntry], int]:
    """The objects that were copied, by key, and how many were gone before they could be."""
    listed = list(_list_keys(place))
    copier = _Objects(place.s3, place.bucket, folder / OBJECTS)
    entries: list[ObjectEntry] = []
    with ThreadPoolExecutor(_THREADS) as pool, (folder / OBJECT_INDEX).open("w") as index:
        for number, entry in enumerate(pool.map(copier.copy, listed), start=1):
            if entry is not None:
                entries.append(entry)
                index.write(json.dumps(entry.model_dump()) + "\n")
            if number % 100 == 0:
                tell("objects", number)
    return entries, len(listed) - len(entries)


def _list_keys(place: Place) -> Iterator[str]:
    for page in place.s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket):
        for entry in page.get("Contents", []):
            if not entry["Key"].startswith(LEFT_OUT):
                yield entry["Key"]


@dataclass(frozen=True)
class _Objects:
    client: Any  # S3's; safe to share by threads
    bucket: str
    folder: Path

    def copy(self, key: str) -> ObjectEntry | None:
        """Copy one object; None when it is gone."""
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return None
            raise
        content: bytes = answer["Body"].read()
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.folder / sha256
        if not path.exists():
            part = path.with_name(f"{sha256}.{threading.get_ident()}")
            part.write_bytes(content)
            part.replace(path)
        kind = answer.get("ContentType", "application/octet-stream")
        return ObjectEntry(key=key, sha256=sha256, size=len(content), content_type=kind)
