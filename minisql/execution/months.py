"""The calendar: days since 1970-01-01 and months since January 1970."""

from __future__ import annotations

import numpy as np

from minisql.columnar.column import Array


def months_of(days: Array) -> Array:
    """The months in which days lie."""
    months: Array = days.astype("M8[D]").astype("M8[M]").astype(np.int64)
    return months


def first_days_of(months: Array) -> Array:
    """The first day of each month."""
    days: Array = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
    return days
