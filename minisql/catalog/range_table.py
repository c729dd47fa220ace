"""`range(stop)`, `range(start, stop)`, `range(start, stop, step)`: a table of one BIGINT column, made as it is read.

So is `generate_series`, which has another name and another idea of its stop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from minisql.catalog.table import ColumnDefinition, ColumnStatistics, Key, SimpleFilter
from minisql.columnar.column import Batch, Column
from minisql.datatypes import BIGINT


class RangeTable:
    """The numbers from `start` in steps of `step`, which is not 0, as far as they come before `stop`."""

    def __init__(self, start: int, stop: int, step: int = 1, name: str = "range") -> None:
        self._name = name
        self._numbers = range(start, stop, step)

    @property
    def name(self) -> str:
        return self._name

    @property
    def columns(self) -> tuple[ColumnDefinition, ...]:
        return (ColumnDefinition(self._name, BIGINT),)

    @property
    def keys(self) -> tuple[Key, ...]:
        return (Key((0,), not_null=True),)

    @property
    def uses_filters(self) -> bool:
        return False

    def row_count(self) -> int:
        """The number of rows, exactly."""
        # Not len(): that of a long range does not fit into what C takes for a length.
        numbers = self._numbers
        return max(0, (numbers.stop - numbers.start + numbers.step - (1 if numbers.step > 0 else -1)) // numbers.step)

    def column_statistics(self, column: int) -> ColumnStatistics:
        """Statistics of the one column, exact."""
        count = self.row_count()
        if count == 0:
            return ColumnStatistics(distinct_count=0.0, null_fraction=0.0)
        first, last = self._number(0), self._number(count - 1)
        return ColumnStatistics(
            distinct_count=float(count), null_fraction=0.0, low=min(first, last), high=max(first, last)
        )

    def scan(self, columns: Sequence[int], filters: Sequence[SimpleFilter], batch_rows: int) -> Iterator[Batch]:
        """The numbers in their order; filters are left to the caller."""
        count = self.row_count()
        for start in range(0, count, batch_rows):
            length = min(batch_rows, count - start)
            first, last = self._number(start), self._number(start + length - 1)
            values = np.arange(length, dtype=np.int64) * self._numbers.step + first
            column = Column(BIGINT, values, None, None, (min(first, last), max(first, last)))
            yield Batch([column] * len(columns), length)

    def _number(self, index: int) -> int:
        return self._numbers.start + index * self._numbers.step
