"""Greedy operator ordering: joins, again and again, the two connected subgraphs with the smallest result.

Fegaras, "A New Heuristic for Optimizing Large Queries", DEXA 1998. For graphs on which the enumeration of all pairs
would take too long. It obeys the same rules, since it asks the same receiver. Unlike there, conflict rules can lead it
into a dead end.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from minisql.hypergraph.hypergraph import Hyperedge, Hypergraph
from minisql.node_set import lowest
from minisql.optimizer.costing_receiver import CostingReceiver


def order_greedily(graph: Hypergraph, receiver: CostingReceiver) -> bool:
    """Gives the receiver the pairs of one plan. Returns False where it ends before all nodes are joined.

    The receiver has been given all single nodes.
    """
    return _Ordering(graph, receiver).run()


class _Ordering:
    """The subgraphs joined so far, and the pairs of them that may be joined next."""

    def __init__(self, graph: Hypergraph, receiver: CostingReceiver) -> None:
        self._receiver = receiver
        self._component_of: dict[int, int] = {}  # for the number of each node
        self._edges_at: dict[int, list[Hyperedge]] = {node: [] for node in graph.neighbors}
        self._candidates: list[tuple[float, int, int, int]] = []
        self._count = 0
        for node in graph.neighbors:
            self._component_of[node.bit_length() - 1] = node
        for edge in graph.edges:
            self._edges_at[1 << lowest(edge.left)].append(edge)
            self._edges_at[1 << lowest(edge.right)].append(edge)

    def run(self) -> bool:
        components = list(self._edges_at)
        for component in components:
            self._add_candidates(component)
        while len(self._edges_at) > 1:
            if not self._candidates:
                return False
            _, _, first, second = heapq.heappop(self._candidates)
            if first in self._edges_at and second in self._edges_at:
                self._join(first, second)
        return True

    def _join(self, first: int, second: int) -> None:
        joined = first | second
        edges = self._edges_at.pop(first) + self._edges_at.pop(second)
        self._edges_at[joined] = [edge for edge in edges if (edge.left | edge.right) & ~joined]
        rest = joined
        while rest:
            node = rest & -rest
            rest ^= node
            self._component_of[node.bit_length() - 1] = joined
        self._add_candidates(joined)

    def _add_candidates(self, component: int) -> None:
        seen = self._receiver.seen
        for other in sorted(set(self._partners(component))):
            self._receiver.found_subgraph_pairs(component, [other])
            entry = seen.get(component | other)
            if entry is not None:
                self._count += 1
                heapq.heappush(self._candidates, (entry.rows, self._count, component, other))

    def _partners(self, component: int) -> Iterator[int]:
        """The components with which an edge connects this one."""
        for edge in self._edges_at[component]:
            if not edge.left & ~component:
                other, side = self._component_of[lowest(edge.right)], edge.right
            elif not edge.right & ~component:
                other, side = self._component_of[lowest(edge.left)], edge.left
            else:
                continue
            if not side & ~other:
                yield other
