from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from minisql.catalog.arrow_table import ArrowTable
from minisql.catalog.csv_table import read_csv_table
from minisql.columnar.python_values import to_values
from minisql.datatypes import BIGINT, BOOLEAN, DATE, DOUBLE, TIME, TIMESTAMP, VARCHAR
from minisql.errors import DataError, OperationalError
from minisql.expression.nodes import Value


def write(path: Path, contents: str | bytes) -> Path:
    path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    return path


def columns_of(table: ArrowTable) -> dict[str, list[Value]]:
    batches = list(table.scan(range(len(table.columns)), [], 1000))
    return {
        definition.name: [value for batch in batches for value in to_values(batch.column(place))]
        for place, definition in enumerate(table.columns)
    }


def test_types_are_inferred_and_empty_fields_are_null(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.csv",
        "n,x,s,b,d,t,clock,nothing\n"
        "1,1.5,a,true,2020-01-31,2020-01-31 10:00:00,12:30,\n"
        ',,"",,,,,\n'
        "-3,2,NULL,false,2020-02-01,2020-02-01 00:00:00.5,13:00:05,\n",
    )
    table = read_csv_table("t", [path])
    assert [column.type for column in table.columns] == [
        BIGINT, DOUBLE, VARCHAR, BOOLEAN, DATE, TIMESTAMP, TIME, VARCHAR
    ]  # fmt: skip
    assert columns_of(table) == {
        "n": [1, None, -3],
        "x": [1.5, None, 2.0],
        "s": ["a", "", "NULL"],
        "b": [True, None, False],
        "d": [datetime.date(2020, 1, 31), None, datetime.date(2020, 2, 1)],
        "t": [datetime.datetime(2020, 1, 31, 10), None, datetime.datetime(2020, 2, 1, 0, 0, 0, 500_000)],
        "clock": [datetime.time(12, 30), None, datetime.time(13, 0, 5)],
        "nothing": [None, None, None],
    }


def test_quotes_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", '\ufeffa,b\r\n"x, ""y""\nz",1\r\nlast,2')
    assert columns_of(read_csv_table("t", [path])) == {"a": ['x, "y"\nz', "last"], "b": [1, 2]}


def test_tabs(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", "a\tb\n1,5\tx\n")
    assert columns_of(read_csv_table("t", [path])) == {"a": ["1,5"], "b": ["x"]}


def test_a_header_alone(tmp_path: Path) -> None:
    table = read_csv_table("t", [write(tmp_path / "t.csv", "a,b\n")])
    assert [(column.name, column.type) for column in table.columns] == [("a", VARCHAR), ("b", VARCHAR)]
    assert table.row_count() == 0


def test_files_one_after_the_other_in_a_common_type(tmp_path: Path) -> None:
    first = write(tmp_path / "1.csv", "n,x,s,e\n1,1,7,\n")
    second = write(tmp_path / "2.csv", "n,x,s,e\n2,2.5,007x,5\n")
    table = read_csv_table("*", [first, second])
    assert [column.type for column in table.columns] == [BIGINT, DOUBLE, VARCHAR, BIGINT]
    assert columns_of(table) == {"n": [1, 2], "x": [1.0, 2.5], "s": ["7", "007x"], "e": [None, 5]}


def test_files_with_other_headers(tmp_path: Path) -> None:
    paths = [write(tmp_path / "1.csv", "a,b\n1,2\n"), write(tmp_path / "2.csv", "a,c\n1,2\n")]
    with pytest.raises(DataError) as caught:
        read_csv_table("*", paths)
    assert caught.value.message == f"'{paths[1]}' does not fit '{paths[0]}': its header is a, c, not a, b."


@pytest.mark.parametrize(
    ("contents", "error", "message"),
    [
        ("", OperationalError, " is empty."),
        ("\n\n", OperationalError, " is empty."),
        ("a,b\n1,2\n3\n", DataError, ", row 3: the header has 2 columns, this row 1."),
        ("a,b\n" + "1,2\n" * 5000 + "1,2,3\n", DataError, ", row 5002: the header has 2 columns, this row 3."),
        (b"a,b\n1,x\n2,caf\xe9\n", OperationalError, ", row 3: the text is not in UTF-8."),
        (b"caf\xe9,b\n1,x\n", OperationalError, ", row 1: the text is not in UTF-8."),
    ],
)
def test_what_is_no_csv_file(tmp_path: Path, contents: str | bytes, error: type[Exception], message: str) -> None:
    path = write(tmp_path / "t.csv", contents)
    with pytest.raises(error) as caught:
        read_csv_table("t", [path])
    assert caught.value.message == f"'{path}'{message}"  # type: ignore[attr-defined]
    assert caught.value.hint  # type: ignore[attr-defined]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OperationalError, match="cannot be read as CSV"):
        read_csv_table("t", [tmp_path])
    with pytest.raises(OperationalError, match="cannot be read as CSV"):
        read_csv_table("t", [tmp_path / "gone.csv"])
