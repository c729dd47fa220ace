"""Three-valued logic on BOOLEAN columns (Kleene): AND, OR, NOT, and the predicates that are never NULL."""

from __future__ import annotations

import numpy as np

from minisql.columnar.column import Array, Column
from minisql.datatypes import BOOLEAN


def is_true(column: Column) -> Array:
    """Which rows are TRUE, neither FALSE nor NULL."""
    return column.values if column.valid is None else column.values & column.valid


def is_false(column: Column) -> Array:
    """Which rows are FALSE, neither TRUE nor NULL."""
    return ~column.values if column.valid is None else column.valid > column.values


def and_(left: Column, right: Column) -> Column:
    """FALSE where a side is, TRUE where both are, else NULL."""
    if left.valid is None and right.valid is None:
        return Column(BOOLEAN, left.values & right.values)
    true = is_true(left) & is_true(right)
    return Column(BOOLEAN, true, true | is_false(left) | is_false(right))


def or_(left: Column, right: Column) -> Column:
    """TRUE where a side is, FALSE where both are, else NULL."""
    if left.valid is None and right.valid is None:
        return Column(BOOLEAN, left.values | right.values)
    true = is_true(left) | is_true(right)
    return Column(BOOLEAN, true, true | (is_false(left) & is_false(right)))


def not_(operand: Column) -> Column:
    """TRUE for FALSE and the other way round, NULL for NULL."""
    return Column(BOOLEAN, ~operand.values, operand.valid)


def is_null(operand: Column, negated: bool) -> Column:
    """`operand IS [NOT] NULL`."""
    if operand.valid is None:
        return Column(BOOLEAN, np.full(len(operand), negated))
    return Column(BOOLEAN, operand.valid if negated else ~operand.valid)


def is_truth(operand: Column, truth: bool, negated: bool) -> Column:
    """`operand IS [NOT] TRUE` or `IS [NOT] FALSE`."""
    values = is_true(operand) if truth else is_false(operand)
    return Column(BOOLEAN, ~values if negated else values)
