"""The whole pipeline: extract, validate, load, transform."""

import csv
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import sqlalchemy as sa

from pipeline.extract import read_rows
from pipeline.load import BATCH, load_orders
from pipeline.schema import COLUMNS, Order
from pipeline.transform import rebuild_daily_totals
from pipeline.validate import Rejected, validate


@dataclass(frozen=True)
class Summary:
    loaded: int
    rejected: int


def run_pipeline(engine: sa.Engine, paths: Iterable[Path], rejected_path: Path) -> Summary:
    """Load every file in one transaction. Raises `BadFile`, and has then changed no data."""
    loaded = rejected = 0
    batch: list[Order] = []
    with ExitStack() as stack:
        connection = stack.enter_context(engine.begin())
        refused = _Refused(
            stack.enter_context(rejected_path.open("w", encoding="utf-8", newline=""))
        )
        for row in read_rows(paths):
            result = validate(row)
            if isinstance(result, Rejected):
                refused.write(result)
                rejected += 1
                continue
            batch.append(result)
            loaded += 1
            if len(batch) == BATCH:
                load_orders(connection, batch)
                batch.clear()
        load_orders(connection, batch)
        rebuild_daily_totals(connection)
    return Summary(loaded, rejected)


class _Refused:
    """The file of refused rows: what the row was, where, and why."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(["file", "line", "reason", *COLUMNS])

    def write(self, rejected: Rejected) -> None:
        row = rejected.row
        cells = [row.values.get(name, "") for name in COLUMNS]
        self._writer.writerow([row.file, row.line, rejected.reason, *cells])
