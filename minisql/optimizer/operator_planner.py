"""Plans the operators that are no joins, one by one, inputs first: their access paths, rows and costs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from minisql.datatypes import SqlType
from minisql.expression.nodes import AggregateCall, ColumnId, ColumnRef, Expression
from minisql.expression.walk import conjunction, conjuncts
from minisql.expression.window import WindowCall
from minisql.node_set import NodeSet, single
from minisql.optimizer import access_path
from minisql.optimizer.access_path import AccessPath
from minisql.optimizer.cardinality import MOST_ROWS
from minisql.optimizer.cost_model import (
    aggregate_cost,
    output_cost,
    project_cost,
    scan_cost,
    sort_cost,
    window_cost,
)
from minisql.optimizer.predicate_rank import MeasuredCondition, by_rank, measured_by_rank, measured_cost
from minisql.optimizer.recursion import EXPECTED_ROUNDS, build_on_constant_sides
from minisql.optimizer.scan_filters import simple_filters
from minisql.optimizer.selectivity import conjunction_selectivity, narrow_columns
from minisql.optimizer.statistics import Statistics
from minisql.relational.columns import is_in_every_set
from minisql.relational.relational_expression import (
    Aggregate,
    BaseTable,
    Filter,
    Limit,
    Project,
    RecursiveUnion,
    RelationalExpression,
    SetOperation,
    SetOperator,
    Shared,
    SharedScan,
    Sort,
    Values,
    Window,
    WorkingTable,
)


class OperatorPlanner(ABC):
    """Plans what is no join; `statistics` knows the tables planned so far."""

    def __init__(self) -> None:
        self.statistics = Statistics()
        self._shared: dict[Shared, access_path.Shared] = {}
        self._recursions: dict[int, tuple[float, tuple[Expression, ...]]] = {}  # rows and columns of working tables
        self.shared_cost = 0.0
        """The cost of all that is shared, each once."""

    @abstractmethod
    def plan(self, expression: RelationalExpression) -> AccessPath:
        """The cheapest path of an expression."""

    def _scan(self, table: BaseTable, conditions: tuple[Expression, ...]) -> AccessPath:
        rows = float(table.source.row_count())
        self.statistics.add_table(table.table, rows, table.source.column_statistics)
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
        self.statistics.add_derived(values.table, rows, (None,) * len(values.types))
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
        narrow_columns(path.conditions, self.statistics)
        return path

    def _filter_as_it_is(self, filter_: Filter) -> tuple[access_path.Filter, tuple[MeasuredCondition, ...]]:
        """The filter and its conditions, of which the statistics know nothing yet."""
        below = filter_.input
        input_ = self._scan(below, filter_.conditions) if isinstance(below, BaseTable) else self.plan(below)
        measured = measured_by_rank(filter_.conditions, self.statistics)
        conditions = tuple([condition.expression for condition in measured])
        path = access_path.Filter(
            nodes=input_.nodes,
            rows=input_.rows * conjunction_selectivity(conditions, self.statistics),
            cost=input_.cost + input_.rows * measured_cost(measured),
            input=input_,
            conditions=conditions,
        )
        return path, measured

    def _project(self, project: Project) -> AccessPath:
        input_ = self.plan(project.input)
        self.statistics.add_derived(project.table, input_.rows, project.expressions)
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
        self.statistics.add_derived(aggregate.table, groups, (*keys, *[None] * len(aggregate.aggregates)))
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
        self.statistics.add_derived(window.table, input_.rows, (None,) * len(window.calls))
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
            known = self.statistics.of(key)
            groups = min(groups * (known.distinct_count + (known.null_fraction > 0)), max(1.0, rows))
        return groups

    def _ranked(self, call: AggregateCall) -> AggregateCall:
        """The aggregate with the conditions of its FILTER by rank."""
        conditions = conjuncts(call.filter)
        ranked = by_rank(conditions, self.statistics)
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
        columns = _references(operation.left_columns, operation.names, operation.types)
        self.statistics.add_derived(operation.table, rows, columns)
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
        columns = _references(shared.columns, scan.shared.names, shared.types)
        self.statistics.add_derived(scan.table, shared.rows, columns)
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
        columns = _references(union.anchor_columns, union.names, union.types)
        self._recursions[union.table] = min(max(1.0, anchor.rows) * EXPECTED_ROUNDS, MOST_ROWS), columns
        return anchor, columns

    def _recursive_union(self, union: RecursiveUnion) -> AccessPath:
        anchor, columns = self.begin_recursion(union)
        step = build_on_constant_sides(self.plan(union.step), union.table)
        rows = min(anchor.rows + EXPECTED_ROUNDS * step.rows, MOST_ROWS)
        self.statistics.add_derived(union.table, rows, columns)
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
        self.statistics.add_derived(table.table, rows, columns)
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


def _references(columns: Sequence[ColumnId], names: Sequence[str], types: Sequence[SqlType]) -> tuple[ColumnRef, ...]:
    """The columns as expressions."""
    return tuple(
        [
            ColumnRef(column=column, name=name, type=type_)
            for column, name, type_ in zip(columns, names, types, strict=True)
        ]
    )
