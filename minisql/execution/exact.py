"""Exact arithmetic on arrays of integers, the physical form of INTEGER, BIGINT and DECIMAL.

An array is int32 or int64, or of Python ints (dtype object) where a DECIMAL needs more than 64 bits. Nothing here
wraps around: interval arithmetic on the `bounds` of the operands proves that int64 suffices, which costs nothing; where
there is no proof, an estimate in double precision finds the few rows that may overflow, and these alone are computed
with Python ints.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from minisql.columnar.column import Array, BoolArray, Bounds, Column
from minisql.datatypes import BIGINT_RANGE, INTEGER_RANGE, SqlType, TypeKind
from minisql.errors import InternalError
from minisql.interval import MICROSECONDS_PER_DAY

DATE_RANGE: Final = (-719162, 2932896)
"""The days from year 1 to year 9999: those that a Python date has."""

OPERATIONS: Final[dict[str, np.ufunc]] = {"+": np.add, "-": np.subtract, "*": np.multiply}
# Below this, the error of an estimate in double precision cannot hide an overflow of int64.
_SAFE_ESTIMATE: Final = 2.0**62


def value_range(type_: SqlType) -> Bounds:
    """The physical values that an exact type allows."""
    match type_.kind:
        case TypeKind.INTEGER:
            return INTEGER_RANGE
        case TypeKind.BIGINT:
            return BIGINT_RANGE
        case TypeKind.DATE:
            return DATE_RANGE
        case TypeKind.TIME:
            return 0, MICROSECONDS_PER_DAY - 1
        case TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ:
            return DATE_RANGE[0] * MICROSECONDS_PER_DAY, (DATE_RANGE[1] + 1) * MICROSECONDS_PER_DAY - 1
        case TypeKind.DECIMAL:
            return 1 - 10**type_.precision, 10**type_.precision - 1
        case _:
            raise InternalError(f"{type_} is not an exact number.")


def within(bounds: Bounds, range_: Bounds) -> bool:
    """Whether every value between the bounds lies in the range."""
    return range_[0] <= bounds[0] and bounds[1] <= range_[1]


def bounds_of(column: Column) -> Bounds:
    """The bounds of a column, measured where they are not known."""
    return column.bounds if column.bounds is not None else measured_bounds(column.values, column.valid)


def measured_bounds(values: Array, valid: BoolArray | None) -> Bounds:
    """The bounds of the values that are not NULL; they may include 0 where there are NULLs."""
    if len(values) == 0:
        return (0, 0)
    if valid is not None:
        values = np.where(valid, values, 0)
    return int(values.min()), int(values.max())


def result_bounds(operator: str, left: Bounds, right: Bounds) -> Bounds:
    """The bounds of `left operator right` for `+ - *` (interval arithmetic)."""
    match operator:
        case "+":
            return left[0] + right[0], left[1] + right[1]
        case "-":
            return left[0] - right[1], left[1] - right[0]
        case _:
            corners = [a * b for a in left for b in right]
            return min(corners), max(corners)


def combine(
    operator: str,
    left: Column,
    right: Column,
    valid: BoolArray | None,
    dtype: np.dtype[Any],
    spare: Array | None = None,
) -> tuple[Array, Bounds]:
    """`left operator right` for `+ - *`, exactly, and bounds of it; `valid` tells the rows of the result that count.

    `dtype` is what the result is wanted in; the array is wider where its bounds are. `spare` may be overwritten.
    """
    operation = OPERATIONS[operator]
    if left.values.dtype.hasobject or right.values.dtype.hasobject:
        return narrowed(operation(left.values.astype(np.object_), right.values.astype(np.object_)), valid)
    bounds = result_bounds(operator, bounds_of(left), bounds_of(right))
    if not within(bounds, BIGINT_RANGE):
        return _without_proof(operation, left.values.astype(np.int64), right.values.astype(np.int64), valid)
    if dtype.itemsize != 4 or not within(bounds, INTEGER_RANGE):
        dtype = np.dtype(np.int64)
    left_values, right_values = left.values.astype(dtype, copy=False), right.values.astype(dtype, copy=False)
    return operation(left_values, right_values, out=usable(spare, dtype, max(len(left), len(right)))), bounds


def usable(spare: Array | None, dtype: np.dtype[Any], length: int) -> Array | None:
    """The spare array, if a result of this kind fits into it."""
    return spare if spare is not None and spare.dtype == dtype and len(spare) == length else None


def _without_proof(operation: np.ufunc, left: Array, right: Array, valid: BoolArray | None) -> tuple[Array, Bounds]:
    values: Array = operation(left, right)
    estimate = operation(left.astype(np.float64), right.astype(np.float64))
    doubtful = np.abs(estimate) >= _SAFE_ESTIMATE
    if valid is not None:
        doubtful &= valid
    rows = np.flatnonzero(doubtful)
    if len(rows) == 0:
        return values, measured_bounds(values, valid)
    left, right = np.broadcast_to(left, values.shape), np.broadcast_to(right, values.shape)
    exact = values.astype(np.object_)
    exact[rows] = operation(left[rows].astype(np.object_), right[rows].astype(np.object_))
    return narrowed(exact, valid)


def narrowed(values: Array, valid: BoolArray | None) -> tuple[Array, Bounds]:
    """An array of Python ints as int64 where they fit, and its bounds. NULLs become 0, so that they never grow."""
    if valid is not None:
        values = np.where(valid, values, 0)
    bounds = measured_bounds(values, None)
    return (values.astype(np.int64) if within(bounds, BIGINT_RANGE) else values), bounds


def scaled_up(column: Column, digits: int) -> tuple[Array, Bounds]:
    """The values times 10^digits, and bounds of them."""
    if digits == 0:
        return column.values, bounds_of(column)
    factor = Column(column.type, np.array([10**digits], np.int64 if digits < 19 else np.object_), None, None,
                    (10**digits, 10**digits))  # fmt: skip
    return combine("*", column, factor, column.valid, np.dtype(np.int64))


def scaled_down(column: Column, digits: int) -> tuple[Array, Bounds]:
    """The values divided by 10^digits and rounded, halves away from zero, and bounds of them."""
    if digits == 0:
        return column.values, bounds_of(column)
    divisor = 10**digits
    values = column.values
    low, high = bounds_of(column)
    bounds = (rounded_quotient(low, divisor), rounded_quotient(high, divisor))
    if values.dtype.hasobject:
        magnitude = (np.abs(values) + divisor // 2) // divisor
        return narrowed(np.where(values < 0, -magnitude, magnitude), column.valid)
    if digits > 18:  # 10^19 is no int64
        return scaled_down(Column(column.type, values.astype(np.object_), column.valid, None, column.bounds), digits)
    quotient = values // divisor
    rest = values - quotient * divisor
    # The quotient is rounded down: a half goes up where that is away from zero.
    quotient += (rest > divisor // 2) | ((rest == divisor // 2) & (values >= 0))
    return quotient, bounds


def first_outside(values: Array, valid: BoolArray | None, range_: Bounds) -> int | None:
    """The first row that is not NULL and whose value lies outside the range; None where there is none."""
    outside = (values < range_[0]) | (values > range_[1])
    if valid is not None:
        outside &= valid
    rows = np.flatnonzero(outside)
    return int(rows[0]) if len(rows) else None


def rounded_quotient(number: int, divisor: int) -> int:
    """`number / divisor` for a positive divisor that is even, rounded, halves away from zero."""
    magnitude = (abs(number) + divisor // 2) // divisor
    return -magnitude if number < 0 else magnitude
