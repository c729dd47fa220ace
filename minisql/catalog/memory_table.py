"""Tables that CREATE TABLE makes: an immutable snapshot of rows in memory. INSERT makes a new table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from minisql.catalog.arrow_table import slices
from minisql.catalog.statistics import statistics_of
from minisql.catalog.table import ColumnDefinition, ColumnStatistics, SimpleFilter
from minisql.columnar.bounds import exact_bounds
from minisql.columnar.column import Batch, Column, all_null, concat_batches, concat_columns
from minisql.datatypes import TypeKind

_MERGED_BELOW: Final = 2
"""A segment is merged with the one before it when that has less than so many times its rows."""


class MemoryTable:
    """Rows in segments, each a batch. Segments grow by merging, so that many small INSERTs stay cheap."""

    def __init__(self, name: str, columns: Sequence[ColumnDefinition], segments: Sequence[Batch]) -> None:
        self.name = name
        self.columns = tuple(columns)
        self._segments = tuple(segments)
        self._statistics: dict[int, ColumnStatistics] = {}

    @classmethod
    def empty(cls, name: str, columns: Sequence[ColumnDefinition]) -> MemoryTable:
        """A table without rows."""
        return cls(name, columns, ())

    def append(self, rows: Sequence[Batch]) -> MemoryTable:
        """A new table with these rows, which have the types of the columns, behind those of this one."""
        if not any(batch.length for batch in rows):
            return self
        new = concat_batches(rows)
        segments = list(self._segments)
        while segments and segments[-1].length < _MERGED_BELOW * new.length:
            new = concat_batches([segments.pop(), new])
        columns = [_loaded(column) for column in new.columns]
        return MemoryTable(self.name, self.columns, [*segments, Batch(columns, new.length)])

    @property
    def uses_filters(self) -> bool:
        return False

    def row_count(self) -> int:
        """The number of rows, exactly."""
        return sum(segment.length for segment in self._segments)

    def column_statistics(self, column: int) -> ColumnStatistics:
        """Statistics of one column."""
        known = self._statistics.get(column)
        if known is None:
            parts = [segment.column(column) for segment in self._segments]
            whole = concat_columns(parts) if parts else all_null(self.columns[column].type, 0)
            known = self._statistics[column] = statistics_of(whole)
        return known

    def scan(self, columns: Sequence[int], filters: Sequence[SimpleFilter], batch_rows: int) -> Iterator[Batch]:
        """Slices of the columns; filters are left to the caller."""
        for segment in self._segments:
            yield from slices(segment.project(columns), batch_rows)


def _loaded(column: Column) -> Column:
    """The column as a table keeps it: with exact bounds, and a pool that holds little else than its strings."""
    kind = column.type.kind
    if kind in (TypeKind.NULL, TypeKind.BOOLEAN, TypeKind.DOUBLE):
        return column
    if column.pool is None:
        return replace(column, bounds=exact_bounds(column.values, column.valid))
    if column.pool.distinct and len(column.pool) <= 2 * len(column):
        return column
    from minisql.columnar.strings import compacted, encoded_strings, gathered

    if kind is TypeKind.LIST:
        return compacted(column)
    return encoded_strings(gathered(column), column.valid)
