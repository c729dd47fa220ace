"""The receiver that costs: keeps the cheapest way to join each set of nodes.

It is given pairs of sets, works out what may join them (`hypergraph.connections`), and compares the cost of that with
the best known for their union. Costs are compared as floats, and a plan is an entry that points to its two inputs;
access paths are made of the winner alone (`finish_plan`).

Everything that depends on one set is computed once, with its entry, so that looking at a pair of a graph of simple
edges with hash keys is a dozen operations on numbers.
"""

from __future__ import annotations

from typing import Final, Protocol

from minisql.hypergraph.connections import Connections, condition_numbers
from minisql.optimizer.cardinality import MOST_ROWS, Cardinality
from minisql.optimizer.cost_model import (
    build_cost,
    nested_loop_cost,
    output_cost,
    probe_cost_of_row,
    residual_cost,
)
from minisql.optimizer.predicate_rank import measured_by_rank, measured_cost
from minisql.optimizer.statistics import Statistics

BUILD_RIGHT: Final = 0
BUILD_LEFT: Final = 1
NESTED_LOOP: Final = 2

_INFINITE: Final = float("inf")


class Entry:
    """A set of nodes and the cheapest way known to join it.

    Attributes:
        nodes: the set.
        contained, swapped, complete: its bits, as in `Connections`.
        open_rules, satisfied: the rules that forbid some conditions to make the set, and those that require a node of
            it alone.
        suspects: both bits of the conditions that may be forbidden.
        rows: the estimated number of rows.
        cost: of the whole plan; infinite where there is none yet, and then rows mean nothing.
        left, right: the entries that it is joined of, None for a leaf.
        method: how they are joined.
        build: what building a hash table of the rows costs.
        probe: what looking up one row in that table costs.
        output: what making the rows costs, whichever way they are joined.
    """

    __slots__ = (
        "build",
        "complete",
        "contained",
        "cost",
        "left",
        "method",
        "nodes",
        "open_rules",
        "output",
        "probe",
        "right",
        "rows",
        "satisfied",
        "suspects",
        "swapped",
    )

    def __init__(
        self, nodes: int, contained: int, swapped: int, complete: int, open_rules: int, satisfied: int, suspects: int
    ) -> None:
        self.nodes = nodes
        self.contained = contained
        self.swapped = swapped
        self.complete = complete
        self.open_rules = open_rules
        self.satisfied = satisfied
        self.suspects = suspects
        self.cost: float = _INFINITE
        self.left: Entry | None = None
        self.right: Entry | None = None
        self.method: int = NESTED_LOOP
        self.rows: float = 0.0
        self.build: float = 0.0
        self.probe: float = 0.0
        self.output: float = 0.0

    def set_rows(self, rows: float) -> None:
        """Sets what follows from the number of rows."""
        self.rows = rows
        self.build = build_cost(rows)
        self.probe = probe_cost_of_row(rows)
        self.output = output_cost(rows)


class PlanReceiver(Protocol):
    """A receiver that keeps the cheapest plan of each set: the `CostingReceiver`, or what stands in its place."""

    @property
    def seen(self) -> dict[int, Entry]:
        """The sets that have a plan; one object, which changes."""

    def found_single_node(self, node: int) -> None:
        """A set of one node."""

    def found_subgraph_pairs(self, subgraph: int, complements: list[int]) -> None:
        """Pairs of a set with others that an edge connects with it; those that have no plan are passed over."""

    def found_pair(self, first: int, second: int) -> None:
        """Two sets that have plans, whether something connects them or not."""


class CostingReceiver:
    """See the module.

    Attributes:
        seen: the sets that have a plan.
    """

    def __init__(
        self,
        connections: Connections,
        cardinality: Cardinality,
        leaf_costs: dict[int, float],
        statistics: Statistics,
        *,
        hash_join: bool,
    ) -> None:
        """`leaf_costs` are those of the plans of the leaves, by node."""
        self.seen: dict[int, Entry] = {}
        self._without_plan: dict[int, Entry] = {}
        self._connections = connections
        self._cardinality = cardinality
        self._leaf_costs = leaf_costs
        self._statistics = statistics
        self._filter_costs: dict[int, float] = {}  # for each row, by the bits of the conditions
        # Edges with a hash key; those of them that cost no more than their keys; and of these, in a region of which
        # every edge is complete where it is crossing, those of inner joins and those of other joins.
        self._keyed = 0
        self._keys_alone = 0
        for number, estimate in cardinality.edges.items():
            if hash_join and estimate.left_distinct != _INFINITE:
                self._keyed |= 0b11 << (2 * number)
                if estimate.selectivity == estimate.key_selectivity:
                    self._keys_alone |= 0b11 << (2 * number)
        self._plain = self._keys_alone if connections.is_simple else 0
        self._plain_inner = self._plain & ~connections.non_inner
        # Whether it depends on the pair if what is crossing is plain, and if it is inner joins or a single other one.
        number_of_edges = len(cardinality.edges)
        only_plain = self._plain == (1 << (2 * number_of_edges)) - 1
        is_tree = number_of_edges == len(connections.of_node) - 1
        self._mixed = not only_plain or (connections.non_inner != 0 and not is_tree)

    def found_single_node(self, node: int) -> None:
        """A leaf, with the filters of the region that it satisfies alone."""
        connections = self._connections
        contained = connections.of_node[node]
        entry = self._new_entry(
            node,
            contained,
            connections.swap(contained),
            connections.rules_at[node],
            connections.satisfied_at[node],
        )
        entry.set_rows(self._cardinality.rows(node))
        entry.cost = self._leaf_costs[node]
        if entry.complete:
            entry.cost += self.filter_cost(entry, entry.complete)
        self.seen[node] = entry

    def found_pair(self, first: int, second: int) -> None:
        """Two sets that have plans; if nothing connects them, what joins them is a product."""
        self._propose(self.seen[first], self.seen[second], self.seen[first].contained & self.seen[second].swapped)

    def found_subgraph_pairs(self, subgraph: int, complements: list[int]) -> None:
        """Pairs of a set with others that an edge connects with it; those that have no plan are passed over."""
        seen = self.seen
        mixed, not_plain, not_plain_inner = self._mixed, ~self._plain, ~self._plain_inner
        left = seen[subgraph]
        left_rows, left_build, left_probe = left.rows, left.build, left.probe
        left_contained, left_cost = left.contained, left.cost
        for complement in complements:
            right = seen.get(complement)
            if right is None:
                continue
            if mixed:
                crossing = left_contained & right.swapped
                if (crossing & not_plain_inner and (crossing & not_plain or crossing & (crossing - 1))) or not crossing:
                    self._propose(left, right, crossing)
                    continue
            entry = seen.get(subgraph | complement)
            if entry is None or entry.suspects:
                entry = self._plain_entry(left, right)
                if entry is None:
                    continue
            build_right = right.build + right.probe * left_rows
            build_left = left_build + left_probe * right.rows
            if build_left < build_right:
                cost = left_cost + right.cost + build_left + entry.output
                if cost < entry.cost:
                    entry.cost = cost
                    entry.method = BUILD_LEFT
                    entry.left = left
                    entry.right = right
            else:
                cost = left_cost + right.cost + build_right + entry.output
                if cost < entry.cost:
                    entry.cost = cost
                    entry.method = BUILD_RIGHT
                    entry.left = left
                    entry.right = right

    def _plain_entry(self, left: Entry, right: Entry) -> Entry | None:
        """The entry of a union that is made by what is crossing; None where rules forbid that."""
        known = self.seen.get(left.nodes | right.nodes)
        entry = known or self._entry(left, right)
        crossing = left.contained & right.swapped
        if crossing & entry.suspects and self._connections.forbids(entry.open_rules, crossing):
            return None
        if known is None:
            # A crossing edge has its left side in the right set where its higher bit is set.
            flipped = bool(crossing & self._connections.non_inner) and crossing.bit_length() % 2 == 0
            self._accept(entry, left, right, flipped)
        return entry

    def _propose(self, left: Entry, right: Entry, crossing: int) -> None:
        """A pair of any kind."""
        connections = self._connections
        known = self.seen.get(left.nodes | right.nodes)
        entry = known or self._entry(left, right)
        completed = entry.complete & ~(left.complete | right.complete)
        if completed & entry.suspects and connections.forbids(entry.open_rules, completed):
            return
        if not connections.may_join(crossing, completed):
            return
        non_inner = completed & connections.non_inner
        if known is None:
            self._accept(entry, left, right, bool(non_inner) and not crossing & non_inner)
        if crossing & self._keyed:
            build_right = right.build + right.probe * left.rows
            build_left = left.build + left.probe * right.rows
            method = BUILD_LEFT if build_left < build_right else BUILD_RIGHT
            cost = min(build_left, build_right)
            if crossing & ~self._keys_alone:
                cost += self._residual_cost(left, right, crossing)
        else:
            cost, method = nested_loop_cost(left.rows, right.rows), NESTED_LOOP
        # What becomes complete beside the join's own edges: a filter above it, or further conditions of an inner join.
        late = completed & ~(non_inner or crossing | crossing >> 1)
        if late:
            cost += self.filter_cost(entry, late)
            if not non_inner and method != NESTED_LOOP:
                cost += residual_cost(self.rows_before_filters(entry, late))
        cost += left.cost + right.cost + entry.output
        if cost < entry.cost:
            entry.cost = cost
            entry.method = method
            entry.left = left
            entry.right = right

    def filter_cost(self, entry: Entry, filters: int) -> float:
        """What it costs to apply these conditions, a bit of each, to get the rows of the entry."""
        of_row = self._filter_costs.get(filters)
        if of_row is None:
            conditions = self._connections.conditions_of(condition_numbers(filters))
            of_row = self._filter_costs[filters] = measured_cost(measured_by_rank(conditions, self._statistics))
        return self.rows_before_filters(entry, filters) * of_row

    def rows_before_filters(self, entry: Entry, filters: int) -> float:
        """The rows before these conditions are applied, a bit of each."""
        share = self._cardinality.selectivity(filters)
        return min(entry.rows / share, MOST_ROWS) if share > 0 else entry.rows

    def _residual_cost(self, left: Entry, right: Entry, crossing: int) -> float:
        keys, all_conditions = 1.0, 1.0
        for number in condition_numbers(crossing):
            estimate = self._cardinality.edges[number]
            keys *= estimate.key_selectivity
            all_conditions *= estimate.selectivity
        return residual_cost(left.rows * right.rows * keys) if keys != all_conditions else 0.0

    def _entry(self, left: Entry, right: Entry) -> Entry:
        """The entry of a union that has no plan yet."""
        nodes = left.nodes | right.nodes
        entry = self._without_plan.get(nodes)
        if entry is None:
            connections = self._connections
            contained, swapped = left.contained | right.contained, left.swapped | right.swapped
            if not connections.is_simple:
                contained = connections.contained_in_union(contained, nodes)
                swapped = connections.swap(contained)
            rules, satisfied = left.open_rules | right.open_rules, left.satisfied | right.satisfied
            entry = self._new_entry(nodes, contained, swapped, rules, satisfied)
            self._without_plan[nodes] = entry
        return entry

    def _new_entry(self, nodes: int, contained: int, swapped: int, rules: int, satisfied: int) -> Entry:
        connections = self._connections
        suspects = 0
        if rules:
            rules = connections.open_rules(rules, satisfied, nodes)
            suspects = connections.suspects(rules)
        complete = connections.complete(contained)
        return Entry(nodes, contained, swapped, complete, rules, satisfied, suspects)

    def _accept(self, entry: Entry, left: Entry, right: Entry, flipped: bool) -> None:
        """Makes an entry one that has a plan: the two sets may be joined."""
        self.seen[entry.nodes] = self._without_plan.pop(entry.nodes)
        if flipped:
            left, right = right, left
        completed = entry.complete & ~(left.complete | right.complete)
        rows = self._cardinality.rows_of_join(
            left.nodes, left.rows, left.complete, right.nodes, right.rows, right.complete, completed
        )
        entry.set_rows(rows)
