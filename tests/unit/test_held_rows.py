from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from minisql.columnar.column import Array, Batch, Column, StringPool
from minisql.columnar.python_values import from_values, to_values
from minisql.datatypes import BIGINT, VARCHAR
from minisql.execution.held_rows import read_all
from minisql.execution.iterator import RowIterator
from minisql.expression.nodes import ColumnId


class Given(RowIterator):
    def __init__(self, batches: list[Batch]) -> None:
        self.columns = (ColumnId(0, 0),)
        self._batches = batches

    def open(self) -> None:
        pass

    def next(self) -> Batch | None:
        return self._batches.pop(0) if self._batches else None

    def close(self) -> None:
        pass


def read(*columns: Column) -> Column:
    batch = read_all(Given([Batch([column], len(column)) for column in columns]), [ColumnId(0, 0)])
    assert batch is not None
    assert len(batch) == sum(map(len, columns))
    return batch.column(0)


def whole(kind: str) -> Column:
    values: Array = np.arange(10)
    if kind == "buffer":
        values = np.frombuffer(values.tobytes(), np.int64)
    if kind == "view":
        values = np.frombuffer(values.tobytes(), np.int8).view(np.int64)
    return Column(BIGINT, values, values % 3 > 0, None, (0, 9))


@pytest.mark.parametrize("kind", ["array", "buffer", "view"])
def test_slices_side_by_side_are_not_copied(kind: str) -> None:
    column = whole(kind)
    found = read(column.slice(1, 4), column.slice(4, 9))
    assert np.shares_memory(found.values, column.values)
    assert to_values(found) == to_values(column)[1:9]
    assert found.bounds == (0, 9)


@pytest.mark.parametrize(
    "pieces",
    [
        lambda c: [c.slice(0, 3), c.slice(4, 10)],
        lambda c: [c.slice(4, 10), c.slice(0, 4)],
        lambda c: [c.slice(0, 3), c.slice(0, 3)],
        lambda c: [c.take(np.array([1, 2])), c.slice(3, 5)],
        lambda c: [c.slice(0, 3), Column(BIGINT, c.values[3:6])],
        lambda c: [c, from_values([None, 10**6], BIGINT)],
    ],
)
def test_other_pieces_are_put_together(pieces: Callable[[Column], list[Column]]) -> None:
    parts = pieces(whole("array"))
    found = read(*parts)
    assert to_values(found) == [value for part in parts for value in to_values(part)]


def test_strings_of_several_pools() -> None:
    one, two = from_values(["a", "b"], VARCHAR), from_values(["b", "c"], VARCHAR)
    assert to_values(read(one, two)) == ["a", "b", "b", "c"]
    assert isinstance(one.pool, StringPool)
    shared = read(one.slice(0, 1), one.slice(1, 2))
    assert shared.pool is one.pool


def test_no_rows() -> None:
    assert read_all(Given([]), [ColumnId(0, 0)]) is None
