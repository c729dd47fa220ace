"""Executes statements, each kind in one function. A statement that fails changes nothing.

Everything that a statement reads or makes is complete before the catalog is changed, in one step at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from minisql.catalog.catalog import Catalog
from minisql.catalog.memory_table import MemoryTable
from minisql.catalog.table import ColumnDefinition
from minisql.columnar.column import Batch
from minisql.columnar.python_values import from_values
from minisql.datatypes import BOOLEAN, DOUBLE, INTEGER, VARCHAR, SqlType, TypeKind, can_cast
from minisql.errors import NotSupportedError, ProgrammingError, Span, counted, did_you_mean
from minisql.expression.nodes import ColumnId, ColumnRef, Expression, Literal, Value
from minisql.parser import parse_tree
from minisql.parser.parse_tree import Identifier
from minisql.query_block.coerce import coerce
from minisql.query_block.environment import Environment, View
from minisql.query_block.query_block import QueryExpression
from minisql.query_block.resolve import resolve_query
from minisql.query_block.scope import same_name
from minisql.query_block.statement_time import statement_time
from minisql.query_block.type_names import sql_type
from minisql.relational.from_query_block import relational_expression
from minisql.relational.relational_expression import Project
from minisql.session.pipeline import PlannedQuery, evaluate_constant, plan_query, plan_relational, run
from minisql.session.plan_cache import NewPlan
from minisql.session.relations import CatalogRelations
from minisql.session.result import Result
from minisql.settings import Settings, with_setting


class StatementRunner:
    """Runs statements against one catalog, with the settings of one connection."""

    def __init__(self, catalog: Catalog[View]) -> None:
        self._catalog = catalog
        self.settings = Settings()

    def plan(self, tree: parse_tree.QueryExpression, parameters: Sequence[object]) -> NewPlan:
        """Plans a query."""
        version, relations = self._catalog.version, CatalogRelations(self._catalog)
        environment = Environment(relations, parameters, evaluate_constant)
        with statement_time() as time:
            planned = plan_query(tree, environment, self.settings)
        return NewPlan(planned, version, relations.opened, has_time=time.read is not None)

    def _environment(self, parameters: Sequence[object]) -> Environment:
        """The surroundings in which a statement is resolved."""
        return Environment(CatalogRelations(self._catalog), parameters, evaluate_constant)

    def run(self, statement: parse_tree.Statement, parameters: Sequence[object]) -> Result:
        """Runs one statement."""
        with statement_time():
            return self._run(statement, parameters)

    def _run(self, statement: parse_tree.Statement, parameters: Sequence[object]) -> Result:
        match statement:
            case parse_tree.QueryExpression():
                return self.plan(statement, parameters).planned.execute()
            case parse_tree.Explain():
                return self._explain(statement, parameters)
            case parse_tree.Insert():
                return self._insert(statement, parameters)
            case parse_tree.CreateTable():
                return self._create_table(statement, parameters)
            case parse_tree.CreateView():
                return self._create_view(statement, parameters)
            case parse_tree.Drop():
                return self._drop(statement)
            case parse_tree.SetVariable():
                return self._set(statement)
            case _:
                assert_never(statement)

    # --- queries ------------------------------------------------------------------------------------------------------

    def _explain(self, statement: parse_tree.Explain, parameters: Sequence[object]) -> Result:
        if statement.format not in ("TREE", "ORDERS"):
            raise NotSupportedError(
                f"EXPLAIN has no format {statement.format}, only TREE and ORDERS.", statement.format_span
            )
        if statement.format == "ORDERS" and statement.analyze:
            raise NotSupportedError("EXPLAIN ORDERS does not execute the query.", statement.format_span)
        planned = self.plan(statement.query, parameters).planned
        if statement.format == "ORDERS":
            return _orders(planned, statement.format_span)
        text = planned.explain(analyze=statement.analyze)
        return Result(("EXPLAIN",), (VARCHAR,), [Batch([from_values([text], VARCHAR)], 1)], is_explanation=True)

    # --- changes ------------------------------------------------------------------------------------------------------

    def _insert(self, statement: parse_tree.Insert, parameters: Sequence[object]) -> Result:
        table = self._stored_table(statement.name)
        positions = _insert_positions(statement, table)
        environment = self._environment(parameters)
        query = resolve_query(statement.query, environment)
        if len(query.types) != len(positions):
            raise ProgrammingError(
                f'"{table.name}" takes {counted(len(positions), "value")} here, not {len(query.types)}.',
                statement.query.span,
                hint=f"Its columns are {', '.join(column.name for column in table.columns)}.",
            )
        values = _assigned(query, positions, table.columns, statement.query.span)
        return self._append(statement.name, table, query, values, environment)

    def _append(
        self,
        name: Identifier,
        table: MemoryTable,
        query: QueryExpression,
        values: tuple[Expression, ...],
        environment: Environment,
    ) -> Result:
        """Puts the table with `values`, computed for each row of the query, in the place of the table."""
        number = environment.new_table()
        names = tuple(column.name for column in table.columns)
        types = tuple(column.type for column in table.columns)
        project = Project(table=number, alias="", input=relational_expression(query), names=names, expressions=values)
        rows = list(run(plan_relational(query, project, number, names, types, self.settings)))
        self._catalog.put(name.name, table.append(rows))
        return Result(rowcount=sum(batch.length for batch in rows))

    def _create_table(self, statement: parse_tree.CreateTable, parameters: Sequence[object]) -> Result:
        if not self._may_create(statement.name, "table", statement.if_not_exists, statement.or_replace):
            return Result(rowcount=-1)
        name = statement.name.name
        if statement.query is None:
            columns = [ColumnDefinition(column.name.name, sql_type(column.type)) for column in statement.columns]
            _check_names([column.name for column in statement.columns], [column.name for column in columns])
            self._catalog.put(name, MemoryTable.empty(name, columns))
            return Result(rowcount=-1)
        environment = self._environment(parameters)
        query = resolve_query(statement.query, environment)
        types = [INTEGER if type_.kind is TypeKind.NULL else type_ for type_ in query.types]
        columns = [ColumnDefinition(column, type_) for column, type_ in zip(query.names, types, strict=True)]
        _check_names([statement.name] * len(columns), query.names)
        values = _assigned(query, range(len(columns)), columns, statement.query.span)
        return self._append(statement.name, MemoryTable.empty(name, columns), query, values, environment)

    def _create_view(self, statement: parse_tree.CreateView, parameters: Sequence[object]) -> Result:
        if parameters:
            raise ProgrammingError(
                "A view takes no parameters: it keeps its text, and not their values.", statement.query.span
            )
        if not self._may_create(statement.name, "view", statement.if_not_exists, statement.or_replace):
            return Result(rowcount=-1)
        query = resolve_query(statement.query, self._environment(()))
        if len(statement.columns) > len(query.names):
            raise ProgrammingError(
                f"The query has {counted(len(query.names), 'column')}.", statement.columns[len(query.names)].span
            )
        _check_names(statement.columns, [column.name for column in statement.columns])
        self._catalog.put(statement.name.name, View(statement.name.name, statement.query, statement.columns))
        return Result(rowcount=-1)

    def _drop(self, statement: parse_tree.Drop) -> Result:
        name = statement.name.name
        found = self._catalog.find(name)
        word = "view" if isinstance(found, View) else "table"
        if found is None:
            if statement.if_exists:
                return Result(rowcount=-1)
            hint = did_you_mean(name, self._catalog.names())
            raise ProgrammingError(f'There is no {statement.kind.lower()} "{name}".', statement.name.span, hint=hint)
        if word != statement.kind.lower():
            raise ProgrammingError(
                f'"{name}" is a {word}.', statement.name.span, hint=f"Write DROP {word.upper()} {name}."
            )
        self._catalog.remove(name)
        return Result(rowcount=-1)

    def _set(self, statement: parse_tree.SetVariable) -> Result:
        value = statement.value
        self.settings = with_setting(
            self.settings,
            statement.name.name,
            None if value is None else value.value,
            name_span=statement.name.span,
            value_span=statement.span if value is None else value.span,
        )
        return Result(rowcount=-1)

    # --- names --------------------------------------------------------------------------------------------------------

    def _stored_table(self, name: Identifier) -> MemoryTable:
        """The table with this name, which must be one that takes rows."""
        found = self._catalog.find(name.name)
        if isinstance(found, MemoryTable):
            return found
        if found is None:
            hint = did_you_mean(name.name, self._catalog.names())
            raise ProgrammingError(f'There is no table "{name.name}".', name.span, hint=hint)
        what = "a view" if isinstance(found, View) else "a registered object"
        raise ProgrammingError(f'"{name.name}" is {what}, and takes no rows.', name.span)

    def _may_create(self, name: Identifier, kind: str, if_not_exists: bool, or_replace: bool) -> bool:
        """Whether the name is free or may be taken; False where IF NOT EXISTS says to do nothing."""
        found = self._catalog.find(name.name)
        if found is None:
            return True
        if if_not_exists:
            return False
        existing = "view" if isinstance(found, View) else "table"
        if or_replace and existing == kind:
            return True
        hint = f"CREATE OR REPLACE {kind.upper()} replaces it." if existing == kind else None
        raise ProgrammingError(f'There is a {existing} "{name.name}" already.', name.span, hint=hint)


def _orders(planned: PlannedQuery, span: Span | None) -> Result:
    """The result of EXPLAIN ORDERS. Estimates are cut to six digits, for people."""
    from minisql.session.orders import list_orders  # which few statements need

    orders = list_orders(planned, span)
    columns: dict[str, tuple[list[Value], SqlType]] = {
        "order": ([line.order for line in orders.lines], VARCHAR),
        "cost": ([float(f"{line.cost:.6g}") for line in orders.lines], DOUBLE),
        "rows": ([float(f"{line.rows:.6g}") for line in orders.lines], DOUBLE),
        "chosen": ([line.chosen for line in orders.lines], BOOLEAN),
        "as_written": ([line.as_written for line in orders.lines], BOOLEAN),
    }
    count = len(orders.lines)
    batch = Batch([from_values(values, type_) for values, type_ in columns.values()], count)
    shown = f"The {count:,} cheapest of {orders.count:,} orders." if 0 < count < orders.count else None
    types = [type_ for _, type_ in columns.values()]
    return Result(list(columns), types, [batch] if count else [], notice=shown)


def _insert_positions(statement: parse_tree.Insert, table: MemoryTable) -> list[int]:
    """The columns of the table that the values of an INSERT are for, in their order."""
    names = [column.name for column in table.columns]
    if not statement.columns:
        return list(range(len(names)))
    _check_names(statement.columns, [column.name for column in statement.columns])
    positions = []
    for column in statement.columns:
        found = [position for position, name in enumerate(names) if same_name(name, column.name)]
        if not found:
            hint = did_you_mean(column.name, names)
            raise ProgrammingError(f'Table "{table.name}" has no column "{column.name}".', column.span, hint=hint)
        positions.append(found[0])
    return positions


def _assigned(
    query: QueryExpression, positions: Sequence[int], columns: Sequence[ColumnDefinition], span: Span
) -> tuple[Expression, ...]:
    """An expression for each column: the query's column for it, cast to its type, or NULL."""
    expressions: list[Expression] = [Literal(value=None, type=column.type) for column in columns]
    for source, target in enumerate(positions):
        column, type_ = columns[target], query.types[source]
        if not can_cast(type_, column.type):
            raise ProgrammingError(f'Column "{column.name}" is {column.type}, the value is {type_}.', span)
        reference = ColumnRef(column=ColumnId(query.table, source), name=query.names[source], type=type_, span=span)
        expressions[target] = coerce(reference, column.type)
    return tuple(expressions)


def _check_names(places: Sequence[Identifier], names: Sequence[str]) -> None:
    """Raises where a name occurs twice; `places` are where the names stand."""
    for position, name in enumerate(names):
        if any(same_name(name, earlier) for earlier in names[:position]):
            raise ProgrammingError(
                f'Two columns are named "{name}".', places[position].span, hint="Give one of them another name."
            )
