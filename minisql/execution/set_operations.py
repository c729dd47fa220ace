"""UNION, INTERSECT and EXCEPT, with ALL or without. NULLs are equal to each other.

UNION ALL passes the batches of its inputs on. UNION passes the rows whose key is new to a table of keys. INTERSECT and
EXCEPT put the right side into the table first; with ALL, each of its rows pairs off with one row of the left.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minisql.columnar.column import Array, Batch, Column
from minisql.errors import InternalError
from minisql.execution.iterator import RowIterator
from minisql.execution.kernels.growing import GrowingArray
from minisql.execution.kernels.key_table import KeyTable
from minisql.execution.kernels.row_lists import occurrence_numbers
from minisql.expression.nodes import ColumnId
from minisql.optimizer.access_path import SetOperation
from minisql.relational.relational_expression import SetOperator


class UnionAllIterator(RowIterator):
    """Gives the rows of its inputs, one input after the other. An input is opened when the one before has ended."""

    def __init__(
        self, columns: Sequence[ColumnId], inputs: Sequence[RowIterator], input_columns: Sequence[Sequence[ColumnId]]
    ) -> None:
        """`input_columns[i]` are those of `inputs[i]` that become `columns`."""
        self.columns = tuple(columns)
        self._inputs = list(inputs)
        self._places = [
            [input_.columns.index(column) for column in wanted]
            for input_, wanted in zip(inputs, input_columns, strict=True)
        ]
        self._current = 0

    def open(self) -> None:
        self._current = 0
        self._inputs[0].open()

    def next(self) -> Batch | None:
        while (batch := self._inputs[self._current].next()) is None:
            self._inputs[self._current].close()
            if self._current + 1 == len(self._inputs):
                return None
            self._current += 1
            self._inputs[self._current].open()
        return batch.project(self._places[self._current])

    def close(self) -> None:
        for input_ in self._inputs:
            input_.close()


class SetOperationIterator(RowIterator):
    """The other set operations: a table of keys, which are whole rows, decides which rows pass."""

    def __init__(self, path: SetOperation, left: RowIterator, right: RowIterator, positions: Sequence[int]) -> None:
        """`positions` are those of the columns that are wanted."""
        self.columns = tuple(ColumnId(path.table, position) for position in positions)
        self._operator = path.operator
        self._sides = [
            (side, [side.columns.index(column) for column in columns])
            for side, columns in ((left, path.left_columns), (right, path.right_columns))
        ]
        self._positions = list(positions)
        # UNION and EXCEPT pass a row that is new; in the others, rows of the two sides pair off.
        self._pairs_off = path.operator is SetOperator.INTERSECT or path.all
        self._is_bag = path.all
        self._types = path.types
        self._table: KeyTable | None = None
        self._unpaired = np.empty(0, np.int64)  # rows of the right side that may still pair off, by key
        self._to_read: list[tuple[RowIterator, list[int]]] = []

    def open(self) -> None:
        """Reads the right side, but for UNION."""
        self._table = KeyTable(self._types, [True] * len(self._types))
        if self._operator is SetOperator.UNION:
            self._to_read = self._sides[::-1]
        else:
            self._read_right()
            self._to_read = self._sides[:1]
        self._to_read[-1][0].open()

    def next(self) -> Batch | None:
        while self._to_read:
            source, places = self._to_read[-1]
            batch = source.next()
            if batch is not None:
                batch = batch.project(places)
                rows = self._passing(batch.columns)
                if len(rows):
                    return batch.select(rows).project(self._positions)
                continue
            source.close()
            self._to_read.pop()
            if self._to_read:
                self._to_read[-1][0].open()
        return None

    def close(self) -> None:
        self._table = None
        self._unpaired = np.empty(0, np.int64)
        self._to_read = []
        for side, _ in self._sides:
            side.close()

    def held_bytes(self) -> int:
        return self._unpaired.nbytes + (0 if self._table is None else self._table.nbytes)

    def _read_right(self) -> None:
        right, places = self._sides[1]
        right.open()
        counts = GrowingArray(np.int64)
        while (batch := right.next()) is not None:
            ids, new_rows = self._keys.insert_and_tell_new(batch.project(places).columns)
            if self._pairs_off:
                counts.append(np.zeros(len(new_rows), np.int64))
                np.add.at(counts.used(), ids, 1)
        right.close()
        self._unpaired = counts.used() if self._is_bag else np.minimum(counts.used(), 1)

    def _passing(self, columns: Sequence[Column]) -> Array:
        """The rows of a batch that come out."""
        if not self._pairs_off:
            return self._keys.insert_and_tell_new(columns)[1]
        ids = self._keys.lookup(columns)
        known = np.flatnonzero(ids >= 0)
        known_ids = ids.take(known)
        pairing = np.flatnonzero(occurrence_numbers(known_ids) < self._unpaired.take(known_ids))
        np.subtract.at(self._unpaired, known_ids.take(pairing), 1)
        paired = known.take(pairing)
        if self._operator is SetOperator.INTERSECT:
            return paired
        others = np.ones(len(ids), np.bool_)
        others[paired] = False
        return np.flatnonzero(others)

    @property
    def _keys(self) -> KeyTable:
        if self._table is None:
            raise InternalError("A set operation was used while it was closed.")
        return self._table
