"""Greedy operator ordering: joins, again and again, the two connected subgraphs with the smallest result.

Fegaras, "A New Heuristic for Optimizing Large Queries", DEXA 1998. For graphs on which the enumeration of all pairs
would take too long. It obeys the same rules, since it asks the same receiver. Unlike there, conflict rules can lead it
into a dead end.

Where a subgraph has a thousand neighbors, looking at all of them again each time that it has been joined with one would
take a million steps. But then what a neighbor multiplies its rows by stays the same, as a rule. So each subgraph keeps
a heap of its neighbors by that factor, which a join leaves alone, and looks again only at the first of them: if the
result is larger than expected by then, it goes back into the heap.
"""

from __future__ import annotations

import heapq
from typing import Final

from minisql.hypergraph.hypergraph import Hyperedge, Hypergraph
from minisql.node_set import lowest
from minisql.optimizer.costing_receiver import Entry, PlanReceiver

RETRIES_OF_NODE: Final = 20
"""How often edges that could not be applied yet are tried again before the end, for each node of the graph."""
_FEWEST_ROWS: Final = 1e-9
_ABOUT: Final = 1 + 1e-9


def order_greedily(graph: Hypergraph, receiver: PlanReceiver) -> bool:
    """Gives the receiver the pairs of one plan. Returns False where it ends before all nodes are joined.

    The receiver has been given all single nodes.
    """
    return _Ordering(graph, receiver).run()


class _Component:
    """A subgraph joined so far.

    Attributes:
        nodes: its nodes.
        rows: its rows.
        degree: the number of edges at its nodes.
        heap: its edges to components of smaller degree: the factor by which its rows grow, a number, the edge, and the
            union that the factor was computed for. The number breaks ties, and is that of the edge's latest entry.
        foreign: its edges in the heaps of others.
        blocked: its edges that cannot be applied yet.
        version: the number of times that it was announced.
    """

    __slots__ = ("blocked", "degree", "foreign", "heap", "nodes", "rows", "version")

    def __init__(self, nodes: int, rows: float) -> None:
        self.nodes = nodes
        self.rows = rows
        self.degree = 0
        self.heap: list[tuple[float, int, int, int]] = []
        self.foreign: list[int] = []
        self.blocked: list[int] = []
        self.version = 0


class _Ordering:
    """The components, and which of them has the smallest join."""

    def __init__(self, graph: Hypergraph, receiver: PlanReceiver) -> None:
        self._receiver = receiver
        self._edges: tuple[Hyperedge, ...] = graph.edges
        self._ends = [(lowest(edge.left), lowest(edge.right)) for edge in graph.edges]
        self._is_blocked = [False] * len(graph.edges)
        self._latest = [0] * len(graph.edges)
        self._retries = RETRIES_OF_NODE * len(graph.neighbors)
        self._count = 0
        # The component of each node, or one that went into it.
        self._component = {
            node.bit_length() - 1: _Component(node, receiver.seen[node].rows) for node in graph.neighbors
        }
        self._joined_into: dict[_Component, _Component] = {}
        # The components by the rows of their smallest join, each with a number that breaks ties and its version.
        self._smallest: list[tuple[float, int, int, _Component]] = []

    def run(self) -> bool:
        for left_end, right_end in self._ends:
            self._component[left_end].degree += 1
            self._component[right_end].degree += 1
        for edge in range(len(self._edges)):
            self._add_edge(edge)
        left = len(self._component) - 1
        while left:
            if not self._smallest and not self._retry_all():
                return False
            expected, _, version, component = heapq.heappop(self._smallest)
            if component in self._joined_into or version != component.version:
                continue
            _, number, edge, union = heapq.heappop(component.heap)
            first, second = self._sides(edge)
            if number == self._latest[edge] and first is not second:
                joined = self._receiver.seen[union] if union == first.nodes | second.nodes else self._try(edge)
                if joined is not None and joined.rows <= expected * _ABOUT:
                    self._join(first, second)
                    left -= 1
                    continue
                self._add_edge(edge)
            self._announce(component)
        return True

    def _join(self, first: _Component, second: _Component) -> None:
        if first.degree < second.degree:
            first, second = second, first
        first.nodes |= second.nodes
        first.rows = self._receiver.seen[first.nodes].rows
        first.degree += second.degree
        self._joined_into[second] = first
        edges = [edge for _, number, edge, _ in second.heap if number == self._latest[edge]]
        edges += first.foreign
        edges += second.foreign
        blocked = first.blocked + second.blocked
        first.foreign = []
        first.blocked = []
        for edge in edges:
            self._add_edge(edge)
        if self._retries > 0:
            self._retries -= len(blocked)
            self._retry(blocked)
        else:
            first.blocked += blocked
        self._announce(first)

    def _retry(self, edges: list[int]) -> None:
        for edge in edges:
            if self._is_blocked[edge]:
                self._is_blocked[edge] = False
                self._add_edge(edge)

    def _retry_all(self) -> bool:
        """Tries all edges again that could not be applied. Returns whether one of them can be."""
        for component in dict.fromkeys([self._find(node) for node in self._component]):
            blocked, component.blocked = component.blocked, []
            self._retry(blocked)
            self._announce(component)
        return bool(self._smallest)

    def _add_edge(self, edge: int) -> None:
        """Puts an edge where it belongs now: into the heap of the side with more edges, or away if it is joined."""
        first, second = self._sides(edge)
        if first is second:
            return
        joined = self._try(edge)
        if joined is None:
            self._is_blocked[edge] = True
            first.blocked.append(edge)
            second.blocked.append(edge)
            return
        owner, other = (first, second) if first.degree >= second.degree else (second, first)
        self._count += 1
        self._latest[edge] = self._count
        growth = joined.rows / max(owner.rows, _FEWEST_ROWS)
        heapq.heappush(owner.heap, (growth, self._count, edge, joined.nodes))
        other.foreign.append(edge)
        self._announce(owner)

    def _try(self, edge: int) -> Entry | None:
        """The join of the components that an edge connects, if they may be joined."""
        first, second = self._sides(edge)
        if self._edges[edge].left & ~first.nodes or self._edges[edge].right & ~second.nodes:
            return None
        self._receiver.found_pair(first.nodes, second.nodes)
        return self._receiver.seen.get(first.nodes | second.nodes)

    def _announce(self, component: _Component) -> None:
        """Says which join of a component is the smallest."""
        if component.heap and component not in self._joined_into:
            self._count += 1
            component.version = self._count
            rows = max(component.rows, _FEWEST_ROWS) * component.heap[0][0]
            heapq.heappush(self._smallest, (rows, self._count, self._count, component))

    def _sides(self, edge: int) -> tuple[_Component, _Component]:
        """The components of the lowest nodes of both sides."""
        left, right = self._ends[edge]
        return self._find(left), self._find(right)

    def _find(self, node: int) -> _Component:
        component = self._component[node]
        while component in self._joined_into:
            component = self._joined_into[component]
        self._component[node] = component
        return component
