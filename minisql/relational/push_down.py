"""Moves conditions as far down as is legal: the fewer rows a join sees, the better.

What a join lets through, and what it takes from ON:

    join          a condition from above on       a conjunct of ON on
                  the left       the right        the left       the right
    inner         goes left      goes right       goes left      goes right
    left          goes left      stays above      stays in ON    goes right
    full          stays above    stays above      stays in ON    stays in ON
    semi          goes left      -                goes left      goes right
    anti          goes left      -                stays in ON    goes right
    apply         goes left      stays above      stays          goes right

A condition from above on both sides becomes a conjunct of an inner join, and stays above the others, but for those on
the merged key of the join alone, which go down on both sides (`merged_keys`). Conditions pass projections, with the
projected expressions in place of the columns; groupings, if they read keys only; window functions, if they read only
columns that all of these partition by; set operations, into both operands; sorting. They stop at LIMIT, which would let
other rows through, at the row of a scalar subquery, which is there even if no row is, and where they or what they read
is volatile.

A condition that may raise an error (division, a cast) moves like any other, as in PostgreSQL. Where conditions meet,
those from further down come first, as they did: they may protect the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from minisql.expression.functions import is_volatile
from minisql.expression.nodes import ColumnId, Expression
from minisql.expression.walk import columns_of, conjuncts, replace_columns, tables_of
from minisql.expression.window import common_partition_columns
from minisql.node_set import is_subset, overlaps
from minisql.relational.columns import group_keys, operand_columns, projected
from minisql.relational.merged_keys import on_merged_key
from minisql.relational.relational_expression import (
    Aggregate,
    Apply,
    BaseTable,
    Filter,
    Join,
    JoinOrder,
    JoinType,
    Limit,
    OneRow,
    Project,
    RecursiveUnion,
    RelationalExpression,
    SetOperation,
    SharedScan,
    SingleRow,
    Sort,
    Values,
    Window,
    WorkingTable,
    output_tables,
)

Conditions = tuple[Expression, ...]


def push_down(expression: RelationalExpression) -> RelationalExpression:
    """The same rows, with conditions further down; the expression itself where none moves."""
    return _push(expression, ())


def _push(node: RelationalExpression, conditions: Conditions) -> RelationalExpression:
    """The rows of the node for which the conditions are TRUE."""
    match node:
        case BaseTable() | Values() | OneRow() | SharedScan() | WorkingTable():
            return _filtered(node, conditions)
        case Filter():
            volatile = tuple([condition for condition in node.conditions if is_volatile(condition)])
            if volatile:
                free = tuple([condition for condition in node.conditions if condition not in volatile])
                return _filtered(_push(node.input, free), volatile + conditions)
            result = _push(node.input, node.conditions + conditions)
            return node if _is_same_filter(result, node) else result
        case Join():
            return _push_join(node, conditions)
        case Apply():
            return _push_apply(node, conditions)
        case Project():
            new = projected(node)
            translated = _translated(conditions, new)
            if any(map(is_volatile, translated)):
                input_ = _push(node.input, ())
                return _filtered(node if input_ is node.input else replace(node, input=input_), conditions)
            input_ = _push(node.input, translated)
            return node if input_ is node.input else replace(node, input=input_)
        case Aggregate():
            return _push_aggregate(node, conditions)
        case Window():
            return _push_window(node, conditions)
        case RecursiveUnion():
            # The rows of a round are made of all rows of the one before.
            anchor, step = _push(node.anchor, ()), _push(node.step, ())
            changed = anchor is not node.anchor or step is not node.step
            return _filtered(replace(node, anchor=anchor, step=step) if changed else node, conditions)
        case SetOperation():
            left_columns, right_columns = operand_columns(node)
            left = _push(node.left, _translated(conditions, left_columns))
            right = _push(node.right, _translated(conditions, right_columns))
            return node if left is node.left and right is node.right else replace(node, left=left, right=right)
        case JoinOrder() | Sort():
            input_ = _push(node.input, conditions)
            return node if input_ is node.input else replace(node, input=input_)
        case Limit() | SingleRow():
            input_ = _push(node.input, ())
            return _filtered(node if input_ is node.input else replace(node, input=input_), conditions)
        case _:
            assert_never(node)


def _push_join(node: Join, above: Conditions) -> RelationalExpression:
    left_tables, right_tables = output_tables(node.left), output_tables(node.right)
    to_left: list[Expression] = []
    to_right: list[Expression] = []
    on: list[Expression] = []
    stays: list[Expression] = []
    is_inner = node.type is JoinType.INNER
    for condition in node.conditions:
        tables = tables_of(condition)
        if node.type is JoinType.FULL or is_volatile(condition):
            on.append(condition)
        elif is_subset(tables, right_tables):
            to_right.append(condition)
        elif is_subset(tables, left_tables) and node.type in (JoinType.INNER, JoinType.SEMI):
            to_left.append(condition)
        else:
            on.append(condition)
    for condition in above:
        tables = tables_of(condition)
        if overlaps(tables, left_tables) and overlaps(tables, right_tables):
            merged = on_merged_key(condition, node)
            if merged is not None:
                to_left.append(merged.on_left)
                if merged.on_right is not None:
                    to_right.append(merged.on_right)
                continue
        if node.type is JoinType.FULL:
            stays.append(condition)
        elif is_subset(tables, left_tables):
            # A condition without columns, too: no row on the left, no row in the result.
            to_left.append(condition)
        elif not is_inner:
            stays.append(condition)
        elif is_subset(tables, right_tables):
            to_right.append(condition)
        else:
            on.append(condition)
    left, right = _push(node.left, tuple(to_left)), _push(node.right, tuple(to_right))
    if left is not node.left or right is not node.right or len(on) != len(node.conditions) or (is_inner and above):
        node = replace(node, left=left, right=right, conditions=tuple(on))
    return _filtered(node, tuple(stays))


def _push_apply(node: Apply, above: Conditions) -> RelationalExpression:
    """A row of the left input that fails a condition has no part in the result, nor does a row of the right one."""
    left_tables, right_tables = output_tables(node.left), output_tables(node.right)
    to_left = tuple([condition for condition in above if is_subset(tables_of(condition), left_tables)])
    stays = tuple([condition for condition in above if condition not in to_left])
    to_right = tuple(
        [
            condition
            for condition in node.conditions
            if is_subset(tables_of(condition), right_tables) and not is_volatile(condition)
        ]
    )
    on = tuple([condition for condition in node.conditions if condition not in to_right])
    left, right = _push(node.left, to_left), _push(node.right, to_right)
    if left is not node.left or right is not node.right or to_right:
        node = replace(node, left=left, right=right, conditions=on)
    return _filtered(node, stays)


def _push_aggregate(node: Aggregate, conditions: Conditions) -> RelationalExpression:
    """Conditions on keys go below the grouping; a set without keys gives its row whatever is below."""
    has_row_always = not node.keys or not all(node.sets)
    keys = {column: key for column, key in group_keys(node).items() if not is_volatile(key)}
    below = [each for each in conditions if not has_row_always and columns_of(each) <= keys.keys()]
    input_ = _push(node.input, _translated(below, keys))
    stays = tuple([condition for condition in conditions if condition not in below])
    return _filtered(node if input_ is node.input else replace(node, input=input_), stays)


def _push_window(node: Window, conditions: Conditions) -> RelationalExpression:
    """Conditions that keep or drop whole partitions go below."""
    keys = {key.column for key in common_partition_columns(node.calls)}
    below = tuple([condition for condition in conditions if columns_of(condition) <= keys])
    input_ = _push(node.input, below)
    stays = tuple([condition for condition in conditions if condition not in below])
    return _filtered(node if input_ is node.input else replace(node, input=input_), stays)


def _translated(conditions: Sequence[Expression], new: Mapping[ColumnId, Expression]) -> Conditions:
    """The conditions over what the columns stand for."""
    return tuple([part for condition in conditions for part in conjuncts(replace_columns(condition, new))])


def _filtered(node: RelationalExpression, conditions: Conditions) -> RelationalExpression:
    return Filter(input=node, conditions=conditions) if conditions else node


def _is_same_filter(result: RelationalExpression, node: Filter) -> bool:
    return isinstance(result, Filter) and result.input is node.input and result.conditions == node.conditions
