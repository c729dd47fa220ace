"""What every rewrite of relational expressions needs: their expressions, rebuilding, outer references, copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar, assert_never

from minisql.expression.nodes import ColumnId, ColumnRef, Expression, OuterReference, SortKey
from minisql.expression.walk import aggregate_inputs, map_aggregate, transform, walk
from minisql.expression.window import map_window_call, window_inputs
from minisql.node_set import EMPTY, NodeSet, single
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
    RelationalExpression,
    SetOperation,
    SingleRow,
    Sort,
    Values,
    Window,
    inputs,
)

Change = Callable[[Expression], Expression]
T = TypeVar("T")


def nodes_of(root: RelationalExpression) -> Iterator[RelationalExpression]:
    """The expression and all below it, parents first."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(inputs(node))


def expressions_of(node: RelationalExpression) -> Iterator[Expression]:
    """The expressions in one node, those of its inputs left out."""
    match node:
        case BaseTable() | OneRow() | JoinOrder() | SetOperation() | Limit() | SingleRow():
            pass
        case Values():
            for row in node.rows:
                yield from row
        case Join() | Filter():
            yield from node.conditions
        case Apply():
            yield from node.conditions
            if node.comparison is not None:
                yield node.comparison
        case Project():
            yield from node.expressions
        case Aggregate():
            yield from node.keys
            for call in node.aggregates:
                yield from aggregate_inputs(call)
        case Window():
            for window_call in node.calls:
                yield from window_inputs(window_call)
        case Sort():
            yield from (key.expression for key in node.keys)
        case _:
            assert_never(node)


def with_inputs(node: RelationalExpression, new: tuple[RelationalExpression, ...]) -> RelationalExpression:
    """The node over other inputs, given in the order of `inputs`; itself where none differs."""
    if all(a is b for a, b in zip(inputs(node), new, strict=True)):
        return node
    match node:
        case BaseTable() | Values() | OneRow():
            return node
        case Join() | Apply() | SetOperation():
            return replace(node, left=new[0], right=new[1])
        case JoinOrder() | Filter() | Project() | Aggregate() | Window() | Sort() | Limit() | SingleRow():
            return replace(node, input=new[0])
        case _:
            assert_never(node)


def with_expressions(node: RelationalExpression, change: Change) -> RelationalExpression:
    """The node with each expression in it changed, its inputs left as they are; itself where none changes."""
    match node:
        case BaseTable() | OneRow() | JoinOrder() | SetOperation() | Limit() | SingleRow():
            return node
        case Values():
            rows = unchanged(node.rows, tuple([changed(row, change) for row in node.rows]))
            return node if rows is node.rows else replace(node, rows=rows)
        case Join() | Filter():
            conditions = changed(node.conditions, change)
            return node if conditions is node.conditions else replace(node, conditions=conditions)
        case Apply():
            conditions = changed(node.conditions, change)
            comparison = None if node.comparison is None else change(node.comparison)
            if conditions is node.conditions and comparison is node.comparison:
                return node
            return replace(node, conditions=conditions, comparison=comparison)
        case Project():
            expressions = changed(node.expressions, change)
            return node if expressions is node.expressions else replace(node, expressions=expressions)
        case Aggregate():
            keys = changed(node.keys, change)
            calls = unchanged(node.aggregates, tuple([map_aggregate(call, change) for call in node.aggregates]))
            if keys is node.keys and calls is node.aggregates:
                return node
            return replace(node, keys=keys, aggregates=calls)
        case Window():
            window_calls = unchanged(node.calls, tuple([map_window_call(call, change) for call in node.calls]))
            return node if window_calls is node.calls else replace(node, calls=window_calls)
        case Sort():
            new_keys = unchanged(node.keys, tuple([map_sort_key(key, change) for key in node.keys]))
            return node if new_keys is node.keys else replace(node, keys=new_keys)
        case _:
            assert_never(node)


def changed(expressions: tuple[Expression, ...], change: Change) -> tuple[Expression, ...]:
    """Each expression changed; the same tuple where none changes."""
    return unchanged(expressions, tuple([change(expression) for expression in expressions]))


def map_sort_key(key: SortKey, change: Change) -> SortKey:
    """The key over the changed expression; itself where that does not change."""
    expression = change(key.expression)
    return key if expression is key.expression else replace(key, expression=expression)


def unchanged(old: tuple[T, ...], new: tuple[T, ...]) -> tuple[T, ...]:
    """The old tuple where the new one has the very same items."""
    return old if len(old) == len(new) and all(a is b for a, b in zip(old, new, strict=True)) else new


def rewritten(root: RelationalExpression, change: Change) -> RelationalExpression:
    """The whole tree with each expression changed."""
    below = tuple([rewritten(input_, change) for input_ in inputs(root)])
    return with_expressions(with_inputs(root, below), change)


def outer_columns(root: RelationalExpression) -> dict[ColumnId, OuterReference]:
    """The columns of queries around that are read in the tree, in the order in which they are met.

    Those that are columns of an `Apply` in the tree are no columns of queries around it.
    """
    found: dict[ColumnId, OuterReference] = {}
    own: set[int] = set()
    for node in nodes_of(root):
        own.update(_own_table(node))
        for expression in expressions_of(node):
            for part in walk(expression):
                if isinstance(part, OuterReference):
                    found.setdefault(part.column, part)
    return {column: reference for column, reference in found.items() if column.table not in own}


def tables_of_outer_references(root: RelationalExpression) -> NodeSet:
    """The tables of queries around that are read in the tree."""
    tables = EMPTY
    for column in outer_columns(root):
        tables = NodeSet(tables | single(column.table))
    return tables


def first_free_table(root: RelationalExpression) -> int:
    """A table number from which on none is used in the tree."""
    return 1 + max((table for node in nodes_of(root) for table in _own_table(node)), default=-1)


def _own_table(node: RelationalExpression) -> tuple[int, ...]:
    """The number that a node gives its own columns, where it makes any."""
    match node:
        case BaseTable() | Values() | Project() | Aggregate() | Window() | SetOperation():
            return (node.table,)
        case Apply():
            return () if node.mark is None else (node.mark,)
        case OneRow() | Join() | JoinOrder() | Filter() | Sort() | Limit() | SingleRow():
            return ()
        case _:
            assert_never(node)


def copied(root: RelationalExpression, new_table: Callable[[], int]) -> tuple[RelationalExpression, Mapping[int, int]]:
    """The tree once more, its tables under new numbers, and the new number of each."""
    numbers = {table: new_table() for node in nodes_of(root) for table in _own_table(node)}
    return _renumbered(root, numbers), numbers


def _renumbered(node: RelationalExpression, numbers: Mapping[int, int]) -> RelationalExpression:
    def change(part: Expression) -> Expression:
        if isinstance(part, ColumnRef | OuterReference) and part.column.table in numbers:
            return replace(part, column=renumbered(part.column, numbers))
        return part

    below = tuple([_renumbered(input_, numbers) for input_ in inputs(node)])
    node = with_expressions(with_inputs(node, below), lambda expression: transform(expression, change))
    match node:
        case SetOperation():
            return replace(
                node,
                table=numbers[node.table],
                left_columns=tuple([renumbered(column, numbers) for column in node.left_columns]),
                right_columns=tuple([renumbered(column, numbers) for column in node.right_columns]),
            )
        case BaseTable() | Values() | Project() | Aggregate() | Window():
            return replace(node, table=numbers[node.table])
        case Apply():
            return node if node.mark is None else replace(node, mark=numbers[node.mark])
        case JoinOrder():
            return node.input  # a hint names tables by their numbers; it holds for the original
        case OneRow() | Join() | Filter() | Sort() | Limit() | SingleRow():
            return node
        case _:
            assert_never(node)


def renumbered(column: ColumnId, numbers: Mapping[int, int]) -> ColumnId:
    """The column under the new number of its table."""
    return ColumnId(numbers.get(column.table, column.table), column.position)
