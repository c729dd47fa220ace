"""How many rows a join of some tables of a region has.

The estimate depends on the set of tables alone, not on the order in which they are joined: it follows the tree as
written, restricted to the set. The join at which the set's tables meet in that tree splits it in two, the two halves
are estimated in the same way, and the join's formula puts them together:

    inner: |l| |r| s
    left:  |l| |r| s + left rows without a match
    full:  |l| |r| s + left rows without a match + right rows without a match
    semi:  left rows with a match; anti: left rows without one

A row of one side finds |r| s matches on average, in groups of rows with one key; that it finds any has the probability
|r| s / (rows for each key), or 1 if that is more. Full joins that merge a key are taken together (`chain_cardinality`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from minisql.expression.nodes import Expression
from minisql.hypergraph.conflicts import Operator
from minisql.hypergraph.connections import Connections, condition_numbers
from minisql.hypergraph.join_hypergraph import JoinHypergraph, KeyChain
from minisql.hypergraph.leaves import leaves_of_several_tables, tables_of_nodes
from minisql.node_set import NodeSet, members
from minisql.optimizer.chain_cardinality import ChainCardinality
from minisql.optimizer.class_selectivity import ClassSelectivity
from minisql.optimizer.join_conditions import is_of_class, split_conditions
from minisql.optimizer.selectivity import conjunction_selectivity, key_estimate
from minisql.optimizer.statistics import Statistics
from minisql.relational.relational_expression import JoinType

MOST_ROWS: Final = 1e150
"""Estimates stop here, so that a product of two is still a float."""
MOST_ESTIMATES: Final = 40_000
"""The sets of nodes for which the tree as written is followed. In a tree of a thousand joins, one set may need as many
others."""
LEAST_UNMATCHED: Final = 0.001
"""The share of rows of an anti join that is taken to have no match, at least."""


@dataclass(frozen=True, slots=True)
class EdgeEstimate:
    """An edge's share of the pairs: for its keys alone, and with its further conditions; distinct keys of each side.

    Without keys there is no group of rows that match together: the numbers of distinct keys are infinite.
    """

    key_selectivity: float
    selectivity: float
    left_distinct: float
    right_distinct: float


class Cardinality:
    """The estimates for the sets of nodes of a region.

    Attributes:
        selectivities: for each condition of the region, in the numbering of `Connections`, the share of pairs of rows,
            or of rows, for which it is TRUE, equalities of classes left out.
        edges: for the number of each edge, its estimate.
        leaf_rows: the rows of each leaf, as a set of one, before conditions of the region are applied to it.
    """

    def __init__(
        self,
        graph: JoinHypergraph,
        connections: Connections,
        leaf_rows: Mapping[int, float],
        statistics: Statistics,
        given: Mapping[int, EdgeEstimate] | None = None,
    ) -> None:
        """Estimates the region as written, and leaves in `statistics` how often its tables are padded.

        The estimates of the edges follow from their conditions, unless they are `given` by the numbers of the edges.
        """
        self._connections = connections
        self._operators = graph.operators
        self.leaf_rows = leaf_rows
        self._first_edge = len(graph.filters)
        self._operator_of = [-1] * self._first_edge + [edge.operator for edge in graph.edges]
        self._known: dict[int, tuple[float, int]] = {}
        self._spreads = _spreads(graph.operators)
        self.edges: dict[int, EdgeEstimate] = {}
        self._classes = ClassSelectivity()
        self._chains: dict[int, ChainCardinality] = {}  # by the number of each edge
        self.selectivities = [1.0] * len(connections.conditions)
        groups = leaves_of_several_tables(graph)
        for number, edge in enumerate(graph.edges, self._first_edge):
            operator = graph.operators[edge.operator]
            left, right = operator.left_tables, operator.right_tables
            if groups:
                left, right = tables_of_nodes(left, groups), tables_of_nodes(right, groups)
            if given is not None:
                self.edges[number] = given[number]
                self.selectivities[number] = given[number].selectivity
                continue
            self.edges[number] = edge_estimate(edge.conditions, left, right, statistics)
            self.selectivities[number] = self.edges[number].selectivity
            if operator.type is JoinType.INNER and any(map(is_of_class, edge.conditions)):
                rest = self._classes.add(number, edge.conditions, statistics)
                self.selectivities[number] = edge_estimate(rest, left, right, statistics).selectivity
        if connections.non_inner:
            self._find_padding(graph, statistics)
        if graph.filters or self._chains:
            for number, condition in enumerate(graph.filters):
                self.selectivities[number] = conjunction_selectivity(condition.conditions, statistics)
            self._known.clear()

    def rows(self, nodes: int) -> float:
        """The rows of the join of these nodes; a product where they are not connected."""
        return self._estimate(nodes)[0]

    def rows_of_join(
        self,
        left: int,
        left_rows: float,
        left_complete: int,
        right: int,
        right_rows: float,
        right_complete: int,
        completed: int,
    ) -> float:
        """The same for the union of two sets that are joined, from their rows, without another estimate if possible.

        `left` is the left input of a join that is not inner. Each set comes with the conditions that are complete in
        it; `completed` are those that are complete in the union and in neither set. After MOST_ESTIMATES sets, the
        estimate may depend on how the union is made.
        """
        if not self._connections.non_inner:
            share = self._share(completed, left_complete, right_complete)
            return min(left_rows * right_rows * share, MOST_ROWS)
        non_inner = completed & self._connections.non_inner
        number = (non_inner or completed).bit_length() // 2
        if number < self._first_edge or not completed or number in self._chains:
            return self._rows_of_set(left | right, completed | left_complete | right_complete)
        if len(self._known) < MOST_ESTIMATES:
            # Where the halves are those of the tree as written, or one of them has what the tree joins to it later by a
            # formula that only multiplies it, the tree's estimate is this operator's formula.
            index = self._operator_of[number]
            spread, other = self._spreads[index], self._operators[index].right_tables
            if (left & ~spread or right & ~other) and (
                self._operators[index].type is not JoinType.INNER or right & ~spread or left & ~other
            ):
                return self._rows_of_set(left | right, completed | left_complete | right_complete)
        return self._join_rows(number, left_rows, left_complete, right_rows, right_complete, completed)

    def _rows_of_set(self, nodes: int, complete: int) -> float:
        """The same as `rows`, of several nodes with these complete conditions."""
        known = self._known.get(nodes)
        if known is None:
            known = self._known[nodes] = self._estimate_join(nodes, complete), complete
        return known[0]

    def _join_rows(
        self,
        number: int,
        left_rows: float,
        left_complete: int,
        right_rows: float,
        right_complete: int,
        completed: int,
    ) -> float:
        """The rows of the join that the edge with this number belongs to, which is among the completed conditions."""
        type_ = self._operators[self._operator_of[number]].type
        if type_ is JoinType.INNER:
            joined = left_rows * right_rows
        else:
            joined = join_rows(type_, left_rows, right_rows, self.edges[number])
            completed ^= 1 << (2 * number)
            if not completed:
                return joined
        return min(joined * self._share(completed, left_complete, right_complete), MOST_ROWS)

    def _share(self, completed: int, left_complete: int, right_complete: int) -> float:
        """The share of pairs of rows that conditions let through which are completed by the join of two sets."""
        share = self.selectivity(completed)
        if completed & self._classes.edges:
            share *= self._classes.of_join(completed, left_complete, right_complete)
        return share

    def selectivity(self, complete: int) -> float:
        """The share of rows that all of these conditions let through together, equalities of classes left out."""
        if complete & (complete - 1) == 0:
            return self.selectivities[complete.bit_length() // 2] if complete else 1.0
        share = 1.0
        for number in condition_numbers(complete):
            share *= self.selectivities[number]
        return share

    def _estimate(self, nodes: int) -> tuple[float, int]:
        """The rows, and the conditions that are complete."""
        known = self._known.get(nodes)
        if known is not None:
            return known
        complete = self._connections.complete(self._connections.contained(nodes))
        if nodes & (nodes - 1) == 0:
            known = self.leaf_rows[nodes] * self.selectivity(complete), complete
        else:
            known = self._estimate_join(nodes, complete), complete
        self._known[nodes] = known
        return known

    def _estimate_join(self, nodes: int, complete: int) -> float:
        # Edges are in the order of their operators, so the last one belongs to the join at which its tables meet.
        number = complete.bit_length() // 2
        if number < self._first_edge or not complete:
            return self._product(nodes & -nodes, nodes & (nodes - 1))
        operator = self._operators[self._operator_of[number]]
        if nodes & ~operator.tables:
            return self._product(nodes & operator.tables, nodes & ~operator.tables)
        if number in self._chains:
            return self._estimate_chain(nodes, complete, self._chains[number])
        left_rows, left_complete = self._estimate(nodes & operator.left_tables)
        right_rows, right_complete = self._estimate(nodes & operator.right_tables)
        completed = complete & ~(left_complete | right_complete)
        return self._join_rows(number, left_rows, left_complete, right_rows, right_complete, completed)

    def _estimate_chain(self, nodes: int, complete: int, chain: ChainCardinality) -> float:
        members = []
        completed = complete & ~chain.edges
        for number, tables in enumerate(chain.tables):
            if nodes & tables:
                rows, member_complete = self._estimate(nodes & tables)
                members.append((number, rows))
                completed &= ~member_complete
        return min(chain.rows(members) * self.selectivity(completed), MOST_ROWS)

    def _product(self, first: int, second: int) -> float:
        """The rows of two sets between which nothing is complete but filters."""
        (first_rows, first_complete), (second_rows, second_complete) = self._estimate(first), self._estimate(second)
        complete = self._connections.complete(self._connections.contained(first | second))
        share = self._share(complete & ~(first_complete | second_complete), first_complete, second_complete)
        return min(first_rows * second_rows * share, MOST_ROWS)

    def _find_padding(self, graph: JoinHypergraph, statistics: Statistics) -> None:
        """How often each table is padded in the result of the region, its filters left out."""
        for number, edge in enumerate(graph.edges, self._first_edge):
            operator = graph.operators[edge.operator]
            if edge.chain is not None:
                if number not in self._chains:
                    self._find_padding_of_chain(number, edge.chain, statistics)
                continue
            if operator.type not in (JoinType.LEFT, JoinType.FULL):
                continue
            left_rows, right_rows = self.rows(operator.left_tables), self.rows(operator.right_tables)
            estimate = self.edges[number]
            matched = matched_rows(left_rows, right_rows, estimate.selectivity, estimate.right_distinct)
            joined = max(join_rows(operator.type, left_rows, right_rows, self.edges[number]), 1e-9)
            padded = [(operator.right_tables, left_rows - matched)]
            if operator.type is JoinType.FULL:
                unmatched = right_rows - matched_rows(
                    right_rows, left_rows, estimate.selectivity, estimate.left_distinct
                )
                padded.append((operator.left_tables, unmatched))
            for tables, unmatched in padded:
                _pad(tables, min(1.0, unmatched / joined), statistics)

    def _find_padding_of_chain(self, number: int, chain: KeyChain, statistics: Statistics) -> None:
        """The same for a chain, which becomes known with it; `number` is that of one of its edges."""
        rows = [self.rows(tables) for tables in chain.tables]
        edges = self._connections.chain_of[number]
        estimate = ChainCardinality(chain, edges, rows, statistics)
        self._chains.update(dict.fromkeys(condition_numbers(edges), estimate))
        members_ = list(enumerate(rows))
        shares = [estimate.padded_share(member, members_) for member, _ in members_]
        for tables, share in zip(chain.tables, shares, strict=True):
            _pad(tables, share, statistics)


def _pad(tables: NodeSet, share: float, statistics: Statistics) -> None:
    """Says that the tables are padded in this share of the rows, beside what was said before."""
    for table in members(tables):
        before = statistics.padding.get(table, 0.0)
        statistics.padding[table] = before + (1 - before) * share


def matched_rows(rows: float, other_rows: float, selectivity: float, other_distinct: float) -> float:
    """How many rows of one side have a match on the other one, which has so many rows and distinct keys."""
    matches = other_rows * selectivity
    if other_rows > other_distinct:
        matches /= other_rows / other_distinct
    return rows * matches if matches < 1.0 else rows


def join_rows(type_: JoinType, left_rows: float, right_rows: float, estimate: EdgeEstimate) -> float:
    """The rows of a join of this type."""
    if type_ is JoinType.INNER:
        return min(left_rows * right_rows * estimate.selectivity, MOST_ROWS)
    matched = matched_rows(left_rows, right_rows, estimate.selectivity, estimate.right_distinct)
    if type_ is JoinType.SEMI:
        return matched
    if type_ is JoinType.ANTI:
        return max(left_rows - matched, left_rows * LEAST_UNMATCHED)
    rows = left_rows * right_rows * estimate.selectivity + left_rows - matched
    if type_ is JoinType.FULL:
        rows += right_rows - matched_rows(right_rows, left_rows, estimate.selectivity, estimate.left_distinct)
    return min(rows, MOST_ROWS)


def _spreads(operators: Sequence[Operator]) -> list[int]:
    """For each operator, its left tables; where it multiplies them, also those that joins above it multiply with."""
    spreads: list[int] = [operator.left_tables for operator in operators]
    index_of = {operator.tables: index for index, operator in enumerate(operators)}
    above = [0] * len(operators)
    for index in reversed(range(len(operators))):
        operator = operators[index]
        if operator.type is not JoinType.FULL:
            spreads[index] |= above[index]
        left, right = index_of.get(operator.left_tables), index_of.get(operator.right_tables)
        if left is not None and operator.type is not JoinType.FULL:
            above[left] = above[index] | operator.right_tables
        if right is not None and operator.type is JoinType.INNER:
            above[right] = above[index] | operator.left_tables
    return spreads


def edge_estimate(
    conditions: Iterable[Expression], left: NodeSet, right: NodeSet, statistics: Statistics
) -> EdgeEstimate:
    """The estimate of conditions between these tables, from the statistics of their columns."""
    keys, residual = split_conditions(conditions, left, right)
    share = conjunction_selectivity(residual, statistics)
    if not keys:
        return EdgeEstimate(1.0, share, float("inf"), float("inf"))
    estimate = key_estimate(keys, statistics)
    return EdgeEstimate(
        estimate.selectivity, estimate.selectivity * share, estimate.left_distinct, estimate.right_distinct
    )
