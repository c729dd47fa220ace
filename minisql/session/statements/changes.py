"""INSERT, UPDATE, DELETE and TRUNCATE: what changes the rows of a table.

Each plans a query for what it needs to know: INSERT one for the new rows, UPDATE one for the numbers of the rows and
their new values, DELETE one for the numbers. From what comes out a new table is made and checked, which takes the place
of the old one in the last step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from minisql.catalog.memory_table import MemoryTable
from minisql.catalog.numbered_table import ROW_NUMBER
from minisql.catalog.table import ColumnDefinition, Table
from minisql.columnar.column import Array, Batch, all_null, concat_batches, concat_columns
from minisql.datatypes import BIGINT
from minisql.errors import ProgrammingError, QueryWarning, Span, counted
from minisql.expression.nodes import Expression, Literal
from minisql.parser import parse_tree
from minisql.parser import statement_tree as st
from minisql.parser.parse_tree import Identifier, SelectItem, TableName, TableReference
from minisql.query_block.environment import Environment
from minisql.query_block.query_block import QueryExpression
from minisql.query_block.resolve import resolve_query
from minisql.query_block.resolve_definition import positions_of
from minisql.session.pipeline import PlannedQuery, joins_to_count, plan_query, run, warnings_of
from minisql.session.result import Result
from minisql.session.statements import integrity
from minisql.session.statements.context import Context, column_of, converted

# --- INSERT -----------------------------------------------------------------------------------------------------------


def insert(context: Context, statement: st.Insert, parameters: Sequence[object]) -> Result:
    """Runs INSERT."""
    table = context.stored_table(statement.table.name)
    rows, warnings = rows_of(plan_insert(context, statement, parameters), table)
    span = statement.table.span if statement.query is None else statement.query.span
    new = table
    if statement.on_conflict is not None:
        from minisql.session.statements.on_conflict import resolve_conflicts  # which few statements need

        # What a row must have by itself, it must have also where it is not added, as in PostgreSQL.
        integrity.check_rows(table, rows, span)
        new, changed, rows = resolve_conflicts(context, statement, table, rows, parameters)
        new = appended(context, new, rows, span)
        rows = concat_batches([changed, rows])
    else:
        new = appended(context, table, rows, span)
    result = returned(context, statement.table, table, rows, statement.returning, parameters)
    result.warnings = (*warnings, *result.warnings)
    if new is not table:
        context.catalog.put(table.name, new)
    return result


def plan_insert(context: Context, statement: st.Insert, parameters: Sequence[object]) -> PlannedQuery:
    """The plan for the rows that an INSERT wants to add."""
    table = context.stored_table(statement.table.name)
    places = insert_places(statement.columns, table)
    tree = statement.query
    if tree is None:
        tree = _default_row(table, statement.span)
    tree = _with_defaults(tree, [table.columns[place] for place in places])
    return plan_new_rows(context, table, places, tree, parameters)


def plan_new_rows(
    context: Context,
    table: MemoryTable,
    places: Sequence[int],
    tree: parse_tree.QueryExpression,
    parameters: Sequence[object],
    tables: Mapping[str, Table] | None = None,
) -> PlannedQuery:
    """The plan for new rows: the columns of a query are for these places, the other ones take their defaults."""
    environment = context.environment(parameters, tables)
    query = resolve_query(tree, environment)
    if len(query.types) != len(places):
        raise ProgrammingError(
            f'"{table.name}" takes {counted(len(places), "value")} here, not {len(query.types)}.',
            tree.span,
            hint=f"Its columns are {', '.join(column.name for column in table.columns)}.",
        )
    values = assigned(query, places, table.columns, environment, tree.span)
    return context.plan(query, values, table.columns, environment)


def insert_places(columns: Sequence[Identifier], table: MemoryTable) -> Sequence[int]:
    """The columns of the table that the values of an INSERT are for, in their order."""
    names = [column.name for column in table.columns]
    return positions_of(columns, names, table.name) if columns else range(len(names))


def assigned(
    query: QueryExpression,
    places: Sequence[int],
    columns: Sequence[ColumnDefinition],
    environment: Environment,
    span: Span,
) -> tuple[Expression, ...]:
    """An expression for each column: the query's column for it, cast to its type, or its default."""
    expressions = [default_of(column, environment) for column in columns]
    for source, target in enumerate(places):
        expressions[target] = converted(query, source, columns[target], span)
    return tuple(expressions)


def appended(context: Context, table: MemoryTable, rows: Batch, span: Span) -> MemoryTable:
    """The table with more rows, which have been checked.

    Raises:
        IntegrityError: a row breaks a constraint.
    """
    if not rows.length:
        return table
    integrity.check_rows(table, rows, span)
    if not (table.constraints or table.indexes or table.derived):
        return table.append([rows])
    if rows.length > table.row_count():
        # The keys of most rows are looked at in any case, so all are.
        new = table.append([rows])
        integrity.check_all_keys(new, None, span)
        integrity.check_references(context, new, rows, None, span)
        return new
    integrity.check_appended_keys(table, rows, span)
    integrity.check_references(context, table, rows, None, span, are_new=True)
    new = table.append([rows])
    integrity.hand_on_keys(table, new, rows, ())
    return new


def default_of(column: ColumnDefinition, environment: Environment) -> Expression:
    """The default of a column in a statement, whose time it may read."""
    if column.default is None:
        return Literal(value=None, type=column.type)
    return environment.parameters.at_time(column.default)


def _default_row(table: MemoryTable, span: Span) -> parse_tree.QueryExpression:
    values = parse_tree.Values(span=span, rows=(tuple(parse_tree.DefaultValue(span=span) for _ in table.columns),))
    return parse_tree.QueryExpression(span=span, with_=(), term=values, order_by=(), limit=None, offset=None)


def _with_defaults(tree: parse_tree.QueryExpression, columns: Sequence[ColumnDefinition]) -> parse_tree.QueryExpression:
    """The query with what DEFAULT means in its VALUES."""
    values = tree.term
    if not isinstance(values, parse_tree.Values):
        return tree
    if not any(isinstance(value, parse_tree.DefaultValue) for row in values.rows for value in row):
        return tree
    rows = tuple(
        tuple(_bound(value, columns[place]) if place < len(columns) else value for place, value in enumerate(row))
        for row in values.rows
    )
    return replace(tree, term=replace(values, rows=rows))


def _bound(value: parse_tree.Expression, column: ColumnDefinition) -> parse_tree.Expression:
    if not isinstance(value, parse_tree.DefaultValue):
        return value
    null = Literal(value=None, type=column.type, span=value.span)
    return replace(value, bound=null if column.default is None else column.default)


# --- UPDATE -----------------------------------------------------------------------------------------------------------


class PlannedUpdate(NamedTuple):
    """The plan of the numbers of rows and their new values, and the columns of the table that the values are for."""

    planned: PlannedQuery
    places: Sequence[int]


def update(context: Context, statement: st.Update, parameters: Sequence[object]) -> Result:
    """Runs UPDATE."""
    table = context.stored_table(statement.table.name)
    new, numbers = updated(context, table, plan_update(context, statement, parameters), statement.span)
    rows = new.rows().take(numbers)
    result = returned(context, statement.table, table, rows, statement.returning, parameters)
    if new is not table:
        context.catalog.put(table.name, new)
    return result


def plan_update(
    context: Context,
    statement: st.Update,
    parameters: Sequence[object],
    tables: Mapping[str, Table] | None = None,
) -> PlannedUpdate:
    """The plan for what an UPDATE changes."""
    table = context.stored_table(statement.table.name)
    names = [column.name for column in table.columns]
    places = positions_of([each.column for each in statement.assignments], names, table.name)
    values = [
        _bound(assignment.value, table.columns[place])
        for assignment, place in zip(statement.assignments, places, strict=True)
    ]
    tree = _numbered(statement.table, statement.from_, statement.where, values, statement.span)
    environment = context.environment(parameters, tables, statement.table)
    query = resolve_query(tree, environment)
    expressions: list[Expression] = [column_of(query, 0, BIGINT, statement.span)]
    expressions += [
        converted(query, source, table.columns[place], values[source - 1].span)
        for source, place in enumerate(places, start=1)
    ]
    columns = [ColumnDefinition(ROW_NUMBER, BIGINT), *(table.columns[place] for place in places)]
    return PlannedUpdate(context.plan(query, expressions, columns, environment), places)


def updated(context: Context, table: MemoryTable, plan: PlannedUpdate, span: Span) -> tuple[MemoryTable, Array]:
    """The table with other values in some rows, which have been checked, and the numbers of these rows.

    Where FROM gives several new values for a row, it takes one of them.

    Raises:
        IntegrityError: the change breaks a constraint.
    """
    numbers, values = _numbers_and_values(plan.planned)
    if not len(numbers):
        return table, numbers
    count = table.row_count()
    order = np.arange(count)
    order[numbers] = np.arange(count, count + len(numbers))
    whole = table.rows()
    columns = {
        place: concat_columns([whole.column(place), values.column(source)]).take(order)
        for source, place in enumerate(plan.places, start=1)
    }
    new = table.with_values(columns)
    _check_changed(context, table, new, numbers, plan.places, span)
    return new, numbers


def _check_changed(
    context: Context, table: MemoryTable, new: MemoryTable, numbers: Array, changed: Collection[int], span: Span
) -> None:
    rows = new.rows().take(numbers)
    integrity.check_rows(new, rows, span)
    integrity.check_all_keys(new, changed, span)
    integrity.check_references(context, new, rows, changed, span)
    integrity.check_referrers(context, new, changed, span)
    integrity.hand_on_keys(table, new, None, changed)


def _numbers_and_values(planned: PlannedQuery) -> tuple[Array, Batch]:
    """The numbers of the rows that a plan finds in its first column, ascending and each once, and its rows for them."""
    batches = list(run(planned))
    if not batches:
        return np.empty(0, np.int64), Batch([all_null(type_, 0) for type_ in planned.types], 0)
    rows = concat_batches(batches)
    numbers = rows.column(0).values
    if len(numbers) > 1 and not (numbers[1:] > numbers[:-1]).all():
        numbers, first = np.unique(numbers, return_index=True)
        rows = rows.take(first)
    return numbers, rows


def _numbered(
    table: TableName,
    others: TableReference | None,
    where: parse_tree.Expression | None,
    values: Sequence[parse_tree.Expression],
    span: Span,
) -> parse_tree.QueryExpression:
    """SELECT row number, values FROM table, others WHERE ..., where the table is one whose rows are numbered."""
    number = parse_tree.ColumnName(span=span, table=None, column=Identifier(span=span, name=ROW_NUMBER, quoted=True))
    from_: TableReference = table
    if others is not None:
        from_ = parse_tree.JoinedTable(
            span=table.span.to(others.span), kind=parse_tree.JoinKind.CROSS, left=table, right=others
        )
    items = [SelectItem(span=each.span, expression=each, alias=None) for each in (number, *values)]
    return selected(items, from_, where, span)


def selected(
    items: Sequence[SelectItem], from_: TableReference, where: parse_tree.Expression | None, span: Span
) -> parse_tree.QueryExpression:
    """SELECT items FROM from_ WHERE where."""
    block = parse_tree.QueryBlock(
        span=span, distinct=False, items=tuple(items), from_=from_, where=where, group_by=None, having=None
    )
    return parse_tree.QueryExpression(span=span, with_=(), term=block, order_by=(), limit=None, offset=None)


# --- DELETE -----------------------------------------------------------------------------------------------------------


def delete(context: Context, statement: st.Delete, parameters: Sequence[object]) -> Result:
    """Runs DELETE."""
    table = context.stored_table(statement.table.name)
    numbers, _ = _numbers_and_values(plan_delete(context, statement, parameters))
    rows = table.rows().take(numbers)
    kept = np.ones(table.row_count(), np.bool_)
    kept[numbers] = False
    new = table.take(np.flatnonzero(kept)) if len(numbers) else table
    return _removed(context, table, new, statement.table, rows, statement.returning, statement.span, parameters)


def plan_delete(context: Context, statement: st.Delete, parameters: Sequence[object]) -> PlannedQuery:
    """The plan for the numbers of the rows that a DELETE removes."""
    context.stored_table(statement.table.name)
    tree = _numbered(statement.table, statement.using, statement.where, (), statement.span)
    return plan_query(tree, context.environment(parameters, target=statement.table), context.settings)


def truncate(context: Context, statement: st.Truncate) -> Result:
    """Runs TRUNCATE."""
    table = context.stored_table(statement.name)
    target = TableName(span=statement.name.span, name=statement.name, alias=None)
    new = table.without_rows() if table.row_count() else table
    return _removed(context, table, new, target, table.rows(), (), statement.span, ())


def _removed(
    context: Context,
    table: MemoryTable,
    new: MemoryTable,
    target: TableName,
    rows: Batch,
    returning: Sequence[SelectItem],
    span: Span,
    parameters: Sequence[object],
) -> Result:
    """Puts a table with fewer rows in the place of the table."""
    if new is not table:
        integrity.check_referrers(context, new, None, span)
    result = returned(context, target, table, rows, returning, parameters)
    if new is not table:
        context.catalog.put(table.name, new)
    return result


# --- what comes back --------------------------------------------------------------------------------------------------


def rows_of(planned: PlannedQuery, table: MemoryTable) -> tuple[Batch, tuple[QueryWarning, ...]]:
    """The rows that a plan gives, which has the columns of the table, and the warnings of its query."""
    joins = joins_to_count(planned)
    batches = list(run(planned, joins=joins))
    rows = concat_batches(batches) if batches else table.without_rows().rows()
    return rows, warnings_of(planned, joins)


def returned(
    context: Context,
    target: TableName,
    table: MemoryTable,
    rows: Batch,
    returning: Sequence[SelectItem],
    parameters: Sequence[object],
) -> Result:
    """The result of a change: how many rows it is about, and what RETURNING computes from them."""
    if not returning:
        return Result(rowcount=rows.length)
    changed = table.without_rows().append([rows])
    span = returning[0].span.to(returning[-1].span)
    environment = context.environment(parameters, {target.name.name.lower(): changed})
    return plan_query(selected(returning, target, None, span), environment, context.settings).execute()
