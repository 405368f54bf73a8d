"""Bring a backup back into a table and a bucket.

Everything is compared with its check sums before anything is written. Objects go first, so that no
item ever names one that is not there. An item of the table itself tells what is being restored: as
long as it is there, the same backup goes on where it stopped, and no other may begin.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from agenticai_operate.backup import marker
from agenticai_operate.backup.layout import (
    MANIFEST,
    Manifest,
    ObjectEntry,
    object_file,
    read_entries,
    read_items,
    read_manifest,
    verify,
)
from agenticai_operate.errors import TargetInUse
from agenticai_operate.places import Place

T = TypeVar("T")
Tell = Callable[[str, int], None]

_THREADS = 16
_BATCH = 500  # between two tellings
# Below these prefixes a key holds the hash of its content: what is there is what was there.
_IMMUTABLE = ("objects/", "plans/", "tmp/")


@dataclass(frozen=True)
class Restored:
    manifest: Manifest
    items: int  # written now
    objects: int
    taken_up: bool  # an earlier run had begun


def restore(
    place: Place,
    folder: Path,
    *,
    overwrite: bool = False,
    tell: Tell = lambda _what, _count: None,
) -> Restored:
    """Raises `BadBackup` before anything is written, and `TargetInUse` where the table holds
    something else, unless ``overwrite``: then items of the same key are replaced."""
    manifest = read_manifest(folder)
    verify(folder, manifest)
    identity = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    taken_up = _begin(place, identity, overwrite)
    objects = _put_objects(place, folder, tell, fresh=not taken_up)
    items = _put_items(place, read_items(folder, manifest), overwrite, tell)
    place.dynamo.delete_item(TableName=place.table, Key=marker.KEY)
    return Restored(manifest, items, objects, taken_up)


def _begin(place: Place, identity: str, overwrite: bool) -> bool:
    """Leave the marker in the table; whether it was there already, of this very backup."""
    client, table = place.dynamo, place.table
    found = client.get_item(TableName=table, Key=marker.KEY, ConsistentRead=True).get("Item")
    if found and found["backup"] == {"S": identity}:
        return True
    if found and not overwrite:
        raise TargetInUse(
            f"The table {table} holds a part of another backup",
            hint="Finish that restore, or start with an empty table",
        )
    if not overwrite and client.scan(TableName=table, Limit=1, ConsistentRead=True)["Items"]:
        raise TargetInUse(
            f"The table {table} is not empty",
            hint="Restore into a new environment before its services run, or replace what has the"
            " same keys and leave all else: --overwrite",
        )
    client.put_item(TableName=table, Item=marker.KEY | {"backup": {"S": identity}})
    return False


def _put_objects(place: Place, folder: Path, tell: Tell, *, fresh: bool) -> int:
    client, bucket = place.s3, place.bucket
    there = set() if fresh else set(_sizes(client, bucket))

    def put(entry: ObjectEntry) -> bool:
        if entry.key.startswith(_IMMUTABLE) and (entry.key, entry.size) in there:
            return False
        client.put_object(
            Bucket=bucket,
            Key=entry.key,
            Body=object_file(folder, entry.sha256).read_bytes(),
            ContentType=entry.content_type,
        )
        return True

    return _work(put, read_entries(folder), lambda count: tell("objects", count))


def _sizes(client: Any, bucket: str) -> Iterator[tuple[str, int]]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from ((entry["Key"], entry["Size"]) for entry in page.get("Contents", []))


def _put_items(place: Place, items: Iterable[Any], overwrite: bool, tell: Tell) -> int:
    client, table = place.dynamo, place.table
    condition: Any = {} if overwrite else {"ConditionExpression": "attribute_not_exists(PK)"}

    def put(item: Any) -> bool:
        """False where an earlier run has written it, and somebody may have changed it since."""
        try:
            client.put_item(TableName=table, Item=item, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    return _work(put, items, lambda count: tell("items", count))


def _work(put: Callable[[T], bool], things: Iterable[T], told: Callable[[int], None]) -> int:
    """Put all of them, some at a time; how many were written."""
    written = looked_at = 0
    source = iter(things)
    with ThreadPoolExecutor(_THREADS) as pool:
        while batch := list(islice(source, _BATCH)):
            written += sum(pool.map(put, batch))
            looked_at += len(batch)
            told(looked_at)
    return written
