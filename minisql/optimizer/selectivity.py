"""Selectivity: the share of rows, or of pairs of rows, for which a condition is TRUE.

System R's formulas (Selinger et al., SIGMOD 1979, section 4) with distinct counts and ranges: values are taken as
evenly spread and conditions as independent of each other, apart from the two ends of a range and the columns of one
key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, assert_never

from minisql.expression.nodes import (
    MIRRORED,
    And,
    Arithmetic,
    Case,
    Cast,
    Coalesce,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    FunctionCall,
    InList,
    IsDistinctFrom,
    IsNull,
    IsTruth,
    Like,
    Literal,
    Negate,
    Not,
    Or,
    OuterReference,
)
from minisql.expression.nulls import rejects_nulls
from minisql.expression.simplify import implied_conditions
from minisql.expression.walk import columns_of, tables_of
from minisql.node import record
from minisql.node_set import EMPTY, NodeSet, members, single
from minisql.optimizer.access_path import JoinKey
from minisql.optimizer.statistics import Statistics, ValueStatistics, as_number

DEFAULT_RANGE: Final = 1 / 3
"""`x < y` where nothing is known."""
DEFAULT_LIKE: Final = 0.1
"""A pattern with wildcards."""
DEFAULT_CONDITION: Final = 0.5
"""A truth value of which nothing is known."""
OUT_OF_RANGE: Final = 0.1
"""How many times rarer a value outside the known range is than one inside: statistics may be old or estimated."""


@record
class KeyEstimate:
    """Keys of a join taken together: the share of pairs with equal keys, and the distinct keys of each side."""

    selectivity: float
    left_distinct: float
    right_distinct: float


def conjunction_selectivity(conditions: Iterable[Expression], statistics: Statistics) -> float:
    """The share of rows for which every condition is TRUE."""
    result = 1.0
    ends: dict[Expression, tuple[bool, float]] = {}
    for condition in conditions:
        share = selectivity(condition, statistics)
        end = _range_end(condition)
        if end is not None:
            operand, is_lower = end
            other_is_lower, other = ends.pop(operand, (is_lower, 0.0))
            if other_is_lower is is_lower:
                ends[operand] = end[1], share
            elif other > 0:
                # The two ends cut off different rows.
                not_null = 1 - statistics.of(operand).null_fraction
                share = max(share + other - not_null, share * other * OUT_OF_RANGE) / other
        result *= share
    return result


def narrow_columns(conditions: Iterable[Expression], statistics: Statistics) -> None:
    """Tells the statistics which values a filter leaves in columns: `a.k = 5 AND b.k = 5` makes a.k = b.k no rarer."""
    by_column: dict[ColumnId, list[Expression]] = {}
    for condition in conditions:
        columns = columns_of(condition)
        if len(columns) == 1:
            by_column.setdefault(columns.pop(), []).append(condition)
    for column, own in by_column.items():
        known = statistics.of_column(column)
        not_null = 1 - known.null_fraction
        if not_null == 0 or not any(rejects_nulls(condition, single(column.table)) for condition in own):
            continue
        share = min(1.0, conjunction_selectivity(own, statistics) / not_null)
        distinct = max(1.0, known.distinct_count * share)
        statistics.narrow(column, replace(known, distinct_count=distinct, null_fraction=0.0))


def selectivity(condition: Expression, statistics: Statistics) -> float:
    """The share of rows for which a condition is TRUE."""
    match condition:
        case Literal():
            return 1.0 if condition.value is True else 0.0
        case And():
            return conjunction_selectivity(condition.operands, statistics)
        case Or():
            return _or(condition, statistics)
        case Not():
            return 1 - selectivity(condition.operand, statistics)
        case Comparison():
            return _comparison(condition, statistics)
        case IsDistinctFrom():
            equal = _null_safe_equal(condition.left, condition.right, statistics)
            return equal if condition.negated else 1 - equal
        case IsNull():
            null = statistics.of(condition.operand).null_fraction
            return 1 - null if condition.negated else null
        case IsTruth():
            true = selectivity(condition.operand, statistics)
            return true if condition.truth is not condition.negated else 1 - true
        case InList():
            return _in_list(condition, statistics)
        case Like():
            return _like(condition, statistics)
        case ColumnRef() | OuterReference() | Case() | Cast() | Coalesce() | FunctionCall() | Negate() | Arithmetic():
            return DEFAULT_CONDITION * (1 - statistics.of(condition).null_fraction)
        case _:
            assert_never(condition)


def _or(condition: Or, statistics: Statistics) -> float:
    none = 1.0
    for operand in condition.operands:
        none *= 1 - selectivity(operand, statistics)
    share = 1 - none
    if condition.implied_are_asked:
        # Of the rows that pass the conditions which follow from it. Those on one column have narrowed it already.
        for implied in implied_conditions(condition):
            share /= max(selectivity(implied, statistics), share)
    return share


def key_estimate(keys: Sequence[JoinKey], statistics: Statistics) -> KeyEstimate:
    """What several equalities between two inputs let through together.

    Their columns are taken as independent until there would be more distinct keys than rows.
    """
    left_distinct = right_distinct = 1.0
    share = 1.0
    left_tables = right_tables = EMPTY
    for key in keys:
        left, right = statistics.of(key.left), statistics.of(key.right)
        left_distinct *= left.distinct_count
        right_distinct *= right.distinct_count
        not_null = (1 - left.null_fraction) * (1 - right.null_fraction)
        both_null = left.null_fraction * right.null_fraction if key.null_safe else 0.0
        equal = not_null / max(left.distinct_count, right.distinct_count)
        share *= (equal + both_null) * max(left.distinct_count, right.distinct_count)
        left_tables = NodeSet(left_tables | tables_of(key.left))
        right_tables = NodeSet(right_tables | tables_of(key.right))
    left_distinct = max(1.0, min(left_distinct, statistics.rows(members(left_tables))))
    right_distinct = max(1.0, min(right_distinct, statistics.rows(members(right_tables))))
    return KeyEstimate(min(1.0, share / max(left_distinct, right_distinct)), left_distinct, right_distinct)


def _comparison(condition: Comparison, statistics: Statistics) -> float:
    operator, left, right = condition.operator, condition.left, condition.right
    if isinstance(left, Literal):
        operator, left, right = MIRRORED[operator], right, left
    x, y = statistics.of(left), statistics.of(right)
    not_null = (1 - x.null_fraction) * (1 - y.null_fraction)
    if operator in ("=", "<>"):
        equal = _equal(x, y)
        return not_null * (equal if operator == "=" else 1 - equal)
    return not_null * _below(operator, x, right)


def _equal(x: ValueStatistics, y: ValueStatistics) -> float:
    """The share of pairs of values other than NULL that are equal."""
    equal = 1 / max(x.distinct_count, y.distinct_count)
    if x.low is None or x.high is None or y.low is None or y.high is None:
        return equal
    return equal * OUT_OF_RANGE if x.high < y.low or y.high < x.low else equal


def _below(operator: str, x: ValueStatistics, constant: Expression) -> float:
    """The share of values `x` with `x operator constant`."""
    value = as_number(constant.value) if isinstance(constant, Literal) else None
    if value is None or x.low is None or x.high is None:
        return DEFAULT_RANGE
    one = 1 / x.distinct_count
    width = x.high - x.low
    below = (value - x.low) / width if width else 0.5 + (value > x.low) - (value < x.low)
    share = below if operator in ("<", "<=") else 1 - below
    # At least as rare as a single value, and never quite all or nothing: the range may be an estimate.
    return min(max(share, one * OUT_OF_RANGE), 1.0)


def _null_safe_equal(left: Expression, right: Expression, statistics: Statistics) -> float:
    x, y = statistics.of(left), statistics.of(right)
    not_null = (1 - x.null_fraction) * (1 - y.null_fraction)
    return not_null * _equal(x, y) + x.null_fraction * y.null_fraction


def _in_list(condition: InList, statistics: Statistics) -> float:
    operand = statistics.of(condition.operand)
    not_null = 1 - operand.null_fraction
    constants = {item.value for item in condition.items if isinstance(item, Literal)}
    others = sum(not isinstance(item, Literal) for item in condition.items)
    found = min(1.0, (len(constants) + others) / operand.distinct_count)
    return not_null * (1 - found if condition.negated else found)


def _like(condition: Like, statistics: Statistics) -> float:
    operand = statistics.of(condition.operand)
    pattern = condition.pattern
    share = DEFAULT_LIKE
    if isinstance(pattern, Literal) and isinstance(pattern.value, str) and not set("%_") & set(pattern.value):
        share = 1 / operand.distinct_count
    return (1 - operand.null_fraction) * (1 - share if condition.negated else share)


def _range_end(condition: Expression) -> tuple[Expression, bool] | None:
    """The operand of a comparison with a constant, and whether it bounds it from below; None for other conditions."""
    if not isinstance(condition, Comparison) or condition.operator in ("=", "<>"):
        return None
    operator, operand, constant = condition.operator, condition.left, condition.right
    if isinstance(operand, Literal):
        operator, operand, constant = MIRRORED[operator], constant, operand
    return (operand, operator in (">", ">=")) if isinstance(constant, Literal) else None
