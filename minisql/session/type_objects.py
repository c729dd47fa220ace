"""What PEP 249 asks of a module beside connections: constructors of values, and objects that type codes equal.

The type code of a column in `description` is the name of its SQL type, such as `BIGINT` or `DECIMAL(8,2)`. It is equal
to the object of its kind: `description[0][1] == minisql.NUMBER`.
"""

from __future__ import annotations

import datetime
from typing import Final

Date: Final = datetime.date
"""A date, from year, month and day."""
Time: Final = datetime.time
"""A time of day, from hour, minute and second."""
Timestamp: Final = datetime.datetime
"""A point in time, from year, month, day, hour, minute and second."""
Binary: Final = bytes
"""A BLOB, from bytes."""


def DateFromTicks(ticks: float) -> datetime.date:  # noqa: N802  (the names are PEP 249's)
    """The date in local time so many seconds after the start of 1970."""
    return datetime.date.fromtimestamp(ticks)


def TimeFromTicks(ticks: float) -> datetime.time:  # noqa: N802
    """The time of day in local time so many seconds after the start of 1970."""
    return datetime.datetime.fromtimestamp(ticks).time()


def TimestampFromTicks(ticks: float) -> datetime.datetime:  # noqa: N802
    """The point in local time so many seconds after the start of 1970."""
    return datetime.datetime.fromtimestamp(ticks)


class TypeObject:
    """Equal to the type codes of some SQL types."""

    def __init__(self, name: str, *types: str) -> None:
        self._name = name
        self._types = frozenset(types)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return ("[]" if other.endswith("[]") else other.partition("(")[0]) in self._types
        return self is other if isinstance(other, TypeObject) else NotImplemented

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"minisql.{self._name}"


STRING: Final = TypeObject("STRING", "VARCHAR", "NULL")
"""Columns of text, and of NULLs only."""
BINARY: Final = TypeObject("BINARY", "BLOB")
"""Columns of bytes."""
NUMBER: Final = TypeObject("NUMBER", "BOOLEAN", "INTEGER", "BIGINT", "DECIMAL", "DOUBLE")
"""Columns of numbers and truth values."""
DATETIME: Final = TypeObject("DATETIME", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "INTERVAL")
"""Columns of dates, times, points in time and intervals."""
LIST: Final = TypeObject("LIST", "[]")
"""Columns of lists: not of PEP 249, which knows none."""
ROWID: Final = TypeObject("ROWID")
"""No column: rows have no numbers that last."""
