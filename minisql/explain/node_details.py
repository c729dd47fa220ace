"""What a plan says of its nodes field by field, for programs: the part of a description that the operator decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, assert_never

from minisql.explain.titles import format_simple_filter
from minisql.expression.format import format_aggregate, format_expression, format_sort_key
from minisql.expression.format_window import format_window_call
from minisql.expression.nodes import Expression
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

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
Details: TypeAlias = "Mapping[str, Json]"

_OPERATOR_NAMES = {
    TableScan: "table scan",
    ValuesScan: "values",
    OneRow: "one row",
    SharedScan: "shared scan",
    WorkingTableScan: "working table scan",
    RecursiveUnion: "recursive union",
    Filter: "filter",
    HashJoin: "hash join",
    NestedLoopJoin: "nested loop join",
    Apply: "apply",
    Project: "project",
    HashAggregate: "aggregate",
    Window: "window",
    SetOperation: "set operation",
    Sort: "sort",
    SingleRow: "single row",
    Limit: "limit",
}


def operator_name(path: AccessPath) -> str:
    """The name of an operator, which stays the same from version to version."""
    return _OPERATOR_NAMES[type(path)]


def details_of(path: AccessPath) -> Details:
    """The fields that only nodes of this operator have. Expressions are SQL."""
    match path:
        case TableScan():
            columns = path.source.columns
            filters = [format_simple_filter(filter_, columns[filter_.column].name) for filter_ in path.filters]
            return {"table": path.source.name, "alias": path.alias, "reading_only": filters}
        case ValuesScan():
            return {"alias": path.alias, "columns": path.names}
        case OneRow() | SingleRow():
            return {}
        case SharedScan():
            return {"name": path.shared.name, "alias": path.alias}
        case WorkingTableScan():
            return {"alias": path.alias}
        case RecursiveUnion():
            return {"name": path.name, "all": path.all}
        case Filter():
            return {"conditions": _sql(path.conditions)}
        case HashJoin():
            return {
                "join_type": path.type.value,
                "build": "left" if path.build_left else "right",
                "keys": _keys(path.keys),
                "conditions": _sql(path.residual),
            }
        case NestedLoopJoin():
            return {"join_type": path.type.value, "conditions": _sql(path.conditions)}
        case Apply():
            return {
                "apply_type": path.type.value,
                "keys": _keys(path.keys),
                "conditions": _sql(path.residual),
                "comparison": None if path.comparison is None else format_expression(path.comparison),
                "per_value": bool(path.references),
            }
        case Project():
            return {"alias": path.alias, "expressions": _sql(path.expressions)}
        case HashAggregate():
            return {
                "keys": _sql(path.keys),
                "aggregates": [format_aggregate(call) for call in path.aggregates],
                "grouping_sets": path.sets,
            }
        case Window():
            return {"calls": [format_window_call(call) for call in path.calls]}
        case SetOperation():
            return {"set_operator": path.operator.value, "all": path.all}
        case Sort():
            return {"keys": [format_sort_key(key) for key in path.keys], "limit": path.limit}
        case Limit():
            return {"limit": path.limit, "offset": path.offset}
        case _:
            assert_never(path)


def _sql(expressions: Sequence[Expression]) -> list[str]:
    return [format_expression(expression) for expression in expressions]


def _keys(keys: Sequence[JoinKey]) -> list[dict[str, Json]]:
    return [
        {"left": format_expression(key.left), "right": format_expression(key.right), "null_safe": key.null_safe}
        for key in keys
    ]
