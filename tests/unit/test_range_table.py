from __future__ import annotations

import pytest

from minisql.catalog.range_table import RangeTable
from minisql.catalog.table import ColumnStatistics
from minisql.columnar.python_values import to_values


@pytest.mark.parametrize(
    "arguments",
    [(0, 0, 1), (0, 5, 1), (3, 1, 1), (0, 10, 3), (0, 9, 3), (5, -5, -2), (-3, 4, 2), (5, 5, -1), (0, 1, 100)],
)
def test_the_numbers_of_python_s_range(arguments: tuple[int, int, int]) -> None:
    table, expected = RangeTable(*arguments), list(range(*arguments))
    assert table.row_count() == len(expected)
    batches = list(table.scan([0], [], 2))
    assert [number for batch in batches for number in to_values(batch.column(0))] == expected
    for batch in batches:
        assert batch.column(0).bounds == (min(to_values(batch.column(0))), max(to_values(batch.column(0))))
    statistics = table.column_statistics(0)
    if expected:
        assert statistics == ColumnStatistics(len(expected), 0.0, min(expected), max(expected))
    else:
        assert statistics == ColumnStatistics(0.0, 0.0)


def test_a_long_range_is_counted_without_its_numbers() -> None:
    assert RangeTable(-(2**63), 2**63 - 1).row_count() == 2**64 - 1
    first = next(RangeTable(-(2**63), 2**63 - 1).scan([0], [], 2))
    assert to_values(first.column(0)) == [-(2**63), 1 - 2**63]


def test_no_columns() -> None:
    assert [batch.length for batch in RangeTable(0, 5).scan([], [], 3)] == [3, 2]
