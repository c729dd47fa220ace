"""The entry of the optimizer: from a relational expression to its cheapest access path.

Operators that are no joins are planned one by one, inputs first. A join region is planned as a whole:

    make_join_hypergraph -> find_order -> finish_plan
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, assert_never

from minisql.errors import InternalError, ProgrammingError
from minisql.expression.nodes import AggregateCall, ColumnRef, Expression
from minisql.expression.walk import conjunction, conjuncts
from minisql.expression.window import WindowCall
from minisql.hypergraph.connections import Connections
from minisql.hypergraph.join_hypergraph import JoinHypergraph
from minisql.hypergraph.make_join_hypergraph import is_join_region, make_join_hypergraph
from minisql.node_set import EMPTY, NodeSet, single
from minisql.optimizer import access_path
from minisql.optimizer.access_path import AccessPath
from minisql.optimizer.apply_path import apply_path
from minisql.optimizer.cardinality import MOST_ROWS, Cardinality
from minisql.optimizer.cost_model import (
    aggregate_cost,
    output_cost,
    project_cost,
    scan_cost,
    sort_cost,
    window_cost,
)
from minisql.optimizer.costing_receiver import CostingReceiver
from minisql.optimizer.find_order import OpenRegion, find_order
from minisql.optimizer.finish_plan import finish_plan
from minisql.optimizer.predicate_rank import MeasuredCondition, by_rank, measured_by_rank, measured_cost
from minisql.optimizer.recursion import EXPECTED_ROUNDS, build_on_constant_sides
from minisql.optimizer.scan_filters import simple_filters
from minisql.optimizer.selectivity import conjunction_selectivity, narrow_columns
from minisql.optimizer.statistics import Statistics
from minisql.optimizer.waiting_predicates import LEAST_COST, Candidate, delay_conditions
from minisql.relational.columns import is_in_every_set
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
    SetOperator,
    Shared,
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
    return RegionSearch(path, path.cost + planner.shared_cost, found, receiver, planner._statistics)


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


class _Planner:
    """Plans the operators of one statement; `_statistics` knows the tables planned so far."""

    def __init__(
        self,
        settings: Settings,
        watched: tuple[RelationalExpression, int] | None = None,
        counted: RelationalExpression | None = None,
    ) -> None:
        """`watched` is a region whose search is traced, up to so many pairs; `counted` one whose orders are wanted."""
        self._watched = watched
        self._counted = counted
        self.space: SearchSpace | None = None
        self.traced: tuple[OpenRegion, TracingReceiver] | None = None
        self._settings = settings
        self._statistics = Statistics()
        self._shared: dict[Shared, access_path.Shared] = {}
        self._recursions: dict[int, tuple[float, tuple[Expression, ...]]] = {}  # rows and columns of working tables
        self.shared_cost = 0.0
        """The cost of all that is shared, each once."""

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
        return finish_plan(receiver.seen[graph.graph.nodes], leaves, connections, receiver, self._statistics)

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
            graph, leaves = delay_conditions(graph, leaves, candidates, self._statistics, self._settings)
        connections = Connections(graph)
        leaf_rows = {node: leaf.rows for node, leaf in leaves.items()}
        cardinality = Cardinality(graph, connections, leaf_rows, self._statistics)
        return OpenRegion(graph, leaves, connections, cardinality, self._receiver(leaves, connections, cardinality))

    def _receiver(
        self, leaves: Mapping[int, AccessPath], connections: Connections, cardinality: Cardinality
    ) -> CostingReceiver:
        leaf_costs = {node: leaf.cost for node, leaf in leaves.items()}
        return CostingReceiver(
            connections, cardinality, leaf_costs, self._statistics, hash_join=self._settings.hash_join
        )

    def _leaf_filter(self, node: int, filter_: Filter, candidates: dict[int, Candidate]) -> AccessPath:
        """The filter of a leaf. Where it is a candidate, its expensive conditions have not narrowed columns yet."""
        path, conditions = self._filter_as_it_is(filter_)
        narrowing = path.conditions
        if path.nodes == node and path.cost - path.input.cost >= LEAST_COST * path.input.rows:
            candidates[node] = Candidate(path, conditions)
            narrowing = tuple([each.expression for each in conditions if each.cost < LEAST_COST])
        narrow_columns(narrowing, self._statistics)
        return path

    def _apply(self, apply: Apply) -> AccessPath:
        left, right = self.plan(apply.left), self.plan(apply.right)
        return apply_path(apply, left, right, self._statistics)

    # --- other operators ----------------------------------------------------------------------------------------------

    def _scan(self, table: BaseTable, conditions: tuple[Expression, ...]) -> AccessPath:
        rows = float(table.source.row_count())
        self._statistics.add_table(table.table, rows, table.source.column_statistics)
        return access_path.TableScan(
            nodes=single(table.table),
            rows=rows,
            cost=scan_cost(rows),
            table=table.table,
            alias=table.alias,
            source=table.source,
            filters=simple_filters(conditions) if table.source.uses_filters else (),
        )

    def _values(self, values: Values) -> AccessPath:
        rows = float(len(values.rows))
        self._statistics.add_derived(values.table, rows, (None,) * len(values.types))
        return access_path.ValuesScan(
            nodes=single(values.table),
            rows=rows,
            cost=scan_cost(rows),
            table=values.table,
            alias=values.alias,
            names=values.names,
            types=values.types,
            values=values.rows,
        )

    def _filter(self, filter_: Filter) -> AccessPath:
        path, _ = self._filter_as_it_is(filter_)
        narrow_columns(path.conditions, self._statistics)
        return path

    def _filter_as_it_is(self, filter_: Filter) -> tuple[access_path.Filter, tuple[MeasuredCondition, ...]]:
        """The filter and its conditions, of which the statistics know nothing yet."""
        below = filter_.input
        input_ = self._scan(below, filter_.conditions) if isinstance(below, BaseTable) else self.plan(below)
        measured = measured_by_rank(filter_.conditions, self._statistics)
        conditions = tuple([condition.expression for condition in measured])
        path = access_path.Filter(
            nodes=input_.nodes,
            rows=input_.rows * conjunction_selectivity(conditions, self._statistics),
            cost=input_.cost + input_.rows * measured_cost(measured),
            input=input_,
            conditions=conditions,
        )
        return path, measured

    def _project(self, project: Project) -> AccessPath:
        input_ = self.plan(project.input)
        self._statistics.add_derived(project.table, input_.rows, project.expressions)
        return access_path.Project(
            nodes=single(project.table),
            rows=input_.rows,
            cost=input_.cost + project_cost(input_.rows, len(project.expressions)),
            table=project.table,
            alias=project.alias,
            input=input_,
            names=project.names,
            expressions=project.expressions,
        )

    def _aggregate(self, aggregate: Aggregate) -> AccessPath:
        input_ = self.plan(aggregate.input)
        finest = self._groups(aggregate.keys, input_.rows)
        work, groups = aggregate_cost(input_.rows), finest
        if aggregate.sets:
            # A set that lies in another one is made of its groups.
            work += aggregate_cost(finest) * (len(aggregate.sets) - 1)
            groups = sum(self._groups([aggregate.keys[p] for p in each], input_.rows) for each in aggregate.sets)
        keys = [key if is_in_every_set(aggregate, place) else None for place, key in enumerate(aggregate.keys)]
        self._statistics.add_derived(aggregate.table, groups, (*keys, *[None] * len(aggregate.aggregates)))
        return access_path.HashAggregate(
            nodes=single(aggregate.table),
            rows=groups,
            cost=input_.cost + work,
            table=aggregate.table,
            input=input_,
            keys=aggregate.keys,
            aggregates=tuple([self._ranked(call) for call in aggregate.aggregates]),
            sets=aggregate.sets,
        )

    def _window(self, window: Window) -> AccessPath:
        input_ = self.plan(window.input)
        self._statistics.add_derived(window.table, input_.rows, (None,) * len(window.calls))
        sorts = len({(frozenset(call.partition_by), call.order_by) for call in window.calls})
        return access_path.Window(
            nodes=NodeSet(input_.nodes | single(window.table)),
            rows=input_.rows,
            cost=input_.cost + window_cost(input_.rows, sorts, len(window.calls)),
            table=window.table,
            input=input_,
            calls=tuple([self._ranked_window(call) for call in window.calls]),
        )

    def _ranked_window(self, call: WindowCall) -> WindowCall:
        if not isinstance(call.function, AggregateCall):
            return call
        ranked = self._ranked(call.function)
        return call if ranked is call.function else replace(call, function=ranked)

    def _groups(self, keys: Sequence[Expression], rows: float) -> float:
        """How many groups so many rows make."""
        groups = 1.0
        for key in keys:
            known = self._statistics.of(key)
            groups = min(groups * (known.distinct_count + (known.null_fraction > 0)), max(1.0, rows))
        return groups

    def _ranked(self, call: AggregateCall) -> AggregateCall:
        """The aggregate with the conditions of its FILTER by rank."""
        conditions = conjuncts(call.filter)
        ranked = by_rank(conditions, self._statistics)
        return call if ranked is conditions else replace(call, filter=conjunction(ranked))

    def _set_operation(self, operation: SetOperation) -> AccessPath:
        left, right = self.plan(operation.left), self.plan(operation.right)
        match operation.operator:
            case SetOperator.UNION:
                rows = min(left.rows + right.rows, MOST_ROWS)
            case SetOperator.INTERSECT:
                rows = min(left.rows, right.rows)
            case SetOperator.EXCEPT:
                rows = left.rows
            case _:
                assert_never(operation.operator)
        columns = tuple(
            ColumnRef(column=column, name=name, type=type_)
            for column, name, type_ in zip(operation.left_columns, operation.names, operation.types, strict=True)
        )
        self._statistics.add_derived(operation.table, rows, columns)
        just_appends = operation.operator is SetOperator.UNION and operation.all
        work = 0.0 if just_appends else aggregate_cost(left.rows + right.rows)
        return access_path.SetOperation(
            nodes=single(operation.table),
            rows=rows,
            cost=left.cost + right.cost + work,
            table=operation.table,
            operator=operation.operator,
            all=operation.all,
            left=left,
            right=right,
            left_columns=operation.left_columns,
            right_columns=operation.right_columns,
            names=operation.names,
            types=operation.types,
        )

    def _shared_scan(self, scan: SharedScan) -> AccessPath:
        shared = self._shared.get(scan.shared)
        if shared is None:
            shared = self._shared[scan.shared] = self._plan_shared(scan.shared)
        columns = tuple(
            ColumnRef(column=column, name=name, type=type_)
            for column, name, type_ in zip(shared.columns, scan.shared.names, shared.types, strict=True)
        )
        self._statistics.add_derived(scan.table, shared.rows, columns)
        return access_path.SharedScan(
            nodes=single(scan.table),
            rows=shared.rows,
            cost=scan_cost(shared.rows),
            table=scan.table,
            alias=scan.alias,
            shared=shared,
        )

    def _plan_shared(self, shared: Shared) -> access_path.Shared:
        input_ = self.plan(shared.input)
        cost = input_.cost + output_cost(input_.rows)
        self.shared_cost += cost
        return access_path.Shared(
            name=shared.name,
            rows=input_.rows,
            cost=cost,
            input=input_,
            columns=shared.columns,
            types=shared.types,
        )

    def begin_recursion(self, union: RecursiveUnion) -> tuple[AccessPath, tuple[ColumnRef, ...]]:
        """Plans the anchor, and says what the step may expect of its working table: the columns are as there."""
        anchor = self.plan(union.anchor)
        columns = tuple(
            ColumnRef(column=column, name=name, type=type_)
            for column, name, type_ in zip(union.anchor_columns, union.names, union.types, strict=True)
        )
        self._recursions[union.table] = min(max(1.0, anchor.rows) * EXPECTED_ROUNDS, MOST_ROWS), columns
        return anchor, columns

    def _recursive_union(self, union: RecursiveUnion) -> AccessPath:
        anchor, columns = self.begin_recursion(union)
        step = build_on_constant_sides(self.plan(union.step), union.table)
        rows = min(anchor.rows + EXPECTED_ROUNDS * step.rows, MOST_ROWS)
        self._statistics.add_derived(union.table, rows, columns)
        return access_path.RecursiveUnion(
            nodes=single(union.table),
            rows=rows,
            cost=anchor.cost + EXPECTED_ROUNDS * step.cost + (0.0 if union.all else aggregate_cost(rows)),
            table=union.table,
            name=union.name,
            all=union.all,
            anchor=anchor,
            step=step,
            anchor_columns=union.anchor_columns,
            step_columns=union.step_columns,
            names=union.names,
            types=union.types,
            span=union.span,
        )

    def _working_table(self, table: WorkingTable) -> AccessPath:
        rows, columns = self._recursions[table.recursion]
        self._statistics.add_derived(table.table, rows, columns)
        return access_path.WorkingTableScan(
            nodes=single(table.table),
            rows=rows,
            cost=scan_cost(rows),
            table=table.table,
            alias=table.alias,
            recursion=table.recursion,
            types=table.types,
        )

    def _sort(self, input_: AccessPath, sort: Sort) -> AccessPath:
        return access_path.Sort(
            nodes=input_.nodes,
            rows=input_.rows,
            cost=input_.cost + sort_cost(input_.rows, input_.rows),
            input=input_,
            keys=sort.keys,
            limit=None,
        )

    def _limit(self, limit: Limit) -> AccessPath:
        input_ = self.plan(limit.input)
        rows = max(0.0, input_.rows - limit.offset)
        if limit.limit is not None:
            rows = min(rows, float(limit.limit))
            if isinstance(input_, access_path.Sort):
                input_ = _top_n(input_, limit.offset + limit.limit)
        return access_path.Limit(
            nodes=input_.nodes, rows=rows, cost=input_.cost, input=input_, limit=limit.limit, offset=limit.offset
        )


def _top_n(sort: access_path.Sort, limit: int) -> access_path.Sort:
    """The sort that gives its first rows only."""
    rows = min(sort.input.rows, float(limit))
    return replace(sort, rows=rows, cost=sort.input.cost + sort_cost(sort.input.rows, rows), limit=limit)
