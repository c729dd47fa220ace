"""The functions that take intervals or give them."""

from __future__ import annotations

from typing import Final

from minisql.datatypes import INTERVAL, SqlType, temporal_arithmetic
from minisql.expression.function import Function, Types

INTERVAL_MAKERS: Final = {
    "to_microseconds": "microsecond", "to_milliseconds": "millisecond", "to_seconds": "second", "to_minutes": "minute",
    "to_hours": "hour", "to_days": "day", "to_weeks": "week", "to_months": "month", "to_quarters": "quarter",
    "to_years": "year", "to_decades": "decade", "to_centuries": "century", "to_millennia": "millennium",
}  # fmt: skip
"""The functions that give an interval of so many units, and the unit of each."""

_TEXTS: Final = {
    "to_microseconds": "00:00:00.000003", "to_milliseconds": "00:00:00.003", "to_seconds": "00:00:03",
    "to_minutes": "00:03:00", "to_hours": "03:00:00", "to_days": "3 days", "to_weeks": "21 days",
    "to_months": "3 mons", "to_quarters": "9 mons", "to_years": "3 years", "to_decades": "30 years",
    "to_centuries": "300 years", "to_millennia": "3000 years",
}  # fmt: skip


def _moved(types: Types) -> SqlType | None:
    """The type of a point in time that is moved; an integer is a number of days."""
    point, distance = types
    if distance.is_integer:
        return point
    found = temporal_arithmetic("+", point, INTERVAL)
    return found and found.result


def _maker(name: str, unit: str) -> Function:
    letter = "d" if unit in ("second", "millisecond") else "i"
    return Function(f"{name}(count)", letter, INTERVAL, f"The interval of so many {name[3:]}.", f"{name}(3)",
                    _TEXTS[name], written_out=True)  # fmt: skip


INTERVAL_FUNCTIONS: Final[tuple[Function, ...]] = (
    Function("date_add(when, distance)", "wx", _moved,
             "The point in time moved by an interval, as `when + distance`, or by an integer of days.",
             "date_add(DATE '2024-01-31', INTERVAL 1 MONTH)", "2024-02-29 00:00:00", aliases="adddate",
             written_out=True),
    Function("subdate(when, distance)", "wx", _moved, "The same, back in time; also `date_sub(when, distance)`.",
             "subdate(DATE '2024-03-01', 1)", "2024-02-29", written_out=True),
    Function("age(end [, start])", "tt", INTERVAL,
             "The years, months, days and time from start to end; `age(start)` is up to the day of the statement.",
             "age(DATE '2024-03-01', TIMESTAMP '2001-04-10 12:00')", "22 years 10 mons 20 days 12:00:00", total=True),
    Function("justify_days(interval)", "I", INTERVAL, "The interval with 30 days as a month.",
             "justify_days(INTERVAL '35 days')", "1 mon 5 days"),
    Function("justify_hours(interval)", "I", INTERVAL, "The interval with 24 hours as a day.",
             "justify_hours(INTERVAL '27 hours')", "1 day 03:00:00"),
    Function("justify_interval(interval)", "I", INTERVAL, "Both, and all parts with the same sign.",
             "justify_interval(INTERVAL '1 mon -1 hour')", "29 days 23:00:00"),
    Function("make_interval(years [, months [, weeks [, days [, hours [, minutes [, seconds]]]]]])", "iiiiiid",
             INTERVAL, "The interval of these parts.", "make_interval(1, 2, 0, 3, 4, 5, 6.5)",
             "1 year 2 mons 3 days 04:05:06.5", written_out=True),
    *[_maker(name, unit) for name, unit in INTERVAL_MAKERS.items()],
)  # fmt: skip
