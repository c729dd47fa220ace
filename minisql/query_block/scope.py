"""Scopes: which names a place in a query can see, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from minisql.errors import ProgrammingError, Span, did_you_mean
from minisql.expression.nodes import ColumnRef, Expression, OuterReference
from minisql.expression.walk import columns_of, transform
from minisql.node import record
from minisql.parser.parse_tree import Identifier


@record
class ScopeColumn:
    """A column that a name can stand for: a plain reference, or the merged column of a USING."""

    name: str
    expression: Expression


@record
class ScopeTable:
    """A table of a FROM under the name that qualifies its columns; '' where nothing can.

    `by_name` are the columns by what `_key` makes of their names.
    """

    alias: str
    columns: tuple[ScopeColumn, ...]
    by_name: dict[str, tuple[ScopeColumn, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_name: dict[str, tuple[ScopeColumn, ...]] = {}
        for column in self.columns:
            key = _key(column.name)
            by_name[key] = (*by_name.get(key, ()), column)
        object.__setattr__(self, "by_name", by_name)


class Scope:
    """The tables of a FROM, and the columns as `*` lists them: merged columns first, those they hide left out."""

    __slots__ = ("_by_alias", "_by_name", "outer", "visible")

    def __init__(
        self,
        by_alias: dict[str, ScopeTable],
        by_name: dict[str, tuple[ScopeColumn, ...]],
        visible: tuple[ScopeColumn, ...],
        outer: OuterScope | None = None,
    ) -> None:
        self._by_alias = by_alias
        self._by_name = by_name
        self.visible = visible
        self.outer = outer

    def within(self, outer: OuterScope | None) -> Scope:
        """The same names, and behind them those that a subquery sees of the queries around it."""
        return self if outer is None else Scope(self._by_alias, self._by_name, self.visible, outer)

    @staticmethod
    def of_table(table: ScopeTable) -> Scope:
        """The scope of a FROM with one table."""
        return Scope({_key(table.alias): table} if table.alias else {}, table.by_name, table.columns)

    def join(self, right: Scope, merged: Sequence[ScopeColumn] = ()) -> Scope:
        """The scope of a join; the `merged` columns of USING stand for the columns of that name on both sides.

        Dictionaries are copied and not built anew, so that a chain of a thousand joins stays cheap.
        """
        by_name = self._by_name.copy()
        for key, columns in right._by_name.items():
            by_name[key] = by_name.get(key, ()) + columns
        if not merged:
            return Scope({**self._by_alias, **right._by_alias}, by_name, self.visible + right.visible)
        names = {_key(column.name) for column in merged}
        by_name.update({_key(column.name): (column,) for column in merged})
        rest = [column for column in self.visible + right.visible if _key(column.name) not in names]
        return Scope({**self._by_alias, **right._by_alias}, by_name, (*merged, *rest))

    def shared_alias(self, other: Scope) -> str | None:
        """An alias that a table here and a table there both have."""
        for key, table in other._by_alias.items():
            if key in self._by_alias:
                return table.alias
        return None

    @property
    def tables(self) -> tuple[ScopeTable, ...]:
        """The tables that have an alias, from left to right."""
        return tuple(self._by_alias.values())

    def table_numbers(self) -> set[int]:
        """The numbers of the tables whose columns can be named here."""
        columns = [*self.visible, *(column for table in self.tables for column in table.columns)]
        return {each.table for column in columns for each in columns_of(column.expression)}

    def has_table(self, alias: str) -> bool:
        """Whether a table has this alias."""
        return _key(alias) in self._by_alias

    def table(self, name: Identifier) -> ScopeTable:
        """The table with this alias; an error where there is none."""
        table = self._by_alias.get(_key(name.name))
        if table is None:
            known = [table.alias for table in self.tables]
            hint = did_you_mean(name.name, known) or _list("FROM has", known)
            raise ProgrammingError(f'There is no table "{name.name}" in FROM here.', name.span, hint=hint)
        return table

    def find(self, name: str) -> tuple[ScopeColumn, ...]:
        """The visible columns with this name."""
        return self._by_name.get(_key(name), ())

    def _knows(self, table: Identifier | None, column: Identifier) -> bool:
        """Whether the name is decided here: a column, or anything in a table of this FROM."""
        return self.has_table(table.name) if table is not None else bool(self.find(column.name))

    def column(self, table: Identifier | None, column: Identifier, span: Span) -> Expression:
        """What `table.column` or `column` stands for; an error where that is nothing, or more than one thing."""
        if self.outer is not None and not self._knows(table, column):
            outer = self.outer.find(table, column, span)
            if outer is not None:
                return outer
        if table is None:
            found = self.find(column.name)
            known: Sequence[ScopeColumn] = self.visible
        else:
            owner = self.table(table)
            known = owner.columns
            found = owner.by_name.get(_key(column.name), ())
        if len(found) == 1:
            return found[0].expression
        where = "" if table is None else f' in table "{table.name}"'
        if not found:
            hint = did_you_mean(column.name, [candidate.name for candidate in known])
            if hint is None and table is None and self.has_table(column.name):
                hint = f'"{column.name}" is a table; name one of its columns, as in {column.name}.column.'
            if hint is None and not column.quoted:
                hint = _list("The columns are", [candidate.name for candidate in known])
            raise ProgrammingError(f'There is no column "{column.name}"{where}.', span, hint=hint)
        owners = [t.alias for t in self.tables if _key(column.name) in t.by_name]
        hint = None
        if table is None and len(owners) > 1:
            hint = "Write " + " or ".join(f"{owner}.{column.name}" for owner in owners) + "."
        raise ProgrammingError(f'The column name "{column.name}"{where} is ambiguous.', span, hint=hint)


@dataclass(slots=True)
class OuterScope:
    """What a subquery sees of the query around it, and through its scope of those further out.

    `read` says what a column is at the place of the subquery: above a grouping, a group key is a column of the groups.
    """

    scope: Scope
    read: Callable[[ColumnRef], Expression] = field(default=lambda column: column)

    def find(self, table: Identifier | None, column: Identifier, span: Span) -> Expression | None:
        """What the name stands for, as outer references; None where no query around knows it."""
        if self.scope._knows(table, column):
            return transform(self.scope.column(table, column, span), partial(self._reference, span=span))
        outer = self.scope.outer
        return None if outer is None else outer.find(table, column, span)

    def _reference(self, node: Expression, span: Span) -> Expression:
        if not isinstance(node, ColumnRef):
            return node
        read = self.read(replace(node, span=span))
        assert isinstance(read, ColumnRef)
        return OuterReference(column=read.column, name=read.name, type=read.type, span=span)


class ScopeWithAliases(Scope):
    """A scope in which a name that is no column may be an alias of the select list."""

    __slots__ = ("_aliases",)

    def __init__(self, scope: Scope, aliases: Mapping[str, Expression]) -> None:
        super().__init__(scope._by_alias, scope._by_name, scope.visible, scope.outer)
        self._aliases = {_key(name): expression for name, expression in aliases.items()}

    def column(self, table: Identifier | None, column: Identifier, span: Span) -> Expression:
        expression = self._aliases.get(_key(column.name))
        if table is None and expression is not None and not self.find(column.name):
            return expression
        return super().column(table, column, span)


def _key(name: str) -> str:
    """What two names have in common that mean the same: names match without regard to case."""
    return name.lower()


def same_name(left: str, right: str) -> bool:
    """Whether two names mean the same."""
    return _key(left) == _key(right)


def _list(intro: str, names: Sequence[str], most: int = 12) -> str | None:
    if not names:
        return None
    shown = ", ".join(names[:most])
    return f"{intro} {shown}, and {len(names) - most} more." if len(names) > most else f"{intro} {shown}."
