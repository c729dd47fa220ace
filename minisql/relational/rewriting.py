"""What every rewrite of relational expressions needs: their expressions, rebuilding, outer references, copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar, assert_never

from minisql.expression.functions import is_volatile
from minisql.expression.nodes import ColumnId, Expression, OuterReference, SortKey
from minisql.expression.walk import aggregate_inputs, map_aggregate, walk
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
        case BaseTable() | OneRow() | SharedScan() | WorkingTable() | JoinOrder() | Limit() | SingleRow():
            pass
        case SetOperation() | RecursiveUnion():
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


def has_volatile_expression(node: RelationalExpression) -> bool:
    """Whether an expression in the node itself may have another value each time."""
    return any(map(is_volatile, expressions_of(node)))


def with_expressions(node: RelationalExpression, change: Change) -> RelationalExpression:
    """The node with each expression in it changed, its inputs left as they are; itself where none changes."""
    match node:
        case BaseTable() | OneRow() | SharedScan() | WorkingTable() | JoinOrder() | Limit() | SingleRow():
            return node
        case SetOperation() | RecursiveUnion():
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
        own.update(own_tables(node))
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


def own_tables(node: RelationalExpression) -> tuple[int, ...]:
    """The number that a node gives its own columns, where it makes any."""
    match node:
        case BaseTable() | Values() | SharedScan() | WorkingTable() | Project() | Aggregate() | Window():
            return (node.table,)
        case SetOperation() | RecursiveUnion():
            return (node.table,)
        case Apply():
            return () if node.mark is None else (node.mark,)
        case OneRow() | Join() | JoinOrder() | Filter() | Sort() | Limit() | SingleRow():
            return ()
        case _:
            assert_never(node)
