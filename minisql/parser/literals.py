"""The values of literals: numbers, strings, dates, times, intervals and bytes as they are written."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

from minisql.datatypes import BIGINT_RANGE
from minisql.errors import ProgrammingError, Span
from minisql.expression.nodes import Value
from minisql.interval import Interval, parse_interval

_BIGINT_DIGITS: Final = len(str(BIGINT_RANGE[1]))


def unquoted(literal: str) -> str:
    """The text between the quotes, of whichever kind; a doubled quote stands for one."""
    quote = literal[0]
    return literal[1:-1].replace(quote * 2, quote)


def integer_value(digits: str) -> int | Decimal:
    """An int, or a Decimal where a BIGINT cannot hold the number."""
    if len(digits) < _BIGINT_DIGITS:
        return int(digits)
    # Python refuses to make an int of some thousands of digits; a Decimal takes any number.
    number = Decimal(digits)
    return number if number > BIGINT_RANGE[1] else int(number)


def float_value(digits: str, span: Span) -> float:
    """A number with an exponent.

    Raises:
        ProgrammingError: it is beyond the range of DOUBLE.
    """
    number = float(digits)
    if math.isinf(number):
        raise ProgrammingError(f"{digits} is out of the range of DOUBLE.", span)
    return number


def interval_value(count: str, unit: str, last_unit: str | None, span: Span) -> Interval:
    """The value of `INTERVAL count unit`, with the count in quotes or not; `YEAR TO MONTH` has a `last_unit`.

    Raises:
        ProgrammingError: the count is no number, or the interval out of range.
    """
    text = unquoted(count) if count.startswith("'") else count
    # With a second unit, and where there are units in the text itself, the text says what its parts are.
    interval = parse_interval(text, (last_unit or unit).lower())
    if interval is None:
        raise ProgrammingError(f"'{text}' is no number of {unit.lower()}s, or one that is out of range.", span)
    return interval


def typed_value(type_name: str, literal: str, span: Span) -> Value:
    """The value of `DATE '...'` and the like; a timestamp may come without the time, and then is midnight.

    Raises:
        ProgrammingError: another type, or a text that is no value of the type.
    """
    text = unquoted(literal)
    if type_name == "interval":
        interval = parse_interval(text)
        if interval is None:
            hint = "Write it as in '1 year 2 months 3 days 04:05:06'."
            raise ProgrammingError(f"'{text}' is no INTERVAL, or one that is out of range.", span, hint=hint)
        return interval
    if type_name == "x":
        if _HEX.fullmatch(text) is None:
            raise ProgrammingError("X'...' takes two hexadecimal digits for each byte.", span)
        return bytes.fromhex(text)
    form = _FORMS.get(type_name)
    if form is None:
        raise ProgrammingError(
            f'A string cannot follow "{type_name}".',
            span,
            hint="There are DATE '2013-01-31', TIME '05:00:00', TIMESTAMP '2013-01-31 05:00:00', TIMESTAMPTZ "
            "'2013-01-31 05:00:00+01', INTERVAL '3' MONTH and X'00FF'; names are quoted with \".",
        )
    match = form.pattern.fullmatch(text)
    if match is None:
        raise ProgrammingError(f"'{text}' is not a {type_name} of the form {form.description}.", span)
    try:
        return form.value(match)
    except (ValueError, OverflowError):
        raise ProgrammingError(f"There is no {type_name} '{text}'.", span) from None


def _date(match: re.Match[str]) -> datetime.date:
    return datetime.date(int(match["year"]), int(match["month"]), int(match["day"]))


def _time(match: re.Match[str]) -> datetime.time:
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    return datetime.time(hour, minute, second, int((match["fraction"] or "").ljust(6, "0")))


def _timestamp(match: re.Match[str]) -> datetime.datetime:
    return datetime.datetime.combine(_date(match), _time(match))


def _timestamp_with_time_zone(match: re.Match[str]) -> datetime.datetime:
    """In UTC, which is also what a text without a zone is in."""
    east = datetime.timedelta(hours=int(match["zone_hour"] or 0), minutes=int(match["zone_minute"] or 0))
    local = _timestamp(match).replace(tzinfo=datetime.UTC)
    return local + east if match["zone_sign"] == "-" else local - east


class _Form(NamedTuple):
    """How a literal is written, in words too, and what it means."""

    pattern: re.Pattern[str]
    description: str
    value: Callable[[re.Match[str]], Value]


_DATE: Final = r"\s*(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
_CLOCK: Final = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6}))?)?"
_ZONE: Final = r"\s*(?:Z|(?P<zone_sign>[+-])(?P<zone_hour>[0-9]{1,2})(?::?(?P<zone_minute>[0-9]{2}))?)"
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")
_WITH_ZONE: Final = _Form(
    re.compile(rf"{_DATE}(?:[ T]{_CLOCK}(?:{_ZONE})?)?\s*"),
    "year-month-day hour:minute:second+zone",
    _timestamp_with_time_zone,
)
_FORMS: Final = {
    "date": _Form(re.compile(rf"{_DATE}\s*"), "year-month-day", _date),
    "time": _Form(re.compile(rf"\s*{_CLOCK}\s*"), "hour:minute:second", _time),
    "timestamp": _Form(re.compile(rf"{_DATE}(?:[ T]{_CLOCK})?\s*"), "year-month-day hour:minute:second", _timestamp),
    "timestamptz": _WITH_ZONE,
    "timestamp with time zone": _WITH_ZONE,
}
