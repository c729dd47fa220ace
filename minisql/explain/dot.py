"""EXPLAIN as a graph in the DOT language of Graphviz; rows flow upwards, and edges are as wide as rows are many."""

from __future__ import annotations

from collections.abc import Sequence

from minisql.explain.graph import graph_of, node_lines
from minisql.explain.plan_description import NodeDescription
from minisql.printable import printable


def format_dot(plan: NodeDescription, notes: Sequence[str]) -> str:
    """The graph, `notes` below it."""
    graph = graph_of(plan)
    lines = ["digraph plan {", "  rankdir=BT;", '  node [shape=box, style=rounded, fontname="sans-serif"];']
    lines.append('  edge [fontname="sans-serif"];')
    if notes:
        lines.append(f"  label={_quoted([printable(text) for text in notes])};")
    for number, node in enumerate(graph.nodes):
        hot = ", color=red, fontcolor=red, penwidth=2" if node.hottest else ""
        lines.append(f"  n{number} [label={_quoted(node_lines(node))}{hot}];")
    for edge in graph.edges:
        style = ", style=dashed, constraint=false" if edge.repeated else ""
        lines.append(
            f"  n{edge.source} -> n{edge.target} [label={_quoted([edge.label])}, penwidth={edge.width}{style}];"
        )
    return "\n".join([*lines, "}"])


def _quoted(lines: Sequence[str]) -> str:
    """A string of DOT. Graphviz reads entities and escapes of its own in labels, and so `&` and backslashes count."""
    escaped = [line.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(escaped) + '"'
