"""All orders of a join region: counted without listing them, drawn at random, listed from the cheapest on.

The enumeration reports every pair of sets that may be joined. Kept for each set, the pairs are a graph of choices: an
order of a set is one of its pairs, an order of the left side and an order of the right side. From it follow
- the number of orders: the sum over the pairs of (orders of the left side) * (orders of the right side);
- the order with a given number, and so a random one in which every order is as likely as any other (Waas and
  Galindo-Legaria, "Counting, Enumerating, and Sampling of Execution Plans in a Cost-Based Query Optimizer", SIGMOD
  2000, section 3);
- the orders by their cost, each found when it is asked for (Huang and Chiang, "Better k-best Parsing", IWPT 2005,
  algorithm 3). The rows of a set do not depend on its order, so a pair has a cost of its own, and the cost of an order
  is the sum of those of its pairs and of the leaves.

The two orientations of a pair are one order. It is shown as the cheaper of the two is executed and EXPLAIN prints it:
the left side of a hash join probes, the right one is hashed. A one-sided nested-loop join has on the left what it keeps
the rows of, another one the side with the first of the tables.
"""

from __future__ import annotations

import heapq
from collections.abc import Container, Iterator
from typing import Final, TypeAlias

from minisql.hypergraph.connections import Connections
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.subgraph_enumeration import enumerate_subgraph_pairs
from minisql.node import record
from minisql.node_set import NodeSet
from minisql.optimizer.costing_receiver import BUILD_LEFT, NESTED_LOOP, CostingReceiver, Entry
from minisql.query_block.query_block import OrderedJoin
from minisql.relational.relational_expression import JoinType

Order: TypeAlias = tuple[OrderedJoin, ...]
"""An order of a region: its joins, each after those in its sides."""

_INFINITE: Final = float("inf")


@record
class _Pair:
    """Two sets that may be joined, and what that costs when they are there."""

    join: OrderedJoin
    cost: float


class SearchSpace:
    """See the module.

    Attributes:
        graph: the region.
        is_complete: False where the enumeration ended at its budget: then only some of the orders are here.
        count: the number of orders.
    """

    def __init__(
        self, graph: JoinHypergraph, connections: Connections, receiver: CostingReceiver, pair_budget: int
    ) -> None:
        """Enumerates the region; the receiver is new, and of no use in the end."""
        self.graph = graph
        collector = _Collector(connections, receiver)
        self.is_complete = enumerate_subgraph_pairs(graph.graph, collector, pair_budget)
        everything = graph.graph.nodes
        if everything not in receiver.seen:
            for operator in graph.operators:
                collector.found_pair(operator.left_tables, operator.right_tables)
        self._everything = everything
        self._entries = receiver.seen
        self._pairs = {nodes: list(pairs.values()) for nodes, pairs in collector.pairs.items()}
        self._leaf_costs = collector.leaf_costs
        self._counts = self._count()
        self.count = self._counts[everything]

    def _count(self) -> dict[int, int]:
        counts = dict.fromkeys(self._leaf_costs, 1)
        for nodes in sorted(self._pairs, key=int.bit_count):
            counts[nodes] = sum(counts[pair.join.left] * counts[pair.join.right] for pair in self._pairs[nodes])
        return counts

    def unrank(self, number: int) -> Order:
        """The order with this number, from 0 to `count` - 1; each order has one number."""
        joins: list[OrderedJoin] = []
        waiting: list[tuple[int, int]] = [(self._everything, number)]
        while waiting:
            nodes, number = waiting.pop()
            for pair in self._pairs.get(nodes, ()):
                left, right = pair.join.left, pair.join.right
                size = self._counts[left] * self._counts[right]
                if number < size:
                    joins.append(pair.join)
                    left_number, right_number = divmod(number, self._counts[right])
                    waiting += [(left, left_number), (right, right_number)]
                    break
                number -= size
        joins.reverse()
        return tuple(joins)

    def cheapest(self) -> Iterator[tuple[Order, float]]:
        """All orders with their costs, the cheapest first."""
        found = _CheapestFirst(self._pairs, self._leaf_costs)
        number = 0
        while found.has(self._everything, number):
            yield found.order(self._everything, number), found.cost(self._everything, number)
            number += 1

    def cheapest_of(self, nodes: NodeSet) -> Order:
        """The cheapest order of some of the nodes, which some order of this space joins first."""
        found = _CheapestFirst(self._pairs, self._leaf_costs)
        found.has(nodes, 0)
        return found.order(nodes, 0)

    def rows_of(self, nodes: NodeSet) -> float:
        """The rows of some of the nodes joined, in whatever order."""
        return self._entries[nodes].rows

    def cost(self, order: Order) -> float:
        """The cost of an order of this space, or of some of its nodes, its leaves included."""
        own = 0.0
        for join in order:
            pairs = self._pairs[join.left | join.right]
            own += next(pair.cost for pair in pairs if {pair.join.left, pair.join.right} == {join.left, join.right})
        return own + sum(cost for node, cost in self._leaf_costs.items() if node & order[-1].tables)

    def rows(self, order: Order) -> float:
        """The rows of the intermediate results: of all joins but the last, whose rows are the same in every order."""
        return sum(self._entries[join.left | join.right].rows for join in order[:-1])


def same_order(first: Order, second: Order) -> bool:
    """Whether two orders are the same but for the sides of joins."""
    return _unordered(first) == _unordered(second)


def _unordered(order: Order) -> set[frozenset[NodeSet]]:
    return {frozenset((join.left, join.right)) for join in order}


class _Collector:
    """Keeps every pair that a costing receiver takes, with what it costs alone.

    Between two pairs the cost of every set is 0, so what the receiver takes for a set is the cost of its last join.
    """

    def __init__(self, connections: Connections, receiver: CostingReceiver) -> None:
        self.pairs: dict[int, dict[tuple[int, int], _Pair]] = {}
        self.leaf_costs: dict[int, float] = {}
        self._connections = connections
        self._receiver = receiver

    @property
    def seen(self) -> Container[int]:
        return self._receiver.seen

    def found_single_node(self, node: int) -> None:
        self._receiver.found_single_node(node)
        entry = self._receiver.seen[node]
        self.leaf_costs[node], entry.cost = entry.cost, 0.0

    def found_subgraph_pairs(self, subgraph: int, complements: list[int]) -> None:
        for complement in complements:
            if complement in self._receiver.seen:
                self.found_pair(subgraph, complement)

    def found_pair(self, first: int, second: int) -> None:
        """Two sets that have plans, whether something connects them or not."""
        seen, nodes = self._receiver.seen, first | second
        if nodes in seen:
            seen[nodes].cost = _INFINITE
        self._receiver.found_pair(first, second)
        entry = seen.get(nodes)
        if entry is None:
            return
        cost, entry.cost = entry.cost, 0.0
        if cost != _INFINITE:
            join = self._shown(seen[first], seen[second], entry.method)
            self.pairs.setdefault(nodes, {})[join.left, join.right] = _Pair(join, cost)

    def _shown(self, left: Entry, right: Entry, method: int) -> OrderedJoin:
        """The join with its sides as they are shown."""
        if method == BUILD_LEFT or (method == NESTED_LOOP and self._is_flipped(left, right)):
            left, right = right, left
        return OrderedJoin(left=NodeSet(left.nodes), right=NodeSet(right.nodes))

    def _is_flipped(self, left: Entry, right: Entry) -> bool:
        """Whether a nested-loop join has its sides the other way round."""
        nodes = left.nodes | right.nodes
        entry = self._receiver.seen[nodes]
        completed = entry.complete & ~(left.complete | right.complete)
        site = self._connections.find_join(nodes, left.contained & right.swapped, completed)
        assert site is not None
        if site.type in (JoinType.INNER, JoinType.FULL):
            return left.nodes & -left.nodes > right.nodes & -right.nodes
        return site.flipped


class _CheapestFirst:
    """The orders of each set found so far, the cheapest first, and those that may be the next.

    An order is (its cost, the number of its pair, the rank of the left side's order, that of the right side's).
    """

    def __init__(self, pairs: dict[int, list[_Pair]], leaf_costs: dict[int, float]) -> None:
        self._pairs = pairs
        self._found: dict[int, list[tuple[float, int, int, int]]] = {
            node: [(cost, 0, 0, 0)] for node, cost in leaf_costs.items()
        }
        self._candidates: dict[int, list[tuple[float, int, int, int]]] = {node: [] for node in leaf_costs}

    def has(self, nodes: int, rank: int) -> bool:
        """Finds the orders of a set up to this rank; False where there are fewer."""
        if nodes not in self._found:
            self._found[nodes] = []
            candidates = self._candidates[nodes] = []
            for number in range(len(self._pairs[nodes])):
                self._add(nodes, candidates, number, 0, 0)
        found, candidates = self._found[nodes], self._candidates[nodes]
        while len(found) <= rank:
            if not candidates:
                return False
            cheapest = heapq.heappop(candidates)
            found.append(cheapest)
            _, number, left, right = cheapest
            # Each combination of ranks is reached in one way: first along the left side, then along the right.
            self._add(nodes, candidates, number, left, right + 1)
            if right == 0:
                self._add(nodes, candidates, number, left + 1, 0)
        return True

    def _add(
        self, nodes: int, candidates: list[tuple[float, int, int, int]], number: int, left: int, right: int
    ) -> None:
        pair = self._pairs[nodes][number]
        if self.has(pair.join.left, left) and self.has(pair.join.right, right):
            cost = self.cost(pair.join.left, left) + self.cost(pair.join.right, right) + pair.cost
            heapq.heappush(candidates, (cost, number, left, right))

    def cost(self, nodes: int, rank: int) -> float:
        """The cost of an order that was found."""
        return self._found[nodes][rank][0]

    def order(self, nodes: int, rank: int) -> Order:
        """An order that was found."""
        joins: list[OrderedJoin] = []
        waiting = [(nodes, rank)]
        while waiting:
            nodes, rank = waiting.pop()
            if nodes in self._pairs:
                _, number, left, right = self._found[nodes][rank]
                join = self._pairs[nodes][number].join
                joins.append(join)
                waiting += [(join.left, left), (join.right, right)]
        joins.reverse()
        return tuple(joins)
