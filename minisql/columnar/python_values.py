"""Columns from Python values and back: literals, parameters, VALUES lists, and rows that are fetched.

The Python value of a type is that of `expression.nodes.Value`: int, Decimal, float, bool, str, bytes, date, time,
datetime without a time zone or in UTC, Interval, None for NULL. A LIST, which only comes out, is a list of them.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Any, Final

import numpy as np

from minisql.columnar.column import INTERVAL_DTYPE, PHYSICAL_DTYPE, Array, Column, StringPool, all_null
from minisql.datatypes import BIGINT_RANGE, SqlType, TypeKind
from minisql.errors import DataError, InternalError
from minisql.expression.nodes import Value
from minisql.interval import MICROSECONDS_PER_DAY, Interval

_EPOCH: Final = datetime.datetime(1970, 1, 1)
_EPOCH_IN_UTC: Final = _EPOCH.replace(tzinfo=datetime.UTC)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_DAYS: Final = (1 - _EPOCH_DAY, datetime.date.max.toordinal() - _EPOCH_DAY)
_MICROSECONDS: Final = (_DAYS[0] * MICROSECONDS_PER_DAY, (_DAYS[1] + 1) * MICROSECONDS_PER_DAY - 1)
_MICROSECOND: Final = datetime.timedelta(microseconds=1)
# Where every value is of this class, it stands for itself in the array.
_PLAIN_TYPES: Final = {
    TypeKind.BOOLEAN: bool,
    TypeKind.INTEGER: int,
    TypeKind.BIGINT: int,
    TypeKind.DOUBLE: float,
}
# Wide enough for every DECIMAL, so that nothing is rounded.
_EXACT: Final = Context(prec=100)


def from_values(values: Sequence[Value], type_: SqlType) -> Column:
    """The column of these values, with exact `bounds`.

    Raises:
        InternalError: a value does not fit the type.
    """
    if all(value is None for value in values):
        return all_null(type_, len(values))
    valid = None
    if None in values:
        valid = np.fromiter((value is not None for value in values), np.bool_, len(values))
    if type_.is_string:
        return _strings(values, type_, valid)
    if type_.kind is TypeKind.INTERVAL:
        return Column(type_, np.array([_interval(value) for value in values], INTERVAL_DTYPE), valid)
    physical: Sequence[Any]
    if set(map(type, values)) == {_PLAIN_TYPES.get(type_.kind)}:
        physical = values
    else:
        physical = [physical_value(value, type_) for value in values]
    if type_.kind in (TypeKind.BOOLEAN, TypeKind.DOUBLE):
        return Column(type_, np.array(physical, PHYSICAL_DTYPE[type_.kind]), valid)
    known = physical
    if valid is not None:
        known = [number for number, value in zip(physical, values, strict=True) if value is not None]
    bounds = (int(min(known)), int(max(known)))
    fits = BIGINT_RANGE[0] <= bounds[0] and bounds[1] <= BIGINT_RANGE[1]
    dtype = PHYSICAL_DTYPE[type_.kind] if fits else np.dtype(np.object_)
    return Column(type_, np.array(physical, dtype), valid, None, bounds)


def physical_value(value: Value, type_: SqlType) -> bool | int | float:
    """What stands for `value` in the array of a column of this type, strings and INTERVAL excepted; 0 for NULL.

    Raises:
        InternalError: the value does not fit the type.
    """
    match type_.kind, value:
        case _, None:
            return 0
        case TypeKind.BOOLEAN, bool():
            return value
        case TypeKind.INTEGER | TypeKind.BIGINT, int():
            return value
        case TypeKind.DOUBLE, int() | float():
            return float(value)
        case TypeKind.DECIMAL, int() | Decimal():
            numerator, denominator = value.as_integer_ratio()
            scaled, rest = divmod(numerator * int(10**type_.scale), denominator)
            if rest == 0:
                return scaled
        case TypeKind.TIMESTAMP, datetime.datetime(tzinfo=None):
            return (value - _EPOCH) // _MICROSECOND
        case TypeKind.TIMESTAMPTZ, datetime.datetime() if value.tzinfo is not None:
            return (value - _EPOCH_IN_UTC) // _MICROSECOND
        case TypeKind.TIME, datetime.time(tzinfo=None):
            return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
        case TypeKind.DATE, datetime.date():
            return value.toordinal() - _EPOCH_DAY
    raise InternalError(f"{value!r} is not a value of {type_}.")


def to_values(column: Column) -> list[Value]:
    """The Python values of a column.

    Raises:
        DataError: a date is none that Python has.
    """
    values = _valid_values(column)
    if column.valid is not None:
        for row in np.flatnonzero(~column.valid).tolist():
            values[row] = None
    return values


def _valid_values(column: Column) -> list[Any]:
    """The values of a column, with any value of the type, or None, where it is NULL."""
    values: list[Any]
    match column.type.kind:
        case TypeKind.VARCHAR | TypeKind.LIST:
            assert column.pool is not None
            values = column.pool.strings.take(column.values).to_pylist()
        case TypeKind.BLOB:
            values = _bytes(column)
        case TypeKind.DECIMAL:
            scale = -column.type.scale
            values = [_EXACT.scaleb(Decimal(number), scale) for number in column.values.tolist()]
        case TypeKind.DATE:
            values = _in_range(column, _DAYS).astype("M8[D]").tolist()
        case TypeKind.TIMESTAMP:
            values = _in_range(column, _MICROSECONDS).astype("M8[us]").tolist()
        case TypeKind.TIMESTAMPTZ:
            values = [moment.replace(tzinfo=datetime.UTC) for moment in _moments(column)]
        case TypeKind.TIME:
            values = [moment.time() for moment in _moments(column)]
        case TypeKind.INTERVAL:
            values = [Interval(*parts) for parts in column.values.tolist()]
        case _:
            values = column.values.tolist()
    return values


def _interval(value: Value) -> tuple[int, int, int]:
    if value is None:
        return 0, 0, 0
    if not isinstance(value, Interval):
        raise InternalError(f"{value!r} is not a value of INTERVAL.")
    return value.months, value.days, value.microseconds


def _moments(column: Column) -> list[datetime.datetime]:
    """Microseconds since 1970 as datetimes."""
    moments: list[datetime.datetime] = _in_range(column, _MICROSECONDS).astype("M8[us]").tolist()
    return moments


def _in_range(column: Column, allowed: tuple[int, int]) -> Array:
    """The numbers of a column, 0 in the place of a NULL, if Python has dates for them. Arrow data may have others."""
    values: Array = column.values if column.valid is None else np.where(column.valid, column.values, 0)
    if len(values) and not (allowed[0] <= values.min() and values.max() <= allowed[1]):
        raise DataError(
            f"A {column.type} is not in the years 1 to 9999, which are those of Python's dates.",
            hint="CAST(... AS VARCHAR) shows it, and Arrow takes it as it is.",
        )
    return values


def _bytes(column: Column) -> list[bytes]:
    import pyarrow as pa

    assert column.pool is not None
    values: list[bytes] = column.pool.strings.take(column.values).view(pa.large_binary()).to_pylist()
    return values


def _strings(values: Sequence[Value], type_: SqlType, valid: Any) -> Column:
    """Codes of a pool of distinct strings; a NULL has the code of the first one."""
    import pyarrow as pa

    class_ = str if type_.kind is TypeKind.VARCHAR else bytes
    places: dict[str | bytes, int] = {}
    codes = np.zeros(len(values), np.int32)
    for row, value in enumerate(values):
        if value is None:
            continue
        if not isinstance(value, str | bytes) or not isinstance(value, class_):
            raise InternalError(f"{value!r} is not a value of {type_}.")
        codes[row] = places.setdefault(value, len(places))
    strings = pa.array(list(places), pa.large_string() if class_ is str else pa.large_binary())
    return Column(type_, codes, valid, StringPool(strings.view(pa.large_string()), distinct=True))
