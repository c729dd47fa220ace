"""What the values of an INTERVAL column are compared by."""

from __future__ import annotations

import numpy as np

from minisql.columnar.column import Array
from minisql.interval import DAYS_PER_MONTH, MICROSECONDS_PER_DAY


def interval_lengths(values: Array) -> Array:
    """The microseconds (int64) of intervals, with months of 30 days and days of 24 hours, as `Interval.length`."""
    # Parts of the sum may leave int64 and come back: the sum itself is an int64 in every interval.
    days = values["months"].astype(np.int64) * DAYS_PER_MONTH + values["days"]
    lengths: Array = days * MICROSECONDS_PER_DAY + values["microseconds"]
    return lengths
