"""Tables over Arrow data in memory: registered objects, and CSV files once they are read."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from minisql.catalog.statistics import statistics_of
from minisql.catalog.table import ColumnDefinition, ColumnStatistics, Key, SimpleFilter
from minisql.columnar.column import Batch, Column

if TYPE_CHECKING:
    import pyarrow as pa


class ArrowTable:
    """An Arrow table. A column is converted when it is first read, and then kept instead of the Arrow one."""

    def __init__(self, name: str, data: pa.Table) -> None:
        """Raises NotSupportedError where a column has a type that SQL does not have."""
        from minisql.columnar.from_arrow import sql_type

        self.name = name
        self.columns = tuple(ColumnDefinition(field.name, sql_type(field.type, field.name)) for field in data.schema)
        self._row_count: int = data.num_rows
        self._data: list[pa.ChunkedArray | None] = list(data.columns)
        self._converted: list[Column | None] = [None] * len(self.columns)
        self._statistics: dict[int, ColumnStatistics] = {}
        self._lock = threading.Lock()

    @property
    def keys(self) -> tuple[Key, ...]:
        return ()

    @property
    def uses_filters(self) -> bool:
        return False

    def row_count(self) -> int:
        """The number of rows, exactly."""
        return self._row_count

    def column_statistics(self, column: int) -> ColumnStatistics:
        """Statistics of one column; the first call converts it."""
        known = self._statistics.get(column)
        if known is None:
            known = self._statistics[column] = statistics_of(self._column(column))
        return known

    def scan(self, columns: Sequence[int], filters: Sequence[SimpleFilter], batch_rows: int) -> Iterator[Batch]:
        """Slices of the columns; filters are left to the caller."""
        whole = Batch([self._column(position) for position in columns], self._row_count)
        yield from slices(whole, batch_rows)

    def _column(self, position: int) -> Column:
        column = self._converted[position]
        if column is None:
            with self._lock:
                column = self._converted[position]
                if column is None:
                    column = self._converted[position] = self._convert(position)
        return column

    def _convert(self, position: int) -> Column:
        from minisql.columnar.from_arrow import from_arrow

        data = self._data[position]
        assert data is not None
        column = from_arrow(data, self.columns[position].name)
        self._data[position] = None
        return column


def slices(batch: Batch, batch_rows: int) -> Iterator[Batch]:
    """A batch without a selection, cut into batches of at most `batch_rows` rows."""
    if 0 < batch.length <= batch_rows:
        yield batch
        return
    for start in range(0, batch.length, batch_rows):
        yield batch.slice(start, min(start + batch_rows, batch.length))
