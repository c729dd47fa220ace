"""CAST among all types.

Rounding: DOUBLE to an integer goes to the nearest, halves to the even one, as in PostgreSQL; exact numbers round halves
away from zero. A value that the target cannot hold raises `DataError` where the row is not NULL. What has to do with
VARCHAR stands in `string_casts`, what with times in `temporal_casts`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from minisql.columnar.column import PHYSICAL_DTYPE, Array, Bounds, Column, all_null
from minisql.datatypes import SqlType, TypeKind, as_decimal
from minisql.errors import DataError, Span
from minisql.execution import exact
from minisql.execution.arithmetic import value_at
from minisql.execution.temporal_casts import make_temporal_cast

_EXACT_IN_DOUBLE: Final = (-(2**53), 2**53)
# Powers of ten up to this one have no rounding error in double precision.
_LARGEST_EXACT_POWER: Final = 22


def make_cast(source: SqlType, target: SqlType, span: Span | None) -> Callable[[Column], Column]:
    """The kernel of CAST(source AS target), a pair that `datatypes.can_cast` allows.

    Raises (the kernel):
        DataError: the target has no such value; the message shows it and the span says which cast it was.
    """
    if source.kind is TypeKind.NULL or target.kind is TypeKind.NULL:
        return lambda column: all_null(target, len(column))
    if TypeKind.VARCHAR in (source.kind, target.kind):
        if source == target:
            return lambda column: column
        from minisql.execution.string_casts import format_column, make_parser

        return make_parser(target, span) if source.kind is TypeKind.VARCHAR else format_column
    match source.kind, target.kind:
        case (
            TypeKind.INTEGER | TypeKind.BIGINT | TypeKind.DECIMAL,
            TypeKind.INTEGER | TypeKind.BIGINT | TypeKind.DECIMAL,
        ):
            return partial(_exact_to_exact, target, span)
        case ((TypeKind.INTEGER | TypeKind.BIGINT | TypeKind.DECIMAL), TypeKind.DOUBLE):
            return _exact_to_double
        case TypeKind.DOUBLE, (TypeKind.INTEGER | TypeKind.BIGINT):
            return partial(_double_to_integer, target, span)
        case TypeKind.DOUBLE, TypeKind.DECIMAL:
            return partial(_double_to_decimal, target, span)
        case TypeKind.BOOLEAN, (TypeKind.INTEGER | TypeKind.BIGINT):
            return lambda column: Column(
                target, column.values.astype(PHYSICAL_DTYPE[target.kind]), column.valid, None, (0, 1)
            )
        case ((TypeKind.INTEGER | TypeKind.BIGINT), TypeKind.BOOLEAN):
            return lambda column: Column(target, column.values != 0, column.valid)
        case _ if source.kind is target.kind:
            return lambda column: column
        case _:
            return make_temporal_cast(source, target)


def with_more_digits(column: Column, digits: int) -> Column:
    """The same exact numbers as a DECIMAL with so many digits more behind the point."""
    type_ = as_decimal(column.type)
    values, bounds = exact.scaled_up(column, digits)
    return Column(SqlType(TypeKind.DECIMAL, type_.precision, type_.scale + digits), values, column.valid, None, bounds)


def _exact_to_exact(target: SqlType, span: Span | None, column: Column) -> Column:
    digits = target.scale - column.type.scale
    values, bounds = exact.scaled_up(column, digits) if digits >= 0 else exact.scaled_down(column, -digits)
    return _in_range(column, values, bounds, target, span)


def _in_range(column: Column, values: Array, bounds: Bounds, target: SqlType, span: Span | None) -> Column:
    """`column` cast to an exact type, given its physical `values` there, which may still be out of range."""
    allowed = exact.value_range(target)
    if not exact.within(bounds, allowed):
        row = exact.first_outside(values, column.valid, allowed)
        if row is not None:
            raise out_of_range(column, row, target, span)
        bounds = (max(bounds[0], allowed[0]), min(bounds[1], allowed[1]))
    if not values.dtype.hasobject:
        values = values.astype(PHYSICAL_DTYPE[target.kind], copy=False)
    return Column(target, values, column.valid, None, bounds)


def out_of_range(column: Column, row: int, target: SqlType, span: Span | None) -> DataError:
    """The error for the value of a row that the target type cannot hold."""
    return DataError(f"value out of range for {target}: {value_at(column, row)}", span)


def _exact_to_double(column: Column) -> Column:
    type_ = SqlType(TypeKind.DOUBLE)
    values, scale = column.values, column.type.scale
    if scale == 0 and not values.dtype.hasobject:
        return Column(type_, values.astype(np.float64), column.valid)
    if scale <= _LARGEST_EXACT_POWER and exact.within(exact.bounds_of(column), _EXACT_IN_DOUBLE):
        # Both numbers are exact, so the quotient is rounded once.
        return Column(type_, values.astype(np.float64) / 10.0**scale, column.valid)
    # Python divides integers of any size with one rounding.
    return Column(type_, (values.astype(np.object_) / 10**scale).astype(np.float64), column.valid)


def _double_to_integer(target: SqlType, span: Span | None, column: Column) -> Column:
    rounded = np.rint(column.values)
    low, high = exact.value_range(target)
    # `high + 1` is a power of two and so exact in double precision; NaN fails the comparison.
    fits = (rounded >= float(low)) & (rounded < float(high + 1))
    if not fits.all():
        misfits = np.flatnonzero(~fits if column.valid is None else column.valid & ~fits)
        if len(misfits):
            raise out_of_range(column, int(misfits[0]), target, span)
        rounded = np.where(fits, rounded, 0.0)
    return Column(target, rounded.astype(PHYSICAL_DTYPE[target.kind]), column.valid)


def _double_to_decimal(target: SqlType, span: Span | None, column: Column) -> Column:
    """The decimal that the shortest text of the DOUBLE means, rounded; so 1.005 becomes 1.01, as in PostgreSQL."""
    not_finite = ~np.isfinite(column.values)
    infinite = np.flatnonzero(not_finite if column.valid is None else not_finite & column.valid)
    if len(infinite):
        raise out_of_range(column, int(infinite[0]), target, span)
    with np.errstate(all="ignore"):
        scaled = column.values * 10.0 ** min(target.scale, _LARGEST_EXACT_POWER)
        rounded = np.rint(scaled)
        # The product and the text are each off by at most one rounding: who is not so near to a half is rounded right.
        error = np.abs(scaled) * 2.0**-51
        clear = (error < 1) & (np.abs(np.abs(scaled - rounded) - 0.5) > error)
    if target.scale > _LARGEST_EXACT_POWER:
        clear[:] = False
    values = np.where(clear, rounded, 0.0).astype(np.int64)
    unclear = np.flatnonzero(~clear if column.valid is None else column.valid & ~clear)
    if len(unclear):
        from minisql.execution.string_casts import format_column, make_parser

        slow = make_parser(target, span)(format_column(column.take(unclear)))
        values = values.astype(slow.values.dtype)
        values[unclear] = slow.values
    return _in_range(column, values, exact.measured_bounds(values, column.valid), target, span)
