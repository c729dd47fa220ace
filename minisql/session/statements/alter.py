"""ALTER TABLE: a change of a table's definition, and what follows for its rows and for tables that refer to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias, assert_never

from minisql.catalog.constraints import CheckConstraint, Constraint, ForeignKey, UniqueConstraint
from minisql.catalog.memory_table import MemoryTable
from minisql.catalog.table import ColumnDefinition
from minisql.columnar.column import Batch
from minisql.datatypes import can_cast
from minisql.errors import ProgrammingError, Span, did_you_mean
from minisql.expression.nodes import ColumnId, ColumnRef, Expression
from minisql.expression.walk import columns_of, transform
from minisql.parser import parse_tree
from minisql.parser import statement_tree as st
from minisql.parser.parse_tree import Identifier
from minisql.query_block.coerce import coerce
from minisql.query_block.resolve import resolve_query
from minisql.query_block.resolve_definition import TableDefinition, position_of, resolve_default
from minisql.query_block.scope import same_name
from minisql.query_block.type_names import sql_type
from minisql.session.result import Result
from minisql.session.statements import integrity
from minisql.session.statements.changes import default_of, rows_of, selected
from minisql.session.statements.context import Context, converted
from minisql.session.statements.definitions import NOTHING_CHANGED, check_key_is_free, with_parents

_KeyChange: TypeAlias = Callable[[ForeignKey], ForeignKey]


def alter_table(context: Context, statement: st.AlterTable, parameters: Sequence[object]) -> Result:
    """Runs ALTER TABLE."""
    if statement.if_exists and context.catalog.find(statement.name.name) is None:
        return Result(rowcount=NOTHING_CHANGED)
    table = context.stored_table(statement.name)
    _Alteration(context, table, parameters).run(statement.change)
    return Result(rowcount=NOTHING_CHANGED)


class _Alteration:
    """A change of one table."""

    def __init__(self, context: Context, table: MemoryTable, parameters: Sequence[object]) -> None:
        self._context = context
        self._table = table
        self._parameters = parameters

    def run(self, change: st.TableChange) -> None:
        match change:
            case st.AddColumn():
                self._add_column(change)
            case st.AddConstraint():
                self._add_constraint(change)
            case st.DropPart(kind="COLUMN"):
                self._drop_column(change)
            case st.DropPart():
                self._drop_constraint(change)
            case st.RenameColumn():
                self._rename_column(change)
            case st.RenameTable():
                self._rename_table(change)
            case st.ChangeType():
                self._change_type(change)
            case st.ChangeDefault():
                self._change_default(change)
            case st.ChangeNotNull():
                self._change_not_null(change)
            case _:
                assert_never(change)

    def _put(self, new: MemoryTable) -> None:
        self._context.catalog.put(self._table.name, new)

    def _place(self, name: Identifier) -> int:
        return position_of(name, [column.name for column in self._table.columns], self._table.name)

    def _definition(self) -> TableDefinition:
        table = self._table
        return TableDefinition(table.name, table.columns, table.constraints, [each.name for each in table.indexes])

    def _check(self, new: MemoryTable, change: st.TableChange) -> None:
        """Checks all rows against all constraints of the new table."""
        integrity.check_rows(new, new.rows(), change.span)
        integrity.check_all_keys(new, None, change.span)
        integrity.check_references(self._context, new, new.rows(), None, change.span)

    # --- ADD ----------------------------------------------------------------------------------------------------------

    def _add_column(self, change: st.AddColumn) -> None:
        table, name = self._table, change.column.name
        if any(same_name(column.name, name.name) for column in table.columns):
            if change.if_not_exists:
                return
            raise ProgrammingError(f'"{table.name}" has a column "{name.name}" already.', name.span)
        definition = self._definition()
        environment = self._context.environment(self._parameters)
        definition.add_columns([change.column], environment)
        column = definition.columns[-1]
        rows = self._computed(table.columns, {}, [column], [default_of(column, environment)])
        new = MemoryTable(table.name, definition.columns, (), definition.constraints, table.indexes).append([rows])
        new = with_parents(self._context, new, change.column.constraints)
        self._check(new, change)
        self._put(new)

    def _add_constraint(self, change: st.AddConstraint) -> None:
        definition = self._definition()
        definition.add_constraint(change.constraint, self._context.environment(self._parameters))
        new = self._table.redefined(columns=definition.columns, constraints=definition.constraints)
        new = with_parents(self._context, new, [change.constraint])
        self._check(new, change)
        self._put(new)

    # --- DROP ---------------------------------------------------------------------------------------------------------

    def _drop_column(self, change: st.DropPart) -> None:
        table, name = self._table, change.name
        if change.if_exists and not any(same_name(column.name, name.name) for column in table.columns):
            return
        place = self._place(name)
        self._check_unused(place, name)
        if len(table.columns) == 1:
            raise ProgrammingError(f'"{name.name}" is the only column of "{table.name}".', name.span)
        for index in table.indexes:
            if place in index.columns:
                raise ProgrammingError(
                    f'The index "{index.name}" has the column "{name.name}".', name.span, hint="Drop the index first."
                )
        kept = [each for each in range(len(table.columns)) if each != place]
        moved = {old: new for new, old in enumerate(kept)}
        whole = table.rows()
        rows = Batch([whole.column(each) for each in kept], whole.length)
        new = MemoryTable(
            table.name,
            [table.columns[each] for each in kept],
            (),
            [_moved(each, moved) for each in table.constraints],
            [replace(each, columns=tuple(moved[column] for column in each.columns)) for each in table.indexes],
        )
        self._put(new.append([rows]))

    def _check_unused(self, place: int, name: Identifier, *, keys_too: bool = True) -> None:
        """Raises where a constraint, of this table or of another, has to do with a column."""
        used: list[tuple[MemoryTable, Constraint]] = [
            (self._table, each)
            for each in self._table.constraints
            if place in _columns(each) and (keys_too or not isinstance(each, UniqueConstraint))
        ]
        used += [
            (child, key)
            for child, key in integrity.referrers(self._context, self._table.name)
            if any(same_name(name.name, parent) for parent in key.parent_columns)
        ]
        if used:
            table, constraint = used[0]
            raise ProgrammingError(
                f'The constraint "{constraint.name}" has to do with the column "{name.name}".',
                name.span,
                hint=f"ALTER TABLE {table.name} DROP CONSTRAINT {constraint.name} first.",
            )

    def _drop_constraint(self, change: st.DropPart) -> None:
        table, name = self._table, change.name
        found = [each for each in table.constraints if same_name(each.name, name.name)]
        if not found:
            if change.if_exists:
                return
            hint = did_you_mean(name.name, [each.name for each in table.constraints])
            raise ProgrammingError(f'"{table.name}" has no constraint "{name.name}".', name.span, hint=hint)
        if isinstance(found[0], UniqueConstraint):
            check_key_is_free(self._context, table, found[0].columns, name)
        self._put(table.redefined(constraints=[each for each in table.constraints if each is not found[0]]))

    # --- RENAME -------------------------------------------------------------------------------------------------------

    def _rename_column(self, change: st.RenameColumn) -> None:
        table, place = self._table, self._place(change.old)
        taken = [column.name for position, column in enumerate(table.columns) if position != place]
        if any(same_name(name, change.new.name) for name in taken):
            raise ProgrammingError(f'"{table.name}" has a column "{change.new.name}" already.', change.new.span)
        old, new_name = table.columns[place].name, change.new.name
        columns = [
            replace(column, name=new_name) if position == place else column
            for position, column in enumerate(table.columns)
        ]
        new = table.redefined(
            columns=columns, constraints=[_renamed(each, place, new_name) for each in table.constraints]
        )
        self._put_with_children(
            new,
            lambda key: replace(
                key, parent_columns=tuple(new_name if same_name(each, old) else each for each in key.parent_columns)
            ),
        )

    def _rename_table(self, change: st.RenameTable) -> None:
        found = self._context.catalog.find(change.new.name)
        if found is not None and found is not self._table:
            raise ProgrammingError(f'There is a table or view "{change.new.name}" already.', change.new.span)
        new = self._table.redefined(name=change.new.name)
        self._put_with_children(new, lambda key: replace(key, parent=change.new.name))

    def _put_with_children(self, new: MemoryTable, changed: _KeyChange) -> None:
        """Puts the new table, and tables whose foreign keys to it are changed."""
        tables = {new.name: new}
        for child, _ in integrity.referrers(self._context, self._table.name):
            table = new if child is self._table else child
            constraints = [
                changed(each) if isinstance(each, ForeignKey) and same_name(each.parent, self._table.name) else each
                for each in table.constraints
            ]
            tables[table.name] = table.redefined(constraints=constraints)
        self._context.catalog.change(tables, [self._table.name])

    # --- ALTER COLUMN -------------------------------------------------------------------------------------------------

    def _change_type(self, change: st.ChangeType) -> None:
        table, place = self._table, self._place(change.column)
        # A key stays one, or is found to be none; what else is said of a column is said of its old type.
        self._check_unused(place, change.column, keys_too=False)
        type_, old = sql_type(change.type), table.columns[place]
        default = old.default
        if default is not None:
            if not can_cast(default.type, type_):
                raise ProgrammingError(
                    f"The default of the column is {default.type}, which cannot be cast to {type_}.",
                    change.type.span,
                    hint="Drop the default first.",
                )
            default = coerce(default, type_)
        columns = list(table.columns)
        columns[place] = replace(old, type=type_, default=default)
        using = {} if change.using is None else {place: change.using}
        rows = self._computed(columns, using, (), ())
        new = MemoryTable(table.name, columns, (), table.constraints, table.indexes).append([rows])
        self._check(new, change)
        self._put(new)

    def _change_default(self, change: st.ChangeDefault) -> None:
        place = self._place(change.column)
        column = self._table.columns[place]
        default = None
        if change.value is not None:
            environment = self._context.environment(self._parameters)
            default = resolve_default(change.value, column.type, column.name, environment)
        self._put(self._with_column(place, replace(column, default=default)))

    def _change_not_null(self, change: st.ChangeNotNull) -> None:
        table, place = self._table, self._place(change.column)
        if not change.not_null and any(each.is_primary and place in each.columns for each in table.unique_constraints):
            raise ProgrammingError(f'"{change.column.name}" is in the primary key.', change.column.span)
        new = self._with_column(place, replace(table.columns[place], not_null=change.not_null))
        integrity.check_rows(new, new.rows(), change.span)
        self._put(new)

    def _with_column(self, place: int, column: ColumnDefinition) -> MemoryTable:
        columns = list(self._table.columns)
        columns[place] = column
        return self._table.redefined(columns=columns)

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _computed(
        self,
        columns: Sequence[ColumnDefinition],
        using: Mapping[int, parse_tree.Expression],
        added: Sequence[ColumnDefinition],
        values: Sequence[Expression],
    ) -> Batch:
        """The rows of the table, each column cast to its new type, or that of what is to be used; and more columns."""
        table, span = self._table, Span("", 0, 0)
        source = Identifier(span=span, name=table.name, quoted=True)
        expressions = [
            using.get(place)
            or parse_tree.ColumnName(span=span, table=None, column=Identifier(span=span, name=column.name, quoted=True))
            for place, column in enumerate(table.columns)
        ]
        items = [parse_tree.SelectItem(span=each.span, expression=each, alias=None) for each in expressions]
        tree = selected(items, parse_tree.TableName(span=span, name=source, alias=None), None, span)
        environment = self._context.environment(self._parameters)
        query = resolve_query(tree, environment)
        new = [converted(query, place, column, expressions[place].span) for place, column in enumerate(columns)]
        wanted = MemoryTable.empty(table.name, [*columns, *added])
        rows, _ = rows_of(self._context.plan(query, [*new, *values], wanted.columns, environment), wanted)
        return rows


def _columns(constraint: Constraint) -> set[int]:
    """The columns that a constraint has to do with."""
    if isinstance(constraint, CheckConstraint):
        return {column.position for column in columns_of(constraint.condition)}
    return set(constraint.columns)


def _moved(constraint: Constraint, places: Mapping[int, int]) -> Constraint:
    """The constraint on columns that are in other places."""
    if isinstance(constraint, CheckConstraint):
        condition = transform(constraint.condition, lambda each: _moved_column(each, places))
        return replace(constraint, condition=condition)
    return replace(constraint, columns=tuple(places[column] for column in constraint.columns))


def _moved_column(expression: Expression, places: Mapping[int, int]) -> Expression:
    if not isinstance(expression, ColumnRef):
        return expression
    return replace(expression, column=ColumnId(0, places[expression.column.position]))


def _renamed(constraint: Constraint, place: int, name: str) -> Constraint:
    """The constraint with a column called otherwise."""
    if not isinstance(constraint, CheckConstraint):
        return constraint
    condition = transform(
        constraint.condition,
        lambda each: (
            replace(each, name=name) if isinstance(each, ColumnRef) and each.column.position == place else each
        ),
    )
    return replace(constraint, condition=condition)
