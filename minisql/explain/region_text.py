"""The join regions of a query as text: EXPLAIN HYPERGRAPH.

    Joins of a, b and c:
      a: 5 rows
      b: 5 rows
      c: 3 rows
      1. a LEFT JOIN b ON a.k = b.k
      2. {a, b} LEFT JOIN c ON coalesce(b.k, 4) = c.k (SES {b, c}, TES {a, b, c})
         c can be joined to b only after a, since ...

An edge without SES and TES has its two sides as both.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from minisql.errors import enumerated
from minisql.explain.numbers import format_number
from minisql.explain.regions import EdgeDescription, NodeDescription, Nodes, RegionDescription


def regions_as_text(regions: Sequence[RegionDescription]) -> str:
    """The text for all regions, with an empty line between them."""
    return "\n\n".join("\n".join(_Printer(region).lines()) for region in regions)


class _Printer:
    def __init__(self, region: RegionDescription) -> None:
        self._region = region
        self._names = {node.number: node.name for node in region.nodes}

    def lines(self) -> Iterator[str]:
        region = self._region
        names = list(self._names.values())
        yield f"Joins of {enumerated(names)}:"
        for node in region.nodes:
            yield f"  {_node(node)}"
        yield from self._edges()
        for filter_ in region.filters:
            yield f"  Filter of {self._set(filter_.nodes)}: {' AND '.join(filter_.conditions)}"
            yield from (f"     {rule}" for rule in filter_.rules)
        for title, sentences in (("Simplified", region.simplifications), ("Derived", region.derived)):
            if sentences:
                yield f"  {title}:"
                yield from (f"     {sentence}" for sentence in sentences)

    def _edges(self) -> Iterator[str]:
        edges = self._region.edges
        width = len(str(len(edges)))
        for chain, group in itertools.groupby(edges, key=lambda edge: edge.chain):
            if chain:
                yield "  Any two of these may be joined first, for they merge one key:"
            for edge in (same_chain := list(group)):
                yield f"  {edge.number:>{width}}. {self._edge(edge)}"
                yield from (f"     {rule}" for rule in edge.rules if not chain)
            if chain:
                yield from (f"     {rule}" for rule in dict.fromkeys(r for edge in same_chain for r in edge.rules))

    def _edge(self, edge: EdgeDescription) -> str:
        left, right = self._set(edge.left), self._set(edge.right)
        on = f" ON {' AND '.join(edge.conditions)}" if edge.conditions else ""
        sets = "" if edge.ses == edge.tes else f" (SES {self._braces(edge.ses)}, TES {self._braces(edge.tes)})"
        return f"{left} {edge.join_type.upper()} JOIN {right}{on}{sets}"

    def _set(self, nodes: Nodes) -> str:
        return self._names[nodes[0]] if len(nodes) == 1 else self._braces(nodes)

    def _braces(self, nodes: Nodes) -> str:
        return "{" + ", ".join(self._names[node] for node in nodes) + "}"


def _node(node: NodeDescription) -> str:
    table = f" ({node.table})" if node.table not in ("", node.name) else ""
    where = f" WHERE {' AND '.join(node.conditions)}" if node.conditions else ""
    rows = format_number(node.rows)
    return f"{node.name}{table}: {rows} row{'' if rows == '1' else 's'}{where}"
