"""A hypergraph: nodes, and edges between sets of nodes. Nothing here knows what the nodes and edges stand for.

Nodes have the numbers of the statement's tables; any subset of the numbers may be in use. An edge with one node on each
side is *simple*, any other is *complex*. (Moerkotte and Neumann, "Dynamic Programming Strikes Back", SIGMOD 2008,
section 2.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from minisql.node_set import NodeSet, members, single


@dataclass(frozen=True, slots=True)
class Hyperedge:
    """An undirected edge between two disjoint, non-empty sets of nodes."""

    left: NodeSet
    right: NodeSet

    @property
    def is_simple(self) -> bool:
        """Whether each side is one node."""
        return self.left & (self.left - 1) == 0 and self.right & (self.right - 1) == 0


class Hypergraph:
    """Nodes and hyperedges, and the same edges in the form in which an enumeration wants them.

    Attributes:
        nodes: all nodes.
        edges: the edges as given.
        neighbors: for each node, as a set of one, the nodes that simple edges connect it with.
        complex_edges: the complex edges in both directions, as pairs (from, to), those with the smallest `to` first.
    """

    __slots__ = ("complex_edges", "edges", "neighbors", "nodes")

    def __init__(self, nodes: NodeSet, edges: Iterable[Hyperedge]) -> None:
        self.nodes = nodes
        self.edges = tuple(edges)
        self.neighbors: dict[int, int] = {single(node): 0 for node in members(nodes)}
        directed = []
        for edge in self.edges:
            if edge.is_simple:
                self.neighbors[edge.left] |= edge.right
                self.neighbors[edge.right] |= edge.left
            else:
                directed += [(int(edge.left), int(edge.right)), (int(edge.right), int(edge.left))]
        self.complex_edges: tuple[tuple[int, int], ...] = tuple(sorted(directed, key=lambda e: e[1].bit_count()))

    def connects(self, left: int, right: int) -> bool:
        """Whether an edge has one side in one of the two sets of nodes, and the other side in the other."""
        for edge in self.edges:
            if not (edge.left & ~left or edge.right & ~right) or not (edge.left & ~right or edge.right & ~left):
                return True
        return False
