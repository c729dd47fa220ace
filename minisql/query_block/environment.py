"""What resolving a statement needs from outside: names of tables, values of parameters, and fresh table numbers."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Final, Protocol

from minisql.catalog.table import Table
from minisql.errors import NotSupportedError
from minisql.expression.nodes import Expression, FunctionCall, Literal, Value
from minisql.expression.walk import transform
from minisql.parser import parse_tree
from minisql.query_block.scope import OuterScope

MAX_TABLES: Final = 20_000
"""The most tables of one statement, views and common table expressions counted each time they are used."""


@dataclass(frozen=True, slots=True)
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

    def open_file(self, path: str) -> Table:
        """The file, or the files where the path holds `*`, as a table; an SqlError without a span if that fails."""


@dataclass(frozen=True, slots=True)
class CommonTable:
    """A common table expression, with those that its own query may use, and what it sees of queries around it."""

    tree: parse_tree.CommonTable
    visible: CommonTables
    outer: OuterScope | None


CommonTables = Mapping[str, CommonTable]


class StatementValues:
    """The values that a statement is given from outside: those of its parameters, and the time.

    The time is read when the statement first asks for it, and stays the same then. `time_was_read` tells whether that
    happened: the resolved statement is good for this moment only.
    """

    def __init__(self, parameters: Sequence[object]) -> None:
        self._parameters = parameters
        self._time: datetime.datetime | None = None

    def __getitem__(self, index: int) -> object:
        """The value of the parameter number `index`, from 0."""
        return self._parameters[index]

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
        return _ValuesForDefinition(self._parameters)

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
    _table_count: int = 0

    def __post_init__(self, given: Sequence[object]) -> None:
        self.parameters = StatementValues(given)

    def new_table(self) -> int:
        """The next free table number of the statement."""
        if self._table_count >= MAX_TABLES:
            raise NotSupportedError(f"A statement has at most {MAX_TABLES} tables, each use of a view counted.")
        self._table_count += 1
        return self._table_count - 1


def with_common_tables(
    visible: CommonTables, tree: parse_tree.QueryExpression, outer: OuterScope | None
) -> CommonTables:
    """The common table expressions visible inside a query: those outside of it and those of its WITH."""
    for table in tree.with_:
        visible = {**visible, table.name.name.lower(): CommonTable(table, visible, outer)}
    return visible
