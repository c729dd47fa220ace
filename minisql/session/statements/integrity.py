"""Holding constraints: what a change would make of a table is checked before it takes the place of the table.

Rows are checked all at once, columns at a time. What tells whether a key is there, a table of the keys of all rows, is
kept with the table, and goes on to the table that an INSERT makes of it: so that one more row costs no look at the
others. Only the newest table has it, since it is changed in place; an older one, that of a transaction rolled back,
makes its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from minisql.catalog.constraints import CheckConstraint, ForeignKey, UniqueConstraint
from minisql.catalog.memory_table import MemoryTable
from minisql.columnar.column import Array, Batch, Column
from minisql.columnar.python_values import to_values
from minisql.errors import IntegrityError, InternalError, Span
from minisql.execution.evaluate import compile_predicate
from minisql.execution.kernels.key_table import KeyTable
from minisql.expression.format import format_expression, format_value
from minisql.expression.nodes import ColumnId, IsTruth
from minisql.printable import MESSAGE_WIDTH, cut
from minisql.query_block.scope import same_name
from minisql.session.statements.context import Context

_MOST_VALUES: Final = 12
"""The most values of a row that a message shows."""


def check_rows(table: MemoryTable, rows: Batch, span: Span) -> None:
    """Checks what rows must have by themselves: no NULL where none may be, and the conditions of the table.

    Raises:
        IntegrityError: a row breaks one; the first such row is shown.
    """
    if not rows.length:
        return
    for place, definition in enumerate(table.columns):
        valid = rows.column(place).valid if definition.not_null else None
        if valid is not None and not valid.all():
            raise IntegrityError(
                f'The column "{definition.name}" of "{table.name}" is NOT NULL, and would be NULL in the row '
                f"{_shown(rows, int(np.argmin(valid)))}.",
                span,
            )
    columns = [ColumnId(0, place) for place in range(len(table.columns))]
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint):
            is_false = IsTruth(operand=constraint.condition, truth=False, negated=False)
            failing = compile_predicate([is_false], columns)(rows)
            if len(failing):
                raise IntegrityError(
                    f'The row {_shown(rows, int(failing[0]))} breaks the constraint "{constraint.name}" of '
                    f'"{table.name}": CHECK ({format_expression(constraint.condition)}).',
                    span,
                )


# --- keys -------------------------------------------------------------------------------------------------------------


def find_conflicts(table: MemoryTable, rows: Batch, columns: Sequence[int]) -> Array:
    """The numbers of the new rows whose key is in the table already, ascending."""
    return np.flatnonzero(_keys_of(table, columns).lookup(_part(rows, columns)) >= 0)


def find_repeated(rows: Batch, types_of: MemoryTable, columns: Sequence[int]) -> Array:
    """The numbers of the rows whose key an earlier row has, ascending."""
    if rows.length < 2:
        return np.empty(0, np.intp)
    keys = _empty_keys(types_of, columns)
    return _repeated(keys, keys.insert(_part(rows, columns)))


def key_numbers(rows: Batch, types_of: MemoryTable, columns: Sequence[int]) -> Array:
    """A number for the key of each row, the same for the same key; -1 where there is a NULL in it."""
    return _empty_keys(types_of, columns).insert(_part(rows, columns))


def check_appended_keys(table: MemoryTable, rows: Batch, span: Span) -> None:
    """Checks that new rows have new keys.

    Raises:
        IntegrityError: a key is in the table, or occurs twice among the rows.
    """
    for constraint in table.unique_constraints:
        for found in (
            find_conflicts(table, rows, constraint.columns),
            find_repeated(rows, table, constraint.columns),
        ):
            if len(found):
                raise _duplicate(table, constraint, rows, int(found[0]), span)


def check_all_keys(table: MemoryTable, changed: Collection[int] | None, span: Span | None) -> None:
    """Checks the keys of all rows, of those keys that have a column among the `changed` ones (None: all).

    Raises:
        IntegrityError: two rows have the same key.
    """
    for constraint in table.unique_constraints:
        if changed is not None and not set(constraint.columns) & set(changed):
            continue
        keys = _empty_keys(table, constraint.columns)
        rows = table.rows()
        repeated = _repeated(keys, keys.insert(_part(rows, constraint.columns)))
        if len(repeated):
            raise _duplicate(table, constraint, rows, int(repeated[0]), span)
        table.derived[constraint.columns] = keys


def hand_on_keys(old: MemoryTable, new: MemoryTable, appended: Batch | None, changed: Collection[int]) -> None:
    """Gives what is known of the keys of a table to the one that takes its place, behind which others see it.

    `appended` are the rows that the new one has in addition; `changed` are columns that have other values.
    """
    for columns in [each for each in old.derived if isinstance(each, tuple)]:
        if columns in new.derived or set(columns) & set(changed):
            continue
        keys = old.derived.pop(columns)
        if appended is not None:
            keys.insert(_part(appended, columns))
        new.derived[columns] = keys


def _keys_of(table: MemoryTable, columns: Sequence[int]) -> KeyTable:
    known = table.derived.get(tuple(columns))
    if known is None:
        known = _empty_keys(table, columns)
        known.insert(_part(table.rows(), columns))
        table.derived[tuple(columns)] = known
    if not isinstance(known, KeyTable):
        raise InternalError("What is kept for the columns of a key is no table of keys.")
    return known


def _empty_keys(table: MemoryTable, columns: Sequence[int]) -> KeyTable:
    types = [table.columns[column].type for column in columns]
    return KeyTable(types, [False] * len(types), table.row_count())


def _part(rows: Batch, columns: Sequence[int]) -> list[Column]:
    return [rows.column(column) for column in columns]


def _repeated(keys: KeyTable, ids: Array) -> Array:
    """The rows that have the id of an earlier row: ids are numbered as they first appear."""
    if len(keys) == np.count_nonzero(ids >= 0):
        return np.empty(0, np.intp)
    highest = np.maximum.accumulate(ids)
    is_first = np.empty(len(ids), np.bool_)
    is_first[0] = True
    is_first[1:] = ids[1:] > highest[:-1]
    return np.flatnonzero(~is_first & (ids >= 0))


def _duplicate(
    table: MemoryTable, constraint: UniqueConstraint, rows: Batch, row: int, span: Span | None
) -> IntegrityError:
    names = ", ".join(table.columns[column].name for column in constraint.columns)
    return IntegrityError(
        f'Two rows of "{table.name}" would have the key ({names}) = {_shown(rows, row, constraint.columns)}, which '
        f'the constraint "{constraint.name}" ({constraint.kind}) forbids.',
        span,
    )


# --- references -------------------------------------------------------------------------------------------------------


def check_references(
    context: Context,
    table: MemoryTable,
    rows: Batch,
    changed: Collection[int] | None,
    span: Span | None,
    *,
    are_new: bool = False,
) -> None:
    """Checks that rows of a table refer to rows that are there: in other tables, or in this one.

    The table is as it will be, or, where the rows `are_new`, as it was without them.

    Raises:
        IntegrityError: a row refers to nothing.
    """
    for key in table.constraints:
        if not isinstance(key, ForeignKey) or (changed is not None and not set(key.columns) & set(changed)):
            continue
        is_own = same_name(key.parent, table.name)
        parent = table if is_own else context.catalog.find(key.parent)
        if not isinstance(parent, MemoryTable):
            raise InternalError(f'"{key.parent}", to which "{table.name}" refers, is no table.')
        lost = _without_parent(rows, key, parent)
        if len(lost) and is_own and are_new:
            lost = np.intersect1d(lost, _without_parent(rows, key, table.without_rows().append([rows])))
        if len(lost):
            raise IntegrityError(
                f'The row {_shown(rows, int(lost[0]))} of "{table.name}" refers to a row of "{key.parent}" that is '
                f'not there: constraint "{key.name}" (FOREIGN KEY).',
                span,
            )


def check_referrers(context: Context, new: MemoryTable, changed: Collection[int] | None, span: Span | None) -> None:
    """Checks that no row of another table, or of this one, refers to what the new table has no more.

    Raises:
        IntegrityError: a row refers to nothing then.
    """
    for child, key in referrers(context, new.name):
        table = new if same_name(child.name, new.name) else child
        if changed is not None and not set(_parent_places(key, new)) & set(changed):
            continue
        rows = table.rows()
        lost = _without_parent(rows, key, new)
        if len(lost):
            raise IntegrityError(
                f'The row {_shown(rows, int(lost[0]))} of "{child.name}" refers to a row of "{new.name}" that would '
                f'be gone: constraint "{key.name}" (FOREIGN KEY).',
                span,
            )


def referrers(context: Context, name: str) -> list[tuple[MemoryTable, ForeignKey]]:
    """The tables that have a foreign key to this one, itself included."""
    return [
        (table, key)
        for _, table in context.catalog.tables()
        if isinstance(table, MemoryTable)
        for key in table.constraints
        if isinstance(key, ForeignKey) and same_name(key.parent, name)
    ]


def _without_parent(rows: Batch, key: ForeignKey, parent: MemoryTable) -> Array:
    columns = _part(rows, key.columns)
    ids = _keys_of(parent, _parent_places(key, parent)).lookup(columns)
    is_lost = ids < 0
    for column in columns:
        if column.valid is not None:
            is_lost &= column.valid
    return np.flatnonzero(is_lost)


def _parent_places(key: ForeignKey, parent: MemoryTable) -> tuple[int, ...]:
    names = [column.name.lower() for column in parent.columns]
    return tuple(names.index(column.lower()) for column in key.parent_columns)


def _shown(rows: Batch, row: int, columns: Sequence[int] | None = None) -> str:
    """A row, or some columns of it, for a message."""
    places = range(rows.width) if columns is None else columns
    values = [to_values(rows.column(place).slice(row, row + 1))[0] for place in places]
    shown = [cut(format_value(value), MESSAGE_WIDTH) for value in values[:_MOST_VALUES]]
    return f"({', '.join(shown)}{', ...' if len(values) > _MOST_VALUES else ''})"
