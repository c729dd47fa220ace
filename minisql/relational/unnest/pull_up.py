"""Pulls what a subquery reads of the query around it up to its top, where it becomes the condition of a join.

    SELECT * FROM o WHERE o.x > (SELECT 2 * avg(i.x) FROM i WHERE i.k = o.k)

The condition `i.k = o.k` passes the grouping when `i.k` becomes a key of it; then the subquery is a table of averages
by `i.k`, computed once, and the condition is that of a join with it. In general: conditions pass filters, inner joins,
the preserved side of outer ones and select lists, which pass on the columns that they read; a grouping is passed by
equalities with an expression over its input, and DISTINCT alike; nothing passes the padded side of an outer join or a
set operation. Window functions, and LIMIT, which is a condition on a row number, are passed by equalities that become
columns to partition by. Kim, "On Optimizing an SQL-like Nested Query", TODS 1982; Galindo-Legaria and Joshi,
"Orthogonal Optimization of Subqueries and Aggregation", SIGMOD 2001, section 3.

An aggregate without keys has a row even for no rows. With keys it has none; so it is joined with LEFT, and what it
gives for no rows, which is NULL, or 0 for a count, is what the padded row says (`Pulled.padded`; forgetting it is
Kim's famous count bug).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, assert_never

from minisql.datatypes import BIGINT, BOOLEAN
from minisql.expression.nodes import (
    AggregateCall,
    Case,
    Coalesce,
    ColumnId,
    ColumnRef,
    Comparison,
    Expression,
    IsDistinctFrom,
    IsNull,
    Literal,
    SortKey,
)
from minisql.expression.walk import column_references, columns_of, map_aggregate, outer_references, replace_columns
from minisql.expression.window import DEFAULT_FRAME, WindowCall, WindowFunction, map_window_call
from minisql.node import record
from minisql.node_set import NodeSet, overlaps
from minisql.relational.new_tables import NewTables
from minisql.relational.relational_expression import (
    Aggregate,
    Apply,
    BaseTable,
    Filter,
    Join,
    JoinOrder,
    JoinType,
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
from minisql.relational.rewriting import (
    changed,
    expressions_of,
    map_sort_key,
    outer_columns,
    tables_of_outer_references,
)

COUNTS: Final = ("count", "count_if", "regr_count", "approx_count_distinct")
"""The aggregates that are 0 for no rows."""


@record
class Pulled:
    """An input of an `Apply` without the outer references that it binds.

    For each outer row, the rows of the original are those rows of `node` that fulfil the `conditions`; where there is
    none and `padded`, one row of NULLs. `columns` says what the columns of the original are over those of `node`.
    """

    node: RelationalExpression
    conditions: tuple[Expression, ...] = ()
    columns: Mapping[ColumnId, Expression] | None = None
    padded: bool = False

    def over_node(self, expression: Expression) -> Expression:
        """An expression over the columns of the original, over those of `node`."""
        return replace_columns(expression, self.columns) if self.columns else expression


class PullUp:
    """Makes an input of an `Apply` independent of some tables."""

    def __init__(
        self, outer: NodeSet, new_tables: NewTables, *, pads: bool, as_set: bool, only_existence: bool
    ) -> None:
        """`outer` are the tables whose columns are to be pulled up.

        `pads` says that a row of NULLs may stand in for a missing row of the result, or for a row of it further up,
        `as_set` that it does not matter how often a row is there, and `only_existence` that it matters only whether
        there is one.
        """
        self._outer = outer
        self._new_tables = new_tables
        self._pads = pads
        self._as_set = as_set
        self._only_existence = only_existence

    def pull(self, node: RelationalExpression) -> Pulled | None:
        """The node made independent, or None where conditions would have to pass what they cannot."""
        if not overlaps(tables_of_outer_references(node), self._outer):
            return Pulled(node)
        match node:
            case Filter():
                return self._filter(node)
            case Project():
                return self._project(node)
            case Join():
                return self._join(node)
            case Apply():
                return self._apply(node)
            case Aggregate():
                return self._aggregate(node)
            case Sort():
                return self.pull(node.input)
            case JoinOrder():
                pulled = self.pull(node.input)
                return None if pulled is None else replace(pulled, node=replace(node, input=pulled.node))
            case Window():
                return self._window(node)
            case Limit():
                keeps_all = node.limit is None and not node.offset
                keeps_one = node.limit is not None and node.limit > 0 and not node.offset and self._only_existence
                return self.pull(node.input) if keeps_all or keeps_one else self._limit(node)
            case SetOperation() | Values() | SingleRow():
                return None
            case RecursiveUnion():
                return None
            case BaseTable() | OneRow() | SharedScan() | WorkingTable():
                raise AssertionError("no table has outer references")
            case _:
                assert_never(node)

    def _is_outer(self, expression: Expression) -> bool:
        return any(self._outer >> reference.column.table & 1 for reference in outer_references(expression))

    def _pull_rows(self, node: RelationalExpression) -> Pulled | None:
        """As `pull`, for an input of what lets only some of its rows through: it matters which there are."""
        return self._with(as_set=self._as_set).pull(node)

    def _pull_all(self, node: RelationalExpression) -> Pulled | None:
        """As `pull`, for an input of what counts rows: it matters how often a row is there, too."""
        return self._with(as_set=False).pull(node)

    def _with(self, *, as_set: bool) -> PullUp:
        return PullUp(self._outer, self._new_tables, pads=self._pads, as_set=as_set, only_existence=False)

    def _filter(self, node: Filter) -> Pulled | None:
        pulled = self._pull_rows(node.input)
        if pulled is None or pulled.padded:
            return None  # a condition on the row that stands in for none
        conditions = changed(node.conditions, pulled.over_node)
        up = tuple([condition for condition in conditions if self._is_outer(condition)])
        stay = tuple([condition for condition in conditions if not self._is_outer(condition)])
        input_ = Filter(input=pulled.node, conditions=stay) if stay else pulled.node
        return replace(pulled, node=input_, conditions=pulled.conditions + up)

    def _project(self, node: Project) -> Pulled | None:
        pulled = self.pull(node.input)
        if pulled is None:
            return None
        expressions = changed(node.expressions, pulled.over_node)
        own = [ColumnId(node.table, place) for place in range(len(expressions))]
        if pulled.padded:
            # What the select list makes of the row that stands in for none is not NULL always.
            return replace(pulled, columns=dict(zip(own, expressions, strict=True)))
        # What reads outer columns is computed above; its place is TRUE, and NULL where a join pads it.
        outer = {column: each for column, each in zip(own, expressions, strict=True) if self._is_outer(each)}
        kept = [_true() if column in outer else each for column, each in zip(own, expressions, strict=True)]
        inner = _inner_columns([*pulled.conditions, *outer.values()])
        extra = {column: ColumnId(node.table, len(kept) + place) for place, column in enumerate(inner)}
        passed: dict[ColumnId, Expression] = {
            column: replace(inner[column], column=new) for column, new in extra.items()
        }
        columns = {}
        for column, expression in outer.items():
            value = replace_columns(expression, passed)
            if self._pads:
                is_there = IsNull(operand=ColumnRef(column=column, name="row", type=BOOLEAN), negated=True)
                null = Literal(value=None, type=value.type)
                value = Case(branches=((is_there, value),), otherwise=null, type=value.type)
            columns[column] = value
        return Pulled(
            node=replace(
                node,
                input=pulled.node,
                names=node.names + ("",) * len(inner),
                expressions=(*kept, *inner.values()),
            ),
            conditions=tuple([replace_columns(condition, passed) for condition in pulled.conditions]),
            columns=columns,
        )

    def _join(self, node: Join) -> Pulled | None:
        type_ = node.type
        if type_ is JoinType.SEMI and self._as_set:
            type_ = JoinType.INNER  # more rows of the left side, but of the same ones
        if type_ is JoinType.FULL:
            return None
        left = self._pull_rows(node.left)
        right = self._pull_rows(node.right) if type_ is JoinType.INNER else Pulled(node.right)
        if left is None or right is None or left.padded or right.padded:
            return None
        columns = {**(left.columns or {}), **(right.columns or {})}
        conditions = tuple([replace_columns(condition, columns) for condition in node.conditions])
        up = tuple([condition for condition in conditions if self._is_outer(condition)])
        if type_ is not JoinType.INNER and (up or self._has_outer(node.right)):
            return None
        stay = tuple([condition for condition in conditions if not self._is_outer(condition)])
        return Pulled(
            node=Join(type=type_, left=left.node, right=right.node, conditions=stay),
            conditions=left.conditions + right.conditions + up,
            columns=columns,
        )

    def _apply(self, node: Apply) -> Pulled | None:
        left = self._pull_rows(node.left)
        if left is None or left.padded or self._has_outer(node.right):
            return None
        if left.columns and outer_columns(node.right).keys() & left.columns.keys():
            return None  # it is run for each value of a column that is no more
        conditions = changed(node.conditions, left.over_node)
        comparison = None if node.comparison is None else left.over_node(node.comparison)
        asked = conditions if comparison is None else (*conditions, comparison)
        if any(self._is_outer(condition) for condition in asked):
            return None
        return replace(left, node=replace(node, left=left.node, conditions=conditions, comparison=comparison))

    def _has_outer(self, node: RelationalExpression) -> bool:
        return overlaps(tables_of_outer_references(node), self._outer)

    def _aggregate(self, node: Aggregate) -> Pulled | None:
        if self._as_set and node.keys and not node.sets and not node.aggregates:
            names = tuple([_name(key) for key in node.keys])
            return self.pull(Project(table=node.table, alias="", input=node.input, names=names, expressions=node.keys))
        pulled = self._pull_all(node.input)
        if pulled is None or pulled.padded or node.sets:
            return None
        input_ = pulled.node
        keys = list(changed(node.keys, pulled.over_node))
        if any(self._is_outer(pulled.over_node(each)) for each in expressions_of(node)):
            return None
        conditions = []
        table = self._new_tables.next()
        for condition in pulled.conditions:
            inner = inner_side(condition)
            if inner is None:
                if columns_of(condition):
                    return None
                conditions.append(condition)
                continue
            if inner not in keys:
                keys.append(inner)
            key = ColumnRef(column=ColumnId(table, keys.index(inner)), name=_name(inner), type=inner.type)
            assert isinstance(condition, Comparison | IsDistinctFrom)
            if condition.left is inner:
                conditions.append(replace(condition, left=key))
            else:
                conditions.append(replace(condition, right=key))
        calls = tuple([map_aggregate(call, pulled.over_node) for call in node.aggregates])
        return Pulled(
            node=Aggregate(table=table, input=input_, keys=tuple(keys), aggregates=calls),
            conditions=tuple(conditions),
            columns=regrouped_columns(node, table, len(keys) - len(node.keys)),
            padded=not node.keys,
        )

    def _window(self, node: Window) -> Pulled | None:
        """Partitions of the rows for one outer row are parts of those of all rows, by what equalities compare."""
        pulled = self._pull_all(node.input)
        if pulled is None or pulled.padded:
            return None
        by = partition(pulled.conditions)
        if by is None or any(self._is_outer(pulled.over_node(each)) for each in expressions_of(node)):
            return None
        calls = [map_window_call(call, pulled.over_node) for call in node.calls]
        calls = [replace(call, partition_by=(*call.partition_by, *by)) for call in calls]
        return replace(pulled, node=replace(node, input=pulled.node, calls=tuple(calls)))

    def _limit(self, node: Limit) -> Pulled | None:
        """The first rows for each outer row: those with the lowest numbers in a partition."""
        sort = node.input if isinstance(node.input, Sort) else None
        pulled = self._pull_all(node.input if sort is None else sort.input)
        if pulled is None or pulled.padded:
            return None
        by = partition(pulled.conditions)
        keys = () if sort is None else tuple([map_sort_key(key, pulled.over_node) for key in sort.keys])
        if by is None or any(self._is_outer(key.expression) for key in keys):
            return None
        return replace(pulled, node=first_rows(pulled.node, node, by, keys, self._new_tables.next()))


def partition(conditions: Iterable[Expression]) -> tuple[Expression, ...] | None:
    """What equalities with outer references compare; None where a condition is of another kind."""
    by = []
    for condition in conditions:
        inner = inner_side(condition)
        if inner is not None:
            by.append(inner)
        elif columns_of(condition):
            return None
    return tuple(by)


def first_rows(
    input_: RelationalExpression, limit: Limit, by: tuple[Expression, ...], keys: tuple[SortKey, ...], table: int
) -> RelationalExpression:
    """The rows that LIMIT and OFFSET leave of each partition; `table` is the number of the window."""
    function = WindowFunction(name="row_number", arguments=(), ignore_nulls=False, type=BIGINT)
    call = WindowCall(function=function, partition_by=by, order_by=keys, frame=DEFAULT_FRAME)
    number = ColumnRef(column=ColumnId(table, 0), name="row_number", type=BIGINT)
    conditions: list[Expression] = []
    if limit.offset:
        conditions.append(Comparison(operator=">", left=number, right=Literal(value=limit.offset, type=BIGINT)))
    if limit.limit is not None:
        last = Literal(value=limit.offset + limit.limit, type=BIGINT)
        conditions.append(Comparison(operator="<=", left=number, right=last))
    return Filter(input=Window(table=table, input=input_, calls=(call,)), conditions=tuple(conditions))


def regrouped_columns(node: Aggregate, table: int, added: int) -> dict[ColumnId, Expression]:
    """What the columns of a grouping are in one by `added` keys more, behind its own, under the number `table`.

    Without keys the grouping has a row for no rows, and the other one has none: in the row of NULLs that stands in for
    it, a count is 0.
    """
    columns: dict[ColumnId, Expression] = {}
    for place, expression in enumerate((*node.keys, *node.aggregates)):
        new = place if place < len(node.keys) else place + added
        column: Expression = ColumnRef(column=ColumnId(table, new), name=_name(expression), type=expression.type)
        if not node.keys and isinstance(expression, AggregateCall) and expression.name in COUNTS:
            zero = Literal(value=0, type=expression.type)
            column = Coalesce(operands=(column, zero), type=expression.type)
        columns[ColumnId(node.table, place)] = column
    return columns


def inner_side(condition: Expression) -> Expression | None:
    """The side of an equality that has columns, where the other one has none: `i.k` in `i.k = o.k`."""
    match condition:
        case Comparison(operator="=") | IsDistinctFrom(negated=True):
            for inner, outer in ((condition.left, condition.right), (condition.right, condition.left)):
                if columns_of(inner) and not outer_references(inner) and not columns_of(outer):
                    return inner
    return None


def _inner_columns(expressions: Iterable[Expression]) -> dict[ColumnId, ColumnRef]:
    found: dict[ColumnId, ColumnRef] = {}
    for expression in expressions:
        for reference in column_references(expression):
            found.setdefault(reference.column, reference)
    return found


def _true() -> Expression:
    return Literal(value=True, type=BOOLEAN)


def _name(expression: Expression | AggregateCall) -> str:
    if isinstance(expression, ColumnRef):
        return expression.name
    return "" if expression.span is None else " ".join(expression.span.source.split())
