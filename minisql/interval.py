"""INTERVAL values: months, days and microseconds, which are kept apart as in PostgreSQL, and their text.

A month has no fixed number of days and a day with a change of the clock no fixed number of hours, so none of the three
is turned into another by itself. Only comparison needs one number: there a month is 30 days and a day 24 hours, and so
`INTERVAL '1 month' = INTERVAL '30 days'`, although the two move a date differently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

MICROSECONDS_PER_SECOND: Final = 1_000_000
MICROSECONDS_PER_DAY: Final = 86_400_000_000
DAYS_PER_MONTH: Final = 30
MONTHS_PER_YEAR: Final = 12

INTERVAL_FIELD_LIMIT: Final = 2**31
"""Months and days are in absolute value less than this."""
INTERVAL_LIMIT: Final = 2**63
"""The microseconds of an interval, and its length in comparisons, are in absolute value less than this."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An INTERVAL. Two are equal to Python where all three parts are; SQL's `=` compares `length`.

    Attributes:
        months: years are twelve of them.
        days: weeks are seven of them.
        microseconds: hours, minutes and seconds.
    """

    months: int = 0
    days: int = 0
    microseconds: int = 0

    @property
    def length(self) -> int:
        """Microseconds, with months of 30 days and days of 24 hours: what comparisons compare."""
        return (self.months * DAYS_PER_MONTH + self.days) * MICROSECONDS_PER_DAY + self.microseconds

    @property
    def is_in_range(self) -> bool:
        """Whether a column can hold it."""
        return (
            max(abs(self.months), abs(self.days)) < INTERVAL_FIELD_LIMIT
            and max(abs(self.microseconds), abs(self.length)) < INTERVAL_LIMIT
        )

    def __str__(self) -> str:
        """As PostgreSQL prints it: `1 year 2 mons -3 days +04:05:06.7`."""
        sign = -1 if self.months < 0 else 1
        years, months = (sign * part for part in divmod(abs(self.months), MONTHS_PER_YEAR))
        parts: list[str] = []
        is_after_negative = False
        for count, unit in ((years, "year"), (months, "mon"), (self.days, "day")):
            if count:
                plus = "+" if is_after_negative and count > 0 else ""
                parts.append(f"{plus}{count} {unit}{'' if count == 1 else 's'}")
                is_after_negative = count < 0
        if self.microseconds or not parts:
            plus = "-" if self.microseconds < 0 else "+" if is_after_negative else ""
            parts.append(plus + _clock(abs(self.microseconds)))
        return " ".join(parts)


def _clock(microseconds: int) -> str:
    seconds, fraction = divmod(microseconds, MICROSECONDS_PER_SECOND)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{fraction:06}".rstrip("0") if fraction else text


_UNITS: Final[dict[str, tuple[str, int]]] = {
    "microsecond": ("microseconds", 1),
    "millisecond": ("microseconds", 1000),
    "second": ("microseconds", MICROSECONDS_PER_SECOND),
    "minute": ("microseconds", 60 * MICROSECONDS_PER_SECOND),
    "hour": ("microseconds", 3600 * MICROSECONDS_PER_SECOND),
    "day": ("days", 1),
    "week": ("days", 7),
    "month": ("months", 1),
    "quarter": ("months", 3),
    "year": ("months", MONTHS_PER_YEAR),
    "decade": ("months", 10 * MONTHS_PER_YEAR),
    "century": ("months", 100 * MONTHS_PER_YEAR),
    "millennium": ("months", 1000 * MONTHS_PER_YEAR),
}
_PLURALS: Final = {**{f"{unit}s": unit for unit in _UNITS}, "centuries": "century", "millennia": "millennium"}
# Shorter names, which stand in texts alone.
_SHORT: Final = {
    "us": "microsecond", "usec": "microsecond", "usecs": "microsecond", "ms": "millisecond", "msec": "millisecond",
    "msecs": "millisecond", "s": "second", "sec": "second", "secs": "second", "m": "minute", "min": "minute",
    "mins": "minute", "h": "hour", "hr": "hour", "hrs": "hour", "d": "day", "w": "week", "mon": "month",
    "mons": "month", "y": "year", "yr": "year", "yrs": "year",
}  # fmt: skip

INTERVAL_UNITS: Final = frozenset((*_UNITS, *_PLURALS))
"""The words that may follow `INTERVAL '3'`."""

_NUMBER: Final = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_PIECE: Final = re.compile(
    rf"\s*(?:(?P<sign>[+-]?)(?P<hour>[0-9]+):(?P<minute>[0-9]{{1,2}})(?::(?P<second>[0-9]{{1,2}}(?:\.[0-9]*)?))?"
    r"|(?P<year_sign>[+-]?)(?P<year>[0-9]+)-(?P<month>[0-9]+)(?![0-9-])"  # a date is no interval
    rf"|(?P<count>{_NUMBER})\s*(?P<unit>[a-z]*)"
    r")(?=\s|[+-]|$|(?<=[a-z])[0-9])"
)
_ISO: Final = re.compile(
    rf"p(?:({_NUMBER})y)?(?:({_NUMBER})m)?(?:({_NUMBER})w)?(?:({_NUMBER})d)?"
    rf"(?:t(?:({_NUMBER})h)?(?:({_NUMBER})m)?(?:({_NUMBER})s)?)?"
)
_ISO_UNITS: Final = ("year", "month", "week", "day", "hour", "minute", "second")


def interval_of(count: Fraction | int, unit: str) -> Interval:
    """So many of a unit, one of `INTERVAL_UNITS`. Parts of a month become days, parts of a day become time.

    Parts of a year are rounded to months. The result may be out of range.
    """
    field, factor = _UNITS[_PLURALS.get(unit, unit)]
    amount = Fraction(count) * factor
    match field:
        case "months":
            if factor > 1:
                return Interval(months=round(amount))
            months = int(amount)
            rest = interval_of((amount - months) * DAYS_PER_MONTH, "day")
            return Interval(months, rest.days, rest.microseconds)
        case "days":
            days = int(amount)
            return Interval(0, days, round((amount - days) * MICROSECONDS_PER_DAY))
        case _:
            return Interval(0, 0, round(amount))


def parse_interval(text: str, unit: str = "second") -> Interval | None:
    """The interval that a text means; None where it means none, or one out of range.

    Texts are PostgreSQL's: `1 year 2 months -3 days 04:05:06.7`, `1-2` (years and months), `3 04:05`, `2 hours ago`,
    and those of ISO 8601, `P1Y2M3DT4H5M6S`. `unit` is that of a number at the end without one.
    """
    text = text.strip().lower()
    if len(text) > 200:
        return None
    parts = _iso_parts(text) if text.startswith("p") else _verbose_parts(text, unit)
    if not parts:
        return None
    total = Interval(
        sum(part.months for part in parts),
        sum(part.days for part in parts),
        sum(part.microseconds for part in parts),
    )
    return total if total.is_in_range else None


def _iso_parts(text: str) -> list[Interval]:
    match = _ISO.fullmatch(text)
    if match is None or text.endswith("t"):
        return []
    counts = zip(match.groups(), _ISO_UNITS, strict=True)
    return [interval_of(Fraction(count), unit) for count, unit in counts if count is not None]


def _verbose_parts(text: str, default_unit: str) -> list[Interval]:
    text = text.removeprefix("@").strip()
    is_ago = text.endswith(" ago")
    if is_ago:
        text = text.removesuffix("ago").rstrip()
    parts: list[Interval] = []
    place = 0
    while place < len(text):
        match = _PIECE.match(text, place)
        if match is None:
            return []
        place = match.end()
        part = _piece(match, text[place:], default_unit)
        if part is None:
            return []
        parts.append(Interval(-part.months, -part.days, -part.microseconds) if is_ago else part)
    return parts


def _piece(match: re.Match[str], rest: str, default_unit: str) -> Interval | None:
    if match["hour"] is not None:
        minute, second = int(match["minute"]), Fraction(match["second"] or 0)
        if minute > 59 or second >= 60:
            return None
        seconds = int(match["hour"]) * 3600 + minute * 60 + second
        return interval_of(-seconds if match["sign"] == "-" else seconds, "second")
    if match["year"] is not None:
        month = int(match["month"])
        months = int(match["year"]) * MONTHS_PER_YEAR + month
        return Interval(-months if match["year_sign"] == "-" else months) if month < MONTHS_PER_YEAR else None
    unit = match["unit"]
    if not unit:
        if rest.strip():
            # Days before a time of the day: `3 04:05`.
            if ":" not in rest:
                return None
            unit = "day"
        else:
            unit = default_unit
    unit = _SHORT.get(unit, unit)
    return interval_of(Fraction(match["count"]), unit) if unit in INTERVAL_UNITS else None
