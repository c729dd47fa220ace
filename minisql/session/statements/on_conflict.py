"""ON CONFLICT, INSERT OR IGNORE and INSERT OR REPLACE: new rows whose key is in the table already.

DO UPDATE is an UPDATE FROM the rows that conflict, which go by the name of `excluded`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minisql.catalog.memory_table import MemoryTable
from minisql.columnar.column import Array, Batch
from minisql.errors import IntegrityError, NotSupportedError, ProgrammingError
from minisql.parser import statement_tree as st
from minisql.parser.parse_tree import Binary, ColumnName, Expression, Identifier, Logical, TableName
from minisql.query_block.resolve_definition import positions_of
from minisql.session.statements import integrity
from minisql.session.statements.changes import plan_update, updated
from minisql.session.statements.context import Context

_EXCLUDED = "excluded"


def resolve_conflicts(
    context: Context, statement: st.Insert, table: MemoryTable, rows: Batch, parameters: Sequence[object]
) -> tuple[MemoryTable, Batch, Batch]:
    """The table with the rows changed that conflict with new ones, these rows, and the new rows that are to be added.

    Raises:
        ProgrammingError: the columns are those of no key.
        IntegrityError: two of the new rows would change the same row.
    """
    clause = statement.on_conflict
    assert clause is not None
    keys = _keys(table, clause)
    nothing = table.without_rows().rows()
    if not clause.assignments and not clause.replaces:
        return table, nothing, _without_conflicts(table, rows, keys)
    if len(keys) != 1:
        raise NotSupportedError(
            f'"{table.name}" has {len(keys)} keys, so it is not clear which conflict is meant.',
            clause.span,
            hint="Write ON CONFLICT (columns) DO UPDATE." if keys else "It needs a primary key or a UNIQUE constraint.",
        )
    key = keys[0]
    if len(integrity.find_repeated(rows, table, key)):
        raise IntegrityError(
            "Two of the new rows have the same key, and would change the same row.",
            clause.span,
            hint="Insert one row for each key.",
        )
    conflicts = integrity.find_conflicts(table, rows, key)
    if not len(conflicts):
        return table, nothing, rows
    excluded = table.without_rows().append([rows.take(conflicts)])
    change = _as_update(statement, clause, table, key)
    plan = plan_update(context, change, parameters, {_EXCLUDED: excluded})
    new, numbers = updated(context, table, plan, clause.span)
    others = np.delete(np.arange(rows.length), conflicts)
    return new, new.rows().take(numbers), rows.take(others)


def _keys(table: MemoryTable, clause: st.OnConflict) -> list[tuple[int, ...]]:
    """The columns of the keys that a conflict may be about."""
    keys = list(dict.fromkeys(constraint.columns for constraint in table.unique_constraints))
    if not clause.columns:
        return keys
    wanted = positions_of(clause.columns, [column.name for column in table.columns], table.name)
    found = [key for key in keys if set(key) == set(wanted)]
    if not found:
        names = ", ".join(column.name for column in clause.columns)
        raise ProgrammingError(
            f'"{table.name}" has no PRIMARY KEY and no UNIQUE constraint on ({names}).',
            clause.columns[0].span.to(clause.columns[-1].span),
        )
    return found[:1]


def _without_conflicts(table: MemoryTable, rows: Batch, keys: Sequence[tuple[int, ...]]) -> Batch:
    """The rows that can be added one after the other, each that conflicts with one before left out."""
    conflicts = [integrity.find_conflicts(table, rows, key) for key in keys]
    if any(len(each) for each in conflicts):
        rows = rows.take(np.delete(np.arange(rows.length), np.unique(np.concatenate(conflicts))))
    repeated = [(key, found) for key in keys if len(found := integrity.find_repeated(rows, table, key))]
    if not repeated:
        return rows
    if len(repeated) == 1:
        return rows.take(np.delete(np.arange(rows.length), repeated[0][1]))
    return rows.take(_one_after_the_other([integrity.key_numbers(rows, table, key) for key, _ in repeated]))


def _one_after_the_other(keys: Sequence[Array]) -> Array:
    """The rows that have no number in common with a row before them that is among the result; -1 is no number.

    With several keys this depends on the order: a row that is left out for one of them does not count for the others.
    """
    seen: list[set[int]] = [set() for _ in keys]
    kept = []
    for row, numbers in enumerate(zip(*(key.tolist() for key in keys), strict=True)):
        if any(number in known for number, known in zip(numbers, seen, strict=True)):
            continue
        kept.append(row)
        for number, known in zip(numbers, seen, strict=True):
            if number >= 0:
                known.add(number)
    return np.array(kept, np.intp)


def _as_update(statement: st.Insert, clause: st.OnConflict, table: MemoryTable, key: Sequence[int]) -> st.Update:
    """UPDATE table SET assignments FROM excluded WHERE the keys are equal AND the condition of the clause."""
    span = clause.span
    target = statement.table.alias or statement.table.name
    excluded = Identifier(span=span, name=_EXCLUDED)
    assignments = clause.assignments or tuple(
        st.Assignment(span=span, column=name, value=ColumnName(span=span, table=excluded, column=name))
        for name in (Identifier(span=span, name=column.name, quoted=True) for column in table.columns)
    )
    conditions: list[Expression] = []
    for column in (table.columns[place].name for place in key):
        name = Identifier(span=span, name=column, quoted=True)
        left, right = (ColumnName(span=span, table=side, column=name) for side in (target, excluded))
        conditions.append(Binary(span=span, operator="=", left=left, right=right))
    if clause.where is not None:
        conditions.append(clause.where)
    where = conditions[0]
    if len(conditions) > 1:
        where = Logical(span=span, operator="AND", operands=tuple(conditions))
    from_ = TableName(span=span, name=excluded, alias=None)
    return st.Update(span=statement.span, table=statement.table, assignments=assignments, from_=from_, where=where)
