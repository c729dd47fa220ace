"""Prints what each stage makes of a query, for golden files and for people who want to see how a query is planned.

Trees of any kind are printed field by field; expressions are printed as SQL, with the table number behind each column
where numbers matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, assert_never

from minisql.expression.format import (
    format_aggregate,
    format_conditions,
    format_expression,
    format_keys,
    format_sort_key,
)
from minisql.expression.format_window import format_window_call
from minisql.parser import parse_tree
from minisql.parser.statement_tree import Statement
from minisql.query_block.table_names import format_order
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
    Shared,
    SharedScan,
    SingleRow,
    Sort,
    Values,
    Window,
    WorkingTable,
)


def show_parse_tree(statement: Statement) -> str:
    """The parse tree, a node a line, fields that are None, empty or False left out."""
    return "\n".join(_dump("", statement, 0))


def _dump(label: str, value: Any, depth: int) -> Iterator[str]:
    prefix = "  " * depth + (f"{label}: " if label else "")
    if isinstance(value, parse_tree.Identifier):
        yield prefix + (f'"{value.name}"' if value.quoted else value.name)
    elif isinstance(value, Enum):
        yield prefix + value.name
    elif isinstance(value, tuple):
        yield prefix.rstrip()
        for item in value:
            yield from _dump("-", item, depth + 1) if isinstance(item, tuple) else _dump("", item, depth + 1)
    elif is_dataclass(value):
        yield prefix + type(value).__name__
        for field in fields(value):
            content = getattr(value, field.name)
            if field.name in ("span", "format_span") or content is None or content is False or content == ():
                continue
            yield from _dump(field.name.rstrip("_"), content, depth + 1)
    else:
        yield prefix + repr(value)


def show_relational(expression: RelationalExpression) -> str:
    """The relational expression, a node a line; `#n` is the table number that a node gives its columns.

    What is shared stands below the first scan of it.
    """
    found = []
    shown = set[Shared]()
    stack: list[tuple[int, RelationalExpression]] = [(0, expression)]
    while stack:
        depth, node = stack.pop()
        found.append("  " * depth + _relational_title(node))
        if isinstance(node, SharedScan) and node.shared not in shown:
            shown.add(node.shared)
            stack.append((depth + 1, node.shared.input))
        stack.extend((depth + 1, child) for child in reversed(_relational_inputs(node)))
    return "\n".join(found)


def _relational_inputs(node: RelationalExpression) -> tuple[RelationalExpression, ...]:
    match node:
        case BaseTable() | Values() | OneRow() | SharedScan() | WorkingTable():
            return ()
        case JoinOrder() | Filter() | Project() | Aggregate() | Sort() | Limit() | SingleRow() | Window():
            return (node.input,)
        case Join() | Apply() | SetOperation():
            return (node.left, node.right)
        case RecursiveUnion():
            return (node.anchor, node.step)
        case _:
            assert_never(node)


def _relational_title(node: RelationalExpression) -> str:
    match node:
        case BaseTable():
            name = node.source.name
            return f"table #{node.table} {node.alias}" + ("" if name == node.alias else f" ({name})")
        case Values():
            return f"values #{node.table} {node.alias} ({len(node.rows)} rows)".replace("  ", " ")
        case OneRow():
            return "one row"
        case Join():
            return f"{node.type.value} join on {format_conditions(node.conditions)}"
        case Apply():
            name = "" if node.mark is None else f" #{node.mark}"
            asked = "" if node.comparison is None else f": {format_expression(node.comparison)}"
            on = f" on {format_conditions(node.conditions)}" if node.conditions else ""
            return f"{node.type.value} apply{name}{on}{asked}"
        case JoinOrder():
            return f"join order {format_order(node.joins, node.names)}"
        case Filter():
            return f"filter {format_conditions(node.conditions)}"
        case Project():
            listed = ", ".join(
                format_expression(expression) + (f" AS {name}" if name else "")
                for name, expression in zip(node.names, node.expressions, strict=True)
            )
            return f"project #{node.table} {node.alias}: {listed}".replace(" :", ":")
        case Aggregate():
            calls = ", ".join(format_aggregate(call) for call in node.aggregates)
            return f"aggregate #{node.table} by {format_keys(node.keys, node.sets)}" + (f": {calls}" if calls else "")
        case Window():
            return f"window #{node.table}: {', '.join(format_window_call(call) for call in node.calls)}"
        case SetOperation():
            return f"{node.operator.value}{' all' if node.all else ''} #{node.table}"
        case SharedScan():
            return f"shared scan #{node.table} {node.alias} of {node.shared.name}".replace("  ", " ")
        case RecursiveUnion():
            return f"recursive union{' all' if node.all else ''} #{node.table} {node.name}"
        case WorkingTable():
            return f"working table #{node.table} {node.alias} of #{node.recursion}".replace("  ", " ")
        case Sort():
            return "sort by " + ", ".join(format_sort_key(key) for key in node.keys)
        case SingleRow():
            return "single row"
        case Limit():
            return f"limit {'all' if node.limit is None else node.limit} offset {node.offset}"
        case _:
            assert_never(node)
