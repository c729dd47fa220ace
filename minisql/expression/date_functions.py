"""The functions on dates and timestamps."""

from __future__ import annotations

from typing import Final

from minisql.datatypes import BIGINT, DATE, DOUBLE, INTERVAL, TIME, TIMESTAMP, TIMESTAMPTZ, VARCHAR, SqlType, TypeKind
from minisql.expression.function import Function, Types

EXTRACT_FIELDS: Final = (
    "year", "quarter", "month", "week", "day", "dow", "doy", "hour", "minute", "second", "epoch", "isodow", "isoyear",
    "decade", "century", "millennium", "millisecond", "microsecond",
)  # fmt: skip
"""The fields of EXTRACT: ISO weeks; `dow` is 0 on Sundays, `isodow` 7; `epoch` is in whole seconds; `millisecond` and
`microsecond` count the seconds in."""

FIELDS_MISSING: Final = {
    TypeKind.TIME: (
        "year", "quarter", "month", "week", "day", "dow", "doy", "isodow", "isoyear", "decade", "century", "millennium",
    ),
    TypeKind.INTERVAL: ("week", "dow", "doy", "isodow", "isoyear"),
}  # fmt: skip
"""The fields that only points in time have, and not these types."""

UNITS: Final = (
    "microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade",
    "century", "millennium",
)  # fmt: skip
"""The units of DATE_TRUNC, DATE_DIFF and DATE_SUB, the smallest first."""

FIELD_ALIASES: Final = {
    "y": "year", "yr": "year", "mon": "month", "d": "day", "h": "hour", "hr": "hour", "m": "minute", "min": "minute",
    "s": "second", "sec": "second", "ms": "millisecond", "us": "microsecond", "w": "week", "weekofyear": "week",
    "yearweek": "week", "dayofweek": "dow", "weekday": "dow", "dayofyear": "doy", "dayofmonth": "day",
    "centuries": "century", "millennia": "millennium", "msec": "millisecond", "usec": "microsecond",
}  # fmt: skip


def date_field(name: str, known: tuple[str, ...]) -> str | None:
    """The field that a name means, which may be in the plural; None where there is none."""
    name = name.lower()
    if name in known:
        return name
    field = FIELD_ALIASES.get(name)
    if field is None and name.endswith("s"):
        field = FIELD_ALIASES.get(name[:-1], name[:-1])
    return field if field in known else None


def _field(name: str, meaning: str, example: str, value: str, aliases: str = "") -> Function:
    """A function that is short for EXTRACT."""
    return Function(f"{name}(when)", "e", BIGINT, meaning, example, value, aliases=aliases, written_out=True)


def _truncated(types: Types) -> SqlType:
    match types[1].kind:
        case TypeKind.TIMESTAMPTZ:
            return TIMESTAMPTZ
        case TypeKind.INTERVAL | TypeKind.TIME:
            return INTERVAL
        case _:
            return TIMESTAMP


_MOMENT: Final = "TIMESTAMP '2024-02-03 04:05:06.789'"

DATE_FUNCTIONS: Final[tuple[Function, ...]] = (
    Function("extract(field, when)", "se", BIGINT,
             f"A field, which is a literal: {', '.join(EXTRACT_FIELDS)}. Also `extract(field FROM when)`.",
             f"extract(year FROM {_MOMENT})", "2024", aliases="date_part datepart", total=True),
    _field("year", "The year.", f"year({_MOMENT})", "2024"),
    _field("quarter", "The quarter, 1 to 4.", f"quarter({_MOMENT})", "1"),
    _field("month", "The month, 1 to 12.", f"month({_MOMENT})", "2"),
    _field("week", "The ISO week.", f"week({_MOMENT})", "5", "weekofyear"),
    _field("day", "The day of the month.", f"day({_MOMENT})", "3", "dayofmonth"),
    _field("dayofweek", "The day of the week, 0 on Sundays.", f"dayofweek({_MOMENT})", "6", "weekday"),
    _field("isodow", "The day of the week, 7 on Sundays.", f"isodow({_MOMENT})", "6"),
    _field("isoyear", "The year that the ISO week belongs to.", f"isoyear({_MOMENT})", "2024"),
    _field("dayofyear", "The day of the year.", f"dayofyear({_MOMENT})", "34"),
    _field("hour", "The hour, 0 to 23.", f"hour({_MOMENT})", "4"),
    _field("minute", "The minute, 0 to 59.", f"minute({_MOMENT})", "5"),
    _field("second", "The second, 0 to 59.", f"second({_MOMENT})", "6"),
    _field("millisecond", "The seconds in milliseconds.", f"millisecond({_MOMENT})", "6789"),
    _field("microsecond", "The seconds in microseconds.", f"microsecond({_MOMENT})", "6789000"),
    _field("decade", "The year divided by ten.", f"decade({_MOMENT})", "202"),
    _field("century", "The century; 2001 to 2100 is the 21st.", f"century({_MOMENT})", "21"),
    Function("epoch(when)", "t", DOUBLE, "The seconds since 1970.", "epoch(TIMESTAMP '1970-01-01 00:00:01.5')", "1.5",
             aliases="unix_timestamp", total=True),
    Function("epoch_ms(when)", "t", BIGINT, "The milliseconds since 1970.",
             "epoch_ms(TIMESTAMP '1970-01-01 00:00:01.5')", "1500", total=True),
    Function("date_trunc(unit, when)", "sT", _truncated,
             f"The start of the unit, which is a literal: {', '.join(UNITS)}; an interval or a TIME cut to the unit.",
             f"date_trunc('month', {_MOMENT})", "2024-02-01 00:00:00"),
    Function("date_diff(unit, start, end)", "stt", BIGINT,
             "How many times a unit begins from start to end.",
             "date_diff('month', DATE '2024-01-31', DATE '2024-02-01')", "1", aliases="timestampdiff", total=True),
    Function("datediff(unit, start, end)", "stt", BIGINT,
             "The same; `datediff(end, start)` is in days.", "datediff(DATE '2024-03-01', DATE '2024-02-01')", "29",
             written_out=True),
    Function("date_sub(unit, start, end)", "stt", BIGINT, "How many whole units there are from start to end.",
             "date_sub('month', DATE '2024-01-31', DATE '2024-02-28')", "0", aliases="datesub", total=True),
    Function("dayname(when)", "D", VARCHAR, "The name of the day of the week.", f"dayname({_MOMENT})", "Saturday",
             total=True),
    Function("monthname(when)", "D", VARCHAR, "The name of the month.", f"monthname({_MOMENT})", "February",
             total=True),
    Function("last_day(when)", "D", DATE, "The last day of the month.", f"last_day({_MOMENT})", "2024-02-29",
             total=True),
    Function("make_date(year, month, day)", "iii", DATE, "The date.", "make_date(2024, 2, 3)", "2024-02-03"),
    Function("make_timestamp(year, month, day, hour, minute, second)", "iiiiid", TIMESTAMP, "The timestamp.",
             "make_timestamp(2024, 2, 3, 4, 5, 6.5)", "2024-02-03 04:05:06.5"),
    Function("make_time(hour, minute, second)", "iid", TIME, "The time.", "make_time(4, 5, 6.5)", "04:05:06.5"),
    Function("strftime(when, format)", "ts", VARCHAR,
             "The timestamp as text, by the codes %Y %y %m %d %e %H %I %M %S %f %p %j %a %A %b %B %u %w %V %G %s %%.",
             f"strftime({_MOMENT}, '%d.%m.%Y %H:%M')", "03.02.2024 04:05"),
    Function("strptime(string, format)", "ss", TIMESTAMP,
             "The timestamp that a text means, by the codes %Y %m %d %H %M %S and those of the platform.",
             "strptime('03.02.2024', '%d.%m.%Y')", "2024-02-03 00:00:00"),
    Function("to_char(when, format)", "ts", VARCHAR,
             "The timestamp as text, by PostgreSQL's codes YYYY YY MM DD DDD HH24 HH12 MI SS MS US AM Mon Month Dy Day "
             "Q IW IYYY ID.", f"to_char({_MOMENT}, 'YYYY-MM-DD HH24:MI')", "2024-02-03 04:05"),
    Function("date_format(when, format)", "ts", VARCHAR,
             "The timestamp as text, by MySQL's codes: %i are minutes, %s seconds, %M is the name of the month.",
             f"date_format({_MOMENT}, '%Y-%m-%d %H:%i:%s')", "2024-02-03 04:05:06"),
    Function("to_timestamp(seconds)", "d", TIMESTAMPTZ, "The timestamp so many seconds after 1970.",
             "to_timestamp(1.5)", "1970-01-01 00:00:01.5+00", aliases="from_unixtime"),
    Function("now()", "", TIMESTAMPTZ, "The time of the statement, the same all over the statement.",
             "now() = now()", "true", aliases="transaction_timestamp statement_timestamp", written_out=True),
    Function("today()", "", DATE, "The day of the statement in UTC.", "today() = CAST(now() AS DATE)", "true",
             aliases="curdate", written_out=True),
)  # fmt: skip
