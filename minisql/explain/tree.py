"""EXPLAIN in MySQL's TREE form: one line a node, inputs indented below.

    -> Full hash join (f.dest = a.faa)  (cost=... rows=...)
        -> Table scan on f  (cost=... rows=...)
        -> Hash
            -> Table scan on a  (cost=... rows=...)

The probed input of a hash join comes first, the hashed one below `Hash`. Of a query that was run, each line has what
happened beside what was expected, and a join a second line for its fan-out.
"""

from __future__ import annotations

from collections.abc import Iterator

from minisql.explain.fan_out_text import fan_out_text
from minisql.explain.numbers import format_bytes, format_factor, format_milliseconds, format_number
from minisql.explain.plan_description import Actual, NodeDescription


def format_tree(plan: NodeDescription) -> str:
    """The tree of a plan as text, without a newline at its end."""
    return "\n".join(_lines(plan))


def _lines(plan: NodeDescription) -> Iterator[str]:
    stack = [(0, plan)]
    while stack:
        depth, node = stack.pop()
        if node.heading is not None:
            yield f"{'    ' * depth}-> {node.heading}"
            depth += 1
        yield f"{'    ' * depth}-> {node.title}  ({format_estimate(node)}){_happened(node, plan)}"
        if node.fan_out is not None:
            yield f"{'    ' * depth}   {fan_out_text(node, node.fan_out)}"
        stack += [(depth + 1, below) for below in reversed(node.inputs)]


def format_estimate(node: NodeDescription) -> str:
    """What was expected: `cost=.. rows=..`."""
    return f"cost={format_number(node.cost)} rows={format_number(node.rows)}"


def _happened(node: NodeDescription, plan: NodeDescription) -> str:
    if not node.analyzed:
        return ""
    if node.actual is None:
        return " (never executed)"
    text = f" ({format_actual(node.actual)})"
    if node.hottest and plan.actual is not None:
        text += f" <- hottest, {node.actual.own_seconds / plan.actual.seconds:.0%} of the time"
    return text


def format_actual(actual: Actual) -> str:
    """What happened: `actual rows=.. q-error=.. time=..`; what is said of all plans is left out where it is usual."""
    parts = [f"rows={actual.rows}"]
    if actual.loops > 1:
        parts.append(f"loops={actual.loops}")
    parts.append("stopped early" if actual.q_error is None else f"q-error={format_factor(actual.q_error)}")
    parts += [f"time={format_milliseconds(actual.seconds)}", f"own={format_milliseconds(actual.own_seconds)}"]
    if actual.held_bytes:
        parts.append(f"memory={format_bytes(actual.held_bytes)}")
    parts.append(f"batches={actual.batches}")
    return f"actual {' '.join(parts)}"
