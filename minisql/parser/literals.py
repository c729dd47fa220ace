"""The values of literals: numbers, strings, dates and timestamps as they are written."""

from __future__ import annotations

import datetime
import math
import re
from decimal import Decimal
from typing import Final

from minisql.datatypes import BIGINT_RANGE
from minisql.errors import ProgrammingError, Span

_BIGINT_DIGITS: Final = len(str(BIGINT_RANGE[1]))
_DATE: Final = r"\s*([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
_TIME: Final = r"[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?"
_TYPED: Final = {
    "date": (re.compile(rf"{_DATE}\s*"), "year-month-day"),
    "timestamp": (re.compile(rf"{_DATE}(?:{_TIME})?\s*"), "year-month-day hour:minute:second"),
}


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


def typed_value(type_name: str, literal: str, span: Span) -> datetime.date | datetime.datetime:
    """The value of `DATE '...'` or `TIMESTAMP '...'`; a timestamp may come without the time, and then is midnight.

    Raises:
        ProgrammingError: another type, or a text that is no value of the type.
    """
    text = unquoted(literal)
    if type_name not in _TYPED:
        raise ProgrammingError(
            f'A string cannot follow "{type_name}".',
            span,
            hint="There are DATE '2013-01-31' and TIMESTAMP '2013-01-31 05:00:00'; names are quoted with \".",
        )
    pattern, form = _TYPED[type_name]
    match = pattern.fullmatch(text)
    if match is None:
        raise ProgrammingError(f"'{text}' is not a {type_name} of the form {form}.", span)
    year, month, day, *time = match.groups("0")
    try:
        if type_name == "date":
            return datetime.date(int(year), int(month), int(day))
        hour, minute, second, fraction = time
        microsecond = int(fraction.ljust(6, "0"))
        return datetime.datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), microsecond)
    except ValueError:
        raise ProgrammingError(f"There is no {type_name} '{text}'.", span) from None
