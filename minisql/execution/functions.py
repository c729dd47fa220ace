"""The scalar functions of `expression.functions` on columns.

`make_function` gives the kernel of a call. Kernels are called with columns of values of the declared types, constants
among them with one row, none of them a constant NULL, and give NULL where an argument is NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np

from minisql.columnar.column import Array, Bounds, Column, concat_columns
from minisql.columnar.python_values import to_values
from minisql.datatypes import BIGINT, MAX_DECIMAL_PRECISION, SqlType, TypeKind
from minisql.errors import InternalError, Span
from minisql.execution import exact
from minisql.execution.arithmetic import both_valid, in_range, negate, value_at
from minisql.execution.interval_fields import interval_field
from minisql.execution.operand import repeated
from minisql.expression.nodes import FunctionCall
from minisql.interval import MICROSECONDS_PER_DAY

Kernel = Callable[..., Column]

# A DOUBLE has no digit beyond these places.
_MOST_DIGITS: Final = 400
# The days of about 270 years, and those that a calendar has more than it was asked for.
_LONGEST_CALENDAR: Final = 100_000
_MORE_DAYS: Final = 1_000
_FIELD_BOUNDS: Final[dict[str, Bounds]] = {
    "quarter": (1, 4), "month": (1, 12), "week": (1, 53), "day": (1, 31), "dow": (0, 6), "doy": (1, 366),
    "hour": (0, 23), "minute": (0, 59), "second": (0, 59),
}  # fmt: skip


def make_function(call: FunctionCall, constants: Sequence[Column | None]) -> Kernel:
    """The kernel of a call, prepared for the arguments that are constants (columns of one row).

    Raises (the kernel):
        DataError: a result is out of range, or an argument is one that the function does not take.
    """
    match call.name:
        case "abs":
            return partial(_abs, call.type, call.span)
        case "round":
            return partial(_round, call.type, call.span)
        case "extract":
            return _make_extract(call, constants)
        case _:
            from minisql.execution import string_functions

            return string_functions.make_string_function(call, constants)


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


def _round(type_: SqlType, span: Span | None, operand: Column, digits: Column | None = None) -> Column:
    """round(operand [, digits]); halves go away from zero."""
    if digits is None:
        return _round_to(type_, span, operand, 0)
    counts = np.clip(digits.values, -_MOST_DIGITS, _MOST_DIGITS)
    if len(counts) == 1 and digits.valid is None:
        return _round_to(type_, span, operand, int(counts[0]))
    if len(operand) == 1:
        operand = repeated(operand, len(counts))
    valid = both_valid(operand, digits)
    operand = Column(operand.type, operand.values, valid, None, operand.bounds)
    rows_of = [(count, np.flatnonzero(counts == count)) for count in np.unique(counts).tolist()]
    parts = [_round_to(type_, span, operand.take(rows), count) for count, rows in rows_of]
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


def _make_extract(call: FunctionCall, constants: Sequence[Column | None]) -> Kernel:
    if constants[0] is None:
        raise InternalError("The field of extract is no literal.")
    field = str(to_values(constants[0])[0])
    if call.arguments[1].type.kind is TypeKind.INTERVAL:
        return lambda _, interval: Column(BIGINT, interval_field(field, interval.values), interval.valid)
    if field in ("hour", "minute", "second", "epoch"):
        return lambda _, when: Column(BIGINT, _time_field(field, when), when.valid, None, _FIELD_BOUNDS.get(field))
    date_field = _DateField(field)
    return lambda _, when: date_field(when)


def _time_field(field: str, when: Column) -> Array:
    """A field of the time of the day, or the seconds since 1970."""
    is_date = when.type.kind is TypeKind.DATE
    seconds: Array = when.values.astype(np.int64) * 86_400 if is_date else when.values // 1_000_000
    match field:
        case "hour":
            seconds = seconds // 3600 % 24
        case "minute":
            seconds = seconds // 60 % 60
        case "second":
            seconds = seconds % 60
    return seconds


class _DateField:
    """A field of dates. The calendar of the days between the bounds of a column is computed once and then looked up."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._calendar: tuple[int, Array] = (0, np.zeros(0, np.int64))

    def __call__(self, when: Column) -> Column:
        """The field of dates or timestamps."""
        days, (low, high) = when.values, exact.bounds_of(when)
        if when.type.kind is not TypeKind.DATE:
            days, low, high = days // MICROSECONDS_PER_DAY, low // MICROSECONDS_PER_DAY, high // MICROSECONDS_PER_DAY
        if high - low > _LONGEST_CALENDAR:
            values = _date_field(self._field, days.astype(np.int64))
        else:
            first, calendar = self._calendar
            if low < first or high >= first + len(calendar):
                # Some years more, so that the next batches find their days here as well.
                first = low - _MORE_DAYS
                calendar = _date_field(self._field, np.arange(first, high + _MORE_DAYS + 1))
                self._calendar = first, calendar
            # A day outside of the bounds belongs to a NULL.
            values = calendar.take(days - first, mode="clip")
        return Column(BIGINT, values, when.valid, None, _FIELD_BOUNDS.get(self._field))


def _date_field(field: str, days: Array) -> Array:
    """A field of days since 1970-01-01."""
    values: Array
    match field:
        case "year":
            values = _months(days) // 12 + 1970
        case "quarter":
            values = _months(days) % 12 // 3 + 1
        case "month":
            values = _months(days) % 12 + 1
        case "day":
            values = days - _as_days(_months(days).astype("M8[M]")) + 1
        case "doy":
            values = days - _as_days(days.astype("M8[D]").astype("M8[Y]")) + 1
        case "dow":  # 1970-01-01 was a Thursday, the fourth day after the Sunday
            values = (days + 4) % 7
        case "week":  # the week belongs to the year of its Thursday
            thursdays = days - (days + 3) % 7 + 3
            values = (thursdays - _as_days(thursdays.astype("M8[D]").astype("M8[Y]"))) // 7 + 1
        case _:
            raise InternalError(f"extract does not know the field {field}.")
    return values


def _months(days: Array) -> Array:
    """Months since January 1970."""
    months: Array = days.astype("M8[D]").astype("M8[M]").astype(np.int64)
    return months


def _as_days(dates: Array) -> Array:
    days: Array = dates.astype("M8[D]").astype(np.int64)
    return days
