"""What resolving a statement needs from outside: names of tables, values of parameters, and fresh table numbers."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

from minisql.catalog.table import Table
from minisql.datatypes import SqlType
from minisql.errors import NotSupportedError, ProgrammingError, Span
from minisql.expression.nodes import Expression, FunctionCall, Literal, Value
from minisql.expression.user_function import UserFunction
from minisql.expression.walk import transform
from minisql.node import record
from minisql.parser import parse_tree
from minisql.query_block.parameters import given_constant, parameter_literal
from minisql.query_block.query_block import CommonQuery, QueryExpression
from minisql.query_block.scope import OuterScope

MAX_TABLES: Final = 20_000
"""The most tables of one statement, views and common table expressions counted each time they are used."""


@record
class View:
    """A view: its query as it was parsed, and the names of its columns where it renames them."""

    name: str
    query: parse_tree.QueryExpression
    columns: tuple[parse_tree.Identifier, ...]


class Relations(Protocol):
    """Where names of tables are looked up."""

    def find(self, name: str) -> Table | View | None:
        """The table or view with this name."""

    def names(self) -> Sequence[str]:
        """The names of all tables and views."""

    @property
    def functions(self) -> Mapping[str, UserFunction]:
        """The functions of the program, by names in lower case."""

    def open_file(self, path: str) -> Table:
        """The file, or the files where the path holds `*`, as a table; an SqlError without a span if that fails."""


@dataclass(slots=True)
class OpenRecursion:
    """A recursive query whose recursive term is being resolved: its columns, and where it has read itself so far."""

    table: int
    names: tuple[str, ...]
    types: tuple[SqlType, ...]
    references: list[Span] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CommonTable:
    """A common table expression, or a view: a name and what it stands for, which is resolved when it is first used.

    Attributes:
        visible: the common table expressions that its own query may use; itself among them with RECURSIVE.
        outer: what it sees of the queries around it.
        siblings: all that stand in one WITH RECURSIVE with it.
        query: once it is resolved, the query.
        recursion: while its recursive term is being resolved, what its own name means.
        reads_working_table: whether its query reads the rows of the last round of a recursion around it.
    """

    tree: parse_tree.CommonTable
    visible: CommonTables
    outer: OuterScope | None = None
    is_recursive: bool = False
    siblings: tuple[parse_tree.CommonTable, ...] = ()
    query: CommonQuery | None = None
    recursion: OpenRecursion | None = None
    reads_working_table: bool = False


CommonTables = Mapping[str, CommonTable]
ResolveQuery = Callable[[parse_tree.QueryExpression, CommonTables, OuterScope | None], QueryExpression]
"""Resolves a query that sees these common table expressions, and these scopes of the queries around it."""


class StatementValues:
    """What a statement is given from outside: the values of its parameters, the time, and functions of the program.

    The time is read when the statement first asks for it, and stays the same then. `time_was_read` tells whether that
    happened: the resolved statement is good for this moment only.
    """

    def __init__(
        self, parameters: Sequence[object], functions: Mapping[str, UserFunction] = MappingProxyType({})
    ) -> None:
        self._parameters = parameters
        self.functions = functions
        self._time: datetime.datetime | None = None

    def literal(self, tree: parse_tree.Parameter) -> Literal:
        """The literal of the value of a parameter."""
        return parameter_literal(tree, self._parameters)

    def constant(self, tree: parse_tree.Constant | parse_tree.Parameter) -> parse_tree.Constant:
        """A constant, or the value of the parameter that stands for it."""
        return given_constant(tree, self._parameters)

    @property
    def time(self) -> datetime.datetime:
        """The time of the statement, in UTC."""
        if self._time is None:
            self._time = datetime.datetime.now(datetime.UTC)
        return self._time

    def at_time(self, expression: Expression) -> Expression:
        """The expression with the time of the statement in place of `now()`."""
        return transform(expression, self._time_for_now)

    def _time_for_now(self, node: Expression) -> Expression:
        if isinstance(node, FunctionCall) and node.name == "now":
            return Literal(value=self.time, type=node.type, span=node.span)
        return node

    def for_definition(self) -> StatementValues:
        """The values for what is kept in a definition, as a DEFAULT: `now()` stays, until a statement uses it."""
        return _ValuesForDefinition(self._parameters, self.functions)

    @property
    def time_was_read(self) -> bool:
        return self._time is not None


class _ValuesForDefinition(StatementValues):
    def at_time(self, expression: Expression) -> Expression:
        return expression


@dataclass(slots=True)
class Environment:
    """The surroundings of one statement. `evaluate` computes an expression that has no columns in it."""

    relations: Relations
    given: InitVar[Sequence[object]]
    evaluate: Callable[[Expression], Value]
    open_views: list[str] = field(default_factory=list)
    """The views being resolved right now, outermost first."""
    target: parse_tree.TableName | None = None
    """The table that the statement changes, where it stands in FROM: its rows are numbered there."""
    parameters: StatementValues = field(init=False)
    """The values `given` for parameters, and the time of the statement."""
    open_common_tables: list[CommonTable] = field(default_factory=list)
    """The common table expressions being resolved right now, outermost first."""
    views: dict[str, CommonTable] = field(default_factory=dict)
    """The views used so far, each with its query."""
    _table_count: int = 0

    def __post_init__(self, given: Sequence[object]) -> None:
        self.parameters = StatementValues(given, self.relations.functions)

    def new_table(self) -> int:
        """The next free table number of the statement."""
        if self._table_count >= MAX_TABLES:
            raise NotSupportedError(f"A statement has at most {MAX_TABLES} tables, each use of a view counted.")
        self._table_count += 1
        return self._table_count - 1


def with_common_tables(
    visible: CommonTables, tree: parse_tree.QueryExpression, outer: OuterScope | None
) -> CommonTables:
    """The common table expressions visible inside a query: those outside of it and those of its WITH.

    Raises:
        ProgrammingError: a name is there twice.
    """
    names = set[str]()
    for table in tree.with_:
        if table.name.name.lower() in names:
            raise ProgrammingError(f'This WITH has two tables "{table.name.name}".', table.name.span)
        names.add(table.name.name.lower())
    if tree.recursive:
        all_visible = dict(visible)
        for table in tree.with_:
            all_visible[table.name.name.lower()] = CommonTable(table, all_visible, outer, True, tree.with_)
        return all_visible
    for table in tree.with_:
        visible = {**visible, table.name.name.lower(): CommonTable(table, visible, outer)}
    return visible
