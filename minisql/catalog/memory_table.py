"""Tables that CREATE TABLE makes: an immutable snapshot of rows in memory, and what is promised of them.

A change makes a new table; constraints are held by who makes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from minisql.catalog.arrow_table import slices
from minisql.catalog.constraints import Constraint, Index, UniqueConstraint
from minisql.catalog.statistics import statistics_of
from minisql.catalog.table import ColumnDefinition, ColumnStatistics, Key, SimpleFilter
from minisql.columnar.bounds import exact_bounds
from minisql.columnar.column import Array, Batch, Column, all_null, concat_batches, concat_columns
from minisql.datatypes import TypeKind

_MERGED_BELOW: Final = 2
"""A segment is merged with the one before it when that has less than so many times its rows."""


class MemoryTable:
    """Rows in segments, each a batch. Segments grow by merging, so that many small INSERTs stay cheap."""

    def __init__(
        self,
        name: str,
        columns: Sequence[ColumnDefinition],
        segments: Sequence[Batch] = (),
        constraints: Sequence[Constraint] = (),
        indexes: Sequence[Index] = (),
    ) -> None:
        self.name = name
        self.columns = tuple(columns)
        self.constraints = tuple(constraints)
        self.indexes = tuple(indexes)
        self._segments = tuple(segments)
        self._statistics: dict[int, ColumnStatistics] = {}
        self.derived: dict[Any, Any] = {}
        """What others computed from the rows and keep with them. Recomputing is harmless."""

    @classmethod
    def empty(cls, name: str, columns: Sequence[ColumnDefinition]) -> MemoryTable:
        """A table without rows."""
        return cls(name, columns)

    def append(self, rows: Sequence[Batch]) -> MemoryTable:
        """A new table with these rows, which have the types of the columns, behind those of this one."""
        if not any(batch.length for batch in rows):
            return self
        new = concat_batches(rows)
        segments = list(self._segments)
        while segments and segments[-1].length < _MERGED_BELOW * new.length:
            new = concat_batches([segments.pop(), new])
        columns = [_loaded(column) for column in new.columns]
        return self._with_segments([*segments, Batch(columns, new.length)])

    def without_rows(self) -> MemoryTable:
        """A new table with the same columns and constraints, and no rows."""
        return self._with_segments(())

    def with_values(self, columns: Mapping[int, Column]) -> MemoryTable:
        """A new table in which some columns have other values, those of all the rows in the order of a scan."""
        if not self.row_count():
            return self
        whole = self.rows()
        new = [_loaded(columns[place]) if place in columns else column for place, column in enumerate(whole.columns)]
        return self._with_segments([Batch(new, whole.length)])

    def take(self, rows: Array) -> MemoryTable:
        """A new table with the rows that have these numbers, ascending, in the order of a scan."""
        if not len(rows):
            return self.without_rows()
        chosen = self.rows().take(rows)
        return self._with_segments([Batch([_loaded(column) for column in chosen.columns], len(rows))])

    def redefined(
        self,
        *,
        name: str | None = None,
        columns: Sequence[ColumnDefinition] | None = None,
        constraints: Sequence[Constraint] | None = None,
        indexes: Sequence[Index] | None = None,
    ) -> MemoryTable:
        """The same rows under another definition, whose columns have the same types."""
        return MemoryTable(
            self.name if name is None else name,
            self.columns if columns is None else columns,
            self._segments,
            self.constraints if constraints is None else constraints,
            self.indexes if indexes is None else indexes,
        )

    def _with_segments(self, segments: Sequence[Batch]) -> MemoryTable:
        return MemoryTable(self.name, self.columns, segments, self.constraints, self.indexes)

    @property
    def unique_constraints(self) -> tuple[UniqueConstraint, ...]:
        """What is unique, by constraints and by indexes."""
        declared = [constraint for constraint in self.constraints if isinstance(constraint, UniqueConstraint)]
        indexed = [UniqueConstraint(each.name, each.columns, is_primary=False) for each in self.indexes if each.unique]
        return (*declared, *indexed)

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple(
            Key(unique.columns, all(self.columns[column].not_null for column in unique.columns))
            for unique in self.unique_constraints
        )

    def rows(self) -> Batch:
        """All rows as one batch."""
        if not self._segments:
            return Batch([all_null(column.type, 0) for column in self.columns], 0)
        return concat_batches(self._segments)

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
    if kind in (TypeKind.NULL, TypeKind.BOOLEAN, TypeKind.DOUBLE, TypeKind.INTERVAL):
        return column
    if column.pool is None:
        return replace(column, bounds=exact_bounds(column.values, column.valid))
    if column.pool.distinct and len(column.pool) <= 2 * len(column):
        return column
    from minisql.columnar.strings import compacted, encoded_strings, gathered

    if kind is TypeKind.LIST:
        return compacted(column)
    return encoded_strings(gathered(column), column.valid, column.type)
