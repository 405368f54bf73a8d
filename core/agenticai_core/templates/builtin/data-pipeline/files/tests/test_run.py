import csv
import json
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.__main__ import ALL_LOADED, NOTHING_LOADED, SOME_REJECTED, main
from pipeline.extract import BadFile
from pipeline.load import BATCH, daily_totals, orders
from pipeline.run import Summary, run_pipeline

from .conftest import WriteCsv

TWO_DAYS = ("1,2025-03-01,Amara,2,19.90", "2,2025-03-01,Jonas,1,0.20", "3,2025-03-02,Mei,5,3.50")


def totals(engine: sa.Engine) -> list[tuple[date, int, int, int]]:
    with engine.connect() as connection:
        found = connection.execute(sa.select(daily_totals).order_by(daily_totals.c.day))
        return [tuple(row) for row in found]


def count(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(orders)).scalar_one()


def test_days_are_summed_up(engine: sa.Engine, write_csv: WriteCsv, tmp_path: Path) -> None:
    summary = run_pipeline(engine, [write_csv(*TWO_DAYS)], tmp_path / "rejected.csv")

    assert summary == Summary(loaded=3, rejected=0)
    assert totals(engine) == [(date(2025, 3, 1), 2, 3, 4000), (date(2025, 3, 2), 1, 5, 1750)]


def test_again_changes_nothing(engine: sa.Engine, write_csv: WriteCsv, tmp_path: Path) -> None:
    path = write_csv(*TWO_DAYS)
    run_pipeline(engine, [path], tmp_path / "rejected.csv")
    before = totals(engine)
    run_pipeline(engine, [path, path], tmp_path / "rejected.csv")

    assert totals(engine) == before


def test_a_corrected_row_replaces_the_old_one(
    engine: sa.Engine, write_csv: WriteCsv, tmp_path: Path
) -> None:
    run_pipeline(engine, [write_csv(*TWO_DAYS)], tmp_path / "rejected.csv")
    run_pipeline(engine, [write_csv("3,2025-03-01,Mei,1,1.00")], tmp_path / "rejected.csv")

    assert totals(engine) == [(date(2025, 3, 1), 3, 4, 4100)]


def test_refused_rows_are_kept_with_their_reason(
    engine: sa.Engine, write_csv: WriteCsv, tmp_path: Path
) -> None:
    path, rejected = write_csv("1,2025-03-01,Amara,none,1", *TWO_DAYS[1:]), tmp_path / "no.csv"
    summary = run_pipeline(engine, [path], rejected)

    assert summary == Summary(loaded=2, rejected=1)
    with rejected.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["file"], row["line"], row["customer"]) == (str(path), "2", "Amara")
    assert row["reason"].startswith("quantity: ")


def test_a_bad_file_undoes_the_good_ones_before_it(
    engine: sa.Engine, write_csv: WriteCsv, tmp_path: Path
) -> None:
    paths = [write_csv(*TWO_DAYS), write_csv(header="a,b")]
    with pytest.raises(BadFile):
        run_pipeline(engine, paths, tmp_path / "rejected.csv")

    assert count(engine) == 0


def test_more_rows_than_a_batch_are_all_loaded(
    engine: sa.Engine, write_csv: WriteCsv, tmp_path: Path
) -> None:
    lines = [f"{number},2025-03-01,Amara,1,0.01" for number in range(1, 2 * BATCH + 2)]
    run_pipeline(engine, [write_csv(*lines)], tmp_path / "rejected.csv")

    assert count(engine) == 2 * BATCH + 1
    assert totals(engine)[0][1:] == (2 * BATCH + 1, 2 * BATCH + 1, 2 * BATCH + 1)


# ---- the command --------------------------------------------------------------------------------


def run_command(tmp_path: Path, *files: Path) -> int:
    database, rejected = f"sqlite:///{tmp_path}/test.db", str(tmp_path / "rejected.csv")
    return main([*map(str, files), "--database", database, "--rejected", rejected])


def test_the_sample_data_is_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = Path(__file__).parents[1] / "data" / "orders.csv"

    assert run_command(tmp_path, sample) == ALL_LOADED
    assert json.loads(capsys.readouterr().out) == {"loaded": 5, "rejected": 0}


def test_the_exit_code_tells_of_refused_rows(tmp_path: Path, write_csv: WriteCsv) -> None:
    assert run_command(tmp_path, write_csv("x,2025-03-01,Amara,1,1")) == SOME_REJECTED


def test_the_exit_code_tells_of_bad_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(tmp_path, tmp_path / "absent.csv") == NOTHING_LOADED
    assert "absent.csv" in capsys.readouterr().err
