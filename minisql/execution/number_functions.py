"""The functions on numbers.

Exact numbers stay exact, and what their type cannot hold raises `DataError`. Functions on DOUBLE give infinities and
NaN as IEEE 754 says where the limit exists; outside of its domain a function raises, as in PostgreSQL.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from minisql.columnar.column import Array, BoolArray, Column, concat_columns
from minisql.datatypes import BIGINT, BOOLEAN, DOUBLE, INTEGER, MAX_DECIMAL_PRECISION, SqlType, TypeKind
from minisql.errors import DataError, Span
from minisql.execution import exact
from minisql.execution.arithmetic import both_valid, in_range, negate, value_at
from minisql.execution.operand import Evaluator, repeated
from minisql.expression.nodes import FunctionCall

Kernel = Callable[..., Column]

# A DOUBLE has no digit beyond these places.
_MOST_DIGITS: Final = 400
_FACTORIALS: Final = np.array([math.factorial(number) for number in range(34)], np.object_)
_UNARY: Final[dict[str, Callable[[Array], Array]]] = {
    "sqrt": np.sqrt, "cbrt": np.cbrt, "exp": np.exp, "ln": np.log, "log10": np.log10, "log2": np.log2, "sin": np.sin,
    "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh,
    "cosh": np.cosh, "tanh": np.tanh, "degrees": np.degrees, "radians": np.radians,
    "cot": lambda angle: 1 / np.tan(angle),
}  # fmt: skip
_TESTS: Final[dict[str, Callable[[Array], BoolArray]]] = {
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
}
_BITS: Final[dict[str, Callable[..., Array]]] = {
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "bitwise_not": np.invert,
    "bit_count": lambda numbers: np.bitwise_count(numbers.view(np.uint64)),
}
_LOGARITHMS: Final = ("ln", "log10", "log2")


def make_number_function(call: FunctionCall) -> Kernel:
    """The kernel of a function on numbers; see `functions.make_function`."""
    name, type_, span = call.name, call.type, call.span
    if name in _UNARY:
        return partial(_unary, name, span)
    if name in _TESTS:
        return lambda operand: Column(BOOLEAN, _TESTS[name](operand.values), operand.valid)
    if name in _BITS:
        return partial(_bits, _BITS[name])
    match name:
        case "abs":
            return partial(_abs, type_, span)
        case "round":
            return partial(_to_digits, partial(_round_to, type_, span))
        case "trunc" | "ceil" | "floor":
            return partial(_to_digits, partial(_cut_to, name, type_))
    return partial(_KERNELS[name], span)


def random() -> Evaluator:
    """Random numbers from 0 up to 1."""
    generator = np.random.default_rng()
    return lambda batch: Column(DOUBLE, generator.random(len(batch)))


def _refuse(wrong: BoolArray, valid: BoolArray | None, message: str, span: Span | None) -> None:
    """Raises the error if a row is wrong that is not NULL."""
    if wrong.any() and (valid is None or (wrong & valid).any()):
        raise DataError(message, span)


# --- DOUBLE -----------------------------------------------------------------------------------------------------------


def _unary(name: str, span: Span | None, operand: Column) -> Column:
    values, valid = operand.values, operand.valid
    if name == "sqrt":
        _refuse(values < 0, valid, "cannot take square root of a negative number", span)
    elif name in _LOGARITHMS:
        _check_logarithm(operand, span)
    elif name in ("asin", "acos"):
        _refuse(np.abs(values) > 1, valid, f"{name} takes a number from -1 to 1", span)
    with np.errstate(all="ignore"):
        return Column(DOUBLE, _UNARY[name](values), valid)


def _check_logarithm(operand: Column, span: Span | None) -> None:
    _refuse(operand.values == 0, operand.valid, "cannot take logarithm of zero", span)
    _refuse(operand.values < 0, operand.valid, "cannot take logarithm of a negative number", span)


def _log(span: Span | None, base: Column, operand: Column | None = None) -> Column:
    """log(operand) or log(base, operand)."""
    if operand is None:
        return _unary("log10", span, base)
    valid = both_valid(base, operand)
    for argument in (base, operand):
        _check_logarithm(Column(DOUBLE, argument.values, valid), span)
    _refuse(base.values == 1, valid, "division by zero", span)
    with np.errstate(all="ignore"):
        # The exact ones for the bases that have them.
        values = np.log(operand.values) / np.log(base.values)
        for exact_base, logarithm in ((2.0, np.log2), (10.0, np.log10)):
            values = np.where(base.values == exact_base, logarithm(operand.values), values)
    return Column(DOUBLE, values, valid)


def _power(span: Span | None, base: Column, exponent: Column) -> Column:
    valid = both_valid(base, exponent)
    numbers, powers = base.values, exponent.values
    _refuse((numbers == 0) & (powers < 0), valid, "zero raised to a negative power is undefined", span)
    fraction = np.isfinite(numbers) & np.isfinite(powers) & (powers != np.trunc(powers))
    message = "a negative number raised to a non-integer power yields a complex result"
    _refuse((numbers < 0) & fraction, valid, message, span)
    with np.errstate(all="ignore"):
        return Column(DOUBLE, np.power(numbers, powers), valid)


def _atan2(_: Span | None, y: Column, x: Column) -> Column:
    return Column(DOUBLE, np.arctan2(y.values, x.values), both_valid(y, x))


def _sign(_: Span | None, operand: Column) -> Column:
    values = (operand.values > 0).astype(np.int32) - (operand.values < 0).astype(np.int32)
    return Column(INTEGER, values, operand.valid, None, (-1, 1))


# --- integers ---------------------------------------------------------------------------------------------------------


def _bits(operation: Callable[..., Array], *operands: Column) -> Column:
    valid = operands[0].valid if len(operands) == 1 else both_valid(*operands)
    values = operation(*[operand.values.astype(np.int64) for operand in operands])
    return Column(BIGINT, values.astype(np.int64), valid)


def _shift_left(span: Span | None, number: Column, bits: Column) -> Column:
    valid = both_valid(number, bits)
    _refuse((bits.values < 0) | (bits.values > 63), valid, "A number is shifted by 0 to 63 bits.", span)
    numbers, counts = number.values.astype(np.int64), np.clip(bits.values, 0, 63).astype(np.int64)
    values = np.left_shift(numbers, counts)
    _refuse(np.right_shift(values, counts) != numbers, valid, "bigint out of range: bits are shifted out", span)
    return Column(BIGINT, values, valid)


def _shift_right(span: Span | None, number: Column, bits: Column) -> Column:
    valid = both_valid(number, bits)
    _refuse(bits.values < 0, valid, "A number is not shifted by a negative number of bits.", span)
    return Column(BIGINT, np.right_shift(number.values.astype(np.int64), np.clip(bits.values, 0, 63)), valid)


def _gcd(span: Span | None, left: Column, right: Column) -> Column:
    valid = both_valid(left, right)
    values = np.gcd(left.values.astype(np.int64), right.values.astype(np.int64))
    # 2^63 alone is no int64.
    _refuse(values < 0, valid, "bigint out of range: gcd", span)
    return Column(BIGINT, values, valid)


def _lcm(span: Span | None, left: Column, right: Column) -> Column:
    valid = both_valid(left, right)
    numbers, others = left.values.astype(np.int64), right.values.astype(np.int64)
    divisors = np.gcd(numbers, others)
    quotient = numbers // np.where(divisors == 0, 1, divisors)
    values, bounds = exact.combine("*", Column(BIGINT, quotient), Column(BIGINT, others), valid, np.dtype(np.int64))

    def describe(row: int) -> str:
        return f"lcm({value_at(left, row)}, {value_at(right, row)})"

    values, bounds = in_range(values, bounds, valid, BIGINT, describe, span)
    return _abs(BIGINT, span, Column(BIGINT, values, valid, None, bounds))


def _factorial(span: Span | None, operand: Column) -> Column:
    most = len(_FACTORIALS) - 1
    wrong = (operand.values < 0) | (operand.values > most)
    _refuse(wrong, operand.valid, f"factorial takes an integer from 0 to {most}", span)
    values, bounds = exact.narrowed(_FACTORIALS.take(np.clip(operand.values, 0, most)), operand.valid)
    return Column(SqlType(TypeKind.DECIMAL, MAX_DECIMAL_PRECISION), values, operand.valid, None, bounds)


# --- rounding ---------------------------------------------------------------------------------------------------------


def _abs(type_: SqlType, span: Span | None, operand: Column) -> Column:
    if type_.kind is TypeKind.DOUBLE:
        return Column(type_, np.abs(operand.values), operand.valid)
    low, high = exact.bounds_of(operand)
    if low >= 0:
        return operand
    negative = np.flatnonzero(operand.values < 0)
    negated = negate(operand.take(negative), type_, span)
    values = operand.values.astype(np.result_type(operand.values, negated.values))
    values[negative] = negated.values
    return Column(type_, values, operand.valid, None, (0, max(-low, high)))


def _to_digits(to: Callable[[Column, int], Column], operand: Column, digits: Column | None = None) -> Column:
    """`to(operand, digits)`, which takes the same number of digits for all rows; without digits to a whole number."""
    if digits is None:
        return to(operand, 0)
    counts = np.clip(digits.values, -_MOST_DIGITS, _MOST_DIGITS)
    if len(counts) == 1 and digits.valid is None:
        return to(operand, int(counts[0]))
    if len(operand) == 1:
        operand = repeated(operand, len(counts))
    valid = both_valid(operand, digits)
    operand = Column(operand.type, operand.values, valid, None, operand.bounds)
    rows_of = [(count, np.flatnonzero(counts == count)) for count in np.unique(counts).tolist()]
    parts = [to(operand.take(rows), count) for count, rows in rows_of]
    places = np.empty(len(counts), np.intp)
    places[np.concatenate([rows for _, rows in rows_of])] = np.arange(len(counts))
    return concat_columns(parts).take(places)


def _round_to(type_: SqlType, span: Span | None, operand: Column, digits: int) -> Column:
    if type_.kind is TypeKind.DOUBLE:
        return Column(type_, _round_doubles(operand.values, digits), operand.valid)
    dropped = min(operand.type.scale - digits, MAX_DECIMAL_PRECISION + 1)
    if dropped <= 0:
        return Column(type_, operand.values, operand.valid, None, operand.bounds)
    values, bounds = exact.scaled_down(operand, dropped)
    restored = dropped - (operand.type.scale - type_.scale)
    values, bounds = exact.scaled_up(Column(type_, values, operand.valid, None, bounds), restored)

    def describe(row: int) -> str:
        return f"round({value_at(operand, row)}, {digits})"

    values, bounds = in_range(values, bounds, operand.valid, type_, describe, span)
    return Column(type_, values, operand.valid, None, bounds)


def _round_doubles(values: Array, digits: int) -> Array:
    """As C does it: scaled, rounded, scaled back; what the scaling would carry away from the DOUBLEs stays as it is."""
    power = 10.0 ** min(abs(digits), 308)
    with np.errstate(all="ignore"):
        scaled = values * power if digits >= 0 else values / power
        whole = np.trunc(scaled)
        whole += np.where(np.abs(scaled - whole) >= 0.5, np.copysign(1.0, scaled), 0.0)
        rounded = whole / power if digits >= 0 else whole * power
    return np.where(np.isfinite(rounded), rounded, values)


def _cut_to(name: str, type_: SqlType, operand: Column, digits: int) -> Column:
    """TRUNC, CEIL and FLOOR to so many digits."""
    if type_.kind is TypeKind.DOUBLE:
        return Column(type_, _cut_doubles(name, operand.values, digits), operand.valid)
    dropped = min(operand.type.scale - digits, MAX_DECIMAL_PRECISION + 1)
    if dropped <= 0:
        return Column(type_, operand.values, operand.valid, None, operand.bounds)
    divisor = 10**dropped
    values = operand.values.astype(np.int64 if dropped <= 18 and operand.values.dtype != np.object_ else np.object_)
    # Rounded down; where there is a rest, the number above is the one that is wanted instead.
    quotient = values // divisor
    if name != "floor":
        has_rest = quotient * divisor != values
        quotient = quotient + (has_rest if name == "ceil" else has_rest & np.less(values, 0))
    values = quotient
    values, bounds = exact.narrowed(values, operand.valid) if values.dtype.hasobject else (values, None)
    restored = dropped - (operand.type.scale - type_.scale)
    values, bounds = exact.scaled_up(Column(type_, values, operand.valid, None, bounds), restored)
    if type_.is_integer:
        values = values.astype(operand.values.dtype)
    return Column(type_, values, operand.valid, None, bounds)


def _cut_doubles(name: str, values: Array, digits: int) -> Array:
    cut = {"trunc": np.trunc, "ceil": np.ceil, "floor": np.floor}[name]
    if digits == 0:
        whole: Array = cut(values)
        return whole
    power = 10.0 ** min(abs(digits), 308)
    with np.errstate(all="ignore"):
        result = cut(values * power) / power if digits > 0 else cut(values / power) * power
    return np.where(np.isfinite(result), result, values)


_KERNELS: Final[dict[str, Callable[..., Column]]] = {
    "sign": _sign,
    "power": _power,
    "log": _log,
    "atan2": _atan2,
    "gcd": _gcd,
    "lcm": _lcm,
    "factorial": _factorial,
    "shift_left": _shift_left,
    "shift_right": _shift_right,
}
