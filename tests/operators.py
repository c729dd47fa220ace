"""Operators under test: sources of batches, scans of lists of rows, and the rows that come out of an iterator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minisql.catalog.table import ColumnDefinition
from minisql.columnar.column import Batch, Column
from minisql.columnar.python_values import from_values, to_values
from minisql.datatypes import SqlType
from minisql.execution.iterator import RowIterator
from minisql.expression.nodes import ColumnId, Value
from minisql.node_set import single
from minisql.optimizer.access_path import TableScan
from tests.naive import ListTable


def scan(number: int, types: Sequence[SqlType], rows: Sequence[tuple[Value, ...]]) -> TableScan:
    """The scan of table `number` with these rows."""
    columns = tuple(ColumnDefinition(f"c{place}", type_) for place, type_ in enumerate(types))
    source = ListTable(chr(97 + number), columns, rows)
    return TableScan(nodes=single(number), rows=len(rows), cost=0.0, table=number, alias="", source=source, filters=())


class ScanIterator(RowIterator):
    """Gives the rows of a scan. Every second batch has a selection over rows that are dead."""

    def __init__(self, path: TableScan, batch_rows: int) -> None:
        self.columns = tuple(ColumnId(path.table, place) for place in range(len(path.source.columns)))
        assert isinstance(path.source, ListTable)
        self._rows = list(path.source.rows)
        self._types = [definition.type for definition in path.source.columns]
        self._batch_rows = batch_rows
        self.is_open = False
        self.closed = 0
        self._given = 0

    def open(self) -> None:
        assert not self.is_open
        self.is_open = True

    def next(self) -> Batch | None:
        assert self.is_open
        rows, self._rows = self._rows[: self._batch_rows], self._rows[self._batch_rows :]
        if not rows:
            return None
        self._given += 1
        if self._given % 2 == 0:
            return batch_of([row for row in rows for _ in range(2)], self._types).select(np.arange(0, 2 * len(rows), 2))
        return batch_of(rows, self._types)

    def close(self) -> None:
        self.is_open = False
        self.closed += 1


def batch_of(rows: Sequence[tuple[Value, ...]], types: Sequence[SqlType]) -> Batch:
    """One batch of these rows, whose arrays cannot be changed."""
    columns: list[Column] = [from_values([row[place] for row in rows], type_) for place, type_ in enumerate(types)]
    for column in columns:
        column.values.flags.writeable = False
        if column.valid is not None:
            column.valid.flags.writeable = False
    return Batch(columns, len(rows))


def rows_of(batch: Batch) -> list[tuple[Value, ...]]:
    """The rows of a batch; there are `len(batch)` empty ones where it has no columns."""
    if batch.width == 0:
        return [()] * len(batch)
    return list(zip(*[to_values(column) for column in batch.columns], strict=True))


def drain(iterator: RowIterator, batch_rows: int) -> list[tuple[Value, ...]]:
    """Every row of an iterator, which is opened and closed; checks that batches have the size that they may have."""
    rows = []
    iterator.open()
    while (batch := iterator.next()) is not None:
        assert 1 <= len(batch) <= batch_rows
        assert all(len(column) == len(batch) for column in batch.columns)
        rows += rows_of(batch)
    iterator.close()
    iterator.close()
    assert iterator.held_bytes() == 0
    return rows
