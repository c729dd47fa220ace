"""The nested-loop join: any condition, every join type.

The right side is held. The pairs that can match (`candidate_pairs`) are looked at in blocks of at most `batch_rows`, on
which the conditions are evaluated as on any batch. As in the hash join, FULL marks the right rows that kept a pair and
ends with a pass over the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from minisql.columnar.column import Batch, BoolArray
from minisql.datatypes import SqlType
from minisql.execution.candidate_pairs import CandidatePairs, candidate_pairs
from minisql.execution.held_rows import read_all
from minisql.execution.iterator import RowIterator
from minisql.execution.joined_rows import JoinedRows, PairFilter
from minisql.execution.progress import reported
from minisql.expression.nodes import ColumnId
from minisql.expression.walk import columns_of
from minisql.optimizer.access_path import NestedLoopJoin
from minisql.relational.relational_expression import JoinType

if TYPE_CHECKING:
    from minisql.execution.measured_join import MeasuredJoin


class NestedLoopJoinIterator(RowIterator):
    """Joins by looking at every pair of rows."""

    def __init__(
        self,
        path: NestedLoopJoin,
        left: RowIterator,
        right: RowIterator,
        columns: tuple[ColumnId, ...],
        types: Mapping[ColumnId, SqlType],
        batch_rows: int,
        measured: MeasuredJoin | None = None,
    ) -> None:
        """Gives `columns`, of those that `left` and `right` have; `types` has the type of each.

        `measured` is told the pairs that match.
        """
        self.columns = columns
        self._path = path
        self._type = path.type
        self._left, self._right = left, right
        self._batch_rows = batch_rows
        self._measured = measured
        self._filters = path.type in (JoinType.SEMI, JoinType.ANTI)
        self._keeps_left = path.type in (JoinType.LEFT, JoinType.FULL)
        read = {*columns, *(column for condition in path.conditions for column in columns_of(condition))}
        self._held_columns = [column for column in right.columns if column in read]
        self._joined = JoinedRows(columns, self._held_columns, left.columns, types)
        self._conditions: PairFilter | None = None
        if path.conditions:
            self._conditions = PairFilter(path.conditions, self._held_columns, left.columns, types)
        self._held: Batch | None = None  # None where the right side has no rows
        self._pairs: CandidatePairs | None = None
        self._marked: BoolArray = np.empty(0, np.bool_)
        self._is_reading = False
        self._output: Iterator[Batch] = iter(())

    def open(self) -> None:
        """Reads the right side."""
        self._is_reading, self._output, self._pairs = False, iter(()), None
        self._held = read_all(self._right, self._held_columns)
        if self._held is None and self._type in (JoinType.INNER, JoinType.SEMI):
            return  # nothing can come out
        if self._held is not None and self._type is JoinType.FULL:
            self._marked = np.zeros(len(self._held), np.bool_)
        if self._held is not None:
            self._pairs = candidate_pairs(self._path.conditions, self._held, self._held_columns, self._left.columns)
        self._left.open()
        self._is_reading = True

    def next(self) -> Batch | None:
        while True:
            output = next(self._output, None)
            if output is not None:
                return output
            if not self._is_reading:
                return None
            batch = self._left.next()
            if batch is not None:
                self._output = self._joined_with(batch)
            else:
                self._is_reading = False
                self._left.close()
                self._output = self._unmatched_held_rows()

    def close(self) -> None:
        self._is_reading = False
        self._output = iter(())
        self._held = self._pairs = None
        self._marked = np.empty(0, np.bool_)
        self._left.close()
        self._right.close()

    def held_bytes(self) -> int:
        pairs = 0 if self._pairs is None else self._pairs.nbytes
        return self._marked.nbytes + pairs + (0 if self._held is None else self._held.nbytes)

    def _joined_with(self, batch: Batch) -> Iterator[Batch]:
        """What comes out for a batch of the left side."""
        matched = np.zeros(len(batch), np.bool_)
        if self._held is not None and self._pairs is not None:
            pairs = self._pairs.of(batch, matched if self._filters else None, self._batch_rows)
            for rows, held_rows in reported(pairs):
                if self._conditions is not None:
                    passed = self._conditions.passed(self._held, held_rows, batch, rows)
                    rows, held_rows = rows.take(passed), held_rows.take(passed)
                if self._measured is not None:
                    self._measured.report(batch, rows, self._held, held_rows)
                matched[rows] = True
                if self._type is JoinType.FULL:
                    self._marked[held_rows] = True
                if len(rows) and not self._filters:
                    yield self._joined.pairs(self._held, held_rows, batch, rows)
        if self._filters:
            rows = np.flatnonzero(matched if self._type is JoinType.SEMI else ~matched)
            if len(rows):
                yield self._joined.passing_alone(batch, rows)
        elif self._keeps_left and not matched.all():
            yield self._joined.passing_alone(batch, np.flatnonzero(~matched))

    def _unmatched_held_rows(self) -> Iterator[Batch]:
        rows = np.flatnonzero(~self._marked)
        for start in range(0, len(rows), self._batch_rows):
            assert self._held is not None
            yield self._joined.held_alone(self._held, rows[start : start + self._batch_rows])
