"""Key columns as integers: equal integers stand for equal values, whatever batch and pool they come from.

Numbers, dates, times and booleans are their own integers, an INTERVAL is its length. A DOUBLE is its bits, with one
zero and one NaN (which equals itself, as in PostgreSQL). Strings and decimals beyond 18 digits are numbered as they are
inserted. What stands for a NULL means nothing: the validity of the column says where they are.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from minisql.columnar.column import Array, Column
from minisql.columnar.intervals import interval_lengths
from minisql.datatypes import BIGINT_RANGE, SqlType, TypeKind
from minisql.execution.kernels.hash_table import HashTable
from minisql.execution.kernels.lookup_table import blocks
from minisql.execution.kernels.string_table import ABSENT, StringTable

_INT64_DIGITS: Final = 18
_NAN_BITS: Final = np.array([np.nan]).view(np.int64)[0]


class KeyPart(Protocol):
    """One key column of a table."""

    def insert(self, column: Column) -> Array:
        """The integers of the column's values, which are numbered where need be."""

    def lookup(self, column: Column) -> Array:
        """The integers of the column's values, `ABSENT` or any unused one for a value that was never inserted."""

    @property
    def nbytes(self) -> int:
        """Bytes that the part holds."""


def make_key_part(type_: SqlType) -> KeyPart:
    """The part for keys of a type."""
    if type_.is_string:
        return _StringPart()
    if type_.kind is TypeKind.INTERVAL:
        return _IntervalPart()
    if type_.kind is TypeKind.DECIMAL and type_.precision > _INT64_DIGITS:
        return _WideDecimalPart()
    return _IntegerPart()


class _IntegerPart:
    nbytes = 0

    def insert(self, column: Column) -> Array:
        values = column.values
        if values.dtype == np.float64:
            return double_bits(values)
        if values.dtype == np.bool_:
            return values.view(np.uint8)
        return values

    lookup = insert


class _IntervalPart:
    nbytes = 0

    def insert(self, column: Column) -> Array:
        return interval_lengths(column.values)

    lookup = insert


def double_bits(values: Array) -> Array:
    """The bits (int64) of doubles, the same for both zeros and for all NaNs."""
    bits: Array = (values + 0.0).view(np.int64)
    nans = np.flatnonzero(np.isnan(values))
    if len(nans):
        bits[nans] = _NAN_BITS
    return bits


class _StringPart:
    def __init__(self) -> None:
        self._table = StringTable()

    @property
    def nbytes(self) -> int:
        return self._table.nbytes

    def insert(self, column: Column) -> Array:
        if column.pool is None:
            return np.zeros(len(column), np.int32)
        return self._table.insert(column.pool, column.values)

    def lookup(self, column: Column) -> Array:
        if column.pool is None:
            return np.full(len(column), ABSENT, np.int32)
        return self._table.lookup(column.pool, column.values)


class _WideDecimalPart:
    """Values that fit into int64 get even numbers by a hash table, the others odd ones by a dictionary."""

    def __init__(self) -> None:
        self._small = HashTable()
        self._large: dict[int, int] = {}

    @property
    def nbytes(self) -> int:
        # A Python int of this size takes 36 bytes, its entry and its number about 100.
        return self._small.nbytes + 136 * len(self._large)

    def insert(self, column: Column) -> Array:
        small, large, values = _by_size(column)
        numbers = np.empty(len(column), np.int64)
        fitting = values.take(small).astype(np.int64)
        small_numbers = np.empty(len(fitting), np.int64)
        for block in blocks(len(fitting)):
            small_numbers[block] = self._small.insert(fitting[block])[0]
        numbers[small] = 2 * small_numbers
        known = self._large
        numbers[large] = [2 * known.setdefault(value, len(known)) + 1 for value in values.take(large).tolist()]
        return numbers

    def lookup(self, column: Column) -> Array:
        small, large, values = _by_size(column)
        numbers = np.empty(len(column), np.int64)
        found = self._small.lookup(values.take(small).astype(np.int64)).astype(np.int64)
        numbers[small] = np.where(found < 0, ABSENT, 2 * found)
        known = self._large
        numbers[large] = [2 * known[value] + 1 if value in known else ABSENT for value in values.take(large).tolist()]
        return numbers


def _by_size(column: Column) -> tuple[Array, Array, Array]:
    """The rows of values that fit into int64, the rows of those that do not, and the values with 0 for NULL."""
    values = column.values
    if values.dtype != np.object_:
        return np.arange(len(values)), np.empty(0, np.intp), values
    if column.valid is not None:
        values = np.where(column.valid, values, 0)
    low, high = BIGINT_RANGE
    fits = ((values >= low) & (values <= high)).astype(np.bool_)
    return np.flatnonzero(fits), np.flatnonzero(~fits), values
