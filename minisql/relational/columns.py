"""Which columns a relational expression gives, and how conditions on them read below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from minisql.expression.nodes import ColumnId, ColumnRef, Expression
from minisql.node_set import EMPTY, NodeSet, single
from minisql.relational.relational_expression import (
    Aggregate,
    BaseTable,
    Filter,
    Join,
    JoinOrder,
    JoinType,
    Limit,
    OneRow,
    Project,
    RelationalExpression,
    SetOperation,
    Sort,
    Values,
)


def output_tables(expression: RelationalExpression) -> NodeSet:
    """The tables whose columns the expression gives."""
    while True:
        match expression:
            case BaseTable() | Values() | Project() | Aggregate() | SetOperation():
                return single(expression.table)
            case OneRow():
                return EMPTY
            case JoinOrder() | Filter() | Sort() | Limit():
                expression = expression.input
            case Join():
                if expression.type not in (JoinType.SEMI, JoinType.ANTI):
                    return NodeSet(output_tables(expression.left) | output_tables(expression.right))
                expression = expression.left
            case _:
                assert_never(expression)


def projected(node: Project) -> Mapping[ColumnId, Expression]:
    """What the columns of a projection are over the columns of its input."""
    return {ColumnId(node.table, place): expression for place, expression in enumerate(node.expressions)}


def group_keys(node: Aggregate) -> Mapping[ColumnId, Expression]:
    """What the key columns of a grouping are over the columns of its input."""
    return {ColumnId(node.table, place): key for place, key in enumerate(node.keys)}


def operand_columns(node: SetOperation) -> tuple[Mapping[ColumnId, Expression], Mapping[ColumnId, Expression]]:
    """What the columns of a set operation are in its left and in its right operand."""
    left, right = (
        {
            ColumnId(node.table, place): ColumnRef(column=column, name=name, type=type_)
            for place, (column, name, type_) in enumerate(zip(columns, node.names, node.types, strict=True))
        }
        for columns in (node.left_columns, node.right_columns)
    )
    return left, right
