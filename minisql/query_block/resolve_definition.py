"""Resolves what CREATE TABLE and ALTER TABLE say of columns: their types, defaults, keys, conditions and references.

Names that nobody gave are PostgreSQL's: t_pkey, t_a_b_key, t_a_check, t_a_fkey, with a number where one is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from minisql.catalog.constraints import CheckConstraint, Constraint, ForeignKey, UniqueConstraint
from minisql.catalog.table import ColumnDefinition
from minisql.datatypes import SqlType, can_cast
from minisql.errors import NotSupportedError, ProgrammingError, Span, counted, did_you_mean
from minisql.expression.functions import is_volatile
from minisql.expression.nodes import ColumnId, ColumnRef, Expression
from minisql.expression.walk import columns_of
from minisql.parser import parse_tree
from minisql.parser import statement_tree as st
from minisql.parser.keywords import quoted_name
from minisql.parser.parse_tree import Identifier
from minisql.query_block.coerce import coerce
from minisql.query_block.current_time import reads_time
from minisql.query_block.environment import Environment
from minisql.query_block.resolve import resolve_constant
from minisql.query_block.resolve_expression import ExpressionResolver
from minisql.query_block.scope import Scope, ScopeColumn, ScopeTable, same_name
from minisql.query_block.type_names import sql_type


class TableDefinition:
    """The columns and constraints of a table, to which a definition adds."""

    def __init__(
        self,
        name: str,
        columns: Sequence[ColumnDefinition] = (),
        constraints: Sequence[Constraint] = (),
        taken_names: Sequence[str] = (),
    ) -> None:
        """`taken_names` are those of its indexes."""
        self.name = name
        self.columns = list(columns)
        self.constraints = list(constraints)
        self._taken_names = list(taken_names)

    # --- columns ------------------------------------------------------------------------------------------------------

    def add_columns(self, trees: Sequence[st.ColumnDefinition], environment: Environment) -> None:
        """Adds columns, and then their constraints, which may speak of any of them.

        Raises:
            ProgrammingError: a name is there already, a type or a default is none, a constraint makes no sense.
        """
        for tree in trees:
            if any(same_name(column.name, tree.name.name) for column in self.columns):
                raise ProgrammingError(
                    f'Two columns are named "{tree.name.name}".', tree.name.span, hint="Give one of them another name."
                )
            self.columns.append(_column(tree, environment))
        for tree in trees:
            for constraint in tree.constraints:
                if not isinstance(constraint, st.NotNull | st.ColumnDefault):
                    self.add_constraint(constraint, environment, tree.name)

    def position(self, name: Identifier) -> int:
        """The place of a column; an error where there is none with this name."""
        return position_of(name, [column.name for column in self.columns], self.name)

    # --- constraints --------------------------------------------------------------------------------------------------

    def add_constraint(
        self, tree: st.TableConstraint, environment: Environment, column: Identifier | None = None
    ) -> Constraint:
        """Adds a constraint, `column` being the one that it stands behind. What it says of rows is not checked."""
        match tree:
            case st.Key():
                return self._add_key(tree, column)
            case st.Check():
                return self._add_check(tree, environment)
            case st.ForeignKey():
                places = self._places(tree.columns or _only(column), tree.span)
                name = self._free_name(tree.name, places, "fkey")
                parents = tuple(parent.name for parent in tree.parent_columns)
                return self._added(ForeignKey(name, places, tree.parent.name, parents))

    def _add_key(self, tree: st.Key, column: Identifier | None) -> Constraint:
        places = self._places(tree.columns or _only(column), tree.span)
        if tree.is_primary:
            if any(isinstance(each, UniqueConstraint) and each.is_primary for each in self.constraints):
                raise ProgrammingError(f'"{self.name}" has a primary key already.', tree.span)
            for place in places:
                self.columns[place] = replace(self.columns[place], not_null=True)
        name = self._free_name(tree.name, () if tree.is_primary else places, "pkey" if tree.is_primary else "key")
        return self._added(UniqueConstraint(name, places, tree.is_primary))

    def _add_check(self, tree: st.Check, environment: Environment) -> Constraint:
        references = tuple(
            ScopeColumn(each.name, ColumnRef(column=ColumnId(0, place), name=quoted_name(each.name), type=each.type))
            for place, each in enumerate(self.columns)
        )
        scope = Scope.of_table(ScopeTable(self.name, references))
        condition = ExpressionResolver(scope, environment.parameters.for_definition(), "CHECK").condition(
            tree.condition
        )
        if is_volatile(condition) or reads_time(condition):
            raise NotSupportedError(
                "CHECK takes no RANDOM and no time of the statement: a row that is right stays so.",
                tree.condition.span,
            )
        places = tuple(sorted(column.position for column in columns_of(condition)))
        name = self._free_name(tree.name, places if len(places) == 1 else (), "check")
        return self._added(CheckConstraint(name, condition))

    def _added(self, constraint: Constraint) -> Constraint:
        self.constraints.append(constraint)
        return constraint

    def _places(self, columns: Sequence[Identifier], span: Span) -> tuple[int, ...]:
        places = tuple(self.position(column) for column in columns)
        if len(set(places)) < len(places):
            raise ProgrammingError("The constraint names a column twice.", span)
        return places

    def _free_name(self, given: Identifier | None, places: Sequence[int], ending: str) -> str:
        taken = {name.lower() for name in (*(each.name for each in self.constraints), *self._taken_names)}
        if given is not None:
            if given.name.lower() in taken:
                raise ProgrammingError(f'"{self.name}" has a constraint "{given.name}" already.', given.span)
            return given.name
        first = "_".join([self.name, *(self.columns[place].name for place in places), ending])
        name, number = first, 0
        while name.lower() in taken:
            number += 1
            name = f"{first}{number}"
        return name


def position_of(name: Identifier, names: Sequence[str], table: str) -> int:
    """The place of a column of a table.

    Raises:
        ProgrammingError: there is none with this name.
    """
    for position, candidate in enumerate(names):
        if same_name(candidate, name.name):
            return position
    hint = did_you_mean(name.name, names)
    if hint is None:
        shown = ", ".join(names[:12])
        hint = f"The columns are {shown}{', ...' if len(names) > 12 else '.'}"
    raise ProgrammingError(f'Table "{table}" has no column "{name.name}".', name.span, hint=hint)


def positions_of(columns: Sequence[Identifier], names: Sequence[str], table: str) -> list[int]:
    """The places of columns of a table, each named once at most."""
    positions: list[int] = []
    for column in columns:
        position = position_of(column, names, table)
        if position in positions:
            raise ProgrammingError(f'The column "{column.name}" is named twice.', column.span)
        positions.append(position)
    return positions


def resolve_default(value: parse_tree.Expression, type_: SqlType, column: str, environment: Environment) -> Expression:
    """The default of a column, cast to its type.

    Raises:
        ProgrammingError: it has columns in it, or another type.
    """
    expression = resolve_constant(value, environment.parameters.for_definition())
    if not can_cast(expression.type, type_):
        raise ProgrammingError(f'Column "{column}" is {type_}, its default is {expression.type}.', value.span)
    return coerce(expression, type_)


def check_count(given: int, expected: int, what: str, span: Span, table: str) -> None:
    """Raises where a foreign key has another number of columns than its parent's key."""
    if given != expected:
        raise ProgrammingError(f'{what} of "{table}" has {counted(expected, "column")}, not {given}.', span)


def _column(tree: st.ColumnDefinition, environment: Environment) -> ColumnDefinition:
    type_, default, not_null = sql_type(tree.type), None, False
    for constraint in tree.constraints:
        if isinstance(constraint, st.ColumnDefault):
            if default is not None:
                raise ProgrammingError(f'The column "{tree.name.name}" has two defaults.', constraint.span)
            default = resolve_default(constraint.value, type_, tree.name.name, environment)
        elif isinstance(constraint, st.NotNull):
            not_null = not_null or not constraint.negated
    if any(isinstance(each, st.NotNull) and each.negated for each in tree.constraints) and not_null:
        raise ProgrammingError(f'The column "{tree.name.name}" is NULL and NOT NULL.', tree.span)
    return ColumnDefinition(tree.name.name, type_, not_null, default)


def _only(column: Identifier | None) -> tuple[Identifier, ...]:
    return () if column is None else (column,)
