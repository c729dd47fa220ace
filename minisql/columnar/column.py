"""Columns and batches: how values lie in memory.

A `Column` is a numpy array of values, an optional bool array that says which rows are not NULL, and for VARCHAR the
pool that the values are codes of:

    BOOLEAN            bool
    INTEGER            int32
    BIGINT             int64
    DOUBLE             float64
    DECIMAL(p, s)      int64, the number times 10^s; object (Python ints) where a value does not fit into int64
    DATE               int32, days since 1970-01-01
    TIME               int64, microseconds since midnight
    TIMESTAMP          int64, microseconds since 1970-01-01, in UTC where it has a time zone
    INTERVAL           `INTERVAL_DTYPE`: months, days, microseconds
    VARCHAR, BLOB      int32 or int64, codes: row i is string number values[i] of the pool
    LIST               int64, codes: row i is list number values[i] of the pool
    NULL               bool, all of it NULL

The strings of a BLOB are in a pool of Arrow strings, too, though their bytes need not be UTF-8: nothing that hashes,
compares or moves strings looks at characters. Only `to_values` and Arrow on the way out must know.

A VARCHAR column with few values has a pool of distinct strings (a dictionary); one with many has a pool with a string
for each row it was read with. In both, taking rows moves codes and never bytes, and what is computed on strings is
computed on the pool once where that is less work.

Columns, batches and their arrays are never changed in place: they may be shared between operators and threads.
The value of a NULL row means nothing and may lie outside `bounds`, but a code always lies in the pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from minisql.datatypes import SqlType, TypeKind
from minisql.errors import InternalError

if TYPE_CHECKING:
    import pyarrow as pa

Array: TypeAlias = npt.NDArray[Any]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
IndexArray: TypeAlias = npt.NDArray[np.intp]
Bounds: TypeAlias = tuple[int, int]

INTERVAL_DTYPE: Final = np.dtype([("months", np.int32), ("days", np.int32), ("microseconds", np.int64)])
"""The array type of INTERVAL; Arrow's month_day_nano but for the unit of the last part."""

PHYSICAL_DTYPE: Final[dict[TypeKind, np.dtype[Any]]] = {
    TypeKind.NULL: np.dtype(np.bool_),
    TypeKind.BOOLEAN: np.dtype(np.bool_),
    TypeKind.INTEGER: np.dtype(np.int32),
    TypeKind.BIGINT: np.dtype(np.int64),
    TypeKind.DECIMAL: np.dtype(np.int64),
    TypeKind.DOUBLE: np.dtype(np.float64),
    TypeKind.DATE: np.dtype(np.int32),
    TypeKind.TIME: np.dtype(np.int64),
    TypeKind.TIMESTAMP: np.dtype(np.int64),
    TypeKind.TIMESTAMPTZ: np.dtype(np.int64),
    TypeKind.INTERVAL: INTERVAL_DTYPE,
    TypeKind.VARCHAR: np.dtype(np.int32),
    TypeKind.BLOB: np.dtype(np.int32),
    TypeKind.LIST: np.dtype(np.int64),
}


@dataclass(slots=True, eq=False)
class StringPool:
    """Strings that the codes of VARCHAR columns point to; for LIST columns, lists.

    `strings` is an Arrow large_string array without NULLs (for lists a large_list array,
    and never `distinct`), with at least one entry wherever a column with rows uses it.
    `distinct` says that no string occurs twice, so that equal codes and equal strings are the same thing.
    """

    strings: pa.LargeStringArray
    distinct: bool
    derived: dict[str, Any] = field(default_factory=dict, repr=False)
    """What kernels computed from this pool and keep with it (hashes, ranks), by name. Recomputing is harmless."""

    def __len__(self) -> int:
        return len(self.strings)

    @property
    def nbytes(self) -> int:
        return int(self.strings.nbytes)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The values of one column in one batch; see the module for what they are.

    `valid` is None where no row is NULL. `bounds` holds every value that is not NULL (of an integer, DECIMAL, DATE,
    TIME or TIMESTAMP column, as physical ints); it may be wider than the values are, and is None where nothing is
    known.
    """

    type: SqlType
    values: Array
    valid: BoolArray | None = None
    pool: StringPool | None = None
    bounds: Bounds | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def nbytes(self) -> int:
        """Bytes of values and validity. A pool is shared and counted by who holds it."""
        return self.values.nbytes + (0 if self.valid is None else self.valid.nbytes)

    def take(self, rows: Array) -> Column:
        """The rows with these indexes, in this order."""
        valid = None if self.valid is None else self.valid.take(rows)
        return Column(self.type, self.values.take(rows), valid, self.pool, self.bounds)

    def slice(self, start: int, stop: int) -> Column:
        """The rows from `start` up to `stop`, without a copy."""
        valid = None if self.valid is None else self.valid[start:stop]
        return Column(self.type, self.values[start:stop], valid, self.pool, self.bounds)


def all_null(type_: SqlType, length: int) -> Column:
    """A column of NULLs."""
    pool = empty_string_pool() if type_.is_string else None
    if type_.kind is TypeKind.LIST:
        pool = _empty_list_pool(type_)
    values = np.zeros(length, PHYSICAL_DTYPE[type_.kind])
    return Column(type_, values, np.zeros(length, np.bool_), pool)


def empty_string_pool() -> StringPool:
    """A pool of one empty string, for columns that have no string to point to."""
    import pyarrow as pa

    return StringPool(pa.array([""], pa.large_string()), distinct=True)


def _empty_list_pool(type_: SqlType) -> StringPool:
    import pyarrow as pa

    from minisql.columnar.to_arrow import arrow_type

    return StringPool(pa.array([[]], arrow_type(type_)), distinct=False)


def concat_columns(columns: Sequence[Column]) -> Column:
    """The rows of all the columns, one after the other. There is at least one column, all are of one type."""
    if len(columns) == 1:
        return columns[0]
    first = columns[0]
    if any(column.valid is not None for column in columns):
        valid = np.concatenate([np.ones(len(c), np.bool_) if c.valid is None else c.valid for c in columns])
    else:
        valid = None
    if first.pool is not None:
        pool, codes = _merge_pools(columns)
        return Column(first.type, np.concatenate(codes), valid, pool)
    bounds = None
    if all(column.bounds is not None for column in columns):
        known = [column.bounds for column in columns if column.bounds is not None]
        bounds = (min(low for low, _ in known), max(high for _, high in known))
    return Column(first.type, np.concatenate([c.values for c in columns]), valid, None, bounds)


def _merge_pools(columns: Sequence[Column]) -> tuple[StringPool, list[Array]]:
    """One pool for all the columns, and the codes of each in it. Pools are put one after the other, each once."""
    pools: dict[int, StringPool] = {}
    for column in columns:
        if column.pool is None:
            raise InternalError(f"A {column.type} column has no pool.")
        pools[id(column.pool)] = column.pool
    if len(pools) == 1:
        return next(iter(pools.values())), [column.values for column in columns]

    import pyarrow as pa

    starts: dict[int, int] = {}
    total = 0
    for identity, pool in pools.items():
        starts[identity] = total
        total += len(pool)
    strings = pa.concat_arrays([pool.strings for pool in pools.values()])
    codes = [
        column.values + np.asarray(starts[id(column.pool)], np.int32 if total < 2**31 else np.int64)
        for column in columns
    ]
    return StringPool(strings, distinct=False), codes


class Batch:
    """Rows that travel together: columns of one length, and optionally which of their rows are still alive.

    A filter only sets `selection`; a column is gathered when somebody asks for it, once. Operators that can work on the
    unselected columns read `stored` and `selection` themselves.
    """

    __slots__ = ("_gathered", "length", "selection", "stored")

    def __init__(self, stored: Sequence[Column], length: int, selection: Array | None = None) -> None:
        """`length` is the number of rows alive: that of the columns, or of the selection where there is one."""
        self.stored = tuple(stored)
        self.length = length
        self.selection = selection
        self._gathered: dict[int, Column] = {}

    def __len__(self) -> int:
        return self.length

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.stored)

    def column(self, index: int) -> Column:
        """Column `index` with the rows alive only."""
        if self.selection is None:
            return self.stored[index]
        column = self._gathered.get(index)
        if column is None:
            column = self._gathered[index] = self.stored[index].take(self.selection)
        return column

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column with the rows alive only."""
        return tuple(self.column(index) for index in range(len(self.stored)))

    def select(self, rows: Array) -> Batch:
        """The batch with only these rows alive; `rows` are indexes among the rows alive now, ascending."""
        selection = rows if self.selection is None else self.selection.take(rows)
        return Batch(self.stored, len(rows), selection)

    def take(self, rows: Array) -> Batch:
        """The rows with these indexes among the rows alive, in any order, any of them repeatedly; gathered lazily."""
        return self.select(rows)

    def slice(self, start: int, stop: int) -> Batch:
        """The rows alive from `start` up to `stop`."""
        if self.selection is None:
            return Batch([column.slice(start, stop) for column in self.stored], stop - start)
        return Batch(self.stored, stop - start, self.selection[start:stop])

    def project(self, indexes: Sequence[int]) -> Batch:
        """The batch with these columns, in this order."""
        batch = Batch([self.stored[index] for index in indexes], self.length, self.selection)
        batch._gathered = {new: self._gathered[old] for new, old in enumerate(indexes) if old in self._gathered}
        return batch

    def with_column(self, column: Column) -> Batch:
        """The rows alive with one column more."""
        return Batch([*self.columns, column], self.length)

    @property
    def nbytes(self) -> int:
        """Bytes of the stored columns, pools left out."""
        return sum(column.nbytes for column in self.stored)


def concat_batches(batches: Sequence[Batch]) -> Batch:
    """The rows of all the batches as one batch without a selection. There is at least one batch."""
    if len(batches) == 1 and batches[0].selection is None:
        return batches[0]
    width = batches[0].width
    length = sum(batch.length for batch in batches)
    return Batch([concat_columns([b.column(i) for b in batches]) for i in range(width)], length)
