"""What is certain of the rows of a relational expression: how many there are, and where no NULL can be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from minisql.expression.equalities import is_equality
from minisql.expression.nodes import ColumnId, ColumnRef, Comparison, Expression, IsDistinctFrom, Literal
from minisql.expression.nulls import rejects_nulls
from minisql.expression.walk import columns_of, tables_of
from minisql.node_set import single
from minisql.relational.relational_expression import (
    Aggregate,
    Apply,
    ApplyType,
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


def has_one_row(node: RelationalExpression) -> bool:
    """Whether the node has exactly one row, whatever is in the tables."""
    match node:
        case OneRow() | SingleRow():
            return True
        case Aggregate():
            return not node.keys and len(node.sets) <= 1
        case Values():
            return len(node.rows) == 1
        case Project() | Sort() | JoinOrder() | Window():
            return has_one_row(node.input)
        case Join():
            return node.type in (JoinType.INNER, JoinType.LEFT, JoinType.FULL) and (
                has_one_row(node.left)
                and has_one_row(node.right)
                and not (node.type in (JoinType.INNER, JoinType.FULL) and node.conditions)
            )
        case Apply():
            return node.type in (ApplyType.SINGLE, ApplyType.MARK) and has_one_row(node.left)
        case SharedScan():
            return has_one_row(node.shared.input)
        case BaseTable() | Filter() | SetOperation() | Limit() | WorkingTable() | RecursiveUnion():
            return False
        case _:
            assert_never(node)


def has_at_most_one_row(node: RelationalExpression, conditions: Iterable[Expression]) -> bool:
    """Whether at most one row of the node fulfils the conditions, for any values of what else they read."""
    tables = output_tables(node)
    fixed: set[ColumnId] = set()
    for condition in conditions:
        if is_equality(condition) or (isinstance(condition, IsDistinctFrom) and condition.negated):
            for side, other in ((condition.left, condition.right), (condition.right, condition.left)):
                if isinstance(side, ColumnRef) and tables >> side.column.table & 1 and not tables_of(other) & tables:
                    fixed.add(side.column)
    return _is_unique(node, fixed)


def _is_unique(node: RelationalExpression, fixed: set[ColumnId]) -> bool:
    """Whether at most one row of the node has given values in the columns."""
    if has_one_row(node):
        return True
    match node:
        case Aggregate():
            return not node.sets and fixed >= {ColumnId(node.table, place) for place in range(len(node.keys))}
        case Project():
            below = {
                expression.column
                for place, expression in enumerate(node.expressions)
                if ColumnId(node.table, place) in fixed and isinstance(expression, ColumnRef)
            }
            return _is_unique(node.input, below)
        case Filter(input=Window() as window) if _is_first_of_partition(node, window, fixed):
            return True
        case Filter() | Sort() | JoinOrder() | Window():
            return _is_unique(node.input, fixed)
        case Limit():
            return (node.limit is not None and node.limit <= 1) or _is_unique(node.input, fixed)
        case Join():
            if node.type in (JoinType.SEMI, JoinType.ANTI):
                return _is_unique(node.left, fixed)
            return node.type in (JoinType.INNER, JoinType.LEFT) and (
                _is_unique(node.left, fixed) and has_at_most_one_row(node.right, node.conditions)
            )
        case Apply():
            return node.type in (ApplyType.SINGLE, ApplyType.MARK) and _is_unique(node.left, fixed)
        case SetOperation():
            return not node.all and fixed >= {ColumnId(node.table, place) for place in range(len(node.types))}
        case Values():
            return len(node.rows) <= 1
        case SharedScan():
            return _is_unique(
                node.shared.input, {node.shared.columns[c.position] for c in fixed if c.table == node.table}
            )
        case BaseTable() | OneRow() | SingleRow() | WorkingTable() | RecursiveUnion():
            return False
        case _:
            assert_never(node)


def _is_first_of_partition(node: Filter, window: Window, fixed: set[ColumnId]) -> bool:
    """Whether the filter leaves one row of each partition, and the columns tell the partition."""
    for condition in node.conditions:
        match condition:
            case Comparison(operator="=" | "<=", left=ColumnRef() as number, right=Literal(value=1)):
                if number.column.table != window.table:
                    continue
                call = window.calls[number.column.position]
                keys = {key.column if isinstance(key, ColumnRef) else None for key in call.partition_by}
                if call.function.name == "row_number" and keys <= fixed:
                    return True
    return False


def is_never_null(column: ColumnId, node: RelationalExpression) -> bool:
    """Whether no row of the node has NULL in the column: the table has none, or a filter lets none through."""
    match node:
        case BaseTable():
            return node.source.column_statistics(column.position).null_fraction == 0.0
        case Values():
            return False
        case Filter():
            own = single(column.table)
            rejected = any(
                columns_of(condition) == {column} and rejects_nulls(condition, own) for condition in node.conditions
            )
            return rejected or is_never_null(column, node.input)
        case Join():
            if not output_tables(node.right) >> column.table & 1:
                return node.type is not JoinType.FULL and is_never_null(column, node.left)
            return node.type is JoinType.INNER and is_never_null(column, node.right)
        case Apply():
            if output_tables(node.left) >> column.table & 1:
                return is_never_null(column, node.left)
            return False
        case Project():
            expression = node.expressions[column.position]
            return isinstance(expression, ColumnRef) and is_never_null(expression.column, node.input)
        case Aggregate():
            if column.position >= len(node.keys):
                return node.aggregates[column.position - len(node.keys)].name == "count"
            key = node.keys[column.position]
            return not node.sets and isinstance(key, ColumnRef) and is_never_null(key.column, node.input)
        case SetOperation():
            return is_never_null(node.left_columns[column.position], node.left) and is_never_null(
                node.right_columns[column.position], node.right
            )
        case Window():
            return column.table != node.table and is_never_null(column, node.input)
        case JoinOrder() | Sort() | Limit():
            return is_never_null(column, node.input)
        case SharedScan():
            return is_never_null(node.shared.columns[column.position], node.shared.input)
        case OneRow() | SingleRow() | WorkingTable() | RecursiveUnion():
            return False
        case _:
            assert_never(node)
