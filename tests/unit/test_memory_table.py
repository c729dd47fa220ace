from __future__ import annotations

from minisql.catalog.memory_table import MemoryTable
from minisql.catalog.table import ColumnDefinition, ColumnStatistics
from minisql.columnar.column import Batch
from minisql.columnar.python_values import from_values, to_values
from minisql.datatypes import INTEGER, VARCHAR
from minisql.expression.nodes import Value

COLUMNS = [ColumnDefinition("n", INTEGER), ColumnDefinition("s", VARCHAR)]


def batch(rows: list[tuple[int | None, str | None]]) -> Batch:
    numbers, strings = zip(*rows, strict=True)
    return Batch([from_values(numbers, INTEGER), from_values(strings, VARCHAR)], len(rows))


def rows_of(table: MemoryTable, batch_rows: int = 3) -> list[tuple[Value, ...]]:
    batches = list(table.scan([0, 1], [], batch_rows))
    assert all(1 <= part.length <= batch_rows for part in batches)
    return [row for part in batches for row in zip(*map(to_values, part.columns), strict=True)]


def test_an_empty_table() -> None:
    table = MemoryTable.empty("t", COLUMNS)
    assert table.columns == tuple(COLUMNS)
    assert table.row_count() == 0
    assert rows_of(table) == []
    assert table.column_statistics(0) == ColumnStatistics(distinct_count=0.0, null_fraction=0.0)


def test_appending_makes_a_new_table_and_leaves_the_old_one() -> None:
    empty = MemoryTable.empty("t", COLUMNS)
    one = empty.append([batch([(1, "a"), (None, None)])])
    two = one.append([batch([(3, "c")]), batch([(4, "a")])])
    assert [table.row_count() for table in (empty, one, two)] == [0, 2, 4]
    assert rows_of(one) == [(1, "a"), (None, None)]
    assert rows_of(two) == [(1, "a"), (None, None), (3, "c"), (4, "a")]
    assert two.append([]) is two
    assert two.column_statistics(0) == ColumnStatistics(distinct_count=3.0, null_fraction=0.25, low=1, high=4)


def test_only_rows_alive_are_stored() -> None:
    source = batch([(number, str(number)) for number in range(10)])
    table = MemoryTable.empty("t", COLUMNS).append([source.slice(2, 4)])
    assert rows_of(table) == [(2, "2"), (3, "3")]
    (stored,) = table.scan([0, 1], [], 10)
    assert stored.column(0).bounds == (2, 3)
    pool = stored.column(1).pool
    assert pool is not None
    assert len(pool) == 2


def test_many_small_inserts_make_few_segments() -> None:
    table = MemoryTable.empty("t", COLUMNS)
    expected = [(number, f"s{number % 7}") for number in range(300)]
    for row in expected:
        table = table.append([batch([row])])
    assert rows_of(table, 1000) == expected
    assert len(list(table.scan([0], [], 1000))) <= 10


def test_columns_are_given_as_asked_for() -> None:
    table = MemoryTable.empty("t", COLUMNS).append([batch([(1, "a"), (2, "b"), (3, "c")])])
    (both,) = table.scan([1, 0, 1], [], 10)
    assert [to_values(column) for column in both.columns] == [["a", "b", "c"], [1, 2, 3], ["a", "b", "c"]]
    assert [(part.width, part.length) for part in table.scan([], [], 2)] == [(0, 2), (0, 1)]
