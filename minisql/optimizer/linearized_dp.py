"""Linearised dynamic programming: improves a join order by looking at the orders that keep its inputs in a line.

Neumann and Radke, "Adaptive Optimization of Very Large Join Queries", SIGMOD 2018, and for joins that are not inner
"LinDP++", BTW 2019. Of n inputs in a line, dynamic programming over the intervals of the line finds the cheapest tree
among all whose subtrees are intervals, with (n^3 - n) / 6 pairs at most. Which of them are legal is known to the
receiver, so that joins of every kind may take part.

The line is that of IKKBZ (`linear_order`), and in a second run that of the leaves of the best tree known before: every
subtree of a tree is an interval of its leaves. So no run can end with a worse tree than it begins with, and a line in
which conflict rules leave no tree does no harm.

Where that would be too many pairs, the tree is cut into pieces of some joins each, bottom-up, and each piece is put in
order by itself; its inputs are what was cut off below (iterative dynamic programming: Kossmann and Stocker, TODS 2000,
section 3.2). A second round cuts the improved tree elsewhere.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Sequence
from typing import Final

from minisql.hypergraph.connections import Connections, condition_numbers
from minisql.hypergraph.join_hypergraph import JoinEdge, JoinHypergraph
from minisql.node_set import NodeSet, members
from minisql.optimizer.cardinality import EdgeEstimate, join_rows
from minisql.optimizer.costing_receiver import Entry, PlanReceiver
from minisql.optimizer.linear_order import LinearEdge, linear_order

PAIRS: Final = 20_000
"""About how many pairs one round looks at in each kind of line."""
LEAST_PIECE: Final = 10
"""The inputs of a piece, at least, whatever the number of pairs."""
MOST_ROOTS: Final = 12
"""How many inputs IKKBZ tries as the first one."""
_FEWEST_ROWS: Final = 1e-9


def improve_order(
    graph: JoinHypergraph, connections: Connections, estimates: dict[int, EdgeEstimate], receiver: PlanReceiver
) -> None:
    """Gives the receiver, which has a plan for all nodes, pairs that may lead to a cheaper one.

    `estimates` are those of the edges, by their numbers in `connections`.
    """
    improver = _Improver(graph, connections, estimates, receiver)
    most = most_inputs(len(graph.leaves))
    improver.round(most)
    if most < len(graph.leaves):
        improver.round(most * 2 // 3)


def most_inputs(nodes: int) -> int:
    """The most inputs of a piece, so that all pieces of this many nodes together have about PAIRS pairs."""
    if nodes**3 <= 6 * PAIRS:
        return nodes
    return max(LEAST_PIECE, int((6 * PAIRS / nodes) ** 0.5))


class _Improver:
    def __init__(
        self,
        graph: JoinHypergraph,
        connections: Connections,
        estimates: dict[int, EdgeEstimate],
        receiver: PlanReceiver,
    ) -> None:
        self._nodes = graph.graph.nodes
        self._operators = graph.operators
        self._connections = connections
        self._estimates = estimates
        self._receiver = receiver

    def round(self, most: int) -> None:
        """Puts the best tree in order, in pieces of at most this many inputs, those below others first."""
        pieces, bounds = _pieces(self._receiver.seen[self._nodes], most)
        for top in pieces:
            inputs, joins = _walk(top, bounds)
            self._recost(joins)
            if len(inputs) <= 2:
                continue
            edges = self._linear_edges(top, inputs)
            order = linear_order([entry.rows for entry in inputs], edges, MOST_ROOTS)
            self._join_intervals(inputs, edges, order)
            inputs, joins = _walk(top, bounds)
            self._recost(joins)
            if len(inputs) <= most:
                self._join_intervals(inputs, self._linear_edges(top, inputs), range(len(inputs)))
        self._recost(_walk(self._receiver.seen[self._nodes], ())[1])

    def _recost(self, joins: Sequence[Entry]) -> None:
        """Computes the costs of joins anew whose inputs have become cheaper; those in their inputs come before them."""
        for join in joins:
            assert join.left is not None
            assert join.right is not None
            self._receiver.found_pair(join.left.nodes, join.right.nodes)

    def _linear_edges(self, top: Entry, inputs: Sequence[Entry]) -> list[LinearEdge]:
        """The edges between the inputs, over their places."""
        within = 0
        for entry in inputs:
            within |= entry.complete
        found = []
        for number in condition_numbers(top.complete & ~within):
            edge = self._connections.conditions[number]
            if not isinstance(edge, JoinEdge):
                continue
            left = right = 0
            for place, entry in enumerate(inputs):
                if entry.nodes & edge.eligibility.left:
                    left |= 1 << place
                if entry.nodes & edge.eligibility.right:
                    right |= 1 << place
            if left & right:
                continue
            estimate = self._estimates[number]
            left_rows = max(inputs[left.bit_length() - 1].rows, _FEWEST_ROWS)
            right_rows = max(inputs[right.bit_length() - 1].rows, _FEWEST_ROWS)
            rows = join_rows(self._operators[edge.operator].type, left_rows, right_rows, estimate)
            found.append(
                LinearEdge(NodeSet(left), NodeSet(right), rows / right_rows, rows / left_rows, estimate.selectivity)
            )
        return found

    def _join_intervals(self, inputs: Sequence[Entry], edges: Sequence[LinearEdge], order: Sequence[int]) -> None:
        """Gives the receiver the pairs of neighboring intervals that an edge connects, in an order fit for it."""
        receiver, seen, count = self._receiver, self._receiver.seen, len(order)
        line = [inputs[place].nodes for place in order]
        neighbors, complex_edges = _neighbors(edges, order)
        # For the first place of an interval, the sets of the intervals that have a plan, and their last places.
        sets: list[list[int]] = [[] for _ in line]
        ends: list[list[int]] = [[] for _ in line]
        for first in reversed(range(count)):
            nodes = reach = 0
            for last in range(first, count):
                nodes |= line[last]
                reach |= neighbors[last]
                if nodes not in seen:
                    continue
                sets[first].append(nodes)
                ends[first].append(last)
                if last + 1 == count:
                    break
                # An interval that follows is connected where it is long enough.
                beyond = reach >> (last + 1)
                shortest = last + (beyond & -beyond).bit_length() if beyond else count
                for begin, end, other_begin, other_end in complex_edges:
                    if first <= begin and end <= last < other_begin and other_end < shortest:
                        shortest = other_end
                complements = sets[last + 1][bisect_left(ends[last + 1], shortest) :]
                if complements:
                    receiver.found_subgraph_pairs(nodes, complements)


def _neighbors(edges: Sequence[LinearEdge], order: Sequence[int]) -> tuple[list[int], list[tuple[int, int, int, int]]]:
    """For each place of the line, the places that simple edges lead to; and the complex edges.

    A complex edge is the first and the last place of each of its sides, the side that is first in the line first.
    """
    place_of = {input_: place for place, input_ in enumerate(order)}
    neighbors = [0] * len(order)
    complex_edges = []
    for edge in edges:
        left, right = (sorted([place_of[input_] for input_ in members(side)]) for side in (edge.left, edge.right))
        if len(left) == len(right) == 1:
            neighbors[left[0]] |= 1 << right[0]
            neighbors[right[0]] |= 1 << left[0]
        else:
            if right < left:
                left, right = right, left
            complex_edges.append((left[0], left[-1], right[0], right[-1]))
    return neighbors, complex_edges


def _pieces(top: Entry, most: int) -> tuple[list[Entry], set[int]]:
    """Cuts a tree into pieces of at most so many inputs: the top of each, and the sets of nodes at which they end."""
    pieces: list[Entry] = []
    sizes: dict[int, int] = {}
    cut: set[int] = set()
    for join in _walk(top, ())[1]:
        assert join.left is not None
        assert join.right is not None
        sides = sorted((join.left, join.right), key=lambda side: sizes.get(side.nodes, 1), reverse=True)
        size = sum(sizes.get(side.nodes, 1) for side in sides)
        for side in sides:
            if size > most:
                size -= sizes[side.nodes] - 1
                sizes[side.nodes] = 1
                cut.add(side.nodes)
                pieces.append(side)
        sizes[join.nodes] = size
    pieces.append(top)
    return pieces, cut


def _walk(top: Entry, bounds: Container[int]) -> tuple[list[Entry], list[Entry]]:
    """What a tree joins, from left to right, and its joins, those of its inputs first.

    It ends at sets of nodes that are bounds. The top is none.
    """
    inputs, joins = [], []
    stack = [top]
    while stack:
        entry = stack.pop()
        if entry.left is None or entry.right is None or (entry.nodes in bounds and entry is not top):
            inputs.append(entry)
        else:
            joins.append(entry)
            stack += [entry.right, entry.left]
    joins.reverse()
    return inputs, joins
