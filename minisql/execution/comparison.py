"""Comparisons and IN lists on columns of every type but strings, whose own are in `strings`.

NaN is equal to itself and greater than every other DOUBLE, as in PostgreSQL, so that `=` and `<` agree with ORDER BY
and GROUP BY. An operand of one row is a constant that stands for every row.
"""

from __future__ import annotations

import operator as python
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from minisql.columnar.column import Array, BoolArray, Column
from minisql.columnar.intervals import interval_lengths
from minisql.datatypes import BOOLEAN, TypeKind
from minisql.execution.arithmetic import both_valid
from minisql.expression.nodes import MIRRORED

OPERATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": python.eq,
    "<>": python.ne,
    "<": python.lt,
    "<=": python.le,
    ">": python.gt,
    ">=": python.ge,
}

_FEW_ITEMS: Final = 4
_TABLE_ENTRIES_PER_ITEM: Final = 64


def compare(operator: str, left: Column, right: Column) -> Column:
    """`left operator right` with an operator of `= <> < <= > >=`; both sides have one type."""
    if left.type.kind is TypeKind.DOUBLE:
        values = _compare_doubles(operator, left.values, right.values)
    else:
        values = OPERATIONS[operator](_comparable(left), _comparable(right))
    if values.dtype.hasobject:
        values = values.astype(np.bool_)
    return Column(BOOLEAN, values, both_valid(left, right))


def _comparable(column: Column) -> Array:
    """The numbers by which values of a type compare."""
    return interval_lengths(column.values) if column.type.kind is TypeKind.INTERVAL else column.values


def _compare_doubles(operator: str, left: Array, right: Array) -> Array:
    values: Array = OPERATIONS[operator](left, right)
    match operator:
        case "=" | "<>":
            right_nan = np.isnan(right)
            if right_nan.any():
                both = right_nan & np.isnan(left)
                return values | both if operator == "=" else values & ~both
        case "<":
            right_nan = np.isnan(right)
            if right_nan.any():
                return values | (right_nan & ~np.isnan(left))
        case "<=":
            right_nan = np.isnan(right)
            if right_nan.any():
                return values | right_nan
        case _:
            return _compare_doubles(MIRRORED[operator], right, left)
    return values


def distinct(different: Column, left: Column, right: Column, negated: bool) -> Column:
    """`left IS [NOT] DISTINCT FROM right`, given `left <> right` with any value where that is NULL."""
    values = different.values
    if left.valid is not None or right.valid is not None:
        left_valid = np.True_ if left.valid is None else left.valid
        right_valid = np.True_ if right.valid is None else right.valid
        values = np.where(left_valid & right_valid, values, left_valid != right_valid)
    return Column(BOOLEAN, ~values if negated else values)


class Membership:
    """Whether values are among the items of an IN list, prepared once for all batches."""

    def __init__(self, items: Column) -> None:
        """`items` are those that are not NULL, at least one."""
        self._items = np.unique(_comparable(items))
        self._table: BoolArray | None = None
        self._low = 0
        if self._items.dtype.kind == "i" and len(self._items) > _FEW_ITEMS:
            low, high = int(self._items[0]), int(self._items[-1])
            limits = np.iinfo(self._items.dtype)
            if high - low < _TABLE_ENTRIES_PER_ITEM * len(self._items) and limits.min < low and high < limits.max:
                self._low = low
                # One entry more on either side catches what lies outside.
                self._table = np.zeros(high - low + 3, np.bool_)
                self._table[self._items - low + 1] = True

    def __call__(self, column: Column) -> Array:
        """For each value whether it is an item."""
        items, values = self._items, _comparable(column)
        if len(items) <= _FEW_ITEMS:
            found: Array = np.zeros(len(values), np.bool_)
            for item in items:
                found |= _equal(values, item)
            return found
        if self._table is not None:
            clipped = np.clip(values, self._low - 1, self._low + len(self._table) - 2)
            return self._table.take(clipped - (self._low - 1))
        places = np.minimum(np.searchsorted(items, values), len(items) - 1)
        return _equal(values, items.take(places))


def _equal(values: Array, items: Any) -> Array:
    if values.dtype.kind == "f":
        return _compare_doubles("=", values, np.asarray(items))
    equal: Array = values == items
    return equal.astype(np.bool_, copy=False)
