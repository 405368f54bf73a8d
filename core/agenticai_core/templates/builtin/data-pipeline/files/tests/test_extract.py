from pathlib import Path

import pytest

from pipeline.extract import BadFile, RawRow, read_rows

from .conftest import HEADER, WriteCsv

ROW = "1,2025-03-01,Amara,2,19.90"


def test_rows_know_where_they_stand(write_csv: WriteCsv) -> None:
    path = write_csv(ROW, "", '2,2025-03-01,"Costa, Rafael",1,1')

    first, second = read_rows([path])

    assert first == RawRow(str(path), 2, dict(zip(HEADER.split(","), ROW.split(","), strict=True)))
    assert (second.line, second.values["customer"]) == (4, "Costa, Rafael")


def test_files_come_one_after_the_other(write_csv: WriteCsv) -> None:
    paths = [write_csv(ROW), write_csv(ROW, ROW)]

    assert [row.file for row in read_rows(paths)] == [str(paths[0])] + [str(paths[1])] * 2


def test_columns_may_come_in_any_order(write_csv: WriteCsv) -> None:
    path = write_csv(
        "Amara,1,2,19.90,2025-03-01", header="customer,order_id,quantity,unit_price,placed_on"
    )

    (row,) = read_rows([path])

    assert row.values["unit_price"] == "19.90"


@pytest.mark.parametrize("header", ["", "a,b", f"{HEADER},more", HEADER.replace(",customer", "")])
def test_other_columns_are_refused(write_csv: WriteCsv, header: str) -> None:
    with pytest.raises(BadFile, match="columns"):
        list(read_rows([write_csv(ROW, header=header)]))


def test_a_row_of_another_length_is_marked(write_csv: WriteCsv) -> None:
    short, long = read_rows([write_csv("1,2025-03-01", f"{ROW},more")])

    assert not short.complete
    assert not long.complete


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "orders.csv"
    binary.write_bytes(b"\xff\xfe\x00")

    for path in (binary, tmp_path / "absent.csv"):
        with pytest.raises(BadFile, match=path.name):
            list(read_rows([path]))
