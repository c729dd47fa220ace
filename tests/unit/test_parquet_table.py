from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import minisql
from minisql.catalog.parquet_table import ParquetTable
from minisql.catalog.row_group_filter import ValueRange, may_match
from minisql.catalog.table import ColumnDefinition, SimpleFilter
from minisql.columnar.python_values import to_values
from minisql.datatypes import BIGINT, VARCHAR
from minisql.errors import DataError, NotSupportedError, OperationalError
from minisql.expression.nodes import Value

NAN = float("nan")


def write(path: Path, columns: dict[str, Any], row_group_size: int = 1000) -> Path:
    pq.write_table(pa.table(columns), path, row_group_size=row_group_size)
    return path


def read(
    table: ParquetTable, columns: list[int], filters: tuple[SimpleFilter, ...] = (), batch_rows: int = 100
) -> list[tuple[Value, ...]]:
    batches = list(table.scan(columns, filters, batch_rows))
    assert all(1 <= batch.length <= batch_rows for batch in batches)
    return [row for batch in batches for row in zip(*map(to_values, batch.columns), strict=True)]


def test_the_columns_asked_for_in_batches(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"n": range(10), "s": ["a", None] * 5, "d.x": [1.5] * 10}, 4)
    table = ParquetTable("t", [path])
    assert table.columns[:2] == (ColumnDefinition("n", BIGINT), ColumnDefinition("s", VARCHAR))
    assert table.row_count() == 10
    assert read(table, [1, 0], batch_rows=3) == [("a" if n % 2 == 0 else None, n) for n in range(10)]
    assert read(table, [2], batch_rows=100) == [(1.5,)] * 10
    assert [batch.length for batch in table.scan([], [], 8)] == [8, 2]


def test_small_row_groups_fill_a_batch_together(tmp_path: Path) -> None:
    table = ParquetTable("t", [write(tmp_path / "t.parquet", {"n": range(10)}, 2)])
    assert [batch.length for batch in table.scan([0], [], 5)] == [4, 4, 2]
    assert [batch.length for batch in table.scan([0], [], 100)] == [10]


def test_row_groups_share_one_pool(tmp_path: Path) -> None:
    strings = ["a", "b"] * 100 + ["c", "a"] * 100 + ["b", "c"] * 100
    table = ParquetTable("t", [write(tmp_path / "t.parquet", {"s": strings}, 200)])
    batches = list(table.scan([0], [], 200))
    pools = [batch.column(0).pool for batch in batches]
    assert [value for batch in batches for value in to_values(batch.column(0))] == strings
    assert pools[1] is pools[2]
    assert pools[1] is not None
    assert pools[1].distinct
    assert pools[1].strings.to_pylist() == ["a", "b", "c"]
    # From the second scan on, all have the pool that has them all.
    assert {id(batch.column(0).pool) for batch in table.scan([0], [], 200)} == {id(pools[2])}


def test_strings_with_many_values_are_no_dictionary(tmp_path: Path) -> None:
    strings = [f"string number {number}" for number in range(500)]
    table = ParquetTable("t", [write(tmp_path / "t.parquet", {"s": strings})])
    (batch,) = table.scan([0], [], 1000)
    assert to_values(batch.column(0)) == strings
    assert batch.column(0).pool is not None
    assert not batch.column(0).pool.distinct


# --- filters ----------------------------------------------------------------------------------------------------------


def test_row_groups_are_ruled_out_by_their_footers(tmp_path: Path) -> None:
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=number) for number in range(8)]
    moments = [datetime.datetime(2020, 1, 1, number, tzinfo=datetime.UTC) for number in range(8)]
    table = ParquetTable(
        "t",
        [
            write(
                tmp_path / "t.parquet",
                {
                    "n": range(8),
                    "s": list("abcdefgh"),
                    "d": days,
                    "t": pa.array(moments, pa.timestamp("ns", "UTC")),
                    "m": pa.array([Decimal(number) for number in range(8)], pa.decimal128(9, 2)),
                    "x": [None, None, 2.0, NAN, 4.0, 5.0, 6.0, 7.0],
                },
                2,
            )
        ],
    )
    cases: list[tuple[int, str, Any, list[int]]] = [
        (0, "=", 5, [4, 5]), (0, "<", 2, [0, 1]), (0, ">=", 6, [6, 7]), (0, "in", (0, 7), [0, 1, 6, 7]),
        (0, ">", 7, []),
        (1, "<=", "b", [0, 1]), (1, ">", "g", [6, 7]), (2, "=", days[3], [2, 3]), (3, ">", moments[6], [6, 7]),
        (4, "<", Decimal("1.5"), [0, 1]), (5, "<", 5.0, [2, 3, 4, 5]),
        # NaN, which footers do not know, is greater than all; NULLs alone match nothing.
        (5, ">", 100.0, [2, 3, 4, 5, 6, 7]),
    ]  # fmt: skip
    for column, operator, value, expected in cases:
        assert [n for (n,) in read(table, [0], (SimpleFilter(column, operator, value),))] == expected
    two = (SimpleFilter(0, ">", 2), SimpleFilter(1, "<", "f"))
    assert [n for (n,) in read(table, [0], two)] == [2, 3, 4, 5]
    assert [batch.length for batch in table.scan([], (SimpleFilter(0, "=", 5),), 100)] == [2]


@pytest.mark.parametrize("operator", ["=", "<>", "<", "<=", ">", ">="])
@pytest.mark.parametrize("kind", [int, float, str])
def test_no_block_is_ruled_out_that_has_a_match(operator: str, kind: type) -> None:
    domain: list[Any] = [kind(number) for number in range(4)] + ([NAN] if kind is float else [])
    for low in domain[:4]:
        for high in domain[:4]:
            for value in domain:
                inside = [v for v in domain if v != v or low <= v <= high]
                matches = any(holds(operator, v, value) for v in inside)
                assert may_match(SimpleFilter(0, operator, value), ValueRange(low, high, 0, 9)) or not matches


def holds(operator: str, left: Any, right: Any) -> bool:
    a, b = ((1, 0) if v != v else (0, v) for v in (left, right))
    return {"=": a == b, "<>": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]


def test_what_a_footer_does_not_say_rules_nothing_out() -> None:
    assert may_match(SimpleFilter(0, "=", 5), ValueRange(None, None, None, 9))
    assert not may_match(SimpleFilter(0, "=", 5), ValueRange(None, None, 9, 9))
    assert not may_match(SimpleFilter(0, "<>", 5), ValueRange(5, 5, 1, 9))


# --- several files, and broken ones -----------------------------------------------------------------------------------


def test_files_one_after_the_other(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{number}.parquet", {"n": [number, None]}) for number in range(3)]
    table = ParquetTable("*", paths)
    assert table.row_count() == 6
    assert read(table, [0]) == [(0,), (None,), (1,), (None,), (2,), (None,)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"n": [1.5], "s": ["a"]}, "its column 1 is n DOUBLE, not n BIGINT."),
        ({"n": [1], "t": ["a"]}, "its column 2 is t VARCHAR, not s VARCHAR."),
        ({"n": [1]}, "it has 1 columns, not 2."),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    paths = [write(tmp_path / "1.parquet", {"n": [1], "s": ["a"]}), write(tmp_path / "2.parquet", columns)]
    with pytest.raises(DataError) as caught:
        ParquetTable("*", paths)
    assert caught.value.message == f"'{paths[1]}' does not fit '{paths[0]}': {message}"


def test_a_type_that_sql_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(NotSupportedError, match='Column "l"'):
        ParquetTable("t", [write(tmp_path / "t.parquet", {"l": [{"a": 1}]})])


@pytest.mark.parametrize("contents", [b"", b"PAR1", b"no parquet at all, but long enough for a footer", b"PAR1" * 20])
def test_what_is_no_parquet_file(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(contents)
    with pytest.raises(OperationalError, match=r"t\.parquet' cannot be read as Parquet: "):
        ParquetTable("t", [path])


def test_a_file_that_is_damaged_or_gone(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"n": range(1000)})
    table = ParquetTable("t", [path])
    contents = bytearray(path.read_bytes())
    contents[4:200] = b"\xff" * 196
    path.write_bytes(contents)
    with pytest.raises(OperationalError, match="cannot be read as Parquet"):
        list(table.scan([0], [], 100))
    path.unlink()
    with pytest.raises(OperationalError, match="cannot be read as Parquet"):
        list(table.scan([0], [], 100))


def test_no_rows(tmp_path: Path) -> None:
    table = ParquetTable("t", [write(tmp_path / "t.parquet", {"n": pa.array([], pa.int64())})])
    assert read(table, [0]) == []
    assert table.column_statistics(0).distinct_count == 0


# --- statistics -------------------------------------------------------------------------------------------------------


def test_statistics_of_one_row_group_are_exact(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"n": [1, 5, None, 5], "s": ["a", "b", None, "b"]})
    table = ParquetTable("t", [path])
    numbers = table.column_statistics(0)
    assert (numbers.distinct_count, numbers.null_fraction, numbers.low, numbers.high) == (2, 0.25, 1, 5)
    assert table.column_statistics(0) is numbers


def test_statistics_from_footers_and_a_sample(tmp_path: Path) -> None:
    rows = 1_000_000
    columns = {
        "key": pa.array(range(rows)),
        "clustered": pa.array([number // 4 for number in range(rows)]),
        "few": pa.array([number % 7 for number in range(rows)]),
        "spread": pa.array([number * 7919 % 50_000 for number in range(rows)]),
        "holes": pa.array([None if number % 4 == 0 else number % 3 for number in range(rows)]),
        "s": pa.array([f"s{number * 7919 % 1000}" for number in range(rows)]),
    }
    table = ParquetTable("t", [write(tmp_path / "t.parquet", columns, 50_000)])
    for column, expected in enumerate([rows, rows / 4, 7, 50_000, 3, 1000]):
        statistics = table.column_statistics(column)
        assert statistics.distinct_count == pytest.approx(expected, rel=0.1)
        assert statistics.null_fraction == (0.25 if column == 4 else 0)
    assert (table.column_statistics(0).low, table.column_statistics(0).high) == (0, rows - 1)
    assert (table.column_statistics(5).low, table.column_statistics(5).high) == ("s0", "s999")


def test_columns_of_uuids_and_json(tmp_path: Path) -> None:
    """As DuckDB writes them: what is asked of them is not asked of the bytes in the footer."""
    ids = [uuid.UUID(int=number) for number in (7, 1, 5)]
    storage = pa.array([each.bytes for each in ids], pa.binary(16))
    json = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', None, "[]"]))
    table = pa.table({"u": pa.ExtensionArray.from_storage(pa.uuid(), storage), "j": json})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=1)
    connection = minisql.connect()
    query = f"SELECT u, j FROM '{tmp_path}/t.parquet' WHERE u >= ? ORDER BY u"
    assert connection.execute(query, [ids[2]]).fetchall() == [(str(ids[2]), "[]"), (str(ids[0]), '{"a": 1}')]
    assert connection.execute(query.replace(">=", "="), [ids[1]]).fetchall() == [(str(ids[1]), None)]
