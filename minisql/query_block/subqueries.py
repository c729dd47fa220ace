"""Subqueries in expressions, as they are found: each stands in its expression as a column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from minisql.datatypes import BOOLEAN
from minisql.errors import ProgrammingError, Span, counted
from minisql.expression.nodes import ColumnId, ColumnRef, Expression
from minisql.parser import parse_tree
from minisql.query_block.environment import CommonTables, Environment, ResolveQuery
from minisql.query_block.query_block import QueryExpression, Subquery, SubqueryKind
from minisql.query_block.scope import OuterScope


class SubqueryCollector:
    """The subqueries of the expressions that are evaluated at one place of a query block.

    Attributes:
        found: the subqueries, each after those in its own comparison.
    """

    def __init__(
        self,
        environment: Environment,
        common_tables: CommonTables,
        resolve_query: ResolveQuery,
        outer: OuterScope,
        below: SubqueryCollector | None = None,
    ) -> None:
        """`outer` is what the subqueries see. `below` has those of group keys, which are not computed again."""
        self._environment = environment
        self._common_tables = common_tables
        self._resolve_query = resolve_query
        self._outer = outer
        self._below = below
        self._columns: dict[parse_tree.Expression, ColumnRef] = {}
        self.found: list[Subquery] = []

    @property
    def tables(self) -> frozenset[int]:
        """The numbers of the columns that stand for the subqueries, and of those that comparisons read of them."""
        return frozenset(table for subquery in self.found for table in (subquery.table, subquery.query.table))

    def read_comparisons(self, read: Callable[[Expression], Expression]) -> None:
        """Changes the comparisons to what `read` makes of them, as a grouping below the subqueries does."""
        self.found = [
            subquery if subquery.comparison is None else replace(subquery, comparison=read(subquery.comparison))
            for subquery in self.found
        ]

    def scalar(self, tree: parse_tree.ScalarQuery) -> Expression:
        """The column for the value of `(SELECT ...)`."""
        known = self._known(tree)
        if known is not None:
            return known
        query = self._resolved(tree.query)
        if len(query.types) != 1:
            raise ProgrammingError(
                f"A subquery that is used as a value has one column, not {len(query.types)}.",
                tree.span,
                hint="Select one column, or use EXISTS, or join the query in FROM.",
            )
        return self._add(tree, SubqueryKind.SCALAR, query.table, query, None)

    def exists(self, tree: parse_tree.Exists) -> Expression:
        """The column for EXISTS (query)."""
        known = self._known(tree)
        if known is not None:
            return known
        query = self._resolved(tree.query)
        return self._add(tree, SubqueryKind.EXISTS, self._environment.new_table(), query, None)

    def any(
        self,
        tree: parse_tree.QuantifiedComparison,
        width: int,
        comparison: Callable[[list[Expression]], Expression],
    ) -> Expression:
        """The column for "the comparison is TRUE for some row"; `comparison` makes it of the columns of the query."""
        known = self._known(tree)
        if known is not None:
            return known
        query = self._resolved(tree.query)
        if len(query.types) != width:
            raise ProgrammingError(
                f"The subquery has {counted(len(query.types), 'column')}, and {counted(width, 'value')} "
                f"{'is' if width == 1 else 'are'} compared with it.",
                tree.query.span,
                hint="Select as many columns as stand before the comparison.",
            )
        columns: list[Expression] = [
            ColumnRef(column=ColumnId(query.table, place), name=name, type=type_)
            for place, (name, type_) in enumerate(zip(query.names, query.types, strict=True))
        ]
        return self._add(tree, SubqueryKind.ANY, self._environment.new_table(), query, comparison(columns))

    def _resolved(self, tree: parse_tree.QueryExpression) -> QueryExpression:
        return self._resolve_query(tree, self._common_tables, self._outer)

    def _known(self, tree: parse_tree.Expression) -> ColumnRef | None:
        """The column of a subquery that stands at two places, as one that is named by its number in GROUP BY does."""
        known = self._columns.get(tree)
        return known if known is not None or self._below is None else self._below._columns.get(tree)

    def _add(
        self,
        tree: parse_tree.Expression,
        kind: SubqueryKind,
        table: int,
        query: QueryExpression,
        comparison: Expression | None,
    ) -> ColumnRef:
        span: Span = tree.span
        self.found.append(Subquery(kind=kind, table=table, query=query, comparison=comparison, span=span))
        type_ = query.types[0] if kind is SubqueryKind.SCALAR else BOOLEAN
        column = ColumnRef(column=ColumnId(table, 0), name=" ".join(span.source.split()), type=type_, span=span)
        self._columns[tree] = column
        return column
