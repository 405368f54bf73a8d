"""Which projects were written to while their rows were read.

A scan reads a project's rows one after the other, so it may see the log's head before an event and
the event after it. A restored log with a gap would be waited for without end. So each project's
rows are compared with what a consistent read says afterwards: with the same version and the same
head as the copy, and every event and revision up to them, nothing was written in between.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

from agenticai_core.store import keys
from agenticai_core.store.base import Item, Store

Row = Mapping[str, Any]  # in DynamoDB's own notation

_PREFIX = keys.project_pk("")
_PROJECTS = 50  # a batch reads two rows of each


@dataclass
class Partition:
    """What the rows of a project say of themselves."""

    version: int | None = None
    revision: int = 0
    seq: int = 0
    events: int = 0
    revisions: int = 0

    def note(self, row: Row) -> None:
        kind = row["SK"]["S"].split("#")[0]
        if kind == "METADATA":
            self.version = int(row["version"]["N"])
            self.revision = int(row["revision"]["N"])
        elif kind == "HEAD":
            self.seq = int(row["seq"]["N"])
        elif kind == "EVENT":
            self.events += 1
        elif kind == "REV":
            self.revisions += 1

    def is_whole(self, metadata: Item | None, head: Item | None) -> bool:
        """Whether these rows are of one moment, given what is there now. A project that is being
        deleted has nothing left to keep together; of one that is gone nothing may be kept."""
        if head is not None and head.get("closed"):
            return True
        if metadata is None or head is None:
            return self == Partition()
        return (
            (self.version, self.seq) == (metadata["version"], head["seq"])
            and self.events == self.seq
            and self.revisions == self.revision
        )


def note(partitions: dict[str, Partition], row: Row) -> None:
    """Take a row into account, if it is a project's."""
    project_id = row["PK"]["S"].removeprefix(_PREFIX)
    if row["PK"]["S"] != project_id:
        partitions.setdefault(project_id, Partition()).note(row)


def find_torn(store: Store, partitions: Mapping[str, Partition]) -> Iterator[str]:
    """The ids of projects whose rows are not of one moment."""
    ids = sorted(partitions)
    for start in range(0, len(ids), _PROJECTS):
        some = ids[start : start + _PROJECTS]
        wanted = [key for one in some for key in (keys.project(one), keys.head(one))]
        rows = {(row["PK"], row["SK"]): row for row in store.batch_get(wanted)}
        for project_id in some:
            pk = keys.project_pk(project_id)
            now = rows.get((pk, "METADATA")), rows.get((pk, "HEAD"))
            if not partitions[project_id].is_whole(*now):
                yield project_id


def read_whole(
    store: Store, project_id: str, read: Callable[[str], Iterable[Row]]
) -> tuple[list[Row], bool]:
    """All rows of a project, read again until they are of one moment, ten times at most; whether
    they are. ``read`` gives the rows of a partition."""

    def attempt() -> tuple[list[Row], bool]:
        partitions = {project_id: Partition()}
        rows = list(read(keys.project_pk(project_id)))
        for row in rows:
            note(partitions, row)
        return rows, not list(find_torn(store, partitions))

    retrying = Retrying(
        retry=retry_if_result(lambda result: not result[1]),
        stop=stop_after_attempt(10),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else ([], False),
    )
    return retrying(attempt)
