"""The same expression under other table numbers: an expression may be in a query once only, copies are renumbered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from minisql.expression.nodes import ColumnId, ColumnRef, Expression, OuterReference
from minisql.expression.walk import transform
from minisql.node_set import NodeSet, members, node_set
from minisql.relational.relational_expression import (
    Aggregate,
    Apply,
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
    SingleRow,
    Sort,
    Values,
    Window,
    WorkingTable,
    inputs,
    with_inputs,
)
from minisql.relational.rewriting import map_sort_key, nodes_of, own_tables, with_expressions


def tables_inside(root: RelationalExpression) -> set[int]:
    """The numbers of all tables in an expression, those inside what is shared left out."""
    return {table for node in nodes_of(root) for table in own_tables(node)}


def renumbered(root: RelationalExpression, new: Mapping[int, int]) -> RelationalExpression:
    """The expression with other numbers for these tables; others keep theirs."""
    return _Renumbering(new).node(root)


def copied(root: RelationalExpression, new_table: Callable[[], int]) -> tuple[RelationalExpression, Mapping[int, int]]:
    """The expression once more, all its tables under new numbers, and the new number of each."""
    numbers = {table: new_table() for table in sorted(tables_inside(root))}
    return renumbered(root, numbers), numbers


def with_own_number(root: RelationalExpression, old: int, new: int) -> RelationalExpression:
    """The expression with another number for the columns that it gives, which only its uppermost nodes know."""
    match root:
        case Sort():
            renumbering = _Renumbering({old: new})
            keys = tuple([map_sort_key(key, renumbering.expression) for key in root.keys])
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
        below = tuple([self.node(input_) for input_ in inputs(node)])
        node = with_expressions(with_inputs(node, below), self.expression)
        match node:
            case OneRow() | Join() | Filter() | Sort() | Limit() | SingleRow():
                return node
            case BaseTable() | Values() | SharedScan() | Project() | Aggregate() | Window():
                return replace(node, table=self._table(node.table))
            case WorkingTable():
                return replace(node, table=self._table(node.table), recursion=self._table(node.recursion))
            case Apply():
                return node if node.mark is None else replace(node, mark=self._table(node.mark))
            case JoinOrder():
                joins = tuple(
                    replace(join, left=self._set(join.left), right=self._set(join.right)) for join in node.joins
                )
                return replace(
                    node, joins=joins, names={self._table(table): name for table, name in node.names.items()}
                )
            case SetOperation():
                return replace(
                    node,
                    table=self._table(node.table),
                    left_columns=self._columns(node.left_columns),
                    right_columns=self._columns(node.right_columns),
                )
            case RecursiveUnion():
                return replace(
                    node,
                    table=self._table(node.table),
                    anchor_columns=self._columns(node.anchor_columns),
                    step_columns=self._columns(node.step_columns),
                )
            case _:
                assert_never(node)

    def _table(self, table: int) -> int:
        return self._new.get(table, table)

    def _set(self, tables: NodeSet) -> NodeSet:
        return node_set(self._table(table) for table in members(tables))

    def _columns(self, columns: tuple[ColumnId, ...]) -> tuple[ColumnId, ...]:
        return tuple([ColumnId(self._table(column.table), column.position) for column in columns])

    def expression(self, expression: Expression) -> Expression:
        """A bound expression over the renumbered tables."""

        def change(node: Expression) -> Expression:
            if not isinstance(node, ColumnRef | OuterReference) or node.column.table not in self._new:
                return node
            return replace(node, column=ColumnId(self._new[node.column.table], node.column.position))

        return transform(expression, change)
