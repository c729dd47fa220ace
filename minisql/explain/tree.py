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

from minisql.execution.profile import Profile
from minisql.explain.plan_description import Actual, NodeDescription, describe_plan
from minisql.optimizer.access_path import AccessPath


def explain_tree(path: AccessPath, profile: Profile | None = None) -> str:
    """The tree of a path as text, without a newline at its end."""
    return format_tree(describe_plan(path, profile))


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
        yield f"{'    ' * depth}-> {node.title}  ({format_estimate(node)}){_happened(node)}"
        stack += [(depth + 1, below) for below in reversed(node.inputs)]


def format_estimate(node: NodeDescription) -> str:
    """What was expected: `cost=.. rows=..`."""
    return f"cost={format_number(node.cost)} rows={format_number(node.rows)}"


def _happened(node: NodeDescription) -> str:
    if not node.analyzed:
        return ""
    return " (never executed)" if node.actual is None else f" ({format_actual(node.actual)})"


def format_actual(actual: Actual) -> str:
    """What happened: `actual rows=.. time=..`, the time in milliseconds."""
    return f"actual rows={actual.rows} time={actual.seconds * 1000:.3g} batches={actual.batches}"


def format_number(value: float) -> str:
    """A number short enough to read: whole from 10 on, in powers of ten from a million on."""
    if value >= 1e6:
        return f"{value:.3g}"
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"
