"""What the rest of minisql knows of a table: its columns, its statistics, and a scan that gives batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from minisql.columnar.column import Batch
from minisql.datatypes import SqlType
from minisql.expression.nodes import Expression, Value
from minisql.node import record


@record
class ColumnDefinition:
    """Name and type of a column; whether it refuses NULL, and what it is where an INSERT names no value (None: NULL).

    A default has no columns in it, and the type of the column.
    """

    name: str
    type: SqlType
    not_null: bool = False
    default: Expression | None = None


@record
class Key:
    """Columns, by position, in which no two rows agree, except where one of them is NULL; never so if `not_null`."""

    columns: tuple[int, ...]
    not_null: bool


@record
class ColumnStatistics:
    """What planning knows of one column; None is "not known".

    `distinct_count` counts values other than NULL; `null_fraction` is a share of all rows, and 0.0 only where it is
    certain that no value is NULL; `low` and `high` are values of the column's type.
    """

    distinct_count: float | None = None
    null_fraction: float | None = None
    low: Value = None
    high: Value = None


@record
class SimpleFilter:
    """`column operator value`, with an operator of `= <> < <= > >=`, or `in` and a tuple of values.

    A filter that a scan may use to read less. The value is never NULL and has the type of the column.
    """

    column: int
    operator: str
    value: Value | tuple[Value, ...]


class Table(Protocol):
    """A table that can be scanned. It does not change: an INSERT makes a new table object in the catalog."""

    @property
    def name(self) -> str:
        """For people: the name in the catalog, the path of a file."""

    @property
    def columns(self) -> tuple[ColumnDefinition, ...]:
        """The columns in order."""

    @property
    def keys(self) -> Sequence[Key]:
        """The keys that are known: what identifies a row."""

    @property
    def uses_filters(self) -> bool:
        """Whether a scan may read less where it is given filters."""

    def row_count(self) -> int:
        """The number of rows, exact where it is cheap."""

    def column_statistics(self, column: int) -> ColumnStatistics:
        """Statistics of one column, made at the first call and kept."""

    def scan(self, columns: Sequence[int], filters: Sequence[SimpleFilter], batch_rows: int) -> Iterator[Batch]:
        """Batches of 1 to `batch_rows` rows with these columns in this order; `columns` may be empty.

        The filters are a permission, not a duty: rows that fail them may come all the same, and the caller filters.
        """
