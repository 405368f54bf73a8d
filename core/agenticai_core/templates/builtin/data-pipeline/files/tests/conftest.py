from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.load import open_database

HEADER = "order_id,placed_on,customer,quantity,unit_price"

WriteCsv = Callable[..., Path]


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    """A database in memory."""
    engine = open_database("sqlite://")
    yield engine
    engine.dispose()


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    """``write_csv(*lines)`` -> a new file with the header and these lines."""
    made: list[Path] = []

    def write(*lines: str, header: str = HEADER) -> Path:
        path = tmp_path / f"orders-{len(made)}.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        made.append(path)
        return path

    return write
