"""The functions of `expression.interval_functions` that are not written out as others."""

from __future__ import annotations

from functools import partial
from typing import Final, Protocol

import numpy as np

from minisql.columnar.column import INTERVAL_DTYPE, Array, Column
from minisql.datatypes import INTERVAL
from minisql.errors import DataError, Span
from minisql.execution.arithmetic import both_valid, value_at
from minisql.execution.months import first_days_of, months_of
from minisql.execution.temporal_arithmetic import checked_intervals
from minisql.expression.nodes import FunctionCall
from minisql.interval import DAYS_PER_MONTH, MICROSECONDS_PER_DAY

_Parts = tuple[Array, Array, Array]


class Kernel(Protocol):
    """A function on columns."""

    def __call__(self, *arguments: Column) -> Column: ...


def make_interval_function(call: FunctionCall) -> Kernel:
    """The kernel of a function on intervals; see `functions.make_function`."""
    if call.name == "age":
        return _age
    return partial(_justified, call.name, call.span)


# --- age --------------------------------------------------------------------------------------------------------------


def _age(*arguments: Column) -> Column:
    """The difference of timestamps part by part, as in PostgreSQL's timestamp_age.

    What days lack is borrowed from the month of the earlier one.
    """
    end, start = arguments
    earlier, later = np.minimum(start.values, end.values), np.maximum(start.values, end.values)
    first_months, first_days, first_time = _calendar_parts(earlier)
    last_months, last_days, last_time = _calendar_parts(later)
    months, days, time = last_months - first_months, last_days - first_days, last_time - first_time
    borrows_day = time < 0
    time, days = time + borrows_day * MICROSECONDS_PER_DAY, days - borrows_day
    borrows_month = days < 0
    length = first_days_of(first_months + 1) - first_days_of(first_months)
    months, days = months - borrows_month, days + borrows_month * length
    sign = np.where(end.values < start.values, -1, 1)
    values = np.empty(len(sign), INTERVAL_DTYPE)
    for field, part in (("months", months), ("days", days), ("microseconds", time)):
        values[field] = part * sign
    return Column(INTERVAL, values, both_valid(end, start))


def _calendar_parts(timestamps: Array) -> _Parts:
    """Months since 1970, days since the first of the month, and microseconds since midnight."""
    days = timestamps // MICROSECONDS_PER_DAY
    months = months_of(days)
    return months, days - first_days_of(months), timestamps % MICROSECONDS_PER_DAY


# --- justify ----------------------------------------------------------------------------------------------------------


def _justified(name: str, span: Span | None, *arguments: Column) -> Column:
    (interval,) = arguments
    months, days, time = _JUSTIFIERS[name](
        interval.values["months"].astype(np.int64),
        interval.values["days"].astype(np.int64),
        interval.values["microseconds"],
    )
    values, outside = checked_intervals(months, days, time, np.zeros(len(interval), np.bool_))
    wrong = np.flatnonzero(outside if interval.valid is None else outside & interval.valid)
    if len(wrong):
        raise DataError(f"interval out of range: {name}('{value_at(interval, int(wrong[0]))}')", span)
    return Column(INTERVAL, values, interval.valid)


def _carried(large: Array, small: Array, size: int) -> tuple[Array, Array]:
    """Whole units of a size moved from the small part to the large one."""
    whole = np.abs(small) // size * np.sign(small)
    return large + whole, small - whole * size


def _same_sign(large: Array, small: Array, rest: Array | int, size: int) -> tuple[Array, Array]:
    """One unit moved back where the small part, or if that is 0 what is still smaller, has the other sign."""
    sign = np.where(small == 0, np.sign(rest), np.sign(small))
    moved = np.where(np.sign(large) * sign < 0, np.sign(large), 0)
    return large - moved, small + moved * size


def _justify_days(months: Array, days: Array, time: Array) -> _Parts:
    months, days = _carried(months, days, DAYS_PER_MONTH)
    return *_same_sign(months, days, 0, DAYS_PER_MONTH), time


def _justify_hours(months: Array, days: Array, time: Array) -> _Parts:
    days, time = _carried(days, time, MICROSECONDS_PER_DAY)
    return months, *_same_sign(days, time, 0, MICROSECONDS_PER_DAY)


def _justify_interval(months: Array, days: Array, time: Array) -> _Parts:
    days, time = _carried(days, time, MICROSECONDS_PER_DAY)
    months, days = _carried(months, days, DAYS_PER_MONTH)
    months, days = _same_sign(months, days, time, DAYS_PER_MONTH)
    return months, *_same_sign(days, time, 0, MICROSECONDS_PER_DAY)


_JUSTIFIERS: Final = {
    "justify_days": _justify_days,
    "justify_hours": _justify_hours,
    "justify_interval": _justify_interval,
}
