"""Prints bound window functions as SQL. A frame is printed where it is not what the rest of the window implies."""

from __future__ import annotations

from minisql.expression.format import format_aggregate, format_expression, format_sort_key
from minisql.expression.nodes import AggregateCall
from minisql.expression.window import (
    DEFAULT_FRAME,
    WHOLE_PARTITION,
    Exclusion,
    Frame,
    FrameBound,
    WindowCall,
)


def format_window_call(call: WindowCall) -> str:
    """A window function in SQL."""
    function = call.function
    if isinstance(function, AggregateCall):
        text = format_aggregate(function)
    else:
        text = f"{function.name}({', '.join(format_expression(argument) for argument in function.arguments)})"
        text += " IGNORE NULLS" if function.ignore_nulls else ""
    parts = []
    if call.partition_by:
        parts.append("PARTITION BY " + ", ".join(format_expression(key) for key in call.partition_by))
    if call.order_by:
        parts.append("ORDER BY " + ", ".join(format_sort_key(key) for key in call.order_by))
    if call.frame != DEFAULT_FRAME and (call.order_by or call.frame != WHOLE_PARTITION):
        parts.append(_format_frame(call.frame))
    return f"{text} OVER ({' '.join(parts)})"


def _format_frame(frame: Frame) -> str:
    text = f"{frame.unit.value} BETWEEN {_format_bound(frame.start)} AND {_format_bound(frame.end)}"
    return text if frame.exclusion is Exclusion.NO_OTHERS else f"{text} EXCLUDE {frame.exclusion.value}"


def _format_bound(bound: FrameBound) -> str:
    return bound.kind.value if bound.offset is None else f"{format_expression(bound.offset)} {bound.kind.value}"
