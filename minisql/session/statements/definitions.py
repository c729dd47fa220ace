"""CREATE TABLE, CREATE VIEW, CREATE INDEX and DROP: what names mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from minisql.catalog.constraints import ForeignKey, Index
from minisql.catalog.memory_table import MemoryTable
from minisql.catalog.table import ColumnDefinition
from minisql.datatypes import INTEGER, SqlType, TypeKind
from minisql.errors import ProgrammingError, counted, did_you_mean
from minisql.parser import statement_tree as st
from minisql.parser.parse_tree import Identifier
from minisql.query_block.environment import View
from minisql.query_block.resolve import resolve_query
from minisql.query_block.resolve_definition import TableDefinition, check_count, position_of, positions_of
from minisql.query_block.scope import same_name
from minisql.session.result import Result
from minisql.session.statements import integrity
from minisql.session.statements.changes import assigned, rows_of
from minisql.session.statements.context import Context

NOTHING_CHANGED = -1
"""The row count of a statement that changes no rows."""


def create_table(context: Context, statement: st.CreateTable, parameters: Sequence[object]) -> Result:
    """Runs CREATE TABLE, also AS a query."""
    if not _may_create(context, statement.name, "table", statement.if_not_exists, statement.or_replace):
        return Result(rowcount=NOTHING_CHANGED)
    name = statement.name.name
    _check_replaced(context, name, statement.name)
    environment = context.environment(parameters)
    if statement.query is None:
        definition = TableDefinition(name)
        definition.add_columns(statement.columns, environment)
        for tree in statement.constraints:
            definition.add_constraint(tree, environment)
        table = MemoryTable(name, definition.columns, (), definition.constraints)
        trees = [each for column in statement.columns for each in column.constraints] + list(statement.constraints)
        table = with_parents(context, table, trees)
        context.catalog.put(name, table)
        return Result(rowcount=NOTHING_CHANGED)
    query = resolve_query(statement.query, environment)
    types = [INTEGER if type_.kind is TypeKind.NULL else type_ for type_ in query.types]
    columns = [ColumnDefinition(column, type_) for column, type_ in zip(query.names, types, strict=True)]
    _check_names([statement.name] * len(columns), query.names)
    table = MemoryTable.empty(name, columns)
    values = assigned(query, range(len(columns)), columns, environment, statement.query.span)
    rows, warnings = rows_of(context.plan(query, values, columns, environment), table)
    context.catalog.put(name, table.append([rows]))
    return Result(rowcount=rows.length, warnings=warnings)


def create_view(context: Context, statement: st.CreateView, parameters: Sequence[object]) -> Result:
    """Runs CREATE VIEW."""
    if parameters:
        raise ProgrammingError("A view takes no parameters.", statement.span)
    if not _may_create(context, statement.name, "view", statement.if_not_exists, statement.or_replace):
        return Result(rowcount=NOTHING_CHANGED)
    query = resolve_query(statement.query, context.environment(()))
    if len(statement.columns) > len(query.names):
        raise ProgrammingError(
            f"The query has {counted(len(query.names), 'column')}.", statement.columns[len(query.names)].span
        )
    _check_names(statement.columns, [column.name for column in statement.columns])
    context.catalog.put(statement.name.name, View(statement.name.name, statement.query, statement.columns))
    return Result(rowcount=NOTHING_CHANGED)


def create_index(context: Context, statement: st.CreateIndex) -> Result:
    """Runs CREATE INDEX."""
    table = context.stored_table(statement.table)
    places = tuple(positions_of(statement.columns, [column.name for column in table.columns], table.name))
    if statement.name is None:
        name = _free_index_name(context, f"{table.name}_{'_'.join(table.columns[p].name for p in places)}_idx")
    else:
        name = statement.name.name
        if _find_index(context, name) is not None:
            if statement.if_not_exists:
                return Result(rowcount=NOTHING_CHANGED)
            raise ProgrammingError(f'There is an index "{name}" already.', statement.name.span)
    new = table.redefined(indexes=(*table.indexes, Index(name, places, statement.unique)))
    if statement.unique:
        integrity.check_all_keys(new, places, statement.span)
    context.catalog.put(table.name, new)
    return Result(rowcount=NOTHING_CHANGED)


def drop(context: Context, statement: st.Drop) -> Result:
    """Runs DROP TABLE, VIEW or INDEX."""
    name, kind = statement.name.name, statement.kind.lower()
    if kind == "index":
        return _drop_index(context, statement)
    found = context.catalog.find(name)
    word = "view" if isinstance(found, View) else "table"
    if found is None:
        if statement.if_exists:
            return Result(rowcount=NOTHING_CHANGED)
        hint = did_you_mean(name, context.catalog.names())
        raise ProgrammingError(f'There is no {kind} "{name}".', statement.name.span, hint=hint)
    if word != kind:
        raise ProgrammingError(f'"{name}" is a {word}.', statement.name.span, hint=f"Write DROP {word.upper()} {name}.")
    _check_replaced(context, name, statement.name)
    context.catalog.remove(name)
    return Result(rowcount=NOTHING_CHANGED)


# --- references -------------------------------------------------------------------------------------------------------


def with_parents(context: Context, table: MemoryTable, trees: Sequence[object]) -> MemoryTable:
    """The table with the parents of its foreign keys looked up: that they are there, and have such a key.

    Args:
        context: where the parents are.
        table: a table whose foreign keys may name no columns of the parent, which means its primary key.
        trees: the foreign keys as written, in the order of those in the table that are new, and other things.

    Raises:
        ProgrammingError: there is no such parent or key, or the types differ.
    """
    waiting = [tree for tree in trees if isinstance(tree, st.ForeignKey)]
    constraints = list(table.constraints)
    places = [place for place, each in enumerate(constraints) if isinstance(each, ForeignKey)]
    for place, tree in zip(places[len(places) - len(waiting) :], waiting, strict=True):
        key = constraints[place]
        assert isinstance(key, ForeignKey)
        constraints[place] = _with_parent(context, table, key, tree)
    return table.redefined(constraints=constraints)


def _with_parent(context: Context, table: MemoryTable, key: ForeignKey, tree: st.ForeignKey) -> ForeignKey:
    parent = table if same_name(tree.parent.name, table.name) else context.stored_table(tree.parent)
    names = [column.name for column in parent.columns]
    if tree.parent_columns:
        places = tuple(positions_of(tree.parent_columns, names, parent.name))
    else:
        primary = [each.columns for each in parent.unique_constraints if each.is_primary]
        if not primary:
            raise ProgrammingError(f'"{parent.name}" has no primary key.', tree.span, hint="Name the columns of a key.")
        places = primary[0]
    check_count(len(key.columns), len(places), "The key", tree.span, parent.name)
    if not any(set(each.columns) == set(places) for each in parent.unique_constraints):
        raise ProgrammingError(
            f'"{parent.name}" has no PRIMARY KEY and no UNIQUE constraint on '
            f"({', '.join(names[place] for place in places)}), to which a foreign key could refer.",
            tree.span,
        )
    for own, other in zip(key.columns, places, strict=True):
        left, right = table.columns[own], parent.columns[other]
        if not _comparable(left.type, right.type):
            raise ProgrammingError(
                f'"{left.name}" is {left.type}, "{right.name}" of "{parent.name}" is {right.type}.', tree.span
            )
    return replace(key, parent=parent.name, parent_columns=tuple(names[place] for place in places))


def _comparable(left: SqlType, right: SqlType) -> bool:
    return left == right or (left.is_integer and right.is_integer)


def _check_replaced(context: Context, name: str, place: Identifier) -> None:
    """Raises where a table that is to go away is the parent of another."""
    children = [table for table, _ in integrity.referrers(context, name) if not same_name(table.name, name)]
    if children:
        raise ProgrammingError(
            f'A foreign key of "{children[0].name}" refers to "{name}".',
            place.span,
            hint=f'Drop "{children[0].name}" or its constraint first.',
        )


# --- names ------------------------------------------------------------------------------------------------------------


def _may_create(context: Context, name: Identifier, kind: str, if_not_exists: bool, or_replace: bool) -> bool:
    """Whether the name is free or may be taken; False where IF NOT EXISTS says to do nothing."""
    found = context.catalog.find(name.name)
    if found is None:
        if "." in name.name and not name.quoted:
            raise ProgrammingError(f"The only schema that takes new names is main, not {name.name}.", name.span)
        return True
    if if_not_exists:
        return False
    existing = "view" if isinstance(found, View) else "table"
    if or_replace and existing == kind:
        return True
    hint = f"CREATE OR REPLACE {kind.upper()} replaces it." if existing == kind else None
    raise ProgrammingError(f'There is a {existing} "{name.name}" already.', name.span, hint=hint)


def _check_names(places: Sequence[Identifier], names: Sequence[str]) -> None:
    """Raises where a name occurs twice; `places` are where the names stand."""
    for position, name in enumerate(names):
        if any(same_name(name, earlier) for earlier in names[:position]):
            raise ProgrammingError(
                f'Two columns are named "{name}".', places[position].span, hint="Give one of them another name."
            )


def _indexes(context: Context) -> list[tuple[MemoryTable, Index]]:
    tables = [table for _, table in context.catalog.tables() if isinstance(table, MemoryTable)]
    return [(table, index) for table in tables for index in table.indexes]


def _find_index(context: Context, name: str) -> tuple[MemoryTable, Index] | None:
    return next((found for found in _indexes(context) if same_name(found[1].name, name)), None)


def _free_index_name(context: Context, first: str) -> str:
    name, number = first, 0
    while _find_index(context, name) is not None:
        number += 1
        name = f"{first}{number}"
    return name


def _drop_index(context: Context, statement: st.Drop) -> Result:
    found = _find_index(context, statement.name.name)
    if found is not None:
        table, index = found
        if index.unique:
            check_key_is_free(context, table, index.columns, statement.name)
        context.catalog.put(table.name, table.redefined(indexes=[each for each in table.indexes if each is not index]))
    elif not statement.if_exists:
        hint = did_you_mean(statement.name.name, [index.name for _, index in _indexes(context)])
        raise ProgrammingError(f'There is no index "{statement.name.name}".', statement.name.span, hint=hint)
    return Result(rowcount=NOTHING_CHANGED)


def check_key_is_free(context: Context, table: MemoryTable, columns: Sequence[int], place: Identifier) -> None:
    """Raises where a foreign key refers to these columns of a table, and no other key of it has the same."""
    if sum(set(each.columns) == set(columns) for each in table.unique_constraints) > 1:
        return
    names = [column.name for column in table.columns]
    for child, key in integrity.referrers(context, table.name):
        wanted = {position_of(Identifier(span=place.span, name=each), names, table.name) for each in key.parent_columns}
        if wanted == set(columns):
            raise ProgrammingError(
                f'The constraint "{key.name}" of "{child.name}" refers to this key.',
                place.span,
                hint="Drop that constraint first.",
            )
