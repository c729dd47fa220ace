"""What the columns that a relational expression makes are over those of its inputs."""

from __future__ import annotations

from collections.abc import Mapping

from minisql.expression.nodes import ColumnId, ColumnRef, Expression
from minisql.relational.relational_expression import Aggregate, Project, SetOperation


def projected(node: Project) -> Mapping[ColumnId, Expression]:
    """What the columns of a projection are over the columns of its input."""
    return {ColumnId(node.table, place): expression for place, expression in enumerate(node.expressions)}


def group_keys(node: Aggregate) -> Mapping[ColumnId, Expression]:
    """What the key columns of a grouping are over the columns of its input: those that are in every grouping set."""
    return {ColumnId(node.table, place): key for place, key in enumerate(node.keys) if is_in_every_set(node, place)}


def is_in_every_set(node: Aggregate, place: int) -> bool:
    """Whether a key is never NULL just because a grouping set is without it."""
    return all(place in each for each in node.sets)


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
