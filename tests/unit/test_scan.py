from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from minisql.catalog.range_table import RangeTable
from minisql.columnar.column import Batch
from minisql.columnar.python_values import from_values, to_values
from minisql.datatypes import BIGINT, DATE, INTEGER, VARCHAR
from minisql.errors import DataError
from minisql.execution.filter_project import FilterIterator, ProjectIterator
from minisql.execution.iterator import RowIterator
from minisql.execution.scan import OneRowIterator, TableScanIterator, ValuesScanIterator
from minisql.expression.nodes import ColumnId, Expression, Value
from tests.expressions import SPAN, arith, cast, compare, lit, ref


def rows_of(iterator: RowIterator) -> list[tuple[Value, ...]]:
    iterator.open()
    rows: list[tuple[Value, ...]] = []
    while (batch := iterator.next()) is not None:
        assert batch.length > 0
        assert batch.width == len(iterator.columns)
        rows += zip(*map(to_values, batch.columns), strict=True) if batch.width else [()] * batch.length
    iterator.close()
    iterator.close()
    return rows


class Given(RowIterator):
    """Gives batches, and knows whether it was closed."""

    def __init__(self, columns: Sequence[ColumnId], batches: Sequence[Batch]) -> None:
        self.columns = tuple(columns)
        self._batches = iter(batches)
        self.is_open = False

    def open(self) -> None:
        self.is_open = True

    def next(self) -> Batch | None:
        return next(self._batches, None)

    def close(self) -> None:
        self.is_open = False


def numbers(*batches: Sequence[int | None]) -> Given:
    return Given([ColumnId(0, 0)], [Batch([from_values(values, INTEGER)], len(values)) for values in batches])


X = ref(0, INTEGER)


def test_a_table() -> None:
    scan = TableScanIterator(3, RangeTable(0, 5), [0], [], 2)
    assert scan.columns == (ColumnId(3, 0),)
    assert rows_of(scan) == [(0,), (1,), (2,), (3,), (4,)]
    assert rows_of(TableScanIterator(3, RangeTable(0, 3), [], [], 2)) == [()] * 3
    assert rows_of(OneRowIterator()) == [()]
    unopened = TableScanIterator(3, RangeTable(0, 5), [0], [], 2)
    unopened.close()


def test_values_of_literals_casts_and_computations() -> None:
    rows: list[list[Expression]] = [
        [lit(1, INTEGER), lit("a", VARCHAR), cast(lit("2020-01-01", VARCHAR), DATE)],
        [arith("+", lit(1, INTEGER), lit(1, INTEGER)), lit(None, VARCHAR), lit(None, DATE)],
        [lit(3, INTEGER), cast(lit(7, INTEGER), VARCHAR), cast(lit("2020-01-02", VARCHAR), DATE)],
    ]
    types = [INTEGER, VARCHAR, DATE]
    scan = ValuesScanIterator(1, types, rows, [1, 0], 2)
    assert scan.columns == (ColumnId(1, 1), ColumnId(1, 0))
    assert rows_of(scan) == [("a", 1), (None, 2), ("7", 3)]
    assert rows_of(ValuesScanIterator(1, types, rows, [], 2)) == [()] * 3
    assert rows_of(ValuesScanIterator(1, types, [], [0], 2)) == []


def test_a_value_that_fails_names_its_place() -> None:
    scan = ValuesScanIterator(
        1, [INTEGER], [[cast(lit("1", VARCHAR), INTEGER)], [cast(lit("x", VARCHAR), INTEGER)]], [0], 2
    )
    with pytest.raises(DataError, match="invalid input for INTEGER: 'x'") as caught:
        scan.open()
    assert caught.value.span == SPAN
    scan.close()


def test_values_hold_memory_until_they_are_closed() -> None:
    scan = ValuesScanIterator(1, [BIGINT], [[lit(number, BIGINT)] for number in range(100)], [0], 10)
    scan.open()
    assert scan.held_bytes() == 800
    scan.close()
    assert scan.held_bytes() == 0


def test_filter_skips_batches_without_a_row() -> None:
    source = numbers([1, 2, 3], [0, None], [9], [5, 0, 7])
    condition = compare(">", X, lit(2, INTEGER))
    assert rows_of(FilterIterator(source, [condition])) == [(3,), (9,), (5,), (7,)]
    assert not source.is_open


def test_filter_passes_a_batch_that_it_leaves_whole() -> None:
    batch = Batch([from_values([3, 4], INTEGER)], 2)
    keep = FilterIterator(Given([X.column], [batch]), [compare(">", X, lit(2, INTEGER))])
    assert keep.next() is batch


def test_project() -> None:
    source = numbers([1, 2], [3])
    double = arith("*", X, lit(2, INTEGER))
    project = ProjectIterator(source, 5, [double, X, lit("k", VARCHAR)], [2, 0])
    assert project.columns == (ColumnId(5, 2), ColumnId(5, 0))
    assert rows_of(project) == [("k", 2), ("k", 4), ("k", 6)]
    assert not source.is_open
    assert rows_of(ProjectIterator(numbers([1, 2]), 5, [X], [])) == [(), ()]


def test_project_of_columns_gathers_nothing() -> None:
    batch = Batch([from_values([1, 2, 3], INTEGER)], 3).select(np.array([2]))
    project = ProjectIterator(Given([X.column], [batch]), 5, [X, X], [0, 1])
    projected = project.next()
    assert projected is not None
    assert projected.selection is batch.selection
    assert [to_values(column) for column in projected.columns] == [[3], [3]]
