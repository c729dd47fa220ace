"""The leaves of a plan: tables, VALUES lists, and the one row that SELECT without FROM reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from minisql.catalog.table import SimpleFilter, Table
from minisql.columnar.column import Batch, Column, all_null, concat_columns
from minisql.datatypes import SqlType
from minisql.execution.evaluate import compile_expression, literal_columns
from minisql.execution.iterator import RowIterator
from minisql.expression.nodes import ColumnId, Expression


class TableScanIterator(RowIterator):
    """Reads the columns of a table at `positions`; `table` is the number of the table in the statement."""

    def __init__(
        self, table: int, source: Table, positions: Sequence[int], filters: Sequence[SimpleFilter], batch_rows: int
    ) -> None:
        self.columns = tuple(ColumnId(table, position) for position in positions)
        self._source = source
        self._positions = tuple(positions)
        self._filters = tuple(filters)
        self._batch_rows = batch_rows
        self._batches: Iterator[Batch] | None = None

    def open(self) -> None:
        self._batches = self._source.scan(self._positions, self._filters, self._batch_rows)

    def next(self) -> Batch | None:
        return None if self._batches is None else next(self._batches, None)

    def close(self) -> None:
        self._batches = None


class ValuesScanIterator(RowIterator):
    """Gives the rows of a VALUES list; `types` are those of all its columns, `positions` those that are wanted."""

    def __init__(
        self,
        table: int,
        types: Sequence[SqlType],
        rows: Sequence[Sequence[Expression]],
        positions: Sequence[int],
        batch_rows: int,
    ) -> None:
        self.columns = tuple(ColumnId(table, position) for position in positions)
        self._types = tuple(types)
        self._rows = rows
        self._positions = tuple(positions)
        self._batch_rows = batch_rows
        self._batch: Batch | None = None
        self._given = 0

    def open(self) -> None:
        columns = [
            constant_column([row[position] for row in self._rows], self._types[position])
            for position in self._positions
        ]
        self._batch = Batch(columns, len(self._rows))
        self._given = 0

    def next(self) -> Batch | None:
        if self._batch is None or self._given == self._batch.length:
            return None
        start, self._given = self._given, min(self._given + self._batch_rows, self._batch.length)
        return self._batch.slice(start, self._given)

    def close(self) -> None:
        self._batch = None

    def held_bytes(self) -> int:
        return 0 if self._batch is None else self._batch.nbytes


class OneRowIterator(RowIterator):
    """Gives one row without columns."""

    columns = ()

    def __init__(self) -> None:
        self._is_given = False

    def open(self) -> None:
        self._is_given = False

    def next(self) -> Batch | None:
        if self._is_given:
            return None
        self._is_given = True
        return Batch((), 1)

    def close(self) -> None:
        pass


def constant_column(expressions: Sequence[Expression], type_: SqlType) -> Column:
    """The values of expressions of one type that read no column.

    Raises:
        DataError: one of them cannot be computed.
    """
    groups, others = literal_columns(expressions)
    columns = [column for _, column in groups]
    columns += [compile_expression(expressions[place], ())(Batch((), 1)) for place in others]
    if not columns:
        return all_null(type_, 0)
    rows = np.concatenate([*(np.array(places, np.intp) for places, _ in groups), np.array(others, np.intp)])
    places = np.empty(len(rows), np.intp)
    places[rows] = np.arange(len(rows))
    return concat_columns(columns).take(places)
