"""What the formats that draw a plan share: its nodes with numbers, its edges, and the words on both."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Final

from minisql.explain.plan_description import NodeDescription
from minisql.explain.tree import format_actual, format_estimate
from minisql.node import record
from minisql.optimizer.access_path import Shared, SharedScan
from minisql.printable import printable

_LINE_WIDTH: Final = 60
_ROLE_WORDS: Final = {
    "root": "",
    "input": "",
    "probe": "probe",
    "build": "build",
    "left": "left",
    "right": "right",
    "anchor": "anchor",
    "step": "step",
    "shared": "computed once",
}


@record
class Edge:
    """The way of rows from one node to another.

    `label` has the role of the source and the rows that went, or are expected to go; `width` grows with these, from 1
    to 8. A `repeated` edge leads from what is computed once to the scans after the first one.
    """

    source: int
    target: int
    label: str
    width: float
    repeated: bool = False


@record
class Graph:
    """The nodes, whose places are their numbers, and the edges."""

    nodes: Sequence[NodeDescription]
    edges: Sequence[Edge]


def graph_of(plan: NodeDescription) -> Graph:
    """The graph of a plan: a tree, but for what is computed once and read several times."""
    nodes = [node for _, node in plan.walk()]
    numbers = {node: number for number, node in enumerate(nodes)}
    edges: list[Edge] = []
    shared: dict[Shared, NodeDescription] = {}
    for number, node in enumerate(nodes):
        path = node.path
        if isinstance(path, SharedScan) and not node.inputs:
            source = shared[path.shared]
            edges.append(Edge(numbers[source], number, _ROLE_WORDS["shared"], 1.0, repeated=True))
        for below in node.inputs:
            if isinstance(path, SharedScan):
                shared[path.shared] = below
            rows = below.rows if below.actual is None else below.actual.rows
            edges.append(Edge(numbers[below], number, _edge_label(below), _width(rows)))
    return Graph(nodes, edges)


def node_lines(node: NodeDescription) -> list[str]:
    """The words in a node, line by line."""
    lines = textwrap.wrap(printable(node.title), _LINE_WIDTH, break_on_hyphens=False)
    lines.append(format_estimate(node))
    if node.analyzed:
        lines.append("never executed" if node.actual is None else format_actual(node.actual))
    if node.fan_out is not None and node.fan_out.kind != "none":
        lines.append(f"fan-out {node.fan_out.kind}")
    if node.hottest:
        lines.append("hottest")
    return lines


def _edge_label(node: NodeDescription) -> str:
    if node.analyzed and node.actual is None:
        rows = "never executed"
    else:
        count = node.rows if node.actual is None else node.actual.rows
        number = f"{count:,.0f}" if count < 1e15 else f"{count:.3g}"
        rows = f"{number} row" if number == "1" else f"{number} rows"
    word = _ROLE_WORDS[node.role]
    return f"{word}: {rows}" if word else rows


def _width(rows: float) -> float:
    return round(min(1 + math.log10(max(rows, 1.0)), 8.0), 1)
