"""From productions to parse-tree nodes: the callbacks of the grammar, called bottom-up while Lark reduces.

Each public method has the name of a rule of `grammar/sql.lark`, or of an alternative of one. It is given the values of
the symbols that leave a trace; the grammar says in which order. Its first argument starts where the rule does, and the
last token that the parser has taken ends it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lark import Token, v_args

from minisql.errors import ProgrammingError, Span
from minisql.parser.parse_tree import (
    CommonTable,
    Constant,
    DerivedTable,
    Expression,
    FileTable,
    GroupBy,
    Identifier,
    JoinedTable,
    JoinKind,
    NamedWindow,
    OrderItem,
    Parameter,
    QueryBlock,
    QueryExpression,
    QueryTerm,
    SelectItem,
    SetOperation,
    SetOperator,
    Star,
    TableFunction,
    TableName,
    TableReference,
    Values,
)
from minisql.parser.transform_aggregate import AggregateTransform
from minisql.parser.transform_explain import ExplainTransform
from minisql.parser.transform_expression import Names, is_token
from minisql.parser.transform_statement import StatementTransform
from minisql.parser.transform_window import WindowTransform

if TYPE_CHECKING:
    from minisql.parser.hints import Hints

Alias: TypeAlias = tuple[Identifier, Names]
RowLimits: TypeAlias = tuple[Expression | None, Expression | None]


class WithClause(NamedTuple):
    """WITH and what follows it."""

    word: Token
    is_recursive: bool
    tables: tuple[CommonTable, ...]


@v_args(inline=True)
class Transform(StatementTransform, ExplainTransform, WindowTransform, AggregateTransform):
    """All callbacks: those of expressions, aggregates, windows, statements, EXPLAIN, and here of queries and tables."""

    # --- queries ------------------------------------------------------------------------------------------------------

    def query(
        self,
        with_: WithClause | None,
        term: QueryTerm,
        order_by: tuple[OrderItem, ...] | None,
        row_limits: RowLimits | None,
    ) -> QueryExpression:
        if isinstance(term, QueryExpression) and with_ is None and order_by is None and row_limits is None:
            return term
        limit, offset = row_limits or (None, None)
        return QueryExpression(
            span=self._span(with_.word if with_ is not None else term),
            with_=with_.tables if with_ is not None else (),
            term=term,
            order_by=order_by or (),
            limit=limit,
            offset=offset,
            recursive=with_ is not None and with_.is_recursive,
        )

    def with_clause(self, with_: Token, recursive: Token | None, *tables: CommonTable) -> WithClause:
        return WithClause(with_, recursive is not None, tables)

    def common_table(
        self, name: Identifier, columns: Names | None, materialized: bool | None, query: QueryExpression
    ) -> CommonTable:
        return CommonTable(
            span=self._span(name), name=name, columns=columns or (), query=query, materialized=materialized
        )

    def materialized(self, negation: Token | None, _: Token) -> bool:
        return negation is None

    def set_operation(
        self, left: QueryTerm, operator: Token, quantifier: Token | None, right: QueryTerm
    ) -> SetOperation:
        return SetOperation(
            span=self._span(left),
            operator=SetOperator(operator.type),
            all=is_token(quantifier, "ALL"),
            left=left,
            right=right,
        )

    def union_by_name(
        self, left: QueryTerm, operator: Token, quantifier: Token | None, word: Identifier, right: QueryTerm
    ) -> SetOperation:
        if word.name != "name" or word.quoted:
            raise ProgrammingError("Expected NAME, as in UNION BY NAME.", word.span)
        return replace(self.set_operation(left, operator, quantifier, right), by_name=True)

    def values(self, values: Token, *rows: tuple[Expression, ...]) -> Values:
        return Values(span=self._span(values), rows=rows)

    def select(
        self,
        select: Token,
        hints: Hints | None,
        quantifier: Token | None,
        items: tuple[SelectItem, ...],
        from_: TableReference | None,
        where: Expression | None,
        group_by: GroupBy | None,
        having: Expression | None,
        windows: tuple[NamedWindow, ...] | None,
        qualify: Expression | None,
    ) -> QueryBlock:
        return QueryBlock(
            span=self._span(select),
            distinct=is_token(quantifier, "DISTINCT"),
            items=items,
            from_=from_,
            where=where,
            group_by=group_by,
            having=having,
            windows=windows or (),
            qualify=qualify,
            join_tree=None if hints is None else hints.join_tree,
            validations=() if hints is None else hints.validations,
        )

    def from_first(
        self,
        word: Token,
        from_: TableReference,
        where: Expression | None,
        group_by: GroupBy | None,
        having: Expression | None,
    ) -> QueryBlock:
        return replace(all_of(from_, self._span(word)), where=where, group_by=group_by, having=having)

    def table_query(self, word: Token, name: Identifier) -> QueryBlock:
        return all_of(TableName(span=name.span, name=name, alias=None), self._span(word))

    def hints(self, *comments: Token) -> Hints | None:
        if not comments:
            return None
        from minisql.parser.hints import parse_hints  # which few statements need

        stream, found = self._stream, []
        for comment in comments:
            start, end = stream.start_of(comment) + len("/*+"), stream.end_of(comment) - len("*/")
            found.append((comment[len("/*+") : -len("*/")], Span(stream.text, start, end)))
        return parse_hints(found)

    def select_list(self, *items: SelectItem) -> tuple[SelectItem, ...]:
        return items

    def select_item(self, expression: Expression, alias: Identifier | None) -> SelectItem:
        return SelectItem(span=self._span(expression), expression=expression, alias=alias)

    def star(self, star: Token, exclude: Names | None, replacements: tuple[SelectItem, ...] | None) -> SelectItem:
        span = self._span(star)
        all_columns = Star(span=span, table=None, exclude=exclude or (), replacements=replacements or ())
        return SelectItem(span=span, expression=all_columns, alias=None)

    def table_star(
        self, table: Identifier, exclude: Names | None, replacements: tuple[SelectItem, ...] | None
    ) -> SelectItem:
        span = self._span(table)
        all_columns = Star(span=span, table=table, exclude=exclude or (), replacements=replacements or ())
        return SelectItem(span=span, expression=all_columns, alias=None)

    def excluded_columns(self, *names: Identifier) -> Names:
        return names

    def order_items(self, *items: OrderItem) -> tuple[OrderItem, ...]:
        return items

    def order_item(self, expression: Expression, direction: Token | None, nulls: Token | None) -> OrderItem:
        return OrderItem(
            span=self._span(expression),
            expression=expression,
            descending=is_token(direction, "DESC"),
            nulls_first=None if nulls is None else is_token(nulls, "FIRST"),
        )

    def limit_offset(self, limit: Expression | None, offset: Expression | None = None) -> RowLimits:
        return limit, offset

    def offset_limit(self, offset: Expression, limit: Expression | None) -> RowLimits:
        return limit, offset

    def fetch_first(self, count: Expression | None) -> Expression:
        if count is not None:
            return count
        return Constant(span=Span(self._stream.text, self._stream.end, self._stream.end), value=1)

    def no_limit(self) -> None:
        return None

    # --- tables -------------------------------------------------------------------------------------------------------

    def table_references(self, *tables: TableReference) -> TableReference:
        left = tables[0]
        for right in tables[1:]:
            left = JoinedTable(span=left.span.to(right.span), kind=JoinKind.CROSS, left=left, right=right)
        return left

    def aliased_tables(self, tables: TableReference, alias: Alias) -> DerivedTable:
        span = self._span(tables)
        query = QueryExpression(span=span, with_=(), term=all_of(tables, span), order_by=(), limit=None, offset=None)
        return DerivedTable(span=span, query=query, alias=alias[0], column_aliases=alias[1])

    def join(
        self, left: TableReference, kind: Token | None, right: TableReference, condition: Expression | Names
    ) -> JoinedTable:
        join_kind = _join_kind(kind)
        if isinstance(condition, tuple):
            return JoinedTable(span=self._span(left), kind=join_kind, left=left, right=right, using=condition)
        return JoinedTable(span=self._span(left), kind=join_kind, left=left, right=right, condition=condition)

    def natural_join(self, left: TableReference, kind: Token | None, right: TableReference) -> JoinedTable:
        return JoinedTable(span=self._span(left), kind=_join_kind(kind), left=left, right=right, natural=True)

    def cross_join(self, left: TableReference, right: TableReference) -> JoinedTable:
        return JoinedTable(span=self._span(left), kind=JoinKind.CROSS, left=left, right=right)

    def table_name(self, name: Identifier, alias: Alias | None) -> TableName:
        table_alias, columns = alias or (None, ())
        return TableName(span=self._span(name), name=name, alias=table_alias, column_aliases=columns)

    def table_function(
        self, name: Identifier, arguments: tuple[Expression, ...] | None, alias: Alias | None
    ) -> TableFunction:
        table_alias, columns = alias or (None, ())
        return TableFunction(
            span=self._span(name), name=name, arguments=arguments or (), alias=table_alias, column_aliases=columns
        )

    def file_table(self, path: Constant | Parameter, alias: Alias | None) -> FileTable:
        table_alias, columns = alias or (None, ())
        return FileTable(span=self._span(path), path=path, alias=table_alias, column_aliases=columns)

    def derived_table(self, query: QueryExpression, alias: Alias | None) -> DerivedTable:
        table_alias, columns = alias or (None, ())
        return DerivedTable(span=self._span(query), query=query, alias=table_alias, column_aliases=columns)

    def lateral_table(self, lateral: Token, query: QueryExpression, alias: Alias | None) -> DerivedTable:
        table_alias, columns = alias or (None, ())
        return DerivedTable(
            span=self._span(lateral), query=query, alias=table_alias, column_aliases=columns, lateral=True
        )

    def alias(self, name: Identifier, columns: Names | None) -> Alias:
        return name, columns or ()


def all_of(tables: TableReference, span: Span) -> QueryBlock:
    """SELECT * FROM tables."""
    items = (SelectItem(span=span, expression=Star(span=span, table=None), alias=None),)
    return QueryBlock(span=span, distinct=False, items=items, from_=tables, where=None, group_by=None, having=None)


def _join_kind(kind: Token | None) -> JoinKind:
    return JoinKind.INNER if kind is None else JoinKind(kind.type)
