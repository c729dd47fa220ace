"""EXPLAIN as a flowchart of Mermaid, which Markdown viewers draw; rows flow upwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from minisql.explain.graph import graph_of, node_lines
from minisql.explain.plan_description import NodeDescription

_PLAIN: Final = frozenset(" .,=+*/'!?-_%$@~^")


def format_mermaid(plan: NodeDescription, notes: Sequence[str]) -> str:
    """The flowchart, `notes` as comments in it."""
    graph = graph_of(plan)
    lines = ["flowchart BT", *(f"  %% {_escaped(text)}" for text in notes)]
    for number, node in enumerate(graph.nodes):
        label = "<br/>".join(map(_escaped, node_lines(node)))
        lines.append(f'  n{number}["{label}"]')
    for edge in graph.edges:
        arrow = "-.->" if edge.repeated else "-->"
        lines.append(f'  n{edge.source} {arrow}|"{_escaped(edge.label)}"| n{edge.target}')
    lines += [f"  linkStyle {place} stroke-width:{edge.width}px" for place, edge in enumerate(graph.edges)]
    lines += [
        f"  style n{number} stroke:red,stroke-width:3px" for number, node in enumerate(graph.nodes) if node.hottest
    ]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """The text in a label: all but letters, digits and harmless signs as Mermaid's entities, `#60;` for `<`."""
    return "".join(
        character if character.isalnum() or character in _PLAIN else f"#{ord(character)};" for character in text
    )
