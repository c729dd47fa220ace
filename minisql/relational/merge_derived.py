"""Merges derived tables into the query around them, so that their joins can be reordered with all others.

    SELECT ... FROM (SELECT a.k, b.y FROM a JOIN b ON a.k = b.k) AS d JOIN c ON d.y = c.k
    SELECT ... FROM a JOIN b ON a.k = b.k JOIN c ON b.y = c.k

A select list goes away where every column of it is a plain column, or is computed and read at most once (a column that
is read twice would be computed twice). It stays
- where it computes something volatile, as RANDOM is;
- where its columns are the result of the query or of an operand of a set operation, or are sorted or limited;
- where it computes something below the padded side of an outer join: `SELECT 1 AS one` is NULL in a padded row, and a 1
  that moved above the join is not;
- above a filter over a join: what condition push-down could not move stays between two groups of joins;
- above joins whose order is prescribed, if they are joined to others;
- above several tables that a prescribed order takes as one;
- above window functions, whose columns come beside those of their input.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import assert_never

from minisql.expression.functions import is_volatile
from minisql.expression.nodes import ColumnId, ColumnRef, Expression
from minisql.expression.walk import (
    replace_columns,
    transform,
    walk,
)
from minisql.node_set import NodeSet, members, node_set
from minisql.parser.keywords import last_name, quoted_name
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
    inputs,
    with_inputs,
)
from minisql.relational.rewriting import changed, expressions_of, nodes_of, outer_columns, with_expressions


def merge_derived_tables(expression: RelationalExpression) -> RelationalExpression:
    """The same rows with fewer projections; the expression itself where none can go."""
    return _Merger(expression).node(expression, keep=True, padded=False, joined=False)


class _Merger:
    """One run over a query. Table numbers are unique in it, so that one dictionary holds all that is replaced."""

    def __init__(self, root: RelationalExpression) -> None:
        self._uses = Counter(
            part.column
            for node in nodes_of(root)
            for expression in expressions_of(node)
            for part in walk(expression)
            if isinstance(part, ColumnRef)
        )
        # What a subquery reads for each row has to stay as it is.
        self._referred = {
            column.table for node in nodes_of(root) if isinstance(node, Apply) for column in outer_columns(node.right)
        }
        self._new: dict[ColumnId, Expression] = {}
        self._ordered: set[int] = set()  # the tables that prescribed orders name
        self._renumbered: dict[int, int] = {}  # what became of those of them that were merged

    def node(self, node: RelationalExpression, *, keep: bool, padded: bool, joined: bool) -> RelationalExpression:
        """The node with everything below it merged.

        `keep` says that the columns of this node are asked for by number, `padded` that a join above pads them,
        `joined` that the node is an input of a join, or of an order of joins.
        """
        match node:
            case BaseTable() | Values() | OneRow() | SharedScan() | WorkingTable():
                return node
            case Project():
                return self._project(node, keep=keep, padded=padded, joined=joined)
            case Filter():
                return self._over(node, self.node(node.input, keep=keep, padded=padded, joined=joined))
            case Join():
                return self._join(node, padded=padded)
            case Apply():
                return self._apply(node, padded=padded)
            case JoinOrder():
                return self._join_order(node, keep=keep, padded=padded)
            case Aggregate() | Window():
                return self._over(node, self.node(node.input, keep=False, padded=False, joined=False))
            case SetOperation() | RecursiveUnion():
                below = [self.node(input_, keep=True, padded=False, joined=False) for input_ in inputs(node)]
                return with_inputs(node, tuple(below))
            case Sort() | Limit() | SingleRow():
                return self._over(node, self.node(node.input, keep=True, padded=padded, joined=joined))
            case _:
                assert_never(node)

    def _join(self, node: Join, *, padded: bool) -> RelationalExpression:
        pads_left = padded or node.type is JoinType.FULL
        pads_right = padded or node.type in (JoinType.FULL, JoinType.LEFT)
        left = self.node(node.left, keep=False, padded=pads_left, joined=True)
        right = self.node(node.right, keep=False, padded=pads_right, joined=True)
        return self._over(node, left, right)

    def _apply(self, node: Apply, *, padded: bool) -> RelationalExpression:
        left = self.node(node.left, keep=False, padded=padded, joined=True)
        right = self.node(node.right, keep=True, padded=False, joined=True)
        return self._over(node, left, right)

    def _join_order(self, node: JoinOrder, *, keep: bool, padded: bool) -> RelationalExpression:
        self._ordered.update(
            table for join in node.joins for side in (join.left, join.right) for table in members(side)
        )
        input_ = self.node(node.input, keep=keep, padded=padded, joined=True)
        if input_ is node.input:
            return node
        joins = tuple(
            replace(join, left=self._renumber(join.left), right=self._renumber(join.right)) for join in node.joins
        )
        return replace(node, input=input_, joins=joins)

    def _renumber(self, tables: NodeSet) -> NodeSet:
        return node_set(self._renumbered.get(table, table) for table in members(tables))

    def _project(self, node: Project, *, keep: bool, padded: bool, joined: bool) -> RelationalExpression:
        merges = not keep and node.table not in self._referred and self._can_go(node, padded, joined)
        input_ = self.node(node.input, keep=False, padded=padded and merges, joined=joined and merges)
        expressions = changed(node.expressions, self._replace)
        if merges and node.table in self._ordered:
            table = _only_table(input_)
            merges = table is not None
            if table is not None:
                self._renumbered[node.table] = table
        if not merges:
            if input_ is node.input and expressions is node.expressions:
                return node
            return replace(node, input=input_, expressions=expressions)
        if node.alias and _is_one_table(input_):
            input_ = self._renamed(node, input_, expressions)
        else:
            self._new |= {ColumnId(node.table, place): expression for place, expression in enumerate(expressions)}
        return input_

    def _can_go(self, node: Project, padded: bool, joined: bool) -> bool:
        below = node.input
        if isinstance(below, JoinOrder):
            if joined:
                return False
            below = below.input
        if (
            isinstance(below, Window)
            or _reads_nothing(below)
            or (isinstance(below, Filter) and not _is_one_table(below))
        ):
            return False
        return all(
            isinstance(expression, ColumnRef)
            or (not padded and self._uses[ColumnId(node.table, place)] <= 1 and not is_volatile(expression))
            for place, expression in enumerate(node.expressions)
        )

    def _renamed(
        self, node: Project, input_: RelationalExpression, expressions: tuple[Expression, ...]
    ) -> RelationalExpression:
        """The one table below `node`, read under the alias of the derived table: `SELECT * FROM file` AS f is f."""

        def rename(expression: Expression) -> Expression:
            if not isinstance(expression, ColumnRef):
                return expression
            return replace(expression, name=f"{quoted_name(node.alias)}.{last_name(expression.name)}")

        for place, expression in enumerate(expressions):
            self._new[ColumnId(node.table, place)] = transform(expression, rename)
        conditions = []
        while isinstance(input_, Filter):
            conditions.append(tuple([transform(condition, rename) for condition in input_.conditions]))
            input_ = input_.input
        assert isinstance(input_, BaseTable)
        result: RelationalExpression = replace(input_, alias=node.alias)
        for filter_ in reversed(conditions):
            result = Filter(input=result, conditions=filter_)
        return result

    def _over(self, node: RelationalExpression, *below: RelationalExpression) -> RelationalExpression:
        """The node over merged inputs."""
        return with_expressions(with_inputs(node, below), self._replace)

    def _replace(self, expression: Expression) -> Expression:
        return replace_columns(expression, self._new)


def _is_one_table(node: RelationalExpression) -> bool:
    """Whether this is a table with nothing but filters over it."""
    while isinstance(node, Filter):
        node = node.input
    return isinstance(node, BaseTable)


def _only_table(node: RelationalExpression) -> int | None:
    """The number of what the node gives the columns of, where it is no join."""
    while isinstance(node, Filter | Sort | Limit | SingleRow):
        node = node.input
    return None if isinstance(node, Join | Apply | JoinOrder | OneRow) else node.table


def _reads_nothing(node: RelationalExpression) -> bool:
    """Whether a SELECT without FROM is below, which has no table number of its own."""
    while isinstance(node, Filter):
        node = node.input
    return isinstance(node, OneRow)
