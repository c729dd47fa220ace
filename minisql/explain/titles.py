"""What a plan calls its nodes: MySQL's words, and conditions as SQL."""

from __future__ import annotations

from typing import assert_never

from minisql.catalog.table import SimpleFilter
from minisql.expression.format import (
    format_aggregate,
    format_conditions,
    format_expression,
    format_keys,
    format_sort_key,
    format_value,
)
from minisql.expression.format_window import format_window_call
from minisql.expression.nodes import Comparison, IsDistinctFrom
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
from minisql.relational.relational_expression import ApplyType, JoinType


def title_of(path: AccessPath) -> str:
    """The title of a node in a plan."""
    match path:
        case TableScan():
            return _scan_title(path)
        case ValuesScan():
            return f"Rows of VALUES{f' as {path.alias}' if path.alias else ''}"
        case OneRow():
            return "One row"
        case SharedScan():
            name = path.shared.name
            return (
                f"Scan on {path.alias or name}" + ("" if path.alias in ("", name) else f" ({name})") + ", computed once"
            )
        case WorkingTableScan():
            return f"Rows of the last round as {path.alias}"
        case RecursiveUnion():
            return f"Recursive union{' all' if path.all else ''}: {path.name}"
        case Filter():
            return f"Filter: ({format_conditions(path.conditions)})"
        case HashJoin():
            keys = " AND ".join(f"({_key(key, path.build_left)})" for key in path.keys)
            extra = f", extra conditions: ({format_conditions(path.residual)})" if path.residual else ""
            return f"{_join_word(path.type, 'hash')} {keys}{extra}{_preserved(path)}"
        case NestedLoopJoin():
            conditions = f" ({format_conditions(path.conditions)})" if path.conditions else ""
            word = "Cross product" if path.type is JoinType.INNER and not path.conditions else None
            return f"{word or _join_word(path.type, 'nested loop')}{conditions}"
        case Apply():
            return _apply_title(path)
        case Project():
            listed = ", ".join(format_expression(expression) for expression in path.expressions)
            return f"Project{f' as {path.alias}' if path.alias else ''}: {listed}"
        case HashAggregate():
            return _aggregate_title(path)
        case Window():
            return f"Window: {', '.join(format_window_call(call) for call in path.calls)}"
        case SetOperation():
            return f"{path.operator.value.capitalize()}{' all' if path.all else ''}"
        case Sort():
            keys = ", ".join(format_sort_key(key) for key in path.keys)
            return f"Sort: {keys}" + ("" if path.limit is None else f", limit {path.limit}")
        case SingleRow():
            return "Single row"
        case Limit():
            counts = [] if path.limit is None else [f"{path.limit} rows"]
            if path.offset:
                counts.append(f"offset {path.offset}")
            return f"Limit: {', '.join(counts)}"
        case _:
            assert_never(path)


def _apply_title(path: Apply) -> str:
    """`For each row, EXISTS (a.x = b.x)`: what is asked of the second input for each row of the first."""
    conditions = [_key(key, flipped=False) for key in path.keys]
    conditions += [format_expression(condition) for condition in path.residual]
    if path.comparison is not None:
        conditions.append(format_expression(path.comparison))
    word = {
        ApplyType.INNER: "join with",
        ApplyType.LEFT: "left join with",
        ApplyType.SINGLE: "the one row of",
        ApplyType.MARK: "whether there is a row in",
    }[path.type]
    asked = f" that fulfils ({' AND '.join(conditions)})" if conditions else ""
    again = " subquery run for each of its values" if path.references else " subquery"
    return f"For each row, {word} the{again}{asked}"


def _scan_title(path: TableScan) -> str:
    name = path.source.name
    text = f"Table scan on {path.alias}" + ("" if name == path.alias else f" ({name})")
    if path.filters:
        columns = path.source.columns
        text += (
            f", reading only ({' AND '.join(format_simple_filter(f, columns[f.column].name) for f in path.filters)})"
        )
    return text


def format_simple_filter(filter_: SimpleFilter, column: str) -> str:
    """A condition that a source may use to read less, as SQL."""
    if isinstance(filter_.value, tuple):
        return f"{column} IN ({', '.join(format_value(value) for value in filter_.value[:8])})"
    return f"{column} {filter_.operator} {format_value(filter_.value)}"


def _join_word(type_: JoinType, method: str) -> str:
    match type_:
        case JoinType.INNER | JoinType.LEFT | JoinType.FULL:
            return f"{type_.value.capitalize()} {method} join"
        case JoinType.SEMI | JoinType.ANTI:
            return f"{method.capitalize()} {type_.value}join"
        case _:
            assert_never(type_)


def _key(key: JoinKey, flipped: bool) -> str:
    left, right = (key.right, key.left) if flipped else (key.left, key.right)
    if key.null_safe:
        return format_expression(IsDistinctFrom(left=left, right=right, negated=True))
    return format_expression(Comparison(operator="=", left=left, right=right))


def _preserved(path: HashJoin) -> str:
    """LEFT, SEMI and ANTI joins say so where they keep rows of the hashed input instead of the probing one."""
    one_sided = path.type in (JoinType.LEFT, JoinType.SEMI, JoinType.ANTI)
    return ", keeping rows of the hashed input" if one_sided and path.build_left else ""


def _aggregate_title(path: HashAggregate) -> str:
    keys = format_keys(path.keys, path.sets) if path.sets else ", ".join(map(format_expression, path.keys))
    aggregates = ", ".join(format_aggregate(call) for call in path.aggregates)
    if not path.keys and not path.sets:
        return f"Aggregate: {aggregates}"
    if path.sets:
        return f"Group by {keys}" + (f": {aggregates}" if aggregates else "")
    return f"Group by {keys}: {aggregates}" if aggregates else f"Distinct: {keys}"
