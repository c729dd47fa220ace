"""EXTRACT(field FROM interval): the parts of intervals."""

from __future__ import annotations

from typing import Final

import numpy as np

from minisql.columnar.column import Array
from minisql.errors import InternalError
from minisql.interval import DAYS_PER_MONTH, MICROSECONDS_PER_SECOND, MONTHS_PER_YEAR

_SECONDS_PER_DAY: Final = 86_400
# A year of 365.25 days, as in PostgreSQL.
_SECONDS_PER_YEAR: Final = 31_557_600
_YEARS: Final = {"decade": 10, "century": 100, "millennium": 1000}


def interval_field(field: str, values: Array) -> Array:
    """A field (int64) of intervals, with the sign that the interval has there; hours go on beyond a day."""
    months = values["months"].astype(np.int64)
    seconds = _truncated(values["microseconds"], MICROSECONDS_PER_SECOND)
    years = _truncated(months, MONTHS_PER_YEAR)
    months_of_year = months - years * MONTHS_PER_YEAR
    days: Array = values["days"].astype(np.int64)
    fields: Array
    match field:
        case "year":
            fields = years
        case "quarter":
            fields = _truncated(months_of_year, 3) + 1
        case "month":
            fields = months_of_year
        case "day":
            fields = days
        case "hour":
            fields = _truncated(seconds, 3600)
        case "minute":
            fields = _truncated(seconds - _truncated(seconds, 3600) * 3600, 60)
        case "second":
            fields = seconds - _truncated(seconds, 60) * 60
        case "millisecond" | "microsecond":
            within_minute = values["microseconds"] - _truncated(seconds, 60) * (60 * MICROSECONDS_PER_SECOND)
            fields = _truncated(within_minute, 1000) if field == "millisecond" else within_minute
        case "decade" | "century" | "millennium":
            fields = _truncated(years, _YEARS[field])
        case "epoch":
            whole_days = months_of_year * DAYS_PER_MONTH + days
            fields = years * _SECONDS_PER_YEAR + whole_days * _SECONDS_PER_DAY + seconds
        case _:
            raise InternalError(f"extract does not know the field {field} of an interval.")
    return fields


def _truncated(numbers: Array, divisor: int) -> Array:
    """The quotient, cut towards zero."""
    quotient: Array = np.abs(numbers) // divisor * np.sign(numbers)
    return quotient
