"""A table with the numbers of its rows: what UPDATE and DELETE read, to know which rows they mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from minisql.catalog.table import ColumnDefinition, ColumnStatistics, Key, SimpleFilter, Table
from minisql.columnar.column import Batch, Column
from minisql.datatypes import BIGINT

ROW_NUMBER = "\0row number"
"""The name of the last column, which no user writes."""


class NumberedTable:
    """The columns of a table and, behind them, the number of each row in the order of a scan, from 0."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.name = table.name
        self.columns = (*table.columns, ColumnDefinition(ROW_NUMBER, BIGINT, not_null=True))
        self.keys = (Key((len(table.columns),), not_null=True), *table.keys)

    @property
    def uses_filters(self) -> bool:
        return False

    def row_count(self) -> int:
        """That of the table."""
        return self._table.row_count()

    def column_statistics(self, column: int) -> ColumnStatistics:
        """Those of the table; the numbers are as many as there are rows."""
        if column < len(self._table.columns):
            return self._table.column_statistics(column)
        count = self.row_count()
        if not count:
            return ColumnStatistics(distinct_count=0.0, null_fraction=0.0)
        return ColumnStatistics(distinct_count=float(count), null_fraction=0.0, low=0, high=count - 1)

    def scan(self, columns: Sequence[int], filters: Sequence[SimpleFilter], batch_rows: int) -> Iterator[Batch]:
        """Slices of the columns; filters are left to the caller, for a row that is skipped would not be counted."""
        number = len(self._table.columns)
        stored = [column for column in columns if column != number]
        start = 0
        for batch in self._table.scan(stored, (), batch_rows):
            stop = start + batch.length
            numbers = Column(BIGINT, np.arange(start, stop), None, None, (start, stop - 1))
            given = iter(batch.columns)
            yield Batch([numbers if column == number else next(given) for column in columns], batch.length)
            start = stop
