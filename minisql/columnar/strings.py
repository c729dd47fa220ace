"""VARCHAR and BLOB columns: reading their strings, making them from strings, and changing their pools.

Queries without strings import this, too, and pyarrow takes longer to import than they take to run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from minisql.columnar.column import Array, BoolArray, Column, IndexArray, StringPool, empty_string_pool
from minisql.datatypes import VARCHAR, SqlType
from minisql.errors import InternalError

if TYPE_CHECKING:
    import pyarrow as pa

_SAMPLED_STRINGS: Final = 8192
# A dictionary pays where every string of the sample occurs about so many times.
_REPEATS_OF_DICTIONARY: Final = 8


def pool_of(column: Column) -> StringPool:
    """The pool of a VARCHAR or BLOB column."""
    if column.pool is None:
        raise InternalError(f"A {column.type} column has no pool.")
    return column.pool


def gathered(column: Column) -> pa.LargeStringArray:
    """The string of every row; that of a NULL row is any string."""
    strings, codes = pool_of(column).strings, column.values
    if len(codes) > 1:
        first = int(codes[0])
        if int(codes[-1]) - first == len(codes) - 1 and bool((codes[1:] - codes[:-1] == 1).all()):
            return strings.slice(first, len(codes))
    import pyarrow as pa

    return strings.take(pa.array(codes))


def compacted(column: Column) -> Column:
    """The same strings in a pool of their own, where the pool is much larger than the rows."""
    if len(pool_of(column)) <= 2 * len(column):
        return column
    dtype = np.int32 if len(column) < 2**31 else np.int64
    codes = np.arange(len(column), dtype=dtype)
    return Column(column.type, codes, column.valid, StringPool(gathered(column), distinct=False))


def string_column(strings: pa.LargeStringArray, valid: BoolArray | None, type_: SqlType = VARCHAR) -> Column:
    """A column of strings with one string for each row."""
    dtype = np.int32 if len(strings) < 2**31 else np.int64
    return Column(type_, np.arange(len(strings), dtype=dtype), valid, StringPool(strings, distinct=False))


def encoded_strings(strings: pa.LargeStringArray, valid: BoolArray | None, type_: SqlType = VARCHAR) -> Column:
    """The column of a string for each row, as a dictionary where a sample says that they repeat."""
    if len(strings) == 0:
        return Column(type_, np.zeros(0, np.int32), valid, empty_string_pool())
    import pyarrow as pa
    import pyarrow.compute as pc

    step = max(1, len(strings) // _SAMPLED_STRINGS)
    sample = strings.take(pa.array(np.arange(0, len(strings), step)))
    if pc.count_distinct(sample).as_py() * _REPEATS_OF_DICTIONARY > len(sample):
        return string_column(strings, valid, type_)
    encoded = strings.dictionary_encode()
    return Column(type_, encoded.indices.to_numpy(), valid, StringPool(encoded.dictionary, distinct=True))


def offsets_and_bytes(strings: pa.LargeStringArray) -> tuple[Array, Array]:
    """Where each string begins in the bytes of all, and these bytes, both read-only; the last offset is the end."""
    _, offset_buffer, data_buffer = strings.buffers()
    if len(strings) == 0 or data_buffer is None:
        return np.zeros(len(strings) + 1, np.int64), np.zeros(0, np.uint8)
    offsets = np.frombuffer(offset_buffer, np.int64)[strings.offset : strings.offset + len(strings) + 1]
    first = offsets[0]
    data = np.frombuffer(data_buffer, np.uint8)[first : offsets[-1]]
    return (offsets - first if first else offsets), data


def slices_of(data: Array, begins: Array, lengths: Array) -> tuple[Array, Array]:
    """The parts of `data` that begin at `begins`, one after the other, as `offsets_and_bytes` has them."""
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return offsets, data.take(np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], lengths))


def strings_of(offsets: Array, data: Array) -> pa.LargeStringArray:
    """The Arrow array of strings that lie one after the other in `data`."""
    import pyarrow as pa

    return pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))


def rows_of_each(strings: pa.LargeStringArray) -> list[tuple[str, IndexArray]]:
    """Every distinct string with the rows that have it."""
    encoded = strings.dictionary_encode()
    codes = encoded.indices.to_numpy()
    rows = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes.take(rows), np.arange(len(encoded.dictionary) + 1))
    return [
        (string, rows[start:stop])
        for string, start, stop in zip(encoded.dictionary.to_pylist(), starts[:-1], starts[1:], strict=True)
    ]


def merged_pool(pools: Sequence[StringPool]) -> tuple[StringPool, list[Array]]:
    """One pool with the strings of all the pools, distinct if theirs are, and the new codes of each of them."""
    import pyarrow as pa

    strings = pa.concat_arrays([pool.strings for pool in pools])
    ends = np.cumsum([len(pool) for pool in pools])
    if not all(pool.distinct for pool in pools):
        return StringPool(strings, distinct=False), np.split(np.arange(len(strings)), ends[:-1])
    encoded = strings.dictionary_encode()
    return StringPool(encoded.dictionary, distinct=True), np.split(encoded.indices.to_numpy(), ends[:-1])
