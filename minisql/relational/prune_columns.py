"""Prunes columns that nobody reads from select lists, aggregates, windows and UNION ALL.

What is read is worked out from the top: the columns of the result, what conditions and sort keys read, and what the
expressions of those columns read that are read themselves. Not pruned are
- keys of groupings, which make the groups;
- columns of UNION, INTERSECT and EXCEPT, which tell rows apart;
- the last column of a node: it has one at least. (A window without columns goes.)

The columns that stay move together, and what reads them follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from minisql.expression.nodes import ColumnId, ColumnRef, Expression, OuterReference
from minisql.expression.walk import aggregate_inputs, columns_of, transform
from minisql.expression.window import window_inputs
from minisql.relational.relational_expression import (
    Aggregate,
    Apply,
    Project,
    RecursiveUnion,
    RelationalExpression,
    SetOperation,
    SetOperator,
    Window,
    inputs,
    output_tables,
    with_inputs,
)
from minisql.relational.rewriting import expressions_of, nodes_of, outer_columns, unchanged, with_expressions

T = TypeVar("T")
_Places = dict[int, dict[int, int]]
"""For each table that loses columns, the new place of each column that stays."""


def prune_columns(expression: RelationalExpression, required: Iterable[ColumnId] | None) -> RelationalExpression:
    """The same values of the required columns, with fewer others; the expression itself where none can go.

    The required columns come before all others of their table, and so keep their places. None: all are required.
    """
    read = read_columns(expression, required)
    places: _Places = {}
    for node in nodes_of(expression):
        if isinstance(node, Project | Aggregate | Window | SetOperation):
            kept = _places_read(node, read)
            if len(kept) < _width(node):
                places[node.table] = {old: new for new, old in enumerate(kept)}
    return _pruned(expression, places) if places else expression


def read_columns(expression: RelationalExpression, required: Iterable[ColumnId] | None) -> set[ColumnId]:
    """The columns of which something that is required is made, and those that make a row one of the result or not."""
    read = set(required or ())
    nodes = list(nodes_of(expression))
    if required is None:
        tables = output_tables(expression)
        for node in nodes:
            if isinstance(node, Project | Aggregate | Window | SetOperation) and tables >> node.table & 1:
                read.update(ColumnId(node.table, place) for place in range(_width(node)))
    for node in nodes:
        if isinstance(node, Apply):
            read.update(outer_columns(node.right))
    for node in nodes:  # parents before their inputs
        match node:
            case Project():
                places = _read_places(node, read, _cheapest_place(node))
                found = [node.expressions[place] for place in places]
            case Aggregate():
                read.update(ColumnId(node.table, place) for place in range(len(node.keys)))
                calls = [place - len(node.keys) for place in _read_places(node, read, 0) if place >= len(node.keys)]
                found = [*node.keys, *[part for place in calls for part in aggregate_inputs(node.aggregates[place])]]
            case Window():
                calls_read = [node.calls[place] for place in _places_read(node, read)]
                found = [part for call in calls_read for part in window_inputs(call)]
            case SetOperation():
                if not (node.all and node.operator is SetOperator.UNION):
                    read.update(ColumnId(node.table, place) for place in range(_width(node)))
                for place in _read_places(node, read, 0):
                    read |= {node.left_columns[place], node.right_columns[place]}
                continue
            case RecursiveUnion():
                read |= {*node.anchor_columns, *node.step_columns}
                continue
            case _:
                found = list(expressions_of(node))
        for each in found:
            read |= columns_of(each)
    return read


def _read_places(node: Project | Aggregate | SetOperation, read: set[ColumnId], otherwise: int) -> list[int]:
    """The places of the columns that are read. Where there is none, it is `otherwise`, which is then read, too."""
    places = _places_read(node, read)
    if not places and _width(node):
        read.add(ColumnId(node.table, otherwise))
        places = [otherwise]
    return places


def _places_read(node: Project | Aggregate | Window | SetOperation, read: set[ColumnId]) -> list[int]:
    return [place for place in range(_width(node)) if ColumnId(node.table, place) in read]


def _cheapest_place(node: Project) -> int:
    return next((place for place, each in enumerate(node.expressions) if isinstance(each, ColumnRef)), 0)


def _width(node: Project | Aggregate | Window | SetOperation) -> int:
    match node:
        case Project():
            return len(node.expressions)
        case Aggregate():
            return len(node.keys) + len(node.aggregates)
        case Window():
            return len(node.calls)
        case SetOperation():
            return len(node.types)


def _pruned(node: RelationalExpression, places: _Places) -> RelationalExpression:
    node = with_inputs(node, tuple([_pruned(input_, places) for input_ in inputs(node)]))
    own = places.get(node.table) if isinstance(node, Project | Aggregate | Window | SetOperation) else None
    if own is not None:
        match node:
            case Project():
                node = replace(node, names=_at(node.names, own), expressions=_at(node.expressions, own))
            case Aggregate():
                calls = [place - len(node.keys) for place in own if place >= len(node.keys)]
                node = replace(node, aggregates=_at(node.aggregates, calls))
            case Window():
                if not own:
                    return node.input
                node = replace(node, calls=_at(node.calls, own))
            case SetOperation():
                node = replace(
                    node,
                    left_columns=_at(node.left_columns, own),
                    right_columns=_at(node.right_columns, own),
                    names=_at(node.names, own),
                    types=_at(node.types, own),
                )
    match node:
        case SetOperation():
            left, right = _all_moved(node.left_columns, places), _all_moved(node.right_columns, places)
            is_same = left is node.left_columns and right is node.right_columns
            return node if is_same else replace(node, left_columns=left, right_columns=right)
        case RecursiveUnion():
            anchor, step = _all_moved(node.anchor_columns, places), _all_moved(node.step_columns, places)
            is_same = anchor is node.anchor_columns and step is node.step_columns
            return node if is_same else replace(node, anchor_columns=anchor, step_columns=step)
    return with_expressions(node, partial(transform, change=partial(_reference_moved, places=places)))


def _at(items: Sequence[T], places: Iterable[int]) -> tuple[T, ...]:
    return tuple([items[place] for place in places])


def _all_moved(columns: tuple[ColumnId, ...], places: _Places) -> tuple[ColumnId, ...]:
    return unchanged(columns, tuple([_moved(column, places) for column in columns]))


def _moved(column: ColumnId, places: _Places) -> ColumnId:
    of_table = places.get(column.table)
    if of_table is None or of_table[column.position] == column.position:
        return column
    return ColumnId(column.table, of_table[column.position])


def _reference_moved(part: Expression, places: _Places) -> Expression:
    if isinstance(part, ColumnRef | OuterReference) and part.column.table in places:
        column = _moved(part.column, places)
        return part if column == part.column else replace(part, column=column)
    return part
