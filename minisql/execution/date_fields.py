"""EXTRACT: the fields of dates, timestamps and times; those of intervals stand in `interval_fields`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from minisql.columnar.column import Array, Bounds, Column
from minisql.datatypes import BIGINT, TypeKind
from minisql.errors import InternalError
from minisql.execution import exact
from minisql.execution.interval_fields import interval_field
from minisql.execution.months import first_days_of, months_of
from minisql.interval import MICROSECONDS_PER_DAY

# The days of about 270 years, and those that a calendar has more than it was asked for.
_LONGEST_CALENDAR: Final = 100_000
_MORE_DAYS: Final = 1_000
_FIELD_BOUNDS: Final[dict[str, Bounds]] = {
    "quarter": (1, 4), "month": (1, 12), "week": (1, 53), "day": (1, 31), "dow": (0, 6), "doy": (1, 366),
    "hour": (0, 23), "minute": (0, 59), "second": (0, 59), "isodow": (1, 7), "millisecond": (0, 59_999),
    "microsecond": (0, 59_999_999),
}  # fmt: skip
_TIME_FIELDS: Final = ("hour", "minute", "second", "epoch", "millisecond", "microsecond")
_MICROSECONDS: Final = {"microsecond": 1, "millisecond": 1_000, "minute": 60_000_000}


class Field:
    """A field as a kernel."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._of_day = None if field in _TIME_FIELDS else PerDay(partial(_date_field, field))

    def __call__(self, when: Column) -> Column:
        """The field of points in time, times or intervals."""
        if when.type.kind is TypeKind.INTERVAL:
            return Column(BIGINT, interval_field(self._field, when.values), when.valid)
        values = _time_field(self._field, when) if self._of_day is None else self._of_day(when)
        return Column(BIGINT, values, when.valid, None, _FIELD_BOUNDS.get(self._field))


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
        case "millisecond" | "microsecond":
            fraction = 0 if is_date else when.values % _MICROSECONDS["minute"] // _MICROSECONDS[field]
            seconds = np.zeros(len(when), np.int64) + fraction
    return seconds


class PerDay:
    """A function of days since 1970. Its values for all days between the bounds of a column are computed once."""

    def __init__(self, function: Callable[[Array], Array]) -> None:
        self._function = function
        self._calendar: tuple[int, Array] = (0, np.zeros(0, np.int64))

    def __call__(self, when: Column) -> Array:
        """The values for dates or timestamps."""
        days, (low, high) = when.values, exact.bounds_of(when)
        if when.type.kind is not TypeKind.DATE:
            days, low, high = days // MICROSECONDS_PER_DAY, low // MICROSECONDS_PER_DAY, high // MICROSECONDS_PER_DAY
        if high - low > _LONGEST_CALENDAR:
            return self._function(days.astype(np.int64))
        first, calendar = self._calendar
        if low < first or high >= first + len(calendar):
            # Some years more, so that the next batches find their days here as well.
            first = low - _MORE_DAYS
            calendar = self._function(np.arange(first, high + _MORE_DAYS + 1))
            self._calendar = first, calendar
        # A day outside of the bounds belongs to a NULL.
        return calendar.take(days - first, mode="clip")


def _date_field(field: str, days: Array) -> Array:
    """A field of days since 1970-01-01."""
    values: Array
    match field:
        case "year":
            values = months_of(days) // 12 + 1970
        case "decade":
            values = (months_of(days) // 12 + 1970) // 10
        case "century":
            values = (months_of(days) // 12 + 2069) // 100
        case "millennium":
            values = (months_of(days) // 12 + 2969) // 1000
        case "quarter":
            values = months_of(days) % 12 // 3 + 1
        case "month":
            values = months_of(days) % 12 + 1
        case "day":
            values = days - first_days_of(months_of(days)) + 1
        case "doy":
            values = _days_of_year(days)
        case "dow":  # 1970-01-01 was a Thursday, the fourth day after the Sunday
            values = (days + 4) % 7
        case "isodow":
            values = (days + 3) % 7 + 1
        case "isoyear":
            values = months_of(days - (days + 3) % 7 + 3) // 12 + 1970
        case "week":  # the week belongs to the year of its Thursday
            thursdays = days - (days + 3) % 7 + 3
            values = (_days_of_year(thursdays) - 1) // 7 + 1
        case _:
            raise InternalError(f"extract does not know the field {field}.")
    return values


def _days_of_year(days: Array) -> Array:
    """1 for the first of January."""
    months = months_of(days)
    return days - first_days_of(months - months % 12) + 1
