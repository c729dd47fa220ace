"""DPhyp: every pair of connected subgraphs that an edge connects, each once, in an order fit for dynamic programming.

Moerkotte and Neumann, "Dynamic Programming Strikes Back", SIGMOD 2008, section 3. What comes in is a hypergraph; what
goes out are calls of a receiver, in which no set of nodes is used as a side of a pair before all pairs that make it up
were found. The names are the paper's: a *csg* is a connected subgraph, its complements are the disjoint connected
subgraphs that an edge connects it with, and a csg-cmp pair is counted once, with the lower lowest node in the csg.

The enumeration differs from the paper in what made it fast in Python:
- It carries the nodes that are still *free* instead of the forbidden ones, and goes on only where a neighbor is free.
- The neighborhood of a set along simple edges travels with the set, so that growing it is one OR for each new node. All
  ways to grow a set into its free neighbors are made by doubling a list, node by node.
- All complements of a csg are given to the receiver at once.
- Sets are plain ints, and there is no recursion: a stack that is popped in the right order visits a set after its
  subsets.

Without complex edges every set that is visited is connected. With them, whether a set is connected is known from the
receiver, which has seen a set if it has a plan for it. A set that has none, because the graph is not connected there or
because rules beyond the graph forbid all its plans, is passed over, but grown further all the same.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final, Protocol

from minisql.hypergraph.hypergraph import Hypergraph


class Receiver(Protocol):
    """What the enumeration reports to. Sets of nodes are `NodeSet`s, typed as int."""

    @property
    def seen(self) -> Container[int]:
        """The sets that have a plan so far; one object, which changes."""

    def found_single_node(self, node: int) -> None:
        """A set of one node. Every node is reported before the first pair."""

    def found_subgraph_pairs(self, subgraph: int, complements: list[int]) -> None:
        """The pairs of a csg with each of its complements; neither side will get a better plan from now on.

        In a graph without complex edges, a complement may be a set that has no plan.
        """


COMPLEX_EDGES_OF_PAIR: Final = 32
"""Looking at so many complex edges, each direction for itself, takes the time of another pair."""


class _OverBudgetError(Exception):
    """More pairs than allowed."""


def enumerate_subgraph_pairs(graph: Hypergraph, receiver: Receiver, pair_budget: int) -> bool:
    """Reports every node and csg-cmp pair of the graph to the receiver.

    Returns False, with the enumeration cut short, where there are more than `pair_budget` pairs. Sets that were looked
    at and turned out to be no side of a pair count as pairs, too: they take the same time. Where there are so many
    complex edges that looking at them takes most of the time, a pair counts for several.
    """
    for node in graph.neighbors:
        receiver.found_single_node(node)
    try:
        _Enumeration(graph, receiver, pair_budget).run()
    except _OverBudgetError:
        return False
    return True


def fewest_pairs(graph: Hypergraph) -> int:
    """A lower bound of the csg-cmp pairs, at little cost: those of a spanning forest of the simple edges.

    It is exact for trees. The pairs that an edge of a tree connects are the connected subgraphs on its one side with a
    node of the edge, times those on its other side. Nodes with many neighbors are put on top, where they keep them.
    """
    neighbors = graph.neighbors
    parent: dict[int, int] = {}
    order: list[int] = []
    there = 0
    for root in sorted(neighbors, key=lambda node: neighbors[node].bit_count(), reverse=True):
        if there & root:
            continue
        there |= root
        next_ = len(order)
        order.append(root)
        while next_ < len(order):
            node = order[next_]
            next_ += 1
            new = neighbors[node] & ~there
            there |= new
            while new:
                child = new & -new
                new ^= child
                parent[child] = node
                order.append(child)
    # The connected subgraphs with a node, in the tree below it, and the pairs within that tree.
    subgraphs = dict.fromkeys(order, 1)
    for node in reversed(order):
        if node in parent:
            subgraphs[parent[node]] *= 1 + subgraphs[node]
    pairs = 0
    around = dict.fromkeys(order, 1)  # those with the parent of a node, outside of the tree below the node
    for node in order:
        if node in parent:
            above = parent[node]
            around[node] = around[above] * subgraphs[above] // (1 + subgraphs[node])
            pairs += subgraphs[node] * around[node]
            around[node] += 1
    return pairs


class _Enumeration:
    """The state of one enumeration.

    *reach* is always the nodes that simple edges lead to from some set, *targets* the sets that complex edges lead to
    from it and that lie above the lowest node of the csg.
    """

    def __init__(self, graph: Hypergraph, receiver: Receiver, pair_budget: int) -> None:
        self._nodes: int = graph.nodes
        self._neighbors = graph.neighbors
        self._is_simple = not graph.complex_edges
        # For each node the complex edges, as pairs (from, to), that lead from a set with it.
        self._edges_from: dict[int, list[tuple[int, int]]] = {node: [] for node in graph.neighbors}
        for source, target in graph.complex_edges:
            rest = source
            while rest:
                node = rest & -rest
                rest ^= node
                self._edges_from[node].append((source, target))
        self._receiver = receiver
        self._seen = receiver.seen
        self._budget = pair_budget // (1 + len(graph.complex_edges) // COMPLEX_EDGES_OF_PAIR)
        # Growing into more neighbors than this gives more sets to look at than the budget allows.
        self._most_neighbors = pair_budget.bit_length()

    def run(self) -> None:
        """The paper's Solve and EnumerateCsgRec."""
        found_subgraph_pairs = self._receiver.found_subgraph_pairs
        seen = self._seen
        for lowest in reversed(self._neighbors):
            above = self._nodes & -(lowest << 1)
            stack = [(lowest, self._neighbors[lowest], above, self._targets(lowest, lowest, above))]
            while stack:
                csg, reach, free, targets = stack.pop()
                if not self._is_simple:
                    self._spend(1)
                if csg in seen:
                    complements = self._complements(csg, reach, targets, above & ~csg)
                    if complements:
                        self._spend(len(complements))
                        found_subgraph_pairs(csg, complements)
                neighborhood = reach & free
                if targets:
                    neighborhood = _with_representatives(targets, neighborhood, free)
                if not neighborhood:
                    continue
                free ^= neighborhood
                grown = self._grow(csg, reach, neighborhood)
                grown.reverse()
                if self._is_simple:
                    stack += [(larger, further, free, targets) for larger, further in grown]
                else:
                    stack += [
                        (larger, further, free, targets + self._targets(larger, larger ^ csg, above))
                        for larger, further in grown
                    ]

    def _complements(self, csg: int, reach: int, targets: list[int], free: int) -> list[int]:
        """The paper's EmitCsg and EnumerateCmpRec: the complements of a csg within the free nodes."""
        if not self._is_simple:
            return self._complements_of_complex(csg, reach, targets, free)
        neighbors = self._neighbors
        found: list[int] = []
        stack: list[tuple[int, int, int]] = []
        neighborhood = reach & free
        free ^= neighborhood
        while neighborhood:
            # A complement is found from the lowest of the nodes that connect it, so lower ones must stay out of it.
            cmp = neighborhood & -neighborhood
            neighborhood ^= cmp
            found.append(cmp)
            cmp_reach, cmp_free = neighbors[cmp], free | neighborhood
            while True:
                growth = cmp_reach & cmp_free
                while growth and growth & (growth - 1) == 0:
                    # One node to go on with, as in a chain.
                    cmp |= growth
                    cmp_free ^= growth
                    cmp_reach |= neighbors[growth]
                    found.append(cmp)
                    growth = cmp_reach & cmp_free
                if growth:
                    cmp_free ^= growth
                    for larger, further in self._grow(cmp, cmp_reach, growth):
                        found.append(larger)
                        if further & cmp_free:
                            stack.append((larger, further, cmp_free))
                    if len(found) > self._budget:
                        raise _OverBudgetError
                if not stack:
                    break
                cmp, cmp_reach, cmp_free = stack.pop()
        return found

    def _complements_of_complex(self, csg: int, reach: int, targets: list[int], free: int) -> list[int]:
        """The same with complex edges: not every set that is looked at is connected in itself, or with the csg."""
        seen = self._seen
        targets = [target for target in targets if not target & ~free]
        found: list[int] = []
        neighborhood = _with_representatives(targets, reach & free, free)
        free ^= neighborhood
        while neighborhood:
            cmp = neighborhood & -neighborhood
            neighborhood ^= cmp
            if _connects(reach, targets, cmp):
                found.append(cmp)
            # The last of a set is the nodes that were added to it last: what edges from the others led to is not free.
            stack = [(cmp, self._neighbors[cmp], free | neighborhood, cmp)]
            while stack:
                cmp, cmp_reach, cmp_free, added = stack.pop()
                new_targets = self._targets(cmp, added, cmp_free)
                growth = _with_representatives(new_targets, cmp_reach & cmp_free, cmp_free)
                if not growth:
                    continue
                cmp_free ^= growth
                grown = self._grow(cmp, cmp_reach, growth)
                self._spend(len(grown))
                for larger, further in grown:
                    if larger in seen and _connects(reach, targets, larger):
                        found.append(larger)
                    stack.append((larger, further, cmp_free, larger ^ cmp))
        return found

    def _grow(self, nodes: int, reach: int, neighborhood: int) -> list[tuple[int, int]]:
        """The set with each non-empty subset of the neighborhood added, subsets first, each with its reach."""
        if neighborhood.bit_count() > self._most_neighbors:
            raise _OverBudgetError
        neighbors = self._neighbors
        grown = [(nodes, reach)]
        while neighborhood:
            node = neighborhood & -neighborhood
            neighborhood ^= node
            further = neighbors[node]
            grown += [(smaller | node, old | further) for smaller, old in grown]
        del grown[0]
        return grown

    def _targets(self, nodes: int, added: int, within: int) -> list[int]:
        """The sets in `within` that complex edges lead to from the nodes, but not from them without the added ones."""
        found: list[int] = []
        while added:
            node = added & -added
            added ^= node
            for source, target in self._edges_from[node]:
                if not (source & ~nodes or target & ~within):
                    found.append(target)
        return found

    def _spend(self, pairs: int) -> None:
        self._budget -= pairs
        if self._budget < 0:
            raise _OverBudgetError


def _with_representatives(targets: list[int], neighborhood: int, free: int) -> int:
    """The neighborhood with the lowest node of each of the targets that is free.

    A set that the neighborhood already reaches into needs no node of its own: it is found by growing from there.
    """
    for target in targets:
        if not (target & ~free or target & neighborhood):
            neighborhood |= target & -target
    return neighborhood


def _connects(reach: int, targets: list[int], cmp: int) -> bool:
    """Whether an edge leads to a set."""
    if reach & cmp:
        return True
    for target in targets:  # noqa: SIM110  (a generator costs more than the loop)
        if not target & ~cmp:
            return True
    return False
