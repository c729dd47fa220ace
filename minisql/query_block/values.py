"""Resolves VALUES: rows, or, where subqueries are in them, a UNION ALL of plain rows and of SELECTs without FROM."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from minisql.errors import ProgrammingError, counted
from minisql.expression.nodes import Expression
from minisql.parser import parse_tree
from minisql.parser.parse_tree import SetOperator
from minisql.query_block.coerce import coerce_to_common, literal
from minisql.query_block.environment import CommonTables, Environment, ResolveQuery
from minisql.query_block.query_block import (
    DerivedTable,
    QueryBlock,
    QueryExpression,
    QueryTerm,
    SetOperation,
    Subquery,
    Values,
)
from minisql.query_block.resolve_expression import ExpressionResolver
from minisql.query_block.scope import OuterScope, Scope
from minisql.query_block.subqueries import SubqueryCollector

_Row = tuple[Expression, ...]


def resolve_values(
    tree: parse_tree.Values,
    environment: Environment,
    common_tables: CommonTables,
    resolve_query: ResolveQuery,
    scope: Scope,
) -> QueryTerm:
    """The rows, their columns cast to common types; `scope` is what they see of the queries around."""
    width = len(tree.rows[0])
    rows: list[list[Expression]] = []
    subqueries: list[tuple[Subquery, ...]] = []
    for row in tree.rows:
        if len(row) != width:
            span = row[0].span.to(row[-1].span)
            raise ProgrammingError(f"The first row of VALUES has {counted(width, 'value')}, this one {len(row)}.", span)
        collector = SubqueryCollector(environment, common_tables, resolve_query, OuterScope(scope))
        resolver = ExpressionResolver(scope, environment.parameters, "VALUES", subqueries=collector)
        rows.append([resolver.resolve(value) for value in row])
        subqueries.append(tuple(collector.found))
    columns = [coerce_to_common(column, "VALUES", tree.span) for column in zip(*rows, strict=True)]
    cast: Sequence[_Row] = tuple(zip(*columns, strict=True))
    if not any(subqueries):
        return _values(cast, environment)
    terms: list[QueryTerm] = []
    for is_plain, group in groupby(zip(cast, subqueries, strict=True), key=lambda row: not row[1]):
        if is_plain:
            terms.append(_values([values for values, _ in group], environment))
        else:
            terms += [_select(values, found, environment) for values, found in group]
    first = cast[0]
    result = terms[0]
    for term in terms[1:]:
        result = SetOperation(
            table=environment.new_table(),
            operator=SetOperator.UNION,
            all=True,
            left=result,
            right=term,
            left_casts=None,
            right_casts=None,
            names=_names(width),
            types=tuple(value.type for value in first),
        )
    return result


def one_row(environment: Environment) -> DerivedTable:
    """A table of one row, for subqueries to be joined to where there is no FROM."""
    values = _values([(literal(True, None),)], environment)
    query = QueryExpression(
        table=values.table, term=values, order_by=(), limit=None, offset=0, names=values.names, types=values.types
    )
    return DerivedTable(alias="", query=query, table=values.table)


def _values(rows: Sequence[_Row], environment: Environment) -> Values:
    return Values(
        table=environment.new_table(),
        names=_names(len(rows[0])),
        types=tuple(value.type for value in rows[0]),
        rows=tuple(rows),
    )


def _select(values: _Row, subqueries: tuple[Subquery, ...], environment: Environment) -> QueryBlock:
    from_ = one_row(environment)
    return QueryBlock(
        table=environment.new_table(),
        from_=from_,
        where=None,
        grouping=None,
        having=None,
        windows=None,
        qualify=None,
        names=_names(len(values)),
        expressions=values,
        distinct_from=None,
        subqueries=subqueries,
    )


def _names(width: int) -> tuple[str, ...]:
    return tuple(f"column{position + 1}" for position in range(width))
