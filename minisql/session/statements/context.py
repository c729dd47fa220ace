"""What all statements work with: the catalog, the settings, and queries over tables that only they know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from minisql.catalog.catalog import Catalog, Snapshot
from minisql.catalog.memory_table import MemoryTable
from minisql.catalog.table import ColumnDefinition, Table
from minisql.datatypes import SqlType, can_cast
from minisql.errors import ProgrammingError, Span, did_you_mean
from minisql.expression.nodes import ColumnId, ColumnRef, Expression
from minisql.parser import parse_tree
from minisql.parser import statement_tree as st
from minisql.parser.parse_tree import Identifier
from minisql.query_block.coerce import coerce
from minisql.query_block.environment import Environment, View
from minisql.query_block.query_block import QueryExpression
from minisql.relational.from_query_block import relational_expression
from minisql.relational.relational_expression import Project
from minisql.session.pipeline import PlannedQuery, evaluate_constant, plan_relational
from minisql.session.relations import CatalogRelations
from minisql.settings import Settings


class Given(NamedTuple):
    """The tables that a program gives for one statement, by names in lower case: objects, and variables to look in."""

    objects: Mapping[str, Table] = MappingProxyType({})
    variables: Callable[[str], Table | None] | None = None


class Context:
    """The catalog and the settings of one connection, and what the catalog was when a transaction began."""

    def __init__(self, catalog: Catalog[View]) -> None:
        self.catalog = catalog
        self.settings = Settings()
        self.before_transaction: Snapshot[View] | None = None
        self.given = Given()
        self.prepared: dict[str, st.Prepare] = {}
        """What PREPARE has prepared, by name."""

    def environment(
        self,
        parameters: Sequence[object],
        tables: Mapping[str, Table] | None = None,
        target: parse_tree.TableName | None = None,
    ) -> Environment:
        """The surroundings in which a statement is resolved; `tables` hide those of the catalog."""
        return Environment(self.relations(tables), parameters, evaluate_constant, target=target)

    def relations(self, tables: Mapping[str, Table] | None = None) -> CatalogRelations:
        """What names of tables mean in a statement; `tables` hide those of the catalog."""
        objects, variables = self.given
        return CatalogRelations(self.catalog, {**objects, **(tables or {})}, variables)

    def plan(
        self,
        query: QueryExpression,
        expressions: Sequence[Expression],
        columns: Sequence[ColumnDefinition],
        environment: Environment,
    ) -> PlannedQuery:
        """The plan that computes expressions, which have the types of the columns, from the rows of a query."""
        number = environment.new_table()
        names, types = tuple(column.name for column in columns), tuple(column.type for column in columns)
        project = Project(
            table=number,
            alias="",
            input=relational_expression(query, environment.new_table),
            names=names,
            expressions=tuple(expressions),
        )
        return plan_relational(query, project, number, names, types, self.settings)

    def stored_table(self, name: Identifier) -> MemoryTable:
        """The table with this name, which must be one that takes rows."""
        found = self.catalog.find(name.name)
        if isinstance(found, MemoryTable):
            return found
        if found is None:
            hint = did_you_mean(name.name, self.catalog.names())
            raise ProgrammingError(f'There is no table "{name.name}".', name.span, hint=hint)
        what = "a view" if isinstance(found, View) else "a registered object"
        raise ProgrammingError(f'"{name.name}" is {what}, and takes no rows.', name.span)


def converted(query: QueryExpression, source: int, column: ColumnDefinition, span: Span) -> Expression:
    """Column number `source` of a query, cast to the type of a column of a table.

    Raises:
        ProgrammingError: there is no such cast.
    """
    if not can_cast(query.types[source], column.type):
        raise ProgrammingError(f'Column "{column.name}" is {column.type}, the value is {query.types[source]}.', span)
    return coerce(column_of(query, source, query.types[source], span), column.type)


def column_of(query: QueryExpression, source: int, type_: SqlType, span: Span) -> ColumnRef:
    """A reference to column number `source` of a query."""
    return ColumnRef(column=ColumnId(query.table, source), name=query.names[source], type=type_, span=span)
