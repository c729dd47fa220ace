"""What the columns that a relational expression makes are over those of its inputs."""

from __future__ import annotations

from collections.abc import Mapping

from minisql.expression.nodes import ColumnId, ColumnRef, Expression
from minisql.relational.relational_expression import Aggregate, Project, SetOperation
from minisql.relational.relational_expression import output_tables as output_tables


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
