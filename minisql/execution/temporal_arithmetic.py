"""`+ - * /` with intervals, and the differences of times; see `datatypes.temporal_arithmetic` for what there is.

As in PostgreSQL: a timestamp moves by the months first, at most to the last day of the month, then by the days, then by
the microseconds; a time turns with the clock. An interval is multiplied part by part, and a fraction of a month spills
into days of which it has 30, one of a day into the time.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from minisql.columnar.column import INTERVAL_DTYPE, Array, BoolArray, Column
from minisql.columnar.intervals import interval_lengths
from minisql.datatypes import SqlType, TypeKind
from minisql.errors import DataError, InternalError, Span
from minisql.execution import exact
from minisql.execution.arithmetic import both_valid, value_at
from minisql.execution.months import first_days_of, months_of
from minisql.interval import (
    DAYS_PER_MONTH,
    INTERVAL_FIELD_LIMIT,
    INTERVAL_LIMIT,
    MICROSECONDS_PER_DAY,
    MICROSECONDS_PER_SECOND,
)

_FIELDS: Final = ("months", "days", "microseconds")
_SECONDS_PER_DAY: Final = MICROSECONDS_PER_DAY // MICROSECONDS_PER_SECOND
# Beyond this, doubles leave out some of the int64.
_SURE_LENGTH: Final = float(INTERVAL_LIMIT) * (1 - 2.0**-50)


def is_temporal_arithmetic(type_: SqlType, left: SqlType, right: SqlType) -> bool:
    """Whether an operation is one of this module, and not one on numbers of days."""
    return TypeKind.DATE not in (left.kind, right.kind) and not type_.is_numeric


def temporal_arithmetic(operator: str, left: Column, right: Column, type_: SqlType, span: Span | None) -> Column:
    """`left operator right`, of types that `datatypes.temporal_arithmetic` gives.

    Raises:
        DataError: the result is out of range, or a divisor is zero.
    """
    valid = both_valid(left, right)
    if operator in "*/":
        values, outside = _scaled(operator, left, right, valid, span)
    elif left.type.kind is not TypeKind.INTERVAL and right.type.kind is not TypeKind.INTERVAL:
        if type_.kind is TypeKind.TIMESTAMP:  # a date and a time
            values = left.values + right.values
            return Column(type_, values, valid, None, exact.measured_bounds(values, valid))
        values, outside = _difference(left.values, right.values, in_days=left.type.kind is not TypeKind.TIME), None
    elif type_.kind is TypeKind.INTERVAL:
        values, outside = _sum(left.values, right.values, -1 if operator == "-" else 1)
    else:
        point, distance = (right, left) if left.type.kind is TypeKind.INTERVAL else (left, right)
        sign = -1 if operator == "-" else 1
        if type_.kind is TypeKind.TIME:
            rest = distance.values["microseconds"] % MICROSECONDS_PER_DAY
            values = (point.values + sign * rest) % MICROSECONDS_PER_DAY
            return Column(type_, values, valid, None, (0, MICROSECONDS_PER_DAY - 1))
        values, outside = _moved(point.values, distance.values, sign)
    _check(outside, valid, operator, left, right, type_, span)
    if type_.kind is TypeKind.INTERVAL:
        return Column(type_, values, valid)
    return Column(type_, values, valid, None, exact.measured_bounds(values, valid))


def negate_interval(operand: Column) -> Column:
    """`-operand`, which every interval has."""
    values = np.empty_like(operand.values)
    for field in _FIELDS:
        values[field] = -operand.values[field]
    return Column(operand.type, values, operand.valid)


def _check(
    outside: BoolArray | None,
    valid: BoolArray | None,
    operator: str,
    left: Column,
    right: Column,
    type_: SqlType,
    span: Span | None,
) -> None:
    """Raises for the first row that is not NULL and out of range."""
    if outside is None or not outside.any():
        return
    rows = np.flatnonzero(outside if valid is None else outside & valid)
    if len(rows):
        shown = f"{value_at(left, int(rows[0]))} {operator} {value_at(right, int(rows[0]))}"
        raise DataError(f"{type_.kind.value.lower()} out of range: {shown}", span)


def _moved(points: Array, distances: Array, sign: int) -> tuple[Array, BoolArray]:
    """Timestamps moved by intervals, and which of them are out of range."""
    days, times = points // MICROSECONDS_PER_DAY, points % MICROSECONDS_PER_DAY
    months = distances["months"].astype(np.int64) * sign
    if months.any():
        month = months_of(days)
        day_of_month = days - first_days_of(month)
        target = first_days_of(month + months)
        last_day = first_days_of(month + months + 1) - target - 1
        days = target + np.minimum(day_of_month, last_day)
    microseconds = distances["microseconds"] * sign
    times = times + microseconds % MICROSECONDS_PER_DAY
    days = days + distances["days"].astype(np.int64) * sign + microseconds // MICROSECONDS_PER_DAY
    days = days + times // MICROSECONDS_PER_DAY
    outside = (days < exact.DATE_RANGE[0]) | (days > exact.DATE_RANGE[1])
    if outside.any():
        days = np.where(outside, 0, days)
    return days * MICROSECONDS_PER_DAY + times % MICROSECONDS_PER_DAY, outside


def _difference(left: Array, right: Array, *, in_days: bool) -> Array:
    """Intervals of days and a rest of the same sign, or of microseconds alone."""
    difference = left - right
    values = np.zeros(len(difference), INTERVAL_DTYPE)
    if in_days:
        days = np.abs(difference) // MICROSECONDS_PER_DAY * np.sign(difference)
        values["days"] = days
        difference = difference - days * MICROSECONDS_PER_DAY
    values["microseconds"] = difference
    return values


def _sum(left: Array, right: Array, sign: int) -> tuple[Array, BoolArray]:
    months, days = (left[field].astype(np.int64) + sign * right[field].astype(np.int64) for field in _FIELDS[:2])
    time = left["microseconds"] + sign * right["microseconds"]
    estimate = left["microseconds"].astype(np.float64) + sign * right["microseconds"].astype(np.float64)
    return checked_intervals(months, days, time, np.abs(estimate) >= _SURE_LENGTH)


def checked_intervals(months: Array, days: Array, time: Array, outside: BoolArray) -> tuple[Array, BoolArray]:
    """Intervals of these parts (int64), with 0 for those that are out of range, and which these are."""
    outside = outside | (np.abs(months) >= INTERVAL_FIELD_LIMIT) | (np.abs(days) >= INTERVAL_FIELD_LIMIT)
    whole_days = months.astype(np.float64) * DAYS_PER_MONTH + days
    outside |= np.abs(whole_days * MICROSECONDS_PER_DAY + time) >= _SURE_LENGTH
    values = np.empty(len(outside), INTERVAL_DTYPE)
    for field, part in zip(_FIELDS, (months, days, time), strict=True):
        values[field] = np.where(outside, 0, part)
    return values, outside


def _scaled(
    operator: str, left: Column, right: Column, valid: BoolArray | None, span: Span | None
) -> tuple[Array, BoolArray]:
    interval, factor = (left, right) if left.type.kind is TypeKind.INTERVAL else (right, left)
    factors = factor.values
    if factor.type.kind is TypeKind.BIGINT:
        return _multiplied(interval.values, factors)
    if factor.type.kind is not TypeKind.DOUBLE:
        raise InternalError(f"An interval is not multiplied by {factor.type}.")
    if operator == "/":
        zero = factors == 0
        if zero.any():
            if valid is None or (zero & valid).any():
                raise DataError("division by zero", span)
            factors = np.where(zero, 1.0, factors)
    return _scaled_by_double(operator, interval.values, factors)


def _multiplied(values: Array, factors: Array) -> tuple[Array, BoolArray]:
    """Intervals times integers, exactly."""
    parts = []
    outside = np.abs(interval_lengths(values) * factors.astype(np.float64)) >= _SURE_LENGTH
    for field, limit in zip(_FIELDS, (INTERVAL_FIELD_LIMIT, INTERVAL_FIELD_LIMIT, _SURE_LENGTH), strict=True):
        outside |= np.abs(values[field] * factors.astype(np.float64)) >= limit
        parts.append(values[field].astype(np.int64) * factors)
    months, days, time = parts
    return checked_intervals(months, days, time, outside)


def _scaled_by_double(operator: str, values: Array, factors: Array) -> tuple[Array, BoolArray]:
    """PostgreSQL's interval_mul and interval_div: in double precision, fractions rounded to microseconds."""
    operation = np.multiply if operator == "*" else np.divide
    with np.errstate(all="ignore"):
        months, days, time = (operation(values[field].astype(np.float64), factors) for field in _FIELDS)
        outside = ~(np.isfinite(months) & np.isfinite(days) & np.isfinite(time))
        outside |= (np.abs(months) >= INTERVAL_FIELD_LIMIT) | (np.abs(days) >= INTERVAL_FIELD_LIMIT)
        months, days, time = (np.where(outside, 0.0, part) for part in (months, days, time))
        whole_months, whole_days = np.trunc(months), np.trunc(days)
        spilled = _to_microsecond((months - whole_months) * DAYS_PER_MONTH)
        seconds = _to_microsecond((days - whole_days + spilled - np.trunc(spilled)) * _SECONDS_PER_DAY)
        carried = np.where(np.abs(seconds) >= _SECONDS_PER_DAY, np.trunc(seconds / _SECONDS_PER_DAY), 0.0)
        seconds = seconds - carried * _SECONDS_PER_DAY
        whole_days = whole_days + np.trunc(spilled) + carried
        time = np.rint(time + seconds * MICROSECONDS_PER_SECOND)
    outside |= np.abs(time) >= _SURE_LENGTH
    time = np.where(outside, 0.0, time)
    return checked_intervals(whole_months.astype(np.int64), whole_days.astype(np.int64), time.astype(np.int64), outside)


def _to_microsecond(numbers: Array) -> Array:
    """Numbers of days or seconds, rounded to the sixth digit."""
    rounded: Array = np.rint(numbers * MICROSECONDS_PER_SECOND) / MICROSECONDS_PER_SECOND
    return rounded
