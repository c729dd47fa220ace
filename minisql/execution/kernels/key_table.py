"""The table for keys of any types: a dense number for every distinct row of several columns.

In come key columns, out go ids from 0 in the order in which the keys first appeared. The one table serves joins, GROUP
BY, DISTINCT and set operations. A key column becomes exact integers first (`key_parts`); then the table is in one of
three states (`key_states`), and goes from one to another when rows come that do not fit, without a change of ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from minisql.columnar.column import Array, BoolArray, Column, IndexArray
from minisql.datatypes import SqlType
from minisql.execution.kernels.key_parts import KeyPart, make_key_part
from minisql.execution.kernels.key_states import KeyState, Values, next_state, slice_values
from minisql.execution.kernels.lookup_table import blocks


class KeyTable:
    """Ids of rows of key columns. Looking up changes nothing but caches."""

    def __init__(self, types: Sequence[SqlType], nulls_equal: Sequence[bool], expected: int = 0) -> None:
        """A NULL equals another where `nulls_equal`; elsewhere a row with a NULL is never in the table.

        `expected` is how many rows will be inserted, as far as that is known.
        """
        self._parts: list[KeyPart] = [make_key_part(type_) for type_ in types]
        self._nulls_equal = tuple(nulls_equal)
        self._expected = expected
        self._state: KeyState | None = None

    def __len__(self) -> int:
        return 0 if self._state is None else len(self._state)

    @property
    def nbytes(self) -> int:
        """Bytes of everything in the table."""
        return sum(part.nbytes for part in self._parts) + (0 if self._state is None else self._state.nbytes)

    def insert(self, columns: Sequence[Column]) -> Array:
        """The ids of the rows (int32), -1 where a row has a NULL that equals nothing; it is not inserted."""
        comparable = self._comparable(columns)
        if comparable is None or comparable.all():
            ids = np.empty(len(columns[0]), np.int32)
            for block, block_ids, _ in self._insert(columns):
                ids[block] = block_ids
            return ids
        rows = np.flatnonzero(comparable)
        ids = np.full(len(comparable), -1, np.int32)
        for block, block_ids, _ in self._insert([column.take(rows) for column in columns]):
            ids[rows[block]] = block_ids
        return ids

    def insert_and_tell_new(self, columns: Sequence[Column]) -> tuple[Array, IndexArray]:
        """The same where all NULLs are equal, and the rows that brought a new key, in the order of the new ids."""
        ids = np.empty(len(columns[0]), np.int32)
        new_rows = [np.empty(0, np.intp)]
        for block, ids[block], fresh in self._insert(columns):
            new_rows.append(fresh + block.start)
        return ids, np.concatenate(new_rows) if len(new_rows) > 2 else new_rows[-1]

    def lookup(self, columns: Sequence[Column]) -> Array:
        """The ids of the rows (int32), -1 where a key is not in the table."""
        length = len(columns[0])
        ids = np.full(length, -1, np.int32)
        if self._state is None:
            return ids
        values = [
            self._values(part.lookup(column), column.valid, nulls_equal)
            for part, column, nulls_equal in zip(self._parts, columns, self._nulls_equal, strict=True)
        ]
        for block in blocks(length):
            ids[block] = self._state.lookup(slice_values(values, block))
        comparable = self._comparable(columns)
        if comparable is not None:
            ids[np.flatnonzero(~comparable)] = -1
        return ids

    def _comparable(self, columns: Sequence[Column]) -> BoolArray | None:
        """Which rows have no NULL that equals nothing; None where all."""
        result: BoolArray | None = None
        for column, nulls_equal in zip(columns, self._nulls_equal, strict=True):
            if column.valid is not None and not nulls_equal:
                result = column.valid if result is None else result & column.valid
        return result

    @staticmethod
    def _values(integers: Array, valid: BoolArray | None, nulls_equal: bool) -> Values:
        return integers, valid if nulls_equal and valid is not None and not valid.all() else None

    def _insert(self, columns: Sequence[Column]) -> Iterator[tuple[slice, Array, IndexArray]]:
        """Block by block, the ids and the rows of the block that brought a new key."""
        values = [
            self._values(part.insert(column), column.valid, nulls_equal)
            for part, column, nulls_equal in zip(self._parts, columns, self._nulls_equal, strict=True)
        ]
        length = len(columns[0])
        hints = [None if column.values.dtype.kind not in "iu" else column.bounds for column in columns]
        for block in blocks(length):
            while self._state is None or (inserted := self._state.insert(slice_values(values, block))) is None:
                coming = slice_values(values, slice(block.start, length))
                self._state = next_state(self._state, coming, hints, self._expected)
            yield block, *inserted
