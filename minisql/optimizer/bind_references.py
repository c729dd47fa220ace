"""Gives the outer references of a path their values, so that it can be run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from minisql.expression.nodes import ColumnId, Expression, Literal
from minisql.expression.walk import map_aggregate, replace_outer_references
from minisql.expression.window import map_window_call
from minisql.optimizer.access_path import (
    AccessPath,
    Apply,
    Filter,
    HashAggregate,
    HashJoin,
    JoinKey,
    Limit,
    NestedLoopJoin,
    OneRow,
    Project,
    RecursiveUnion,
    SetOperation,
    SharedScan,
    SingleRow,
    Sort,
    TableScan,
    ValuesScan,
    Window,
    WorkingTableScan,
)
from minisql.relational.rewriting import map_sort_key


def bind_references(path: AccessPath, values: Mapping[ColumnId, Literal]) -> AccessPath:
    """The path with the references to these columns replaced by values."""
    return _bound(path, lambda expression: replace_outer_references(expression, values))


def _bound(path: AccessPath, bind: Callable[[Expression], Expression]) -> AccessPath:
    def each(expressions: tuple[Expression, ...]) -> tuple[Expression, ...]:
        return tuple([bind(expression) for expression in expressions])

    def keys(keys: tuple[JoinKey, ...]) -> tuple[JoinKey, ...]:
        return tuple([replace(key, left=bind(key.left), right=bind(key.right)) for key in keys])

    match path:
        case TableScan() | OneRow() | SharedScan() | WorkingTableScan():
            return path  # what is shared has no outer references
        case RecursiveUnion():
            return replace(path, anchor=_bound(path.anchor, bind), step=_bound(path.step, bind))
        case ValuesScan():
            return replace(path, values=tuple([each(row) for row in path.values]))
        case Filter():
            return replace(path, input=_bound(path.input, bind), conditions=each(path.conditions))
        case HashJoin():
            return replace(
                path,
                left=_bound(path.left, bind),
                right=_bound(path.right, bind),
                keys=keys(path.keys),
                residual=each(path.residual),
            )
        case NestedLoopJoin():
            return replace(
                path, left=_bound(path.left, bind), right=_bound(path.right, bind), conditions=each(path.conditions)
            )
        case Apply():
            return replace(
                path,
                left=_bound(path.left, bind),
                right=_bound(path.right, bind),
                keys=keys(path.keys),
                residual=each(path.residual),
                comparison=None if path.comparison is None else bind(path.comparison),
            )
        case Project():
            return replace(path, input=_bound(path.input, bind), expressions=each(path.expressions))
        case HashAggregate():
            calls = tuple([map_aggregate(call, bind) for call in path.aggregates])
            return replace(path, input=_bound(path.input, bind), keys=each(path.keys), aggregates=calls)
        case Window():
            window_calls = tuple([map_window_call(call, bind) for call in path.calls])
            return replace(path, input=_bound(path.input, bind), calls=window_calls)
        case SetOperation():
            return replace(path, left=_bound(path.left, bind), right=_bound(path.right, bind))
        case Sort():
            sort_keys = tuple([map_sort_key(key, bind) for key in path.keys])
            return replace(path, input=_bound(path.input, bind), keys=sort_keys)
        case Limit() | SingleRow():
            return replace(path, input=_bound(path.input, bind))
        case _:
            assert_never(path)
