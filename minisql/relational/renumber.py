"""The same expression under other table numbers: an expression may be in a query once only, copies are renumbered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from minisql.expression.nodes import AggregateCall, ColumnId, ColumnRef, Expression, SortKey
from minisql.expression.walk import transform
from minisql.node_set import NodeSet, members, node_set
from minisql.relational.relational_expression import (
    Aggregate,
    BaseTable,
    Filter,
    Join,
    JoinOrder,
    Limit,
    OneRow,
    Project,
    RecursiveUnion,
    RelationalExpression,
    SetOperation,
    SharedScan,
    Sort,
    Values,
    WorkingTable,
    inputs,
)


def tables_inside(root: RelationalExpression) -> set[int]:
    """The numbers of all tables in an expression, those inside what is shared left out."""
    tables = set[int]()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += inputs(node)
        if not isinstance(node, Join | JoinOrder | Filter | Sort | Limit | OneRow):
            tables.add(node.table)
    return tables


def renumbered(root: RelationalExpression, new: Mapping[int, int]) -> RelationalExpression:
    """The expression with other numbers for these tables; others keep theirs."""
    return _Renumbering(new).node(root)


def with_own_number(root: RelationalExpression, old: int, new: int) -> RelationalExpression:
    """The expression with another number for the columns that it gives, which only its uppermost nodes know."""
    match root:
        case Sort():
            keys = tuple([_Renumbering({old: new}).sort_key(key) for key in root.keys])
            return replace(root, input=with_own_number(root.input, old, new), keys=keys)
        case Limit():
            return replace(root, input=with_own_number(root.input, old, new))
        case Project() | Aggregate() | Values() | SetOperation():
            return replace(root, table=new)
        case RecursiveUnion():
            # Its working table goes by its number, also inside of what is shared in its step.
            columns = tuple(
                ColumnRef(column=ColumnId(old, position), name=name, type=type_)
                for position, (name, type_) in enumerate(zip(root.names, root.types, strict=True))
            )
            return Project(table=new, alias=root.name, input=root, names=root.names, expressions=columns)
        case _:
            return renumbered(root, {old: new})


class _Renumbering:
    def __init__(self, new: Mapping[int, int]) -> None:
        self._new = new

    def node(self, node: RelationalExpression) -> RelationalExpression:
        match node:
            case OneRow():
                return node
            case BaseTable() | Values() | SharedScan():
                return replace(node, table=self._table(node.table))
            case WorkingTable():
                return replace(node, table=self._table(node.table), recursion=self._table(node.recursion))
            case Join():
                conditions = self._expressions(node.conditions)
                return replace(node, left=self.node(node.left), right=self.node(node.right), conditions=conditions)
            case JoinOrder():
                return self._join_order(node)
            case Filter():
                return replace(node, input=self.node(node.input), conditions=self._expressions(node.conditions))
            case Project():
                expressions = self._expressions(node.expressions)
                return replace(
                    node, table=self._table(node.table), input=self.node(node.input), expressions=expressions
                )
            case Aggregate():
                return replace(
                    node,
                    table=self._table(node.table),
                    input=self.node(node.input),
                    keys=self._expressions(node.keys),
                    aggregates=tuple([self._call(call) for call in node.aggregates]),
                )
            case SetOperation():
                return replace(
                    node,
                    table=self._table(node.table),
                    left=self.node(node.left),
                    right=self.node(node.right),
                    left_columns=self._columns(node.left_columns),
                    right_columns=self._columns(node.right_columns),
                )
            case RecursiveUnion():
                return replace(
                    node,
                    table=self._table(node.table),
                    anchor=self.node(node.anchor),
                    step=self.node(node.step),
                    anchor_columns=self._columns(node.anchor_columns),
                    step_columns=self._columns(node.step_columns),
                )
            case Sort():
                return replace(node, input=self.node(node.input), keys=tuple([self.sort_key(key) for key in node.keys]))
            case Limit():
                return replace(node, input=self.node(node.input))
            case _:
                assert_never(node)

    def _join_order(self, node: JoinOrder) -> JoinOrder:
        joins = tuple(replace(join, left=self._set(join.left), right=self._set(join.right)) for join in node.joins)
        names = {self._table(table): name for table, name in node.names.items()}
        return replace(node, input=self.node(node.input), joins=joins, names=names)

    def _table(self, table: int) -> int:
        return self._new.get(table, table)

    def _set(self, tables: NodeSet) -> NodeSet:
        return node_set(self._table(table) for table in members(tables))

    def _columns(self, columns: tuple[ColumnId, ...]) -> tuple[ColumnId, ...]:
        return tuple([ColumnId(self._table(column.table), column.position) for column in columns])

    def expression(self, expression: Expression) -> Expression:
        """A bound expression over the renumbered tables."""

        def change(node: Expression) -> Expression:
            if not isinstance(node, ColumnRef) or node.column.table not in self._new:
                return node
            return replace(node, column=ColumnId(self._new[node.column.table], node.column.position))

        return transform(expression, change)

    def _expressions(self, expressions: tuple[Expression, ...]) -> tuple[Expression, ...]:
        return tuple([self.expression(expression) for expression in expressions])

    def _call(self, call: AggregateCall) -> AggregateCall:
        argument = None if call.argument is None else self.expression(call.argument)
        filter_ = None if call.filter is None else self.expression(call.filter)
        return replace(call, argument=argument, filter=filter_)

    def sort_key(self, key: SortKey) -> SortKey:
        return replace(key, expression=self.expression(key.expression))
