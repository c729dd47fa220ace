"""Expensive conditions on one table that wait for a selective join: `big JOIN tiny ... WHERE big.s LIKE '%a%b%'`.

By rank, a condition of cost c that lets the share s of rows through comes after a join of cost j for each row that lets
the share f through where c / (1 - s) > j / (1 - f): Hellerstein and Stonebraker, "Predicate Migration", SIGMOD 1993,
section 3. Here the two orders are compared by what they cost, which is the same where costs are linear.

Each condition that waits is given a *partner*, the table of which it waits for, and becomes a filter of the region on
both tables, so that it is applied in the join that brings them together, whatever the order. What is decided here holds
for all orders of the region: every plan for a set of tables has still applied the same conditions.

A condition may stand above all joins of the region if these pass its table's rows on or drop or repeat them: its table
is not padded by an outer join, and not on the right of a semi or anti join. Conditions that may fail protect nothing
and are protected by what is written before them: what waits must not leave rows to them that it kept from them before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from minisql.expression.failure import may_fail
from minisql.expression.nodes import Expression
from minisql.expression.walk import tables_of
from minisql.hypergraph.conflicts import Operator
from minisql.hypergraph.join_hypergraph import JoinHypergraph, RegionFilter
from minisql.node import record
from minisql.node_set import EMPTY, NodeSet
from minisql.optimizer.access_path import AccessPath
from minisql.optimizer.access_path import Filter as FilterPath
from minisql.optimizer.cardinality import edge_estimate
from minisql.optimizer.cost_model import build_cost, nested_loop_cost, probe_cost_of_row, residual_cost
from minisql.optimizer.predicate_rank import MeasuredCondition, measured_cost
from minisql.optimizer.scan_filters import simple_filters
from minisql.optimizer.selectivity import narrow_columns
from minisql.optimizer.statistics import Statistics
from minisql.relational.relational_expression import BaseTable, Filter, JoinType, RelationalExpression
from minisql.settings import Settings

LEAST_COST: Final = 0.0045
"""Conditions that cost less for a row do not wait: half of the cheapest join of a row."""
LEAST_SAVING = 500.0
"""What has to be saved: joins with conditions that wait take longer to put in order."""
MOST_PARTNERS: Final = 30
"""How many tables a condition looks at, the nearest ones."""


@record
class Candidate:
    """The filter of a leaf that has an expensive condition.

    `conditions` are those of the filter in the order of evaluation, as they were before the filter narrowed columns.
    """

    path: FilterPath
    conditions: tuple[MeasuredCondition, ...]


class Delayed(NamedTuple):
    """A region and the plans of its leaves."""

    graph: JoinHypergraph
    leaves: dict[int, AccessPath]


def delay_conditions(
    graph: JoinHypergraph,
    leaves: dict[int, AccessPath],
    candidates: Mapping[int, Candidate],
    statistics: Statistics,
    settings: Settings,
) -> Delayed:
    """Takes from the leaves the conditions that are to wait. The expensive conditions that stay narrow their columns.

    Of the settings, `join_order` and `hash_join` matter here.
    """
    delay = _Delay(graph, leaves, candidates, statistics, settings)
    allowed = NodeSet(graph.graph.nodes & ~_not_above(graph.operators))
    if not any(map(may_fail, _region_conditions(graph))):
        for node in sorted(candidates, key=delay.work, reverse=True):
            if node & allowed:
                delay.delay(node, allowed)
    return delay.finish()


def _not_above(operators: tuple[Operator, ...]) -> NodeSet:
    """The tables whose conditions must not stand above all joins."""
    tables = EMPTY
    for operator in operators:
        if operator.type is JoinType.FULL:
            tables = NodeSet(tables | operator.tables)
        elif operator.type is not JoinType.INNER:
            tables = NodeSet(tables | operator.right_tables)
    return tables


def _region_conditions(graph: JoinHypergraph) -> Iterator[Expression]:
    for filter_ in graph.filters:
        yield from filter_.conditions
    for edge in graph.edges:
        yield from edge.conditions


@record
class _Partner:
    """A table that inner joins lead to.

    Attributes:
        node: the table.
        way: the tables that lead to it, itself included.
        rows: the rows of the join of these.
        share: of the rows of the table that waits, how many there are in its join with these, for one row.
        has_keys: whether that is a hash join.
    """

    node: int
    way: int
    rows: float
    share: float
    has_keys: bool

    def join_cost(self, rows: float) -> float:
        """What joining this many rows with it costs, the output left out, which is the same in both orders."""
        if not self.has_keys:
            return nested_loop_cost(rows, self.rows)
        probe = build_cost(self.rows) + probe_cost_of_row(self.rows) * rows
        return min(probe, build_cost(rows) + probe_cost_of_row(rows) * self.rows)

    def saving(self, rows: float, condition: MeasuredCondition, behind: float) -> float:
        """What is saved if a condition on this many rows waits.

        `behind` is what the conditions that come after it in the filter, and stay there, cost for a row.
        """
        passed = rows * condition.selectivity
        pairs = rows * self.share
        at_once = rows * condition.cost + passed * behind + self.join_cost(passed)
        later = rows * behind + self.join_cost(rows) + pairs * condition.cost
        return at_once - later - (residual_cost(pairs) if self.has_keys else 0.0)


class _Delay:
    """The leaves with the conditions that were taken from them so far."""

    def __init__(
        self,
        graph: JoinHypergraph,
        leaves: dict[int, AccessPath],
        candidates: Mapping[int, Candidate],
        statistics: Statistics,
        settings: Settings,
    ) -> None:
        self._graph = graph
        self._leaves = leaves
        self._candidates = candidates
        self._statistics = statistics
        self._settings = settings
        self._rows = {node: path.rows for node, path in leaves.items()}
        # What somebody waits for is to be as selective as it was.
        self._awaited = 0
        self._partners: dict[int, dict[int, int]] = {}  # of each table, for the ids of its conditions
        self._neighbors: dict[int, dict[int, tuple[float, bool]]] | None = None

    def work(self, node: int) -> float:
        """What the filter of a candidate costs."""
        path = self._candidates[node].path
        return path.cost - path.input.cost

    def delay(self, node: int, allowed: NodeSet) -> None:
        """Finds the conditions of a candidate that are to wait, those of the highest rank first."""
        if node & self._awaited:
            return
        leaf, candidate = self._graph.leaves[node], self._candidates[node]
        assert isinstance(leaf, Filter)
        may_wait = _may_wait(leaf, node)
        partners = list(self._reachable(node, allowed))
        rows = [candidate.path.input.rows]
        for condition in candidate.conditions:
            rows.append(rows[-1] * condition.selectivity)
        behind = 0.0
        for place in reversed(range(len(candidate.conditions))):
            condition = candidate.conditions[place]
            if condition.cost >= LEAST_COST and id(condition.expression) in may_wait:
                savings = [partner.saving(rows[place], condition, behind) for partner in partners]
                most = max(savings, default=0.0)
                if most > LEAST_SAVING:
                    partner = partners[savings.index(most)]
                    self._partners.setdefault(node, {})[id(condition.expression)] = partner.node
                    self._awaited |= partner.way
                    self._rows[node] = _more(self._rows[node], condition.selectivity, candidate.path.input.rows)
                    continue
            behind = condition.cost + condition.selectivity * behind

    def _reachable(self, node: int, allowed: NodeSet) -> Iterator[_Partner]:
        """The partners that a table may wait for, the nearest first."""
        within = int(allowed)
        if self._settings.join_order == "as_written":
            # Only what it meets in its first join: there is no other order in which a later one might come early.
            within &= next(operator.tables for operator in self._graph.operators if operator.tables & node)
        neighbors = self._find_neighbors()
        found = [_Partner(node, 0, 1.0, 1.0, True)]
        seen = node
        for before in found:
            for other, (selectivity, has_keys) in neighbors.get(before.node, {}).items():
                if other & seen or not other & within or len(found) > MOST_PARTNERS:
                    continue
                seen |= other
                growth = self._rows[other] * selectivity
                is_first = before.node == node
                partner = _Partner(
                    other,
                    before.way | other,
                    self._rows[other] if is_first else before.rows * growth,
                    before.share * growth,
                    has_keys if is_first else before.has_keys,
                )
                found.append(partner)
                yield partner

    def _find_neighbors(self) -> dict[int, dict[int, tuple[float, bool]]]:
        """For each table those that an inner join connects it with, the share of pairs, and whether there are keys."""
        if self._neighbors is not None:
            return self._neighbors
        neighbors: dict[int, dict[int, tuple[float, bool]]] = {}
        self._neighbors = neighbors
        hash_join = self._settings.hash_join
        for edge, sides in zip(self._graph.edges, self._graph.graph.edges, strict=True):
            operator = self._graph.operators[edge.operator]
            if operator.type is not JoinType.INNER or not edge.conditions or not sides.is_simple:
                continue
            estimate = edge_estimate(edge.conditions, operator.left_tables, operator.right_tables, self._statistics)
            has_keys = hash_join and estimate.left_distinct != float("inf")
            for one, other in ((int(sides.left), int(sides.right)), (int(sides.right), int(sides.left))):
                share, had_keys = neighbors.setdefault(one, {}).get(other, (1.0, False))
                neighbors[one][other] = share * estimate.selectivity, had_keys or has_keys
        return neighbors

    def finish(self) -> Delayed:
        """The region in which the conditions wait."""
        leaves, paths = dict(self._graph.leaves), dict(self._leaves)
        filters = list(self._graph.filters)
        for node, candidate in self._candidates.items():
            partners = self._partners.get(node, {})
            staying = [each for each in candidate.conditions if id(each.expression) not in partners]
            narrow_columns([each.expression for each in staying if each.cost >= LEAST_COST], self._statistics)
            if not partners:
                continue
            leaf = leaves[node]
            assert isinstance(leaf, Filter)
            waiting: dict[int, list[Expression]] = {}
            for condition in leaf.conditions:
                if id(condition) in partners:
                    waiting.setdefault(partners[id(condition)], []).append(condition)
            for partner, conditions in waiting.items():
                filters.append(RegionFilter(conditions=tuple(conditions), nodes=NodeSet(node | partner), rules=()))
            leaves[node] = _without(leaf, partners)
            paths[node] = _filtered(candidate.path, staying, self._rows[node])
        if len(filters) == len(self._graph.filters):
            return Delayed(self._graph, self._leaves)
        return Delayed(replace(self._graph, leaves=leaves, filters=tuple(filters)), paths)


def _may_wait(leaf: Filter, node: int) -> set[int]:
    """The conditions, as objects, that may be evaluated after all others of the leaf.

    A condition protects those written after it that may fail. What the scan uses to read less is to stay.
    """
    uses_filters = isinstance(leaf.input, BaseTable) and leaf.input.source.uses_filters
    unsafe = [place for place, condition in enumerate(leaf.conditions) if may_fail(condition)]
    last_unsafe = unsafe[-1] if unsafe else 0
    protecting = set(map(id, leaf.conditions[:last_unsafe]))
    return {
        id(condition)
        for condition in leaf.conditions[last_unsafe:]
        if tables_of(condition) == node
        and id(condition) not in protecting
        and not (uses_filters and simple_filters((condition,)))
    }


def _more(rows: float, selectivity: float, most: float) -> float:
    """The rows of a filter without a condition."""
    return min(rows / selectivity, most) if selectivity > 0 else most


def _without(leaf: Filter, conditions: Mapping[int, int]) -> RelationalExpression:
    staying = tuple([condition for condition in leaf.conditions if id(condition) not in conditions])
    return replace(leaf, conditions=staying) if staying else leaf.input


def _filtered(path: FilterPath, conditions: list[MeasuredCondition], rows: float) -> AccessPath:
    """The path with only these of its conditions."""
    if not conditions:
        return path.input
    return replace(
        path,
        rows=rows,
        cost=path.input.cost + path.input.rows * measured_cost(conditions),
        conditions=tuple([condition.expression for condition in conditions]),
    )
