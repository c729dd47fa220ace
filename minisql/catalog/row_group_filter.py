"""Whether a block of rows may have one that a filter lets pass, by the range of its values."""

from __future__ import annotations

import math
from typing import Any

from minisql.catalog.table import SimpleFilter
from minisql.expression.nodes import Value
from minisql.node import record


@record
class ValueRange:
    """What is known of a column in a block of rows: bounds of its values, NULLs, all rows; None is "not known"."""

    low: Value
    high: Value
    null_count: int | None
    row_count: int


def may_match(simple: SimpleFilter, range_: ValueRange) -> bool:
    """False where no row of the block passes the filter.

    Bounds of DOUBLE leave NaN out, which is greater than every other number.
    """
    if range_.null_count == range_.row_count:
        return False
    # The columns hold values of one type, which compare with each other; `Value` cannot say so.
    low: Any = range_.low
    high: Any = range_.high
    value: Any = simple.value
    if low is None or high is None:
        return True
    if simple.operator == "in":
        return any(_may_equal(low, high, item) for item in value)
    may_be_nan = isinstance(low, float)
    match simple.operator:
        case "=":
            return _may_equal(low, high, value)
        case "<>":
            return may_be_nan or not low == high == value
        case "<":
            return bool(low < value) or _is_nan(value)
        case "<=":
            return bool(low <= value) or _is_nan(value)
        case ">":
            return may_be_nan or bool(high > value)
        case ">=":
            return may_be_nan or bool(high >= value)
        case _:
            return True


def _may_equal(low: Any, high: Any, value: Any) -> bool:
    return bool(low <= value <= high) or _is_nan(value)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
