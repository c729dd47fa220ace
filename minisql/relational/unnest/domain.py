"""Computes a subquery for all the outer rows at once, whatever it is made of.

    SELECT * FROM o WHERE o.x > (SELECT avg(i.x) FROM i WHERE i.k < o.k)

The *domain* of a subquery is the set of the values that its outer references take: here the distinct o.k. Joined into
the subquery at its leaves, it makes of "for a row of o" "for each value in the domain"; its columns travel up beside
those of the subquery, and the result is joined with the outer rows on them. Neumann and Kemper, "Unnesting Arbitrary
Queries", BTW 2015, section 3, where the domain is D.

How `D x` an operator becomes one over `D x` its inputs (section 3.3):

    filter, select list      read the columns of the domain instead of the outer references
    join                     each input that has outer references gets the domain; two that have it must agree on it
    left, semi, anti join    the left input always gets it, for its rows are kept
    full join                both get it, and the column is that of either side
    grouping                 the domain's columns are keys too; one without keys has a row for every value of the domain
    set operation            on both sides, as further columns; of a recursion, in the anchor and from round to round
    window function          the domain's columns partition, too
    LIMIT                    a condition on the number of the row among those of its value in the domain

The outer rows are computed once more for the domain, so of their expression only the part is taken that has the columns
which are referred to (`source_of`): the results of other subqueries are mostly not among it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final, assert_never

from minisql.datatypes import SqlType
from minisql.expression.nodes import (
    Coalesce,
    ColumnId,
    ColumnRef,
    Expression,
    IsDistinctFrom,
    OuterReference,
)
from minisql.expression.walk import replace_columns, replace_outer_references
from minisql.expression.window import map_window_call
from minisql.node import record
from minisql.node_set import NodeSet, is_subset, node_set
from minisql.relational.new_tables import NewTables
from minisql.relational.relational_expression import (
    Aggregate,
    Apply,
    ApplyType,
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
    SetOperator,
    SharedScan,
    SingleRow,
    Sort,
    Values,
    Window,
    WorkingTable,
    output_tables,
)
from minisql.relational.renumber import copied
from minisql.relational.rewriting import map_sort_key, nodes_of, outer_columns, with_expressions
from minisql.relational.unnest.pull_up import first_rows, regrouped_columns

Columns = Mapping[ColumnId, Expression]
"""For each outer column, what stands for it: a column of the domain mostly."""


MOST_NODES: Final = 100
"""An expression of more nodes is not copied as it is; that of a query with many subqueries would grow and grow."""


def source_of(left: RelationalExpression, columns: Iterable[ColumnId]) -> RelationalExpression | None:
    """The part of an expression that has all the values of the columns, or more where the expression is large.

    None where it is still too large.
    """
    tables = node_set(column.table for column in columns)
    node = left
    while True:
        below = _side_with(node, tables)
        if below is None or (not _keeps_all_values(node) and _is_small(node)):
            return node if _is_small(node) else None
        node = below


def _side_with(node: RelationalExpression, tables: NodeSet) -> RelationalExpression | None:
    """The input that has the tables, and all the values of the node in their columns."""
    match node:
        case Join(type=JoinType.INNER) if is_subset(tables, output_tables(node.right)):
            return node.right
        case Join(type=JoinType.FULL):
            return None
        case Join() | Apply() if is_subset(tables, output_tables(node.left)):
            return node.left
        case Filter() | Sort():
            return node.input
        case _:
            return None


def _keeps_all_values(node: RelationalExpression) -> bool:
    match node:
        case Join():
            return node.type is JoinType.LEFT
        case Apply():
            return node.type is not ApplyType.INNER
        case _:
            return isinstance(node, Sort)


def _is_small(node: RelationalExpression) -> bool:
    return sum(1 for _ in islice(nodes_of(node), MOST_NODES + 1)) <= MOST_NODES


@record
class Dependent:
    """A node computed for all values of a domain; `columns` are those of the domain in it.

    What the node had as columns are `replaced` by others where that is said.
    """

    node: RelationalExpression
    columns: Columns
    replaced: Mapping[ColumnId, Expression]


class Domain:
    """The values of some columns of the outer rows."""

    def __init__(
        self, source: RelationalExpression, references: Mapping[ColumnId, OuterReference], new_tables: NewTables
    ) -> None:
        """`references` are to columns of `source`, which has all their values."""
        self._source = source
        self._references = references
        self._new_tables = new_tables
        self._recursions: set[int] = set()  # those whose working table has the columns of the domain

    def of(self, node: RelationalExpression) -> Dependent | None:
        """The node for all values of the domain, or None where that is not possible."""
        match node:
            case WorkingTable() if node.recursion in self._recursions:
                return self._working_table(node)
            case BaseTable() | OneRow() | Values() | SharedScan() | WorkingTable():
                return self._leaf(node)
            case _ if not self._is_dependent(node):
                return self._leaf(node)
            case Filter() | Sort():
                return self._filter(node)
            case Project():
                return self._project(node)
            case Join():
                return self._join(node)
            case Apply():
                return self._apply(node)
            case Aggregate():
                return self._aggregate(node)
            case SetOperation():
                return self._set_operation(node)
            case RecursiveUnion():
                return self._recursive_union(node)
            case JoinOrder():
                return self.of(node.input)
            case Window():
                return self._window(node)
            case Limit():
                return self._limit(node)
            case SingleRow():
                return None
            case _:
                assert_never(node)

    def _is_dependent(self, node: RelationalExpression) -> bool:
        """Whether the node has outer references, or rows of a recursion that has the domain."""
        return bool(outer_columns(node).keys() & self._references.keys()) or any(
            isinstance(below, WorkingTable) and below.recursion in self._recursions for below in nodes_of(node)
        )

    def _scan(self) -> tuple[RelationalExpression, Columns]:
        """The domain as a table of its own."""
        left, numbers = copied(self._source, self._new_tables.next)
        values, distinct = self._new_tables.next(), self._new_tables.next()
        names = tuple([reference.name for reference in self._references.values()])
        expressions = tuple(
            [
                ColumnRef(
                    column=ColumnId(numbers.get(column.table, column.table), column.position),
                    name=reference.name,
                    type=reference.type,
                )
                for column, reference in self._references.items()
            ]
        )
        project = Project(table=values, alias="", input=left, names=names, expressions=expressions)
        keys = self._columns(values, 0)
        domain = Aggregate(table=distinct, input=project, keys=tuple(keys.values()), aggregates=())
        return domain, self._columns(distinct, 0)

    def _columns(self, table: int, first: int) -> Columns:
        """The columns of the domain, where they are those of a table from the position `first` on."""
        return {
            column: ColumnRef(column=ColumnId(table, first + place), name=reference.name, type=reference.type)
            for place, (column, reference) in enumerate(self._references.items())
        }

    def _leaf(self, node: RelationalExpression) -> Dependent:
        domain, columns = self._scan()
        if isinstance(node, OneRow):
            return Dependent(domain, columns, {})
        if isinstance(node, Values) and self._is_dependent(node):
            return self._values(node)
        return Dependent(Join(type=JoinType.INNER, left=domain, right=node, conditions=()), columns, {})

    def _values(self, node: Values) -> Dependent:
        """Rows that read outer columns: each a select list over the domain, and UNION ALL of these."""
        result: RelationalExpression | None = None
        table, width = node.table, len(node.types) + len(self._references)
        names, types = self._widened(node.names, node.types)
        for number, row in enumerate(node.rows):
            domain, columns = self._scan()
            expressions = (*[replace_outer_references(value, columns) for value in row], *columns.values())
            is_last = number == len(node.rows) - 1
            own = table if is_last and result is None else self._new_tables.next()
            project = Project(table=own, alias="", input=domain, names=names, expressions=expressions)
            if result is None:
                result, left_table = project, own
                continue
            union = table if is_last else self._new_tables.next()
            result = SetOperation(
                table=union,
                operator=SetOperator.UNION,
                all=True,
                left=result,
                right=project,
                left_columns=tuple([ColumnId(left_table, place) for place in range(width)]),
                right_columns=tuple([ColumnId(own, place) for place in range(width)]),
                names=names,
                types=types,
            )
            left_table = union
        assert result is not None, "rows that read outer columns are rows"
        return Dependent(result, self._columns(table, len(node.types)), {})

    def _filter(self, node: Filter | Sort) -> Dependent | None:
        below = self.of(node.input)
        if below is None:
            return None
        if isinstance(node, Sort):
            return below
        return replace(below, node=with_expressions(replace(node, input=below.node), _reader(below)))

    def _project(self, node: Project) -> Dependent | None:
        below = self.of(node.input)
        if below is None:
            return None
        width = len(node.expressions)
        project = with_expressions(node, _reader(below))
        assert isinstance(project, Project)
        names = node.names + tuple([reference.name for reference in self._references.values()])
        project = replace(
            project, input=below.node, names=names, expressions=(*project.expressions, *below.columns.values())
        )
        return Dependent(project, self._columns(node.table, width), {})

    def _join(self, node: Join) -> Dependent | None:
        has_left, has_right = self._is_dependent(node.left), self._is_dependent(node.right)
        if node.type is JoinType.INNER and has_right and not has_left:
            right = self.of(node.right)
            if right is None:
                return None
            conditions = tuple([_reader(right)(condition) for condition in node.conditions])
            return replace(right, node=replace(node, right=right.node, conditions=conditions))
        left = self.of(node.left)
        if left is None:
            return None
        if not has_right and node.type is not JoinType.FULL:
            conditions = tuple([_reader(left)(condition) for condition in node.conditions])
            return replace(left, node=replace(node, left=left.node, conditions=conditions))
        right = self.of(node.right)
        if right is None:
            return None
        both = Dependent(node, left.columns, {**left.replaced, **right.replaced})
        conditions = tuple([_reader(both)(condition) for condition in node.conditions])
        joined = replace(node, left=left.node, right=right.node, conditions=(*conditions, *_agree(left, right)))
        if node.type is not JoinType.FULL:
            return replace(both, node=joined)
        # In a row without a partner the domain is that of the side that is there.
        columns = {
            column: Coalesce(operands=(own, right.columns[column]), type=own.type)
            for column, own in left.columns.items()
        }
        return replace(both, node=joined, columns=columns)

    def _apply(self, node: Apply) -> Dependent | None:
        left = self.of(node.left)
        if left is None:
            return None
        read = _reader(left)
        right = node.right
        more: tuple[Expression, ...] = ()
        replaced = left.replaced
        if self._is_dependent(right):
            dependent = self.of(right)
            if dependent is None:
                return None
            right, more = dependent.node, _agree(left, dependent)
            replaced = {**replaced, **dependent.replaced}
            read = _reader(Dependent(node, left.columns, replaced))
        if left.replaced and outer_columns(right).keys() & left.replaced.keys():
            return None  # it is run for each value of a column that is no more
        conditions = tuple([read(condition) for condition in node.conditions])
        comparison = None if node.comparison is None else read(node.comparison)
        applied = replace(node, left=left.node, right=right, conditions=(*conditions, *more), comparison=comparison)
        return Dependent(applied, left.columns, replaced)

    def _aggregate(self, node: Aggregate) -> Dependent | None:
        below = self.of(node.input)
        if below is None:
            return None
        read = _reader(below)
        table = self._new_tables.next()
        keys = (*[read(key) for key in node.keys], *below.columns.values())
        changed = with_expressions(node, read)
        assert isinstance(changed, Aggregate)
        domain_keys = tuple(range(len(node.keys), len(keys)))
        grouped = Aggregate(
            table=table,
            input=below.node,
            keys=keys,
            aggregates=changed.aggregates,
            sets=tuple([(*each, *domain_keys) for each in node.sets]),
        )
        columns = self._columns(table, len(node.keys))
        replaced = regrouped_columns(node, table, len(self._references))
        if node.keys and all(node.sets):
            return Dependent(grouped, columns, replaced)
        if node.keys or len(node.sets) > 1:
            return None  # a grouping set without keys has a row for no rows, others have none
        domain, own = self._scan()
        there = Dependent(grouped, columns, {})
        here = Dependent(domain, own, {})
        joined = Join(type=JoinType.LEFT, left=domain, right=grouped, conditions=_agree(here, there))
        return Dependent(joined, own, replaced)

    def _window(self, node: Window) -> Dependent | None:
        below = self.of(node.input)
        if below is None:
            return None
        read, by = _reader(below), tuple(below.columns.values())
        calls = [map_window_call(call, read) for call in node.calls]
        calls = [replace(call, partition_by=(*call.partition_by, *by)) for call in calls]
        return replace(below, node=replace(node, input=below.node, calls=tuple(calls)))

    def _limit(self, node: Limit) -> Dependent | None:
        sort = node.input if isinstance(node.input, Sort) else None
        below = self.of(node.input if sort is None else sort.input)
        if below is None:
            return None
        keys = () if sort is None else tuple([map_sort_key(key, _reader(below)) for key in sort.keys])
        by = tuple(below.columns.values())
        return replace(below, node=first_rows(below.node, node, by, keys, self._new_tables.next()))

    def _set_operation(self, node: SetOperation) -> Dependent | None:
        left, right = self.of(node.left), self.of(node.right)
        if left is None or right is None:
            return None
        names, types = self._widened(node.names, node.types)
        left_node, left_columns = self._operand(left, node.left_columns, node, names)
        right_node, right_columns = self._operand(right, node.right_columns, node, names)
        operation = replace(
            node,
            left=left_node,
            right=right_node,
            left_columns=left_columns,
            right_columns=right_columns,
            names=names,
            types=types,
        )
        return Dependent(operation, self._columns(node.table, len(node.types)), {})

    def _recursive_union(self, node: RecursiveUnion) -> Dependent | None:
        anchor = self.of(node.anchor)
        self._recursions.add(node.table)
        step = self.of(node.step)
        if anchor is None or step is None:
            return None
        names, types = self._widened(node.names, node.types)
        anchor_node, anchor_columns = self._operand(anchor, node.anchor_columns, node, names)
        step_node, step_columns = self._operand(step, node.step_columns, node, names)
        union = replace(
            node,
            anchor=anchor_node,
            step=step_node,
            anchor_columns=anchor_columns,
            step_columns=step_columns,
            names=names,
            types=types,
        )
        return Dependent(union, self._columns(node.table, len(node.types)), {})

    def _working_table(self, node: WorkingTable) -> Dependent:
        names, types = self._widened(node.names, node.types)
        return Dependent(replace(node, names=names, types=types), self._columns(node.table, len(node.types)), {})

    def _widened(
        self, names: tuple[str, ...], types: tuple[SqlType, ...]
    ) -> tuple[tuple[str, ...], tuple[SqlType, ...]]:
        """Names and types of columns, and behind them those of the domain."""
        references = self._references.values()
        return (
            names + tuple([reference.name for reference in references]),
            types + tuple([reference.type for reference in references]),
        )

    def _operand(
        self,
        side: Dependent,
        columns: tuple[ColumnId, ...],
        node: SetOperation | RecursiveUnion,
        names: tuple[str, ...],
    ) -> tuple[RelationalExpression, tuple[ColumnId, ...]]:
        """An operand with the columns of the domain behind its own."""
        read: Callable[[Expression], Expression] = _reader(side)
        table = self._new_tables.next()
        own = [
            read(ColumnRef(column=column, name=name, type=type_))
            for column, name, type_ in zip(columns, node.names, node.types, strict=True)
        ]
        expressions = (*own, *side.columns.values())
        project = Project(table=table, alias="", input=side.node, names=names, expressions=expressions)
        return project, tuple([ColumnId(table, place) for place in range(len(expressions))])


def _agree(left: Dependent, right: Dependent) -> tuple[Expression, ...]:
    return tuple(
        [
            IsDistinctFrom(left=left.columns[column], right=right.columns[column], negated=True)
            for column in left.columns
        ]
    )


def _reader(below: Dependent) -> Callable[[Expression], Expression]:
    """What expressions over the original are over a dependent node."""

    def read(expression: Expression) -> Expression:
        if below.replaced:
            expression = replace_columns(expression, below.replaced)
        return replace_outer_references(expression, below.columns)

    return read
