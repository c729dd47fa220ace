"""The hash join, every join type in one state machine.

    BUILD      open() reads the build side and puts its keys into a table
    PROBE      for each probe batch: pairs of equal keys, then the residual conditions on these pairs; then pairs come
               out, or probe rows with or without a pair, as the type of the join wants
    UNMATCHED  the build rows that found no pair (FULL, and LEFT with the left side built), NULLs beside them; or the
               build rows with a pair or without (SEMI and ANTI with the left side built)
    END

FULL JOIN is thus a LEFT JOIN followed by an anti-join pass over the build rows. A build row is marked as matched when
a pair has passed the residual conditions, never before. Without residual conditions every row with a key is matched
when one is, so the marks are on keys, and rows need not be paired to be marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, assert_never

import numpy as np

from minisql.columnar.column import Array, Batch, BoolArray, Column
from minisql.datatypes import SqlType
from minisql.execution.evaluate import compile_expression
from minisql.execution.held_rows import read_all
from minisql.execution.iterator import RowIterator
from minisql.execution.joined_rows import JoinedRows, PairFilter
from minisql.execution.kernels.key_table import KeyTable
from minisql.execution.kernels.row_lists import RowLists
from minisql.execution.progress import reported
from minisql.execution.recursion import Kept
from minisql.expression.nodes import ColumnId
from minisql.expression.walk import columns_of
from minisql.optimizer.access_path import HashJoin
from minisql.relational.relational_expression import JoinType

if TYPE_CHECKING:
    from minisql.execution.measured_join import MeasuredJoin


class _State(Enum):
    PROBE = "probe"
    UNMATCHED = "unmatched"
    END = "end"


class _BuildTable:
    """The build side: its rows, and which of them have a key. Read-only, so that workers may share it."""

    def __init__(self, rows: Batch, keys: Sequence[Column], nulls_equal: Sequence[bool]) -> None:
        self.rows = rows
        self.keys = KeyTable([key.type for key in keys], nulls_equal, len(rows))
        self.lists = RowLists(self.keys.insert(keys), len(self.keys))

    @property
    def nbytes(self) -> int:
        return self.rows.nbytes + self.keys.nbytes + self.lists.nbytes


class HashJoinIterator(RowIterator):
    """Joins by a table over one side, probed by the other."""

    def __init__(
        self,
        path: HashJoin,
        left: RowIterator,
        right: RowIterator,
        columns: tuple[ColumnId, ...],
        types: Mapping[ColumnId, SqlType],
        batch_rows: int,
        kept_table: Kept[_BuildTable | None] | None = None,
        measured: MeasuredJoin | None = None,
    ) -> None:
        """Gives `columns`, of those that `left` and `right` have; `types` has the type of each.

        With `kept_table`, the build side is read only once, however often the iterator is opened. `measured` is told
        the pairs that match, where there are residual conditions.
        """
        self.columns = columns
        self._path = path
        self._batch_rows = batch_rows
        self._build, self._probe = (left, right) if path.build_left else (right, left)
        is_full, is_left = path.type is JoinType.FULL, path.type is JoinType.LEFT
        self._filters = path.type in (JoinType.SEMI, JoinType.ANTI)
        self._keeps_probe = is_full or (is_left and not path.build_left)
        # Whether build rows come out at the end because of their marks.
        self._marks = is_full or (path.build_left and (is_left or self._filters))
        probe_keys = [key.right if path.build_left else key.left for key in path.keys]
        self._probe_keys = [compile_expression(expression, self._probe.columns) for expression in probe_keys]

        read_later = {*columns, *(column for condition in path.residual for column in columns_of(condition))}
        kept = [column for column in self._build.columns if column in read_later]
        build_keys = [key.left if path.build_left else key.right for key in path.keys]
        key_columns = {column for expression in build_keys for column in columns_of(expression)}
        # The columns that are kept come first, those that only the keys read last.
        self._read = [*kept, *(c for c in self._build.columns if c in key_columns and c not in read_later)]
        self._kept_count = len(kept)
        self._build_keys = [compile_expression(expression, self._read) for expression in build_keys]
        self._joined = JoinedRows(columns, kept, self._probe.columns, types)
        self._residual: PairFilter | None = None
        if path.residual:
            self._residual = PairFilter(path.residual, kept, self._probe.columns, types)

        self._state = _State.END
        self._kept_table = kept_table
        self._measured = measured
        self._table: _BuildTable | None = None  # None where the build side has no rows
        self._marked: BoolArray = np.empty(0, np.bool_)  # by id, or by row where there are residual conditions
        self._output: Iterator[Batch] = iter(())

    def open(self) -> None:
        """Reads the build side."""
        self._state, self._output = _State.END, iter(())
        if self._kept_table is None:
            self._table = self._read_build_side()
        else:
            if not self._kept_table.is_there:
                self._kept_table.put(self._read_build_side())
            self._table = self._kept_table.get()
        table = self._table
        if table is not None:
            if self._marks:
                self._marked = np.zeros(len(table.keys) if self._residual is None else len(table.rows), np.bool_)
        elif not self._keeps_probe and (self._path.build_left or self._path.type is not JoinType.ANTI):
            return  # without build rows nothing can come out
        self._probe.open()
        self._state = _State.PROBE

    def _read_build_side(self) -> _BuildTable | None:
        rows = read_all(self._build, self._read)
        if rows is None:
            return None
        keys = [key(rows) for key in self._build_keys]
        rows = rows.project(range(self._kept_count))
        return _BuildTable(rows, keys, [key.null_safe for key in self._path.keys])

    def next(self) -> Batch | None:
        while True:
            output = next(self._output, None)
            if output is not None:
                return output
            match self._state:
                case _State.PROBE:
                    batch = self._probe.next()
                    if batch is not None:
                        self._output = self._probed(batch)
                    else:
                        self._state = _State.UNMATCHED
                case _State.UNMATCHED:
                    self._probe.close()
                    self._output = self._build_rows_at_end()
                    self._state = _State.END
                case _State.END:
                    return None
                case _:
                    assert_never(self._state)

    def close(self) -> None:
        self._state = _State.END
        self._output = iter(())
        self._table = None
        self._marked = np.empty(0, np.bool_)
        self._build.close()
        self._probe.close()

    def held_bytes(self) -> int:
        return self._marked.nbytes + (0 if self._table is None else self._table.nbytes)

    def _probed(self, batch: Batch) -> Iterator[Batch]:
        """What comes out for a batch of the probe side."""
        table = self._table
        if table is None:
            yield self._joined.passing_alone(batch, None)
            return
        ids = table.keys.lookup([key(batch) for key in self._probe_keys])
        if self._residual is not None:
            yield from self._probed_with_residual(table, self._residual, batch, ids)
            return
        if self._marks:
            self._marked[ids.take(np.flatnonzero(ids >= 0))] = True
        if not self._filters:
            for rows, build_rows in reported(table.lists.pairs(ids, self._batch_rows, keep_all=self._keeps_probe)):
                if len(build_rows):
                    yield self._joined.pairs(table.rows, build_rows, batch, rows)
        elif not self._path.build_left:
            yield from self._filtered(batch, ids >= 0)

    def _probed_with_residual(
        self, table: _BuildTable, residual: PairFilter, batch: Batch, ids: Array
    ) -> Iterator[Batch]:
        matched = np.zeros(len(batch), np.bool_)
        for rows, build_rows in reported(table.lists.pairs(ids, self._batch_rows, keep_all=False)):
            passed = residual.passed(table.rows, build_rows, batch, rows)
            rows = passed if rows is None else rows.take(passed)
            build_rows = build_rows.take(passed)
            if self._measured is not None:
                self._measured.report(batch, rows, table.rows, build_rows)
            matched[rows] = True
            if self._marks:
                self._marked[build_rows] = True
            if len(rows) and not self._filters:
                yield self._joined.pairs(table.rows, build_rows, batch, rows)
        if self._filters and not self._path.build_left:
            yield from self._filtered(batch, matched)
        elif self._keeps_probe and not matched.all():
            yield self._joined.passing_alone(batch, np.flatnonzero(~matched))

    def _filtered(self, batch: Batch, matched: BoolArray) -> Iterator[Batch]:
        """The probe rows that a semi or an anti join lets through."""
        rows = np.flatnonzero(matched if self._path.type is JoinType.SEMI else ~matched)
        if len(rows):
            yield self._joined.passing_alone(batch, rows)

    def _build_rows_at_end(self) -> Iterator[Batch]:
        table = self._table
        if table is None or not self._marks:
            return
        marked = self._marked if self._residual is not None else table.lists.rows_with(self._marked)
        rows = np.flatnonzero(marked if self._path.type is JoinType.SEMI else ~marked)
        for start in range(0, len(rows), self._batch_rows):
            yield self._joined.held_alone(table.rows, rows[start : start + self._batch_rows])
