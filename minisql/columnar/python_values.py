"""Columns from Python values and back: literals, parameters, VALUES lists, and rows that are fetched.

The Python value of a type is that of `expression.nodes.Value`: int, Decimal, float, bool, str, date, datetime without
a time zone, None for NULL. A LIST, which only comes out, is a list of them.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Any, Final

import numpy as np

from minisql.columnar.column import PHYSICAL_DTYPE, Column, StringPool, all_null
from minisql.datatypes import BIGINT_RANGE, SqlType, TypeKind
from minisql.errors import InternalError
from minisql.expression.nodes import Value

_EPOCH: Final = datetime.datetime(1970, 1, 1)
_EPOCH_DAY: Final = _EPOCH.toordinal()
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
    if type_.kind is TypeKind.VARCHAR:
        return _varchar(values, type_, valid)
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
    """What stands for `value` in the array of a column of this type, VARCHAR excepted; 0 for NULL.

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
        case TypeKind.TIMESTAMP, datetime.datetime():
            return (value - _EPOCH) // _MICROSECOND
        case TypeKind.DATE, datetime.date():
            return value.toordinal() - _EPOCH_DAY
    raise InternalError(f"{value!r} is not a value of {type_}.")


def to_values(column: Column) -> list[Value]:
    """The Python values of a column."""
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
        case TypeKind.DECIMAL:
            scale = -column.type.scale
            values = [_EXACT.scaleb(Decimal(number), scale) for number in column.values.tolist()]
        case TypeKind.DATE:
            values = column.values.astype("M8[D]").tolist()
        case TypeKind.TIMESTAMP:
            values = column.values.astype("M8[us]").tolist()
        case _:
            values = column.values.tolist()
    return values


def _varchar(values: Sequence[Value], type_: SqlType, valid: Any) -> Column:
    """Codes of a pool of distinct strings; a NULL has the code of the first one."""
    import pyarrow as pa

    places: dict[str, int] = {}
    codes = np.zeros(len(values), np.int32)
    for row, value in enumerate(values):
        if value is None:
            continue
        if not isinstance(value, str):
            raise InternalError(f"{value!r} is not a value of {type_}.")
        codes[row] = places.setdefault(value, len(places))
    return Column(type_, codes, valid, StringPool(pa.array(list(places), pa.large_string()), distinct=True))
