"""The operators `+ - * / %` and negation on columns.

Integers, decimals and dates are exact: a result that its type cannot hold raises `DataError`, and so does a division by
zero, where the row is not NULL. DOUBLE follows IEEE 754, division by zero apart. As everywhere in the evaluation of
expressions, an operand of one row is a constant that stands for every row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from minisql.columnar.column import PHYSICAL_DTYPE, Array, BoolArray, Bounds, Column
from minisql.columnar.python_values import to_values
from minisql.datatypes import BIGINT_RANGE, INTEGER_RANGE, SqlType, TypeKind
from minisql.errors import DataError, Span
from minisql.execution import exact

_DOUBLE_OPERATIONS: Final[dict[str, np.ufunc]] = {**exact.OPERATIONS, "/": np.divide, "%": np.fmod}


def arithmetic(
    operator: str, left: Column, right: Column, type_: SqlType, span: Span | None, spare: Array | None = None
) -> Column:
    """`left operator right` of the type that `datatypes.arithmetic_type` gives.

    For a DOUBLE result both operands are DOUBLE; for a DECIMAL one they are exact numbers, of one scale unless they are
    multiplied. `spare` is an array that nobody else reads, perhaps of an operand: the result may be written there.

    Raises:
        DataError: the result is out of range, or a divisor is zero.
    """
    valid = both_valid(left, right)
    if operator in "/%":
        right = _without_zeros(right, valid, span)
    if type_.kind is TypeKind.DOUBLE:
        return Column(type_, _double(operator, left.values, right.values, spare), valid)
    if operator in "/%":
        values, bounds = _divide(operator, left, right, valid)
    else:
        values, bounds = exact.combine(operator, left, right, valid, PHYSICAL_DTYPE[type_.kind], spare)

    def describe(row: int) -> str:
        return f"{value_at(left, row)} {operator} {value_at(right, row)}"

    values, bounds = in_range(values, bounds, valid, type_, describe, span)
    return Column(type_, values, valid, None, bounds)


def value_at(column: Column, row: int) -> str:
    """The value of a row for a message; a constant has it in its only row."""
    return str(to_values(column.take(np.array([row if len(column) > 1 else 0])))[0])


def negate(operand: Column, type_: SqlType, span: Span | None) -> Column:
    """`-operand`.

    Raises:
        DataError: the operand is the smallest number of its type.
    """
    if type_.kind is TypeKind.DOUBLE:
        return Column(type_, -operand.values, operand.valid)
    zero = Column(type_, np.zeros(1, operand.values.dtype), None, None, (0, 0))
    values, bounds = exact.combine("-", zero, operand, operand.valid, PHYSICAL_DTYPE[type_.kind])
    values, bounds = in_range(values, bounds, operand.valid, type_, lambda row: f"-({value_at(operand, row)})", span)
    return Column(type_, values, operand.valid, None, bounds)


def both_valid(left: Column, right: Column) -> BoolArray | None:
    """Which rows are NULL on neither side. (A constant operand is not NULL.)"""
    if left.valid is None:
        return right.valid
    return left.valid if right.valid is None else left.valid & right.valid


def _without_zeros(divisor: Column, valid: BoolArray | None, span: Span | None) -> Column:
    """The divisor with 1 in place of the zeros of rows that are NULL."""
    if divisor.bounds is not None and (divisor.bounds[0] > 0 or divisor.bounds[1] < 0) and divisor.valid is None:
        return divisor
    zero = divisor.values == 0
    if not zero.any():
        return divisor
    if valid is None or (zero & valid).any():
        raise DataError("division by zero", span)
    return Column(divisor.type, np.where(zero, 1, divisor.values), divisor.valid, None, divisor.bounds)


def _double(operator: str, left: Array, right: Array, spare: Array | None) -> Array:
    out = exact.usable(spare, left.dtype, max(len(left), len(right)))
    # Infinities and NaN are values of a DOUBLE.
    with np.errstate(all="ignore"):
        values: Array = _DOUBLE_OPERATIONS[operator](left, right, out=out)
    return values


def _divide(operator: str, left: Column, right: Column, valid: BoolArray | None) -> tuple[Array, Bounds]:
    """The quotient, cut towards zero, or the rest, which has the sign of the dividend. Divisors are not zero."""
    low, high = exact.bounds_of(left)
    divisor_low, divisor_high = exact.bounds_of(right)
    dividends, divisors = left.values, right.values
    if dividends.dtype.hasobject or divisors.dtype.hasobject or low == BIGINT_RANGE[0]:
        # The smallest int64 divided by -1 is no int64.
        dividends, divisors = dividends.astype(np.object_), divisors.astype(np.object_)
    elif low == INTEGER_RANGE[0]:
        dividends = dividends.astype(np.int64)
    quotient = dividends // divisors
    rest = dividends - quotient * divisors
    # numpy rounds the quotient down; where that is away from zero, the rest has the sign of the divisor.
    if low < 0 or divisor_low < 0:
        away = (rest != 0) & ((rest < 0) != (dividends < 0))
        quotient = quotient + away
        rest = rest - away * divisors
    if quotient.dtype.hasobject:
        return exact.narrowed(quotient if operator == "/" else rest, valid)
    largest = max(abs(low), abs(high))
    if operator == "/":
        smallest = 0 if low >= 0 and divisor_low >= 0 else -largest
        return quotient, (smallest, largest)
    largest = min(largest, max(abs(divisor_low), abs(divisor_high)) - 1)
    return rest, (0 if low >= 0 else -largest, largest)


def in_range(
    values: Array,
    bounds: Bounds,
    valid: BoolArray | None,
    type_: SqlType,
    describe: Callable[[int], str],
    span: Span | None,
) -> tuple[Array, Bounds]:
    """The values in the array type of `type_`; `describe` gives the computation of a row for the message."""
    range_ = exact.value_range(type_)
    if not exact.within(bounds, range_):
        bounds = exact.measured_bounds(values, valid)
        if not exact.within(bounds, range_):
            row = exact.first_outside(values, valid, range_)
            if row is not None:
                raise DataError(f"{type_.kind.value.lower()} out of range: {describe(row)}", span)
    if type_.kind is not TypeKind.DECIMAL:
        values = values.astype(PHYSICAL_DTYPE[type_.kind], copy=False)
    return values, bounds
