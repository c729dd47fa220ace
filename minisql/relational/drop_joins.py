"""Drops joins and groupings that change nothing, given what is read of their rows.

- A LEFT JOIN of which nobody reads a column of the right side keeps each left row once, if that has at most one
  partner: because of the keys of tables, groupings and set operations (`row_properties`). A full join adds rows; it
  stays.
- Where it does not matter how often a row is there, below DISTINCT, min and max, and on the right side of a semijoin,
  it may have several partners. An INNER JOIN of which nobody reads a side becomes a SEMI JOIN with that side there. A
  DISTINCT is not needed, but stays where another join would multiply the rows that it saves.
- DISTINCT goes where rows are distinct as they are, NULLs being equal to each other. So does GROUP BY with aggregates
  that are easily told of one row: count, min and max.

    SELECT DISTINCT o.c FROM o JOIN l ON l.o = o.k        o SEMI JOIN l
    ... WHERE o.k IN (SELECT l.o FROM l LEFT JOIN p ON l.p = p.k)        without p

What is read is known by table. Where an order of joins is prescribed, all of them stay.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, assert_never

from minisql.expression.nodes import AggregateCall, Case, ColumnId, ColumnRef, Expression, IsNull, Literal
from minisql.expression.walk import tables_of
from minisql.node import record
from minisql.node_set import NodeSet, node_set, overlaps
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
    SetOperator,
    SharedScan,
    SingleRow,
    Sort,
    Values,
    Window,
    WorkingTable,
    output_tables,
    with_inputs,
)
from minisql.relational.rewriting import expressions_of, nodes_of, tables_of_outer_references
from minisql.relational.row_properties import has_at_most_one_row, is_unique

_OF_A_SET: Final = frozenset({"min", "max", "bool_and", "bool_or"})
"""The aggregates for which it does not matter how often a value is there."""


def drop_joins(expression: RelationalExpression) -> RelationalExpression:
    """The same rows with fewer joins and groupings; the expression itself where all are needed."""
    nodes = list(nodes_of(expression))
    if not any(isinstance(node, Join | Apply | Aggregate) for node in nodes):
        return expression
    outer = 0
    for node in nodes:
        if isinstance(node, Apply):
            outer |= tables_of_outer_references(node.right)
    return _Dropper(NodeSet(outer)).node(expression, _Use(output_tables(expression), counts=True))


@record
class _Use:
    """What is made of the rows of a node: the tables of which columns are read, and whether it counts rows.

    If it does not, a row may be there once or several times. `joins` says that each time makes rows of a join.
    """

    tables: NodeSet
    counts: bool
    joins: bool = False

    def and_reads(self, expressions: tuple[Expression, ...]) -> _Use:
        """The use by a node that passes its input's columns on, and reads the expressions itself."""
        return replace(self, tables=NodeSet(self.tables | _tables_of(expressions)))


class _Dropper:
    """One run over a query, from the top. Tables that subqueries refer to are `_outer`: they count as read."""

    def __init__(self, outer: NodeSet) -> None:
        self._outer = outer

    def node(self, node: RelationalExpression, use: _Use) -> RelationalExpression:
        match node:
            case BaseTable() | Values() | OneRow() | JoinOrder() | SharedScan() | WorkingTable():
                return node
            case Join():
                return self._join(node, use)
            case Apply():
                return self._apply(node, use)
            case Aggregate():
                return self._aggregate(node, use)
            case SetOperation():
                return self._set_operation(node, use)
            case RecursiveUnion():
                anchor = self.node(node.anchor, _use_of(node.anchor_columns, counts=node.all))
                step = self.node(node.step, _use_of(node.step_columns, counts=node.all))
                return with_inputs(node, (anchor, step))
            case Project():
                below = replace(use, tables=_tables_of(node.expressions))
            case Window() | Sort():
                below = use.and_reads(tuple(expressions_of(node)))
                below = replace(below, counts=use.counts or isinstance(node, Window))
            case Limit() | SingleRow():
                below = replace(use, counts=True)
            case Filter():
                below = use.and_reads(node.conditions)
            case _:
                assert_never(node)
        return with_inputs(node, (self.node(node.input, below),))

    def _join(self, node: Join, use: _Use) -> RelationalExpression:
        reads_left, reads_right = self._reads(use, node.left), self._reads(use, node.right)
        if (
            node.type is JoinType.LEFT
            and not reads_right
            and (not use.counts or has_at_most_one_row(node.right, node.conditions))
        ):
            return self.node(node.left, use)
        if node.type is JoinType.INNER and not use.counts and not (reads_left and reads_right):
            left, right = (node.left, node.right) if reads_left or not reads_right else (node.right, node.left)
            node = Join(type=JoinType.SEMI, left=left, right=right, conditions=node.conditions)
        left_use = right_use = replace(use.and_reads(node.conditions), joins=True)
        if node.type in (JoinType.SEMI, JoinType.ANTI):
            right_use = _Use(_tables_of(node.conditions), counts=False)
        return with_inputs(node, (self.node(node.left, left_use), self.node(node.right, right_use)))

    def _reads(self, use: _Use, node: RelationalExpression) -> bool:
        tables = output_tables(node)
        return overlaps(use.tables, tables) or overlaps(self._outer, tables)

    def _apply(self, node: Apply, use: _Use) -> RelationalExpression:
        if node.mark is not None and not use.tables >> node.mark & 1 and not self._outer >> node.mark & 1:
            return self.node(node.left, use)
        asked = node.conditions if node.comparison is None else (*node.conditions, node.comparison)
        below = replace(use.and_reads(asked), joins=True)
        counts = use.counts if node.type in (ApplyType.INNER, ApplyType.LEFT) else node.type is ApplyType.SINGLE
        return with_inputs(node, (self.node(node.left, below), self.node(node.right, replace(below, counts=counts))))

    def _set_operation(self, node: SetOperation, use: _Use) -> RelationalExpression:
        counts = node.all and (use.counts or node.operator is not SetOperator.UNION)
        left = self.node(node.left, _use_of(node.left_columns, counts=counts))
        right = self.node(node.right, _use_of(node.right_columns, counts=counts))
        return with_inputs(node, (left, right))

    def _aggregate(self, node: Aggregate, use: _Use) -> RelationalExpression:
        single_row = _of_single_rows(node, must_be_distinct=use.counts or use.joins)
        if single_row is not None:
            return self.node(single_row, use)
        counts = not all(call.distinct or call.name in _OF_A_SET for call in node.aggregates)
        below = _Use(_tables_of(tuple(expressions_of(node))), counts)
        return with_inputs(node, (self.node(node.input, below),))


def _of_single_rows(node: Aggregate, *, must_be_distinct: bool) -> Project | None:
    """The grouping as a select list, if every group is one row, or if it is DISTINCT and does not have to be."""
    if not node.keys or node.sets:
        return None
    values = [_of_one_row(call) for call in node.aggregates]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    columns = [key.column for key in node.keys if isinstance(key, ColumnRef)]
    if (must_be_distinct or node.aggregates) and not is_unique(node.input, columns):
        return None
    names = [key.name if isinstance(key, ColumnRef) else "" for key in node.keys] + [
        call.name for call in node.aggregates
    ]
    return Project(table=node.table, alias="", input=node.input, names=tuple(names), expressions=(*node.keys, *known))


def _of_one_row(call: AggregateCall) -> Expression | None:
    """The aggregate of one row as an expression over it; None where it is none that is easily told."""
    if call.filter is not None:
        return None
    if call.name == "count":
        one, zero = Literal(value=1, type=call.type), Literal(value=0, type=call.type)
        if call.argument is None:
            return one
        is_null = IsNull(operand=call.argument, negated=False)
        return Case(branches=((is_null, zero),), otherwise=one, type=call.type)
    if call.name in ("min", "max") and call.argument is not None and call.argument.type == call.type:
        return call.argument
    return None


def _use_of(columns: tuple[ColumnId, ...], *, counts: bool) -> _Use:
    return _Use(node_set(column.table for column in columns), counts)


def _tables_of(expressions: tuple[Expression, ...]) -> NodeSet:
    tables = 0
    for expression in expressions:
        tables |= tables_of(expression)
    return NodeSet(tables)
