"""Columns as Arrow arrays: the way out.

VARCHAR becomes large_string, BLOB large_binary, LIST large_list, DECIMAL decimal128 of its precision and scale,
TIMESTAMP microseconds without a time zone or in UTC, INTERVAL month_day_nano_interval.
Numbers, dates and times are shared, not copied, and so are strings that are as they came from Arrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from minisql.columnar.column import Array, Batch, Column
from minisql.datatypes import MAX_DECIMAL_PRECISION, SqlType, TypeKind
from minisql.interval import MICROSECONDS_PER_DAY

_MOST_MILLISECONDS: Final = (2**63 - 1) // 1_000_000


def arrow_type(type_: SqlType) -> pa.DataType:
    """The Arrow type of values of a SQL type."""
    match type_.kind:
        case TypeKind.NULL:
            return pa.null()
        case TypeKind.BOOLEAN:
            return pa.bool_()
        case TypeKind.INTEGER:
            return pa.int32()
        case TypeKind.BIGINT:
            return pa.int64()
        case TypeKind.DECIMAL:
            # Of a product with more digits behind the point than it has in all, pyarrow writes decimal256 right only.
            if type_.scale > MAX_DECIMAL_PRECISION:
                return pa.decimal256(2 * MAX_DECIMAL_PRECISION, type_.scale)
            return pa.decimal128(type_.precision, type_.scale)
        case TypeKind.DOUBLE:
            return pa.float64()
        case TypeKind.VARCHAR:
            return pa.large_string()
        case TypeKind.DATE:
            return pa.date32()
        case TypeKind.TIME:
            return pa.time64("us")
        case TypeKind.TIMESTAMP:
            return pa.timestamp("us")
        case TypeKind.TIMESTAMPTZ:
            return pa.timestamp("us", "UTC")
        case TypeKind.INTERVAL:
            return pa.month_day_nano_interval()
        case TypeKind.BLOB:
            return pa.large_binary()
        case TypeKind.LIST:
            assert type_.element is not None
            return pa.large_list(arrow_type(type_.element))


def to_arrow(column: Column) -> pa.Array:
    """The Arrow array of a column."""
    type_ = arrow_type(column.type)
    if column.type.kind is TypeKind.NULL:
        return pa.nulls(len(column))
    mask = None if column.valid is None else ~column.valid
    if column.pool is not None:
        return _strings(column, mask).view(type_)
    if column.type.kind is TypeKind.DECIMAL:
        return _decimals(column, type_)
    if column.type.kind is TypeKind.INTERVAL:
        return _intervals(column, type_)
    return pa.array(column.values, mask=mask).view(type_)


def to_arrow_table(batches: Sequence[Batch], names: Sequence[str], types: Sequence[SqlType]) -> pa.Table:
    """The rows alive of all the batches as one Arrow table; names may occur twice."""
    schema = pa.schema([pa.field(name, arrow_type(type_)) for name, type_ in zip(names, types, strict=True)])
    return pa.Table.from_batches([to_record_batch(batch, schema) for batch in batches], schema)


def to_arrow_reader(
    batches: Sequence[Batch], names: Sequence[str], types: Sequence[SqlType], most_rows: int | None
) -> pa.RecordBatchReader:
    """The rows alive of all the batches, converted as they are read, at most `most_rows` at a time."""
    schema = pa.schema([pa.field(name, arrow_type(type_)) for name, type_ in zip(names, types, strict=True)])

    def record_batches() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            size = most_rows or max(1, batch.length)
            for start in range(0, batch.length, size):
                yield to_record_batch(batch.slice(start, min(start + size, batch.length)), schema)

    return pa.RecordBatchReader.from_batches(schema, record_batches())


def to_record_batch(batch: Batch, schema: pa.Schema) -> pa.RecordBatch:
    """The rows alive of a batch."""
    return pa.RecordBatch.from_arrays([to_arrow(column) for column in batch.columns], schema=schema)


def _strings(column: Column, mask: Array | None) -> pa.Array:
    """Strings or lists. Where the rows are those of the pool in order, they are shared with it."""
    assert column.pool is not None
    codes, strings = column.values, column.pool.strings
    count = len(codes)
    # A few rows of many strings would keep all of them in memory.
    if 0 < count >= len(strings) // 4 and codes[-1] - codes[0] == count - 1 and (codes[1:] == codes[:-1] + 1).all():
        part = strings.slice(int(codes[0]), count)
        if mask is None:
            return part
        if part.offset == 0 and pa.types.is_large_string(part.type):
            return pa.Array.from_buffers(part.type, count, [_bitmap(~mask), *part.buffers()[1:]])
    return strings.take(pa.array(codes, mask=mask))


def _decimals(column: Column, type_: pa.DataType) -> pa.Array:
    """Words of 64 bits, the lowest first: an int64 and its sign repeated, or the parts of a Python int."""
    words = np.empty((len(column), type_.bit_width // 64), np.int64)
    rest = column.values
    if rest.dtype.hasobject and column.valid is not None:
        rest = np.where(column.valid, rest, 0)
    for word in range(words.shape[1]):
        if rest.dtype.hasobject:
            words[:, word] = (rest & (2**64 - 1)).astype(np.uint64).view(np.int64)
            rest = rest >> 64
        else:
            words[:, word] = rest
            rest = rest >> 63
    return pa.Array.from_buffers(type_, len(column), [_bitmap(column.valid), pa.py_buffer(words)])


def _intervals(column: Column, type_: pa.DataType) -> pa.Array:
    values = column.values.copy()
    # Nanoseconds reach 292 years; what is beyond goes into the days, which leaves the length the same.
    far = np.flatnonzero(np.abs(values["microseconds"] // 1000) >= _MOST_MILLISECONDS)
    if len(far):
        days = values["microseconds"][far] // MICROSECONDS_PER_DAY
        values["microseconds"][far] -= days * MICROSECONDS_PER_DAY
        values["days"][far] += days.astype(np.int32)
    values["microseconds"] *= 1000
    return pa.Array.from_buffers(type_, len(column), [_bitmap(column.valid), pa.py_buffer(values)])


def _bitmap(valid: Array | None) -> pa.Buffer | None:
    return None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
