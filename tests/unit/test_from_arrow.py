from __future__ import annotations

import datetime
import uuid
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from minisql.columnar.from_arrow import from_arrow, sql_type
from minisql.columnar.python_values import to_values
from minisql.datatypes import (
    BIGINT,
    BLOB,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    INTERVAL,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    VARCHAR,
    SqlType,
    decimal,
)
from minisql.errors import DataError, NotSupportedError
from minisql.expression.nodes import Value
from minisql.interval import Interval

D = Decimal
BERLIN = datetime.timezone(datetime.timedelta(hours=1))
UUID = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")


def uuids(*values: uuid.UUID | None) -> pa.Array:
    storage = pa.array([None if value is None else value.bytes for value in values], pa.binary(16))
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


@pytest.mark.parametrize(
    ("arrow", "type_", "expected"),
    [
        (pa.array([1, None, -3], pa.int8()), INTEGER, [1, None, -3]),
        (pa.array([1, None, 200], pa.uint8()), INTEGER, [1, None, 200]),
        (pa.array([1, None, -3], pa.int16()), INTEGER, [1, None, -3]),
        (pa.array([1, 60000], pa.uint16()), INTEGER, [1, 60000]),
        (pa.array([None, 2**31 - 1], pa.int32()), INTEGER, [None, 2**31 - 1]),
        (pa.array([1, 2**32 - 1], pa.uint32()), BIGINT, [1, 2**32 - 1]),
        (pa.array([-(2**63), None], pa.int64()), BIGINT, [-(2**63), None]),
        (pa.array([1, None], pa.uint64()), decimal(20, 0), [D(1), None]),
        (pa.array([1, 2**64 - 1], pa.uint64()), decimal(20, 0), [D(1), D(2**64 - 1)]),
        (pa.array([1.5, None], pa.float32()), DOUBLE, [1.5, None]),
        (pa.array([1.5, None], pa.float64()), DOUBLE, [1.5, None]),
        (pa.array(np.array([1.5], np.float16)), DOUBLE, [1.5]),
        (pa.array([True, None, False]), BOOLEAN, [True, None, False]),
        (pa.array([D("1.50"), None, D("-2.25")], pa.decimal128(10, 2)), decimal(10, 2), [D("1.50"), None, D("-2.25")]),
        (pa.array([D(10**20), None, D(-1)], pa.decimal128(38, 0)), decimal(38, 0), [D(10**20), None, D(-1)]),
        (pa.array([D(-(10**20)), D(2**63), D(-(2**63))], pa.decimal256(38, 0)), decimal(38, 0),
         [D(-(10**20)), D(2**63), D(-(2**63))]),
        (pa.array([D("1.5"), None], pa.decimal32(5, 1)), decimal(5, 1), [D("1.5"), None]),
        (pa.array([D("-1.5")], pa.decimal64(15, 1)), decimal(15, 1), [D("-1.5")]),
        (pa.array([D("1200"), None], pa.decimal128(5, -2)), decimal(7, 0), [D(1200), None]),
        (pa.array([datetime.date(1969, 12, 31), None]), DATE, [datetime.date(1969, 12, 31), None]),
        (pa.array([datetime.date(1969, 12, 31)], pa.date64()), DATE, [datetime.date(1969, 12, 31)]),
        (pa.array([-1, None], pa.timestamp("s")), TIMESTAMP, [datetime.datetime(1969, 12, 31, 23, 59, 59), None]),
        (pa.array([1], pa.timestamp("ms")), TIMESTAMP, [datetime.datetime(1970, 1, 1, 0, 0, 0, 1000)]),
        (pa.array([-1], pa.timestamp("us")), TIMESTAMP, [datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)]),
        (pa.array([-1999], pa.timestamp("ns")), TIMESTAMP, [datetime.datetime(1969, 12, 31, 23, 59, 59, 999998)]),
        (pa.array([datetime.datetime(2020, 1, 1, tzinfo=BERLIN)], pa.timestamp("us", "Europe/Berlin")), TIMESTAMPTZ,
         [datetime.datetime(2019, 12, 31, 23, tzinfo=datetime.UTC)]),
        (pa.array([1, None], pa.time32("s")), TIME, [datetime.time(0, 0, 1), None]),
        (pa.array([1, None], pa.time32("ms")), TIME, [datetime.time(0, 0, 0, 1000), None]),
        (pa.array([1, None], pa.time64("us")), TIME, [datetime.time(0, 0, 0, 1), None]),
        (pa.array([86_399_999_999_999], pa.time64("ns")), TIME, [datetime.time(23, 59, 59, 999_999)]),
        (pa.array([-1, None], pa.duration("s")), INTERVAL, [Interval(0, 0, -1_000_000), None]),
        (pa.array([1999], pa.duration("ns")), INTERVAL, [Interval(0, 0, 1)]),
        (pa.array([(1, -2, 3000), None], pa.month_day_nano_interval()), INTERVAL, [Interval(1, -2, 3), None]),
        (pa.array([b"\xff", None, b""]), BLOB, [b"\xff", None, b""]),
        (pa.array([b"\xff", None], pa.large_binary()), BLOB, [b"\xff", None]),
        (pa.array([b"\xff", None], pa.binary_view()), BLOB, [b"\xff", None]),
        (pa.array([b"ab", None], pa.binary(2)), BLOB, [b"ab", None]),
        (pa.array([b"\xff", None, b"\xff"]).dictionary_encode(), BLOB, [b"\xff", None, b"\xff"]),
        (pa.array(["a", None, ""]), VARCHAR, ["a", None, ""]),
        (pa.array(["a", None, "ä" * 20], pa.string_view()), VARCHAR, ["a", None, "ä" * 20]),
        (pa.array(["a", None], pa.large_string()), VARCHAR, ["a", None]),
        (pa.array(["a", None, "b", "a"]).dictionary_encode(), VARCHAR, ["a", None, "b", "a"]),
        (pa.array([1, None, 1]).dictionary_encode(), BIGINT, [1, None, 1]),
        (pa.RunEndEncodedArray.from_arrays([2, 3], pa.array([5, 7])), BIGINT, [5, 5, 7]),
        (pa.nulls(2), INTEGER, [None, None]),
        (uuids(UUID, None, UUID), VARCHAR, [str(UUID), None, str(UUID)]),
        (pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', None])), VARCHAR, ['{"a": 1}', None]),
        (pa.array([1, None, 0], pa.int8()).cast(pa.bool8()), BOOLEAN, [True, None, False]),
    ],
)  # fmt: skip
def test_types_and_values(arrow: pa.Array, type_: SqlType, expected: list[Value]) -> None:
    for data in (arrow, pa.chunked_array([arrow, arrow]), padded(arrow).slice(3, len(arrow))):
        column = from_arrow(data, "x")
        assert column.type == type_
        assert to_values(column) == expected * (len(column) // len(expected))
        if column.type.kind.value in ("INTEGER", "BIGINT", "DECIMAL", "DATE", "TIMESTAMP") and column.bounds:
            known = column.values if column.valid is None else column.values[column.valid]
            assert column.bounds == (min(known), max(known))


def padded(array: pa.Array) -> pa.Array:
    """The array behind three more entries, so that a slice of it begins in the middle of a byte of bits."""
    if isinstance(array, pa.RunEndEncodedArray):
        return pc.run_end_encode(padded(pc.run_end_decode(array)))
    if isinstance(array, pa.ExtensionArray):
        return pa.ExtensionArray.from_storage(array.type, padded(array.storage))
    if isinstance(array, pa.DictionaryArray):
        return array.take(pa.array([0, 0, 0, *range(len(array))]))
    return pa.concat_arrays([pa.nulls(3, array.type), array])


def test_values_are_shared_where_the_layouts_agree() -> None:
    for values in (np.arange(5), np.arange(5.0), np.arange(5, dtype=np.int32)):
        assert np.shares_memory(from_arrow(pa.array(values), "x").values, values)
    with_null = pa.array([1, None, 3])
    assert from_arrow(with_null, "x").values.ctypes.data == with_null.buffers()[1].address


def test_bounds_are_of_values_that_are_not_null() -> None:
    assert from_arrow(pa.array([5, None, 7]), "x").bounds == (5, 7)
    assert from_arrow(pa.array([None, None], pa.int64()), "x").bounds is None


def test_strings_that_repeat_become_a_dictionary() -> None:
    repeated = from_arrow(pa.array(["a", "b", None, "a"] * 1000), "x")
    assert repeated.pool is not None
    assert repeated.pool.distinct
    assert len(repeated.pool) <= 3
    different = from_arrow(pa.array([str(number) for number in range(4000)]), "x")
    assert different.pool is not None
    assert not different.pool.distinct
    assert different.values.tolist() == list(range(4000))


def test_a_dictionary_is_made_distinct_and_without_nulls() -> None:
    array = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, None], pa.uint8()), pa.array(["a", "b", "a", None]))
    column = from_arrow(array, "x")
    assert to_values(column) == ["a", "b", "a", None, None]
    assert column.pool is not None
    assert column.pool.strings.to_pylist() == ["a", "b"]
    nothing = pa.DictionaryArray.from_arrays(pa.array([None, None], pa.int8()), pa.array([], pa.string()))
    assert to_values(from_arrow(nothing, "x")) == [None, None]


def test_chunks_with_dictionaries_of_their_own() -> None:
    chunks = [pa.array(["a", "b"]).dictionary_encode(), pa.array(["c", "a"]).dictionary_encode()]
    column = from_arrow(pa.chunked_array(chunks), "x")
    assert to_values(column) == ["a", "b", "c", "a"]
    assert column.pool is not None
    assert column.pool.distinct


NUMBERS = [pa.int64(), pa.bool_(), pa.decimal128(5, 2), pa.timestamp("s"), pa.float16()]
OTHERS = [pa.list_(pa.struct([("a", pa.int8())])), pa.map_(pa.int8(), pa.int8()), pa.struct([("a", pa.int8())])]
MORE = [pa.time32("s"), pa.duration("s"), pa.binary(), pa.month_day_nano_interval()]


@pytest.mark.parametrize("type_", [*NUMBERS, *MORE, pa.string(), pa.dictionary(pa.int8(), pa.string())])
def test_no_rows(type_: pa.DataType) -> None:
    assert to_values(from_arrow(pa.chunked_array([], type_), "x")) == []


@pytest.mark.parametrize("type_", [*OTHERS, pa.decimal256(40, 0), pa.dictionary(pa.int8(), OTHERS[-1])])
def test_types_that_sql_does_not_have(type_: pa.DataType) -> None:
    with pytest.raises(NotSupportedError, match=r'Column "x" has the Arrow type .*, which has no SQL type'):
        sql_type(type_, "x")


def test_lists() -> None:
    for type_ in (pa.list_(pa.int32()), pa.large_list(pa.int32())):
        column = from_arrow(pa.chunked_array([[[1, None], None], [[]]], type_), "x")
        assert str(column.type) == "INTEGER[]"
        assert to_values(column) == [[1, None], None, []]
    fixed = pa.array([[5, 6], [1, 2], None, [3, None]], pa.list_(pa.int32(), 2))
    for data in (fixed.slice(1), pa.chunked_array([fixed.slice(1, 1), fixed.slice(2)])):
        column = from_arrow(data, "x")
        assert (str(column.type), to_values(column)) == ("INTEGER[]", [[1, 2], None, [3, None]])


def test_a_timestamp_too_far_away() -> None:
    with pytest.raises(DataError, match='Column "x" has a time or an interval too far away'):
        from_arrow(pa.array([2**60], pa.timestamp("s")), "x")
    assert to_values(from_arrow(pa.array([5, None], pa.timestamp("s")), "x"))[1] is None


def test_text_that_is_not_utf_8() -> None:
    texts = pa.array([b"ok", b"\xc3\xa4", None, b"\xff"]).view(pa.string())
    for data in (texts, texts.view(pa.string()).dictionary_encode(), pa.chunked_array([texts[:1], texts[1:]])):
        with pytest.raises(DataError, match='Column "x" has text that is not UTF-8'):
            from_arrow(data, "x")
    assert to_values(from_arrow(texts[:3], "x")) == ["ok", "ä", None]
