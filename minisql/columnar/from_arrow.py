"""Arrow arrays as columns: the way in.

Values are shared with Arrow where the layouts agree (int32, int64, double, dates, microseconds), also where there are
NULLs; the validity bits become a bool array. Decimals become scaled int64 where they fit. Strings become a dictionary
where a sample says that they repeat, else a pool with one string for each row. UUIDs are their texts, JSON is text.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from minisql.columnar.bounds import exact_bounds
from minisql.columnar.column import INTERVAL_DTYPE, PHYSICAL_DTYPE, Array, BoolArray, Column, StringPool, all_null
from minisql.columnar.strings import encoded_strings, offsets_and_bytes
from minisql.columnar.to_arrow import arrow_type
from minisql.datatypes import (
    BIGINT,
    BLOB,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    INTERVAL,
    MAX_DECIMAL_PRECISION,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    VARCHAR,
    SqlType,
    TypeKind,
    decimal,
    list_of,
)
from minisql.errors import DataError, NotSupportedError

_EXTENSIONS: Final = {"arrow.uuid": VARCHAR, "arrow.json": VARCHAR, "arrow.bool8": BOOLEAN}
_MICROSECONDS: Final = {"s": 1_000_000, "ms": 1_000, "us": 1}
_MILLISECONDS_PER_DAY: Final = 86_400_000


def sql_type(type_: pa.DataType, column: str) -> SqlType:
    """The SQL type of Arrow values; `column` names the column for the message.

    Raises:
        NotSupportedError: there is none.
    """
    if isinstance(type_, pa.BaseExtensionType):
        known = _EXTENSIONS.get(type_.extension_name)
        if known is not None:
            return known
    if pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
        return sql_type(type_.value_type, column)
    if pa.types.is_boolean(type_):
        return BOOLEAN
    if pa.types.is_integer(type_):
        if pa.types.is_uint64(type_):
            return decimal(20, 0)
        return BIGINT if pa.types.is_int64(type_) or pa.types.is_uint32(type_) else INTEGER
    if pa.types.is_floating(type_):
        return DOUBLE
    if pa.types.is_decimal(type_):
        precision = type_.precision - min(type_.scale, 0)
        if precision <= MAX_DECIMAL_PRECISION:
            return decimal(precision, max(type_.scale, 0))
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return VARCHAR
    if pa.types.is_date(type_):
        return DATE
    if pa.types.is_timestamp(type_):
        return TIMESTAMP if type_.tz is None else TIMESTAMPTZ
    if pa.types.is_time(type_):
        return TIME
    if pa.types.is_duration(type_) or type_ == pa.month_day_nano_interval():
        return INTERVAL
    if _is_binary(type_):
        return BLOB
    if pa.types.is_null(type_):
        return INTEGER
    if _is_list(type_) and not isinstance(type_.value_type, pa.BaseExtensionType):
        return list_of(sql_type(type_.value_type, column))
    raise NotSupportedError(
        f'Column "{column}" has the Arrow type {type_}, which has no SQL type.', hint="Convert it or leave it out."
    )


def _is_list(type_: pa.DataType) -> bool:
    # Of list views pyarrow casts the wrong parts.
    return any(test(type_) for test in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))


def _is_binary(type_: pa.DataType) -> bool:
    tests = pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view
    return any(test(type_) for test in tests)


def from_arrow(data: pa.ChunkedArray | pa.Array, column: str) -> Column:
    """The column of an Arrow array, with the tightest `bounds`; `column` names it for messages.

    Raises:
        NotSupportedError: see `sql_type`.
        DataError: a timestamp or an interval does not fit into microseconds, or a text is not UTF-8.
    """
    type_ = sql_type(data.type, column)
    if isinstance(data.type, pa.BaseExtensionType):
        data = _without_extension(data)
    if pa.types.is_run_end_encoded(data.type):
        data = pc.run_end_decode(data)
    if type_.kind is TypeKind.VARCHAR:
        return _varchar(data, column)
    if type_.kind is TypeKind.BLOB:
        return _blob(data)
    if type_.kind is TypeKind.LIST:
        lists = _contiguous(data).cast(arrow_type(type_))
        return Column(type_, np.arange(len(lists)), _validity(lists), StringPool(lists, distinct=False))
    if pa.types.is_dictionary(data.type):
        data = pc.cast(data, data.type.value_type)
    array = _contiguous(data)
    valid = _validity(array)
    if pa.types.is_null(array.type):
        return all_null(type_, len(array))
    values = _values(array, valid, column)
    if type_.kind in (TypeKind.BOOLEAN, TypeKind.DOUBLE, TypeKind.INTERVAL):
        return Column(type_, values, valid)
    return Column(type_, values, valid, None, exact_bounds(values, valid))


def _without_extension(data: pa.ChunkedArray | pa.Array) -> pa.Array | pa.ChunkedArray:
    """What an extension type says of its storage, in a plain type."""
    name = data.type.extension_name
    storage = pc.cast(data, data.type.storage_type)
    if name == "arrow.bool8":
        return pc.cast(storage, pa.bool_())
    return _uuid_texts(_contiguous(storage)) if name == "arrow.uuid" else storage


def _uuid_texts(array: pa.FixedSizeBinaryArray) -> pa.Array:
    """The texts of UUIDs of 16 bytes: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12."""
    count, buffer = len(array), array.buffers()[1]
    if buffer is None or count == 0:
        return pa.nulls(count, pa.large_string())
    numbers = np.frombuffer(buffer, np.uint8)[16 * array.offset :][: 16 * count].reshape(count, 16)
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    texts = np.full((count, 36), ord("-"), np.uint8)
    places = [place for place in range(36) if place not in (8, 13, 18, 23)]
    texts[:, places[0::2]] = digits[numbers >> 4]
    texts[:, places[1::2]] = digits[numbers & 15]
    offsets = pa.py_buffer(np.arange(0, 36 * count + 1, 36))
    strings = pa.LargeStringArray.from_buffers(count, offsets, pa.py_buffer(texts))
    return strings if array.null_count == 0 else pc.if_else(array.is_valid(), strings, None)


def _contiguous(data: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(data, pa.Array):
        return data
    if data.num_chunks == 1:
        return data.chunk(0)
    return pa.concat_arrays(data.chunks) if data.num_chunks else pa.array([], data.type)


def _bits(buffer: pa.Buffer, offset: int, length: int) -> BoolArray:
    """`length` bits from bit `offset` on."""
    start = offset // 8
    data = np.frombuffer(buffer, np.uint8)[start : (offset + length + 7) // 8]
    bits = np.unpackbits(data, bitorder="little").view(np.bool_)
    return bits[offset - 8 * start : offset - 8 * start + length]


def _validity(array: pa.Array) -> BoolArray | None:
    if array.null_count == 0:
        return None
    buffer = array.buffers()[0]
    return np.zeros(len(array), np.bool_) if buffer is None else _bits(buffer, array.offset, len(array))


def _values(array: pa.Array, valid: BoolArray | None, column: str) -> Array:
    """The values of an array that is neither of strings nor of nulls; any value where it is NULL."""
    type_, offset, length = array.type, array.offset, len(array)
    buffer = array.buffers()[1]
    if buffer is None or length == 0:
        return np.zeros(length, PHYSICAL_DTYPE[sql_type(type_, column).kind])
    if pa.types.is_boolean(type_):
        return _bits(buffer, offset, length)
    if pa.types.is_decimal(type_):
        return _decimals(buffer, type_, offset, length, valid)
    if pa.types.is_timestamp(type_) or pa.types.is_time64(type_):
        return _microseconds(np.frombuffer(buffer, np.int64)[offset : offset + length], type_.unit, valid, column)
    if pa.types.is_time32(type_):
        seconds = np.frombuffer(buffer, np.int32)[offset : offset + length].astype(np.int64)
        return seconds * _MICROSECONDS[type_.unit]
    if pa.types.is_duration(type_):
        durations = np.frombuffer(buffer, np.int64)[offset : offset + length]
        values = np.zeros(length, INTERVAL_DTYPE)
        values["microseconds"] = _microseconds(durations, type_.unit, valid, column)
        return values
    if type_ == pa.month_day_nano_interval():
        values = np.frombuffer(buffer, INTERVAL_DTYPE)[offset : offset + length].copy()
        values["microseconds"] //= 1000
        return values
    if pa.types.is_date64(type_):
        return (np.frombuffer(buffer, np.int64)[offset : offset + length] // _MILLISECONDS_PER_DAY).astype(np.int32)
    if pa.types.is_date32(type_):
        return np.frombuffer(buffer, np.int32)[offset : offset + length]
    values = np.frombuffer(buffer, type_.to_pandas_dtype())[offset : offset + length]
    if pa.types.is_uint64(type_):
        fits = values.max() < 2**63
        return values.view(np.int64) if fits else values.astype(np.object_)
    return values.astype(PHYSICAL_DTYPE[sql_type(type_, column).kind], copy=False)


def _decimals(buffer: pa.Buffer, type_: Any, offset: int, length: int, valid: BoolArray | None) -> Array:
    """Numbers times 10^scale: int64 where all of them fit, else Python ints."""
    if type_.bit_width <= 64:
        values = np.frombuffer(buffer, np.int32 if type_.bit_width == 32 else np.int64)[offset : offset + length]
        values = values.astype(np.int64, copy=False)
    else:
        words = np.frombuffer(buffer, np.int64).reshape(-1, type_.bit_width // 64)[offset : offset + length]
        # 38 digits need two words, of which the second one only repeats the sign where an int64 would do.
        low, high = words[:, 0], words[:, 1]
        wide = high != low >> 63
        if valid is not None:
            wide &= valid
        if wide.any():
            values = high.astype(np.object_) * 2**64 + low.view(np.uint64).astype(np.object_)
            values = values if valid is None else np.where(valid, values, 0)
        else:
            values = np.ascontiguousarray(low)
    if type_.scale < 0:
        values = values.astype(np.object_) * 10**-type_.scale
        if valid is not None:
            values = np.where(valid, values, 0)
        return values.astype(np.int64) if np.abs(values).max() < 2**63 else values
    return values


def _microseconds(values: Array, unit: str, valid: BoolArray | None, column: str) -> Array:
    if unit == "ns":
        return values // 1000
    factor = _MICROSECONDS[unit]
    if factor == 1:
        return values
    bounds = exact_bounds(values, valid)
    if bounds is not None and not -(2**63) <= bounds[0] * factor <= bounds[1] * factor < 2**63:
        raise DataError(f'Column "{column}" has a time or an interval too far away for microseconds.')
    return values * factor


# --- strings ----------------------------------------------------------------------------------------------------------


def _varchar(data: pa.ChunkedArray | pa.Array, column: str) -> Column:
    if pa.types.is_dictionary(data.type):
        if isinstance(data, pa.ChunkedArray):
            data = data.unify_dictionaries()
        return _from_dictionary(_contiguous(data), column)
    array = _contiguous(pc.cast(data, pa.large_string()))
    _check_encoding(array, column)
    valid = _validity(array)
    # Without its validity bits the array has some string, mostly the empty one, where a NULL was.
    buffers = array.buffers()
    strings = pa.LargeStringArray.from_buffers(len(array), buffers[1], buffers[2], None, 0, array.offset)
    return encoded_strings(strings, valid)


def _blob(data: pa.ChunkedArray | pa.Array) -> Column:
    """Byte strings, in a pool of Arrow strings that need not be UTF-8."""
    array = _contiguous(pc.cast(data, pa.large_binary()))
    valid = _validity(array)
    buffers = array.buffers()
    strings = pa.LargeStringArray.from_buffers(len(array), buffers[1], buffers[2], None, 0, array.offset)
    return encoded_strings(strings, valid, BLOB)


def _check_encoding(strings: pa.LargeStringArray, column: str) -> None:
    """Raises DataError where a text is not UTF-8, of which neither Arrow nor files in Parquet take care."""
    _, data = offsets_and_bytes(strings)
    if len(data) == 0 or data.view(np.int8).min() >= 0:  # ASCII
        return
    try:
        strings.validate(full=True)
    except pa.ArrowInvalid as error:
        raise DataError(f'Column "{column}" has text that is not UTF-8.') from error


def _from_dictionary(array: pa.DictionaryArray, column: str) -> Column:
    """Codes of a pool whose strings are made distinct and not NULL, which Arrow does not promise."""
    entries = pc.cast(array.dictionary, pa.large_string())
    _check_encoding(entries, column)
    encoded = entries.dictionary_encode()
    valid = _validity(array.indices)
    if len(encoded.dictionary) == 0:
        return all_null(VARCHAR, len(array))
    indices = _values(array.indices, valid, "")
    if valid is not None:
        indices = np.where(valid, indices, 0)
    if entries.null_count:
        entry_valid = _validity(entries)
        assert entry_valid is not None
        valid = entry_valid.take(indices) if valid is None else entry_valid.take(indices) & valid
    codes = encoded.indices.fill_null(0).to_numpy().take(indices)
    return Column(VARCHAR, codes, valid, StringPool(encoded.dictionary, distinct=True))
