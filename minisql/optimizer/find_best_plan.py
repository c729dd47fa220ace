"""The entry of the optimizer: from a relational expression to its cheapest access path.

Operators that are no joins are planned one by one, inputs first. A join region is planned as a whole:

    make_join_hypergraph -> find_order -> finish_plan
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, assert_never

from minisql.errors import InternalError, ProgrammingError
from minisql.hypergraph.connections import Connections
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.make_join_hypergraph import is_join_region, make_join_hypergraph
from minisql.node_set import EMPTY
from minisql.optimizer import access_path
from minisql.optimizer.access_path import AccessPath
from minisql.optimizer.apply_path import apply_path
from minisql.optimizer.cardinality import Cardinality
from minisql.optimizer.costing_receiver import CostingReceiver
from minisql.optimizer.find_order import OpenRegion, find_order
from minisql.optimizer.finish_plan import finish_plan
from minisql.optimizer.operator_planner import OperatorPlanner
from minisql.optimizer.selectivity import narrow_columns
from minisql.optimizer.statistics import Statistics
from minisql.optimizer.waiting_predicates import LEAST_COST, Candidate, delay_conditions
from minisql.relational.relational_expression import (
    Aggregate,
    Apply,
    BaseTable,
    Filter,
    Join,
    JoinOrder,
    Limit,
    OneRow,
    Project,
    RecursiveUnion,
    RelationalExpression,
    SetOperation,
    SharedScan,
    SingleRow,
    Sort,
    Values,
    Window,
    WorkingTable,
)
from minisql.relational.rewriting import nodes_of
from minisql.settings import Settings

if TYPE_CHECKING:
    from minisql.optimizer.join_order import ForbiddenJoin
    from minisql.optimizer.search_space import SearchSpace
    from minisql.optimizer.trace import TracingReceiver


def find_best_plan(expression: RelationalExpression, settings: Settings) -> AccessPath:
    """The cheapest access path that gives the rows of the expression.

    Of the settings, `join_order`, `hash_join`, `pair_budget` and `delay_expensive_conditions` matter here.
    """
    planner = _Planner(settings)
    path = planner.plan(expression)
    return replace(path, cost=path.cost + planner.shared_cost) if planner.shared_cost else path


def cost_and_rows(expression: RelationalExpression, settings: Settings) -> tuple[float, float]:
    """What the cheapest path costs, what it reads that is shared left out, and the rows that it gives."""
    path = _Planner(settings).plan(expression)
    return path.cost, path.rows


def find_search_space(
    expression: RelationalExpression, region: RelationalExpression, settings: Settings
) -> SearchSpace:
    """All orders of a join region of an expression, up to the `pair_budget`.

    What they cost is what they cost there: with all that is known of the tables around, and leaves as they are planned.
    """
    planner = _Planner(settings, counted=region)
    planner.plan(expression)
    if planner.space is None:
        raise InternalError("The region is no part of the expression.")
    return planner.space


def trace_search(
    expression: RelationalExpression, region: RelationalExpression, settings: Settings, most_pairs: int
) -> RegionSearch:
    """Plans an expression as `find_best_plan` does, and keeps what its search made of one of its join regions.

    The first `most_pairs` pairs of the search are noted one by one.
    """
    planner = _Planner(settings, (region, most_pairs))
    path = planner.plan(expression)
    if planner.traced is None:
        raise InternalError("The region is no part of the expression.")
    found, receiver = planner.traced
    return RegionSearch(path, path.cost + planner.shared_cost, found, receiver, planner.statistics)


class RegionSearch(NamedTuple):
    """The plan of a whole expression, what it costs, and how one of its regions was planned."""

    path: AccessPath
    cost: float
    region: OpenRegion
    trace: TracingReceiver
    statistics: Statistics


def find_forbidden(expression: RelationalExpression, order: JoinOrder, settings: Settings) -> ForbiddenJoin | None:
    """Why the order, of a region of an expression, may not be followed; None where it may.

    Raises:
        ProgrammingError: the order is not one of the tables of the region.
    """
    return _planner_within(expression, order.input, settings).find_forbidden(order)


def _planner_within(expression: RelationalExpression, region: RelationalExpression, settings: Settings) -> _Planner:
    """What plans the region on its own: it knows of the recursions around it, whose working tables it may read."""
    planner = _Planner(settings)
    if any(isinstance(node, WorkingTable) for node in nodes_of(region)):
        for node in nodes_of(expression):
            if isinstance(node, RecursiveUnion):
                planner.begin_recursion(node)
    return planner


class _Planner(OperatorPlanner):
    """Plans one statement."""

    def __init__(
        self,
        settings: Settings,
        watched: tuple[RelationalExpression, int] | None = None,
        counted: RelationalExpression | None = None,
    ) -> None:
        """`watched` is a region whose search is traced, up to so many pairs; `counted` one whose orders are wanted."""
        super().__init__()
        self._watched = watched
        self._counted = counted
        self.space: SearchSpace | None = None
        self.traced: tuple[OpenRegion, TracingReceiver] | None = None
        self._settings = settings

    def plan(self, expression: RelationalExpression) -> AccessPath:
        match expression:
            case BaseTable():
                return self._scan(expression, ())
            case Values():
                return self._values(expression)
            case OneRow():
                return access_path.OneRow(nodes=EMPTY, rows=1.0, cost=0.0)
            case SharedScan():
                return self._shared_scan(expression)
            case WorkingTable():
                return self._working_table(expression)
            case Join():
                return self._join_region(expression)
            case Apply():
                return self._apply(expression)
            case JoinOrder():
                return self._join_region(expression.input, expression)
            case Filter():
                return self._join_region(expression) if is_join_region(expression) else self._filter(expression)
            case Project():
                return self._project(expression)
            case Aggregate():
                return self._aggregate(expression)
            case Window():
                return self._window(expression)
            case SetOperation():
                return self._set_operation(expression)
            case RecursiveUnion():
                return self._recursive_union(expression)
            case Sort():
                return self._sort(self.plan(expression.input), expression)
            case Limit():
                return self._limit(expression)
            case SingleRow():
                input_ = self.plan(expression.input)
                return access_path.SingleRow(
                    nodes=input_.nodes, rows=1.0, cost=input_.cost, input=input_, span=expression.span
                )
            case _:
                assert_never(expression)

    # --- joins --------------------------------------------------------------------------------------------------------

    def _join_region(self, region: RelationalExpression, order: JoinOrder | None = None) -> AccessPath:
        graph = make_join_hypergraph(region)
        if order is None:
            open_region = self._open_region(graph, graph.leaves)
            self._count_orders(region, open_region)
            find_order(open_region, self._settings, self._tracing(region, open_region))
        else:
            from minisql.optimizer.join_order import follow_order, split_order  # which few statements need

            joins, ordered_leaves = split_order(order, graph)
            open_region = self._open_region(graph, {**graph.leaves, **ordered_leaves})
            self._count_orders(region, open_region)
            tracing = self._tracing(region, open_region)
            if tracing is not None:
                tracing.begin_phase("prescribed", "A hint says which tables to join.")
            follow_order(joins, open_region.graph, tracing or open_region.receiver, order.names)
        graph, leaves, connections, _, receiver = open_region
        return finish_plan(receiver.seen[graph.graph.nodes], leaves, connections, receiver, self.statistics)

    def _tracing(self, region: RelationalExpression, open_region: OpenRegion) -> TracingReceiver | None:
        """What notes the search in this region, if that is wanted."""
        if self._watched is None or self._watched[0] is not region:
            return None
        from minisql.optimizer.trace import TracingReceiver  # which few statements need

        tracing = TracingReceiver(open_region.receiver, self._watched[1])
        self.traced = open_region, tracing
        return tracing

    def find_forbidden(self, order: JoinOrder) -> ForbiddenJoin | None:
        """Why the order may not be followed; None where it may."""
        from minisql.hypergraph.why_not import Obstacle  # which few statements need
        from minisql.optimizer.join_order import ForbiddenJoin, has_other_tables, split_order, try_order

        graph = make_join_hypergraph(order.input)
        try:
            joins, ordered_leaves = split_order(order, graph)
        except ProgrammingError as error:
            if has_other_tables(order, graph):
                raise
            return ForbiddenJoin(error.message, error.span, Obstacle.RULE)
        for leaf in ordered_leaves.values():
            if forbidden := self.find_forbidden(leaf):
                return forbidden
        region = self._open_region(graph, {**graph.leaves, **ordered_leaves})
        return try_order(joins, region.graph, region.receiver, order.names)

    def _count_orders(self, region: RelationalExpression, open_region: OpenRegion) -> None:
        """Makes the search space of this region, if that is wanted."""
        if self._counted is not region:
            return
        from minisql.optimizer.search_space import SearchSpace  # which few statements need

        receiver = self._receiver(open_region.leaves, open_region.connections, open_region.cardinality)
        self.space = SearchSpace(open_region.graph, open_region.connections, receiver, self._settings.pair_budget)

    def _open_region(self, graph: JoinHypergraph, inputs: Mapping[int, RelationalExpression]) -> OpenRegion:
        """Plans the leaves of a region, and makes what its joins are ordered with."""
        leaves: dict[int, AccessPath] = {}
        candidates: dict[int, Candidate] = {}
        delays = self._settings.delay_expensive_conditions
        for node, leaf in inputs.items():
            if delays and isinstance(leaf, Filter) and not is_join_region(leaf):
                leaves[node] = self._leaf_filter(node, leaf, candidates)
            else:
                leaves[node] = self.plan(leaf)
        if candidates:
            graph, leaves = delay_conditions(graph, leaves, candidates, self.statistics, self._settings)
        connections = Connections(graph)
        leaf_rows = {node: leaf.rows for node, leaf in leaves.items()}
        cardinality = Cardinality(graph, connections, leaf_rows, self.statistics)
        return OpenRegion(graph, leaves, connections, cardinality, self._receiver(leaves, connections, cardinality))

    def _receiver(
        self, leaves: Mapping[int, AccessPath], connections: Connections, cardinality: Cardinality
    ) -> CostingReceiver:
        leaf_costs = {node: leaf.cost for node, leaf in leaves.items()}
        return CostingReceiver(
            connections, cardinality, leaf_costs, self.statistics, hash_join=self._settings.hash_join
        )

    def _leaf_filter(self, node: int, filter_: Filter, candidates: dict[int, Candidate]) -> AccessPath:
        """The filter of a leaf. Where it is a candidate, its expensive conditions have not narrowed columns yet."""
        path, conditions = self._filter_as_it_is(filter_)
        narrowing = path.conditions
        if path.nodes == node and path.cost - path.input.cost >= LEAST_COST * path.input.rows:
            candidates[node] = Candidate(path, conditions)
            narrowing = tuple([each.expression for each in conditions if each.cost < LEAST_COST])
        narrow_columns(narrowing, self.statistics)
        return path

    def _apply(self, apply: Apply) -> AccessPath:
        left, right = self.plan(apply.left), self.plan(apply.right)
        return apply_path(apply, left, right, self.statistics)
