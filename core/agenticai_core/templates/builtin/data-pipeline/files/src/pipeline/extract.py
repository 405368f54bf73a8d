"""From files to rows, one at a time."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pipeline.schema import COLUMNS


class BadFile(Exception):
    """A file that cannot be read, or whose columns are others."""


@dataclass(frozen=True)
class RawRow:
    """A row as it stands in a file; ``line`` counts from 1, the header included."""

    file: str
    line: int
    values: dict[str, str]
    complete: bool = True  # as many cells as the header has


def read_rows(paths: Iterable[Path]) -> Iterator[RawRow]:
    """Every row of every file, in order. Raises `BadFile`."""
    for path in paths:
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from _read_file(path, file)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise BadFile(f"{path}: {error}") from error


def _read_file(path: Path, file: TextIO) -> Iterator[RawRow]:
    reader = csv.reader(file, strict=True)
    header = [name.strip() for name in next(reader, [])]
    if sorted(header) != sorted(COLUMNS):
        raise BadFile(f"{path}: the columns are {header}, and have to be {list(COLUMNS)}")
    for cells in reader:
        if cells:  # an empty line is no row
            values = dict(zip(header, cells, strict=False))
            yield RawRow(str(path), reader.line_num, values, len(cells) == len(header))
