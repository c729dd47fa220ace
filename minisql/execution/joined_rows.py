"""Batches of joined rows, made from row numbers on either side of a join."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minisql.columnar.column import Array, Batch, BoolArray, Column, all_null
from minisql.datatypes import SqlType
from minisql.errors import InternalError
from minisql.execution.evaluate import compile_predicate
from minisql.expression.nodes import ColumnId, Expression
from minisql.expression.walk import columns_of


class JoinedRows:
    """Makes batches with given columns from rows of a held side and a passing one.

    The held side is one large batch (a build side), the passing one comes batch by batch. Row numbers of None stand for
    all rows in their order.
    """

    def __init__(
        self,
        columns: Sequence[ColumnId],
        held: Sequence[ColumnId],
        passing: Sequence[ColumnId],
        types: Mapping[ColumnId, SqlType],
    ) -> None:
        """`columns` go out; `held` and `passing` are the columns that the sides have."""
        held_places = {column: place for place, column in enumerate(held)}
        passing_places = {column: place for place, column in enumerate(passing)}
        self._types = [types[column] for column in columns]
        self._places: list[tuple[bool, int]] = []
        for column in columns:
            if column in held_places:
                self._places.append((True, held_places[column]))
            elif column in passing_places:
                self._places.append((False, passing_places[column]))
            else:
                raise InternalError(f"No side of the join has the column {column}.")
        self._has_held = any(is_held for is_held, _ in self._places)

    def pairs(self, held: Batch, held_rows: Array, passing: Batch, passing_rows: Array | None) -> Batch:
        """Row `held_rows[i]` beside row `passing_rows[i]`; a held row of -1 is one of NULLs."""
        if not self._has_held:
            return self.passing_alone(passing, passing_rows)
        if passing_rows is not None:
            passing = passing.take(passing_rows)
        is_there: BoolArray | None = None
        if held_rows.min(initial=0) < 0:
            is_there = held_rows >= 0
        columns = []
        for is_held, place in self._places:
            if not is_held:
                columns.append(passing.column(place))
            elif is_there is None:
                columns.append(held.column(place).take(held_rows))
            else:
                columns.append(_take_padded(held.column(place), held_rows, is_there))
        return Batch(columns, len(held_rows))

    def held_alone(self, held: Batch, held_rows: Array) -> Batch:
        """Rows of the held side beside NULLs."""
        columns = [
            held.column(place).take(held_rows) if is_held else all_null(type_, len(held_rows))
            for (is_held, place), type_ in zip(self._places, self._types, strict=True)
        ]
        return Batch(columns, len(held_rows))

    def passing_alone(self, passing: Batch, passing_rows: Array | None) -> Batch:
        """Rows of the passing side, beside NULLs where there are columns of the held side."""
        if passing_rows is not None:
            passing = passing.take(passing_rows)
        if not self._has_held:
            return passing.project([place for _, place in self._places])
        columns = [
            all_null(type_, len(passing)) if is_held else passing.column(place)
            for (is_held, place), type_ in zip(self._places, self._types, strict=True)
        ]
        return Batch(columns, len(passing))


def _take_padded(column: Column, rows: Array, is_there: BoolArray) -> Column:
    """The rows of a column that is not empty, NULL where the row is not there (-1)."""
    values = column.values.take(rows, mode="clip")
    valid = is_there if column.valid is None else column.valid.take(rows, mode="clip") & is_there
    return Column(column.type, values, valid, column.pool, column.bounds)


class PairFilter:
    """Conditions on pairs of rows. Only the columns that they read are gathered."""

    def __init__(
        self,
        conditions: Sequence[Expression],
        held: Sequence[ColumnId],
        passing: Sequence[ColumnId],
        types: Mapping[ColumnId, SqlType],
    ) -> None:
        """`held` and `passing` are the columns that the sides have."""
        columns = sorted({column for condition in conditions for column in columns_of(condition)})
        self._pairs = JoinedRows(columns, held, passing, types)
        self._predicate = compile_predicate(conditions, columns)

    def passed(self, held: Batch, held_rows: Array, passing: Batch, passing_rows: Array | None) -> Array:
        """The numbers of the pairs for which every condition is TRUE."""
        return self._predicate(self._pairs.pairs(held, held_rows, passing, passing_rows))
