"""The functions on dates and timestamps; what gives them a text stands in `date_texts`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np

from minisql.columnar.column import Array, BoolArray, Column, StringPool
from minisql.columnar.python_values import to_values
from minisql.datatypes import BIGINT, DATE, DOUBLE, INTERVAL, TIME, TIMESTAMP, TIMESTAMPTZ, VARCHAR, TypeKind
from minisql.errors import DataError, InternalError, Span
from minisql.execution import exact
from minisql.execution.arithmetic import both_valid, value_at
from minisql.execution.date_fields import Field, PerDay
from minisql.execution.months import first_days_of, months_of
from minisql.execution.operand import repeated
from minisql.execution.per_constant import all_valid
from minisql.expression.nodes import FunctionCall
from minisql.interval import MICROSECONDS_PER_DAY

Kernel = Callable[..., Column]

DAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

_MICROSECONDS: Final = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": MICROSECONDS_PER_DAY,
    "week": 7 * MICROSECONDS_PER_DAY,
}
_DAYS_OF: Final = ("day", "week")
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1_200, "millennium": 12_000}
# What the months since January 1970 lack to the start of a unit: centuries begin in the year 1 after the hundred.
_MONTHS_BEFORE_1970: Final = {"decade": 1970 * 12, "century": 1969 * 12, "millennium": 1969 * 12}
# The first of January 1970 was a Thursday.
_DAYS_AFTER_MONDAY: Final = 3
_TIMESTAMP_RANGE: Final = (
    exact.DATE_RANGE[0] * MICROSECONDS_PER_DAY, (exact.DATE_RANGE[1] + 1) * MICROSECONDS_PER_DAY - 1
)  # fmt: skip


def make_date_function(call: FunctionCall, constants: Sequence[Column | None]) -> Kernel:
    """The kernel of a function on dates; see `functions.make_function`."""
    name, span = call.name, call.span
    match name:
        case "extract":
            field = Field(_unit(call, constants))
            return lambda _, when: field(when)
        case "date_trunc":
            if call.type.kind is TypeKind.INTERVAL:
                return partial(_truncated_interval, _unit(call, constants))
            return _make_date_trunc(_unit(call, constants), span)
        case "date_diff":
            return _make_date_diff(_unit(call, constants))
        case "date_sub":
            return partial(_date_sub, _unit(call, constants))
        case "strftime" | "strptime" | "to_char" | "date_format":
            from minisql.execution import date_texts

            return date_texts.make_text_function(call, constants)
        case "make_date" | "make_timestamp" | "make_time" | "to_timestamp":
            return partial(_MAKERS[name], span)
        case "last_day":
            last = PerDay(lambda days: (first_days_of(months_of(days) + 1) - 1).astype(np.int32))
            return lambda when: Column(DATE, last(when), when.valid)
        case _:
            return _OF_ONE[name]


def _unit(call: FunctionCall, constants: Sequence[Column | None]) -> str:
    if constants[0] is None:
        raise InternalError(f"The field of {call.name} is no literal.")
    return str(to_values(constants[0])[0])


# --- units ------------------------------------------------------------------------------------------------------------


def _make_date_trunc(unit: str, span: Span | None) -> Kernel:
    start = PerDay(partial(_first_day, unit)) if unit in _DAYS_OF or unit in _MONTHS else None

    def kernel(_: Column, when: Column) -> Column:
        if start is None:
            return Column(when.type, when.values - when.values % _MICROSECONDS[unit], when.valid)
        days = start(when)
        wrong = days < exact.DATE_RANGE[0]
        rows = np.flatnonzero(wrong if when.valid is None else wrong & when.valid)
        if len(rows):
            raise DataError(f"timestamp out of range: date_trunc('{unit}', '{value_at(when, int(rows[0]))}')", span)
        return Column(when.type, days * MICROSECONDS_PER_DAY, when.valid)

    return kernel


def _truncated_interval(unit: str, _: Column, interval: Column) -> Column:
    values = interval.values.copy()
    if unit in _MONTHS:
        values["months"] = np.trunc(values["months"] / _MONTHS[unit]) * _MONTHS[unit]
        values["days"] = 0
    if unit in _MONTHS or unit in _DAYS_OF:
        values["microseconds"] = 0
    else:
        size = _MICROSECONDS[unit]
        values["microseconds"] -= np.sign(values["microseconds"]) * (np.abs(values["microseconds"]) % size)
    return Column(INTERVAL, values, interval.valid)


def _first_day(unit: str, days: Array) -> Array:
    """The first day of the unit that days lie in."""
    if unit in _MONTHS:
        length, before = _MONTHS[unit], _MONTHS_BEFORE_1970.get(unit, 0)
        months = months_of(days) + before
        return first_days_of(months - months % length - before)
    return np.asarray(days - (days + _DAYS_AFTER_MONDAY) % 7 if unit == "week" else days)


def _number(unit: str, days: Array) -> Array:
    """The number of the unit that days lie in, from anywhere."""
    if unit in _MONTHS:
        return np.asarray((months_of(days) + _MONTHS_BEFORE_1970.get(unit, 0)) // _MONTHS[unit])
    return np.asarray((days + _DAYS_AFTER_MONDAY) // 7 if unit == "week" else days)


def _make_date_diff(unit: str) -> Kernel:
    """How many times the unit begins."""
    per_day = unit in _DAYS_OF or unit in _MONTHS
    # One for each side: the calendar of one does not fit the days of the other.
    numbers = [PerDay(partial(_number, unit)) for _ in range(2)]

    def kernel(_: Column, start: Column, end: Column) -> Column:
        first, last = (
            number(when) if per_day else when.values // _MICROSECONDS[unit]
            for number, when in zip(numbers, (start, end), strict=True)
        )
        return Column(BIGINT, last - first, both_valid(start, end))

    return kernel


def _date_sub(unit: str, _: Column, start: Column, end: Column) -> Column:
    """The whole units from start to end, negative where the end is the earlier one."""
    valid = both_valid(start, end)
    earlier, later = np.minimum(start.values, end.values), np.maximum(start.values, end.values)
    if unit in _MONTHS:
        counts = _whole_months(earlier, later) // _MONTHS[unit]
    else:
        counts = (later - earlier) // _MICROSECONDS[unit]
    return Column(BIGINT, np.where(start.values <= end.values, counts, -counts), valid)


def _whole_months(earlier: Array, later: Array) -> Array:
    """A day that the last month does not have counts as its last one."""
    first_days, last_days = earlier // MICROSECONDS_PER_DAY, later // MICROSECONDS_PER_DAY
    first_months, last_months = months_of(first_days), months_of(last_days)
    first_of_last = first_days_of(last_months)
    day = first_days - first_days_of(first_months)
    longest = first_days_of(last_months + 1) - first_of_last - 1
    reached = (first_of_last + np.minimum(day, longest)) * MICROSECONDS_PER_DAY + earlier % MICROSECONDS_PER_DAY
    months: Array = last_months - first_months - (reached > later)
    return months


# --- of one date ------------------------------------------------------------------------------------------------------


def _epoch(when: Column) -> Column:
    return Column(DOUBLE, when.values / 1_000_000, when.valid)


def _epoch_ms(when: Column) -> Column:
    return Column(BIGINT, when.values // 1_000, when.valid)


def _named(names: Sequence[str], places: Array, valid: BoolArray | None) -> Column:
    import pyarrow as pa

    pool = StringPool(pa.array(names, pa.large_string()), distinct=True)
    return Column(VARCHAR, places.astype(np.int32), valid, pool)


def _dayname(when: Column) -> Column:
    return _named(DAY_NAMES, (when.values + _DAYS_AFTER_MONDAY) % 7, when.valid)


def _monthname(when: Column) -> Column:
    return _named(MONTH_NAMES, months_of(when.values) % 12, when.valid)


_OF_ONE: Final[dict[str, Kernel]] = {
    "epoch": _epoch,
    "epoch_ms": _epoch_ms,
    "dayname": _dayname,
    "monthname": _monthname,
}


# --- making dates -----------------------------------------------------------------------------------------------------


def _days_of(
    parts: Sequence[Column], others: BoolArray, span: Span | None, what: str
) -> tuple[Array, BoolArray | None, list[Column]]:
    """The days of years, months and days of month, which come first in `parts`; `others` tells the rows that fit else.

    Raises:
        DataError: a row that is not NULL does not fit.
    """
    length = max(map(len, parts))
    full = [part if len(part) == length else repeated(part, length) for part in parts]
    valid = all_valid(full)
    years, months, days = (part.values.astype(np.int64) for part in full[:3])
    fits = (years >= 1) & (years <= 9999) & (months >= 1) & (months <= 12) & others
    month = (np.where(fits, years, 1970) - 1970) * 12 + np.where(fits, months, 1) - 1
    first = first_days_of(month)
    fits &= (days >= 1) & (days <= first_days_of(month + 1) - first)
    wrong = np.flatnonzero(~fits if valid is None else ~fits & valid)
    if len(wrong):
        given = ", ".join(str(value_at(part, int(wrong[0]))) for part in full)
        raise DataError(f"{what} out of range: make_{what}({given})", span)
    return first + np.where(fits, days, 1) - 1, valid, full


def _make_date(span: Span | None, *parts: Column) -> Column:
    days, valid, _ = _days_of(parts, np.ones(1, np.bool_), span, "date")
    return Column(DATE, days.astype(np.int32), valid)


def _make_timestamp(span: Span | None, *parts: Column) -> Column:
    time, fits = _time_of(parts[3:])
    days, valid, _ = _days_of(parts, fits, span, "timestamp")
    return Column(TIMESTAMP, days * MICROSECONDS_PER_DAY + time, valid)


def _make_time(span: Span | None, *parts: Column) -> Column:
    length = max(map(len, parts))
    full = [part if len(part) == length else repeated(part, length) for part in parts]
    valid = all_valid(full)
    time, fits = _time_of(full)
    # 59.9999999 seconds are those of the next minute, and there is none after 23:59.
    fits &= time < MICROSECONDS_PER_DAY
    wrong = np.flatnonzero(~fits if valid is None else ~fits & valid)
    if len(wrong):
        given = ", ".join(str(value_at(part, int(wrong[0]))) for part in full)
        raise DataError(f"time out of range: make_time({given})", span)
    return Column(TIME, np.where(fits, time, 0), valid)


def _time_of(parts: Sequence[Column]) -> tuple[Array, BoolArray]:
    """The microseconds of hours, minutes and seconds, and which rows have such as there are."""
    hours, minutes, seconds = (part.values for part in parts)
    fits = (hours >= 0) & (hours < 24) & (minutes >= 0) & (minutes < 60) & (seconds >= 0) & (seconds < 60)
    with np.errstate(all="ignore"):
        fraction = np.where(fits, np.rint(seconds * 1_000_000), 0).astype(np.int64)
    whole = np.where(fits, hours * 60 + minutes, 0).astype(np.int64) * _MICROSECONDS["minute"]
    return whole + fraction, fits


def _to_timestamp(span: Span | None, seconds: Column) -> Column:
    with np.errstate(all="ignore"):
        exact_values = np.rint(seconds.values * 1_000_000.0)
        fits = (exact_values >= _TIMESTAMP_RANGE[0]) & (exact_values <= _TIMESTAMP_RANGE[1])
    wrong = np.flatnonzero(~fits if seconds.valid is None else ~fits & seconds.valid)
    if len(wrong):
        raise DataError(f"timestamp out of range: to_timestamp({value_at(seconds, int(wrong[0]))})", span)
    return Column(TIMESTAMPTZ, np.where(fits, exact_values, 0).astype(np.int64), seconds.valid)


_MAKERS: Final[dict[str, Callable[..., Column]]] = {
    "make_date": _make_date,
    "make_timestamp": _make_timestamp,
    "make_time": _make_time,
    "to_timestamp": _to_timestamp,
}
