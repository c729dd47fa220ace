"""Searches a join graph for its cheapest plan with any enumerator, cost model and estimator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Final, TypeAlias

from minisql.errors import counted
from minisql.node import node
from minisql.node_set import NodeSet
from minisql.optimizer.costing_receiver import BUILD_LEFT, BUILD_RIGHT, Entry
from minisql.optimizer.laboratory.cost_models import CostModel, c_out
from minisql.optimizer.laboratory.estimators import Estimator
from minisql.optimizer.laboratory.join_graph import JoinGraph, Tables, checked, listed
from minisql.optimizer.trace import TracingReceiver
from minisql.optimizer.trace_records import RegionWords, Trace, number, search_records
from minisql.relational.relational_expression import JoinType

PAIR_BUDGET: Final = 1_000_000
"""The most pairs that an enumeration may look at, if nobody says otherwise."""
PAIRS_TRACED: Final = 10_000
"""The pairs that a trace lists, if nobody says otherwise."""
_INFINITE: Final = float("inf")

Tree: TypeAlias = "str | tuple[Tree, Tree]"
"""A table, or a join of two trees."""


class Search:
    """What an enumerator works with: it finds pairs of sets of tables and reports them, each after all that make it up.

    Whether a pair may be joined, what that costs and whether it is kept is decided behind it.

    Attributes:
        graph: the graph.
        pair_budget: the most pairs that are to be looked at.
        looked_at: the pairs that the enumerator has looked at itself, whether it reported them or not. An enumerator
            that looks at more than it reports adds them here.
        receiver: the same in bits, for enumerators that are written for `subgraph_enumeration.Receiver`.
        rows_of: the rows of a connected set, in bits.
    """

    def __init__(
        self, graph: JoinGraph, receiver: TracingReceiver, rows_of: Callable[[int], float], pair_budget: int
    ) -> None:
        self.graph = graph
        self.pair_budget = pair_budget
        self.looked_at = 0
        self.receiver = receiver
        self.rows_of = rows_of

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables of the graph."""
        return self.graph.tables

    def join(self, left: str | Iterable[str], right: str | Iterable[str]) -> bool:
        """Reports a pair; returns whether it may be joined.

        Raises:
            ValueError: the sets overlap, are empty or have tables that are not there, or one of them has no plan yet.
        """
        first, second = self.graph.nodes(left), self.graph.nodes(right)
        if first & second or not first or not second:
            raise ValueError("Two sets of tables that are joined are not empty and share no table.")
        for nodes in (first, second):
            if nodes not in self.receiver.seen:
                raise ValueError(f"There is no plan for {listed(self.graph.tables_of(nodes))} yet to join it.")
        if not self.graph.joins.graph.connects(first, second):
            return False
        refused = self.receiver.refused
        self.receiver.found_subgraph_pairs(first, [second])
        return self.receiver.refused == refused

    def connects(self, left: str | Iterable[str], right: str | Iterable[str]) -> bool:
        """Whether an edge connects two sets of tables."""
        return self.graph.joins.graph.connects(self.graph.nodes(left), self.graph.nodes(right))

    def has_plan(self, tables: str | Iterable[str]) -> bool:
        """Whether there is a plan for a set of tables so far."""
        return self.graph.nodes(tables) in self.receiver.seen

    def rows(self, tables: str | Iterable[str]) -> float:
        """The rows of a connected set, as this search estimates them."""
        return self.rows_of(self.graph.nodes(tables))

    def cost(self, tables: str | Iterable[str]) -> float:
        """The cost of the best plan of a set so far.

        Raises:
            ValueError: it has none.
        """
        entry = self.receiver.seen.get(self.graph.nodes(tables))
        if entry is None:
            raise ValueError(f"There is no plan for {listed(self.graph.tables_of(self.graph.nodes(tables)))} yet.")
        return entry.cost

    def begin_phase(self, phase: str, reason: str) -> None:
        """Notes in the trace that another part of the search begins."""
        self.receiver.begin_phase(phase, reason)


Enumerator: TypeAlias = Callable[[Search], None]
"""What finds the pairs of sets of tables that are worth a look."""


@node
class PlannedJoin:
    """A join of a plan: the tables of its sides, its type, its rows, and the cost of the plan up to here."""

    left: Tables
    right: Tables
    type: str
    rows: float
    cost: float

    @property
    def tables(self) -> Tables:
        """The tables of both sides."""
        return self.left | self.right


class Plan:
    """The cheapest plan that a search has found.

    Attributes:
        graph: the graph.
        joins: its joins, each after those in its sides. A one-sided join has on the left what it keeps.
        cost: the sum of the costs of its joins.
        rows: of each set of tables in the plan, single tables and all of them included.
        costs: the cost of the best plan of every set of tables that the search has found one for.
        pairs: how many pairs were reported.
        looked_at: how many pairs the enumerator looked at, the reported ones included.
    """

    def __init__(self, search: Search, words: RegionWords) -> None:
        """The plan at the end of a search."""
        self.graph = search.graph
        entries, everything = search.receiver.seen, search.graph.joins.graph.nodes
        self.joins = tuple(_joins(search.graph, words, entries[everything]))
        self.cost = entries[everything].cost
        parts = {part for join in self.joins for part in (join.left, join.right)} | {frozenset(self.graph.tables)}
        self.rows: Mapping[Tables, float] = {part: entries[self.graph.nodes(part)].rows for part in parts}
        self.costs: Mapping[Tables, float] = {
            self.graph.tables_of(nodes): entry.cost for nodes, entry in entries.items()
        }
        self.pairs = search.receiver.pairs
        self.looked_at = max(search.looked_at, self.pairs)
        self._search = search
        self._words = words

    @property
    def tree(self) -> Tree:
        """The plan as nested pairs: `(("a", "b"), "c")`."""
        made: dict[Tables, Tree] = {frozenset([name]): name for name in self.graph.tables}
        for join in self.joins:
            made[join.tables] = (made[join.left], made[join.right])
        return made[frozenset(self.graph.tables)]

    @property
    def order(self) -> str:
        """The plan as a JOIN_TREE hint says it: `((a b) c)`."""
        made = {frozenset([name]): name for name in self.graph.tables}
        for join in self.joins:
            made[join.tables] = f"({made[join.left]} {made[join.right]})"
        return made[frozenset(self.graph.tables)]

    @cached_property
    def trace(self) -> Trace:
        """The search step by step, in the records of EXPLAIN TRACE (docs/explain.md)."""
        receiver, joins = self._search.receiver, self.graph.joins
        events, forbidden = receiver.with_forbidden(joins, self.graph.connections, self._search.pair_budget)
        end = {
            "pairs": self.pairs,
            "forbidden": forbidden,
            "order": self.order,
            "cost": number(self.cost),
            "query_cost": number(self.cost),
        }
        return Trace(records=tuple(search_records(events, self._words, end)), pairs=self.pairs + forbidden)

    def cost_under(self, cardinality: Estimator | None = None, cost: CostModel = c_out) -> float:
        """What the same plan costs with other cardinalities, such as the true ones, or another cost model."""
        rows_of = _rows_of(self.graph, cardinality)
        total = 0.0
        for join in self.joins:
            left, right, out = (rows_of(self.graph.nodes(side)) for side in (join.left, join.right, join.tables))
            total += _checked_cost(cost, left, right, out)
        return total


def optimize(
    graph: JoinGraph,
    enumerator: Enumerator,
    *,
    cost: CostModel = c_out,
    cardinality: Estimator | None = None,
    pair_budget: int = PAIR_BUDGET,
    pairs_traced: int = PAIRS_TRACED,
) -> Plan:
    """The cheapest plan of a join graph among those that an enumerator finds.

    Args:
        graph: what is to be joined.
        enumerator: finds the pairs: one of `enumerators`, or a function of one's own that is given a `Search`.
        cost: what a join costs: one of `cost_models`, or a function of one's own.
        cardinality: how many rows a set of tables has: made by `estimators`, or a function of one's own that is given a
            set of names; without it, the graph's own estimates.
        pair_budget: the most pairs that an enumeration may look at.
        pairs_traced: how many of the pairs the trace lists.

    Raises:
        ValueError: the enumerator found no plan for all tables, it needs more pairs than allowed or another kind of
            graph, or a cost or a number of rows is none.
    """
    rows_of = _rows_of(graph, cardinality)
    receiver = TracingReceiver(_Costing(graph, cost, rows_of), pairs_traced)
    search = Search(graph, receiver, rows_of, pair_budget)
    for leaf in graph.joins.leaves:
        receiver.found_single_node(leaf)
    enumerator(search)
    if graph.joins.graph.nodes not in receiver.seen:
        largest = max(receiver.seen, key=int.bit_count)
        raise ValueError(
            f"The enumerator found no plan for all {counted(len(graph.tables), 'table')}. "
            f"The largest set that it joined is {listed(graph.tables_of(largest))}."
        )
    words = RegionWords(graph.joins, graph.connections, receiver.seen, graph.names, has_methods=False)
    return Plan(search, words)


class _Costing:
    """The receiver that keeps the cheapest plan of each set, by any cost model and any cardinalities."""

    def __init__(self, graph: JoinGraph, cost: CostModel, rows_of: Callable[[int], float]) -> None:
        self.seen: dict[int, Entry] = {}
        self._connections = graph.connections
        self._cost = cost
        self._rows_of = rows_of

    def found_single_node(self, node: int) -> None:
        """A table, which costs nothing."""
        self._new_entry(node, self._connections.of_node[node]).cost = 0.0

    def found_subgraph_pairs(self, subgraph: int, complements: list[int]) -> None:
        """Pairs of a set with others."""
        for complement in complements:
            if complement in self.seen:
                self.found_pair(subgraph, complement)

    def found_pair(self, first: int, second: int) -> None:
        """A pair, joined either way where the join has no left side of its own."""
        connections = self._connections
        left, right, nodes = self.seen[first], self.seen[second], first | second
        contained = connections.contained_in_union(left.contained | right.contained, nodes)
        completed = connections.complete(contained) & ~(left.complete | right.complete)
        site = connections.find_join(nodes, left.contained & right.swapped, completed)
        if site is None:
            return
        entry = self.seen.get(nodes) or self._new_entry(nodes, contained)
        either = site.type in (JoinType.INNER, JoinType.FULL)
        for one, other, method in ((left, right, BUILD_RIGHT), (right, left, BUILD_LEFT)):
            if either or (method == BUILD_LEFT) is site.flipped:
                cost = one.cost + other.cost + _checked_cost(self._cost, one.rows, other.rows, entry.rows)
                if cost < entry.cost:
                    entry.cost, entry.method, entry.left, entry.right = cost, method, left, right

    def _new_entry(self, nodes: int, contained: int) -> Entry:
        connections = self._connections
        entry = Entry(nodes, contained, connections.swap(contained), connections.complete(contained), 0, 0, 0)
        entry.set_rows(self._rows_of(nodes))
        self.seen[nodes] = entry
        return entry


def _rows_of(graph: JoinGraph, cardinality: Estimator | None) -> Callable[[int], float]:
    """An estimator over bits that is asked once for each set, and checked."""
    if cardinality is None:
        return graph.cardinality.rows
    known: dict[int, float] = {}
    estimate = cardinality

    def rows(nodes: int) -> float:
        if nodes not in known:
            tables = graph.tables_of(nodes)
            known[nodes] = checked(estimate(tables), f"The cardinality of {listed(tables)}")
        return known[nodes]

    return rows


def _checked_cost(cost: CostModel, left: float, right: float, out: float) -> float:
    found = cost(left, right, out)
    if type(found) is float and 0 <= found < _INFINITE:
        return found  # as it is nearly always: the words below take longer than the cost
    return checked(found, f"The cost of a join of {left:g} with {right:g} rows that gives {out:g}")


def _joins(graph: JoinGraph, words: RegionWords, top: Entry) -> list[PlannedJoin]:
    """The joins of an entry, those of its sides first."""
    entries = [top]
    for entry in entries:
        entries += [input_ for input_ in (entry.left, entry.right) if input_ is not None]
    joins = []
    for entry in reversed(entries):
        if entry.left is not None and entry.right is not None:
            sides = (entry.left, entry.right) if entry.method == BUILD_RIGHT else (entry.right, entry.left)
            left, right = (graph.tables_of(NodeSet(side.nodes)) for side in sides)
            type_ = words.type_of(entry.left, entry.right).value
            joins.append(PlannedJoin(left=left, right=right, type=type_, rows=entry.rows, cost=entry.cost))
    return joins
