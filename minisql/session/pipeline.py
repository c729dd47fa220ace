"""The stages of a query in their order, from the parse tree to batches.

Each stage is one call here, so that this module is the table of contents of the engine; EXPLAIN and the tests look at
what is between the stages through `PlannedQuery`.
"""

from __future__ import annotations

from collections.abc import Iterator

from minisql.columnar.column import Batch
from minisql.columnar.python_values import to_values
from minisql.datatypes import SqlType
from minisql.execution.build_iterators import build_iterators
from minisql.execution.evaluate import compile_expression
from minisql.execution.profile import Profile
from minisql.expression.nodes import ColumnId, Expression, Value
from minisql.node import node
from minisql.optimizer.access_path import AccessPath
from minisql.optimizer.find_best_plan import find_best_plan
from minisql.parser import parse_tree
from minisql.query_block.environment import Environment
from minisql.query_block.resolve import resolve_query
from minisql.relational.derive_conditions import derive_conditions
from minisql.relational.fold_constants import fold_constants
from minisql.relational.from_query_block import relational_expression
from minisql.relational.merge_derived import merge_derived_tables
from minisql.relational.push_down import push_down
from minisql.relational.relational_expression import RelationalExpression
from minisql.relational.simplify_outer import Simplification, simplify_outer_joins
from minisql.settings import Settings


@node
class PlannedQuery:
    """A query after every stage of planning; its columns are `ColumnId(table, 0..)` of the path."""

    table: int
    names: tuple[str, ...]
    types: tuple[SqlType, ...]
    as_written: RelationalExpression
    rewritten: RelationalExpression
    simplifications: tuple[Simplification, ...]
    path: AccessPath


def plan_query(tree: parse_tree.QueryExpression, environment: Environment, settings: Settings) -> PlannedQuery:
    """Plans a query."""
    query = resolve_query(tree, environment)
    return plan_relational(relational_expression(query), query.table, query.names, query.types, settings)


def plan_relational(
    as_written: RelationalExpression,
    table: int,
    names: tuple[str, ...],
    types: tuple[SqlType, ...],
    settings: Settings,
) -> PlannedQuery:
    """Rewrites a relational expression and finds its best plan; the result is `ColumnId(table, 0..)` of it."""
    rewritten = as_written
    simplifications: tuple[Simplification, ...] = ()
    if settings.fold_constants:
        rewritten = fold_constants(rewritten, evaluate_constant)
    if settings.simplify_outer_joins:
        rewritten, simplifications = simplify_outer_joins(rewritten)
    if settings.push_down_conditions:
        rewritten = push_down(rewritten)
    if settings.merge_derived_tables:
        rewritten = merge_derived_tables(rewritten)
    if settings.derive_conditions:
        rewritten = derive_conditions(rewritten)
    return PlannedQuery(
        table=table,
        names=names,
        types=types,
        as_written=as_written,
        rewritten=rewritten,
        simplifications=simplifications,
        path=find_best_plan(rewritten, settings),
    )


def run(planned: PlannedQuery, settings: Settings, profile: Profile | None = None) -> Iterator[Batch]:
    """The batches of the result; the operators are closed at the end, on error, and when the iterator is closed."""
    columns = [ColumnId(planned.table, position) for position in range(len(planned.names))]
    iterator = build_iterators(planned.path, columns, settings, profile)
    try:
        iterator.open()
        while (batch := iterator.next()) is not None:
            yield batch
    finally:
        iterator.close()


def evaluate_constant(expression: Expression) -> Value:
    """The value of an expression without columns.

    Raises:
        DataError: the computation fails.
    """
    column = compile_expression(expression, ())(Batch((), 1))
    return to_values(column)[0]
