"""The least or the greatest INTERVAL of each group."""

from __future__ import annotations

import numpy as np

from minisql.columnar.column import INTERVAL_DTYPE, Array, Column, IndexArray
from minisql.columnar.intervals import interval_lengths
from minisql.datatypes import INTERVAL
from minisql.execution.kernels.grouped_aggregates import Grouping, grown


class IntervalExtremeState:
    """One of the shortest or longest intervals of each group, of those that are equal any."""

    def __init__(self, *, greatest: bool) -> None:
        self._function = np.maximum if greatest else np.minimum
        limits = np.iinfo(np.int64)
        self._start = limits.min if greatest else limits.max
        self._lengths: Array = np.zeros(0, np.int64)
        self._best: Array = np.zeros(0, INTERVAL_DTYPE)

    @property
    def nbytes(self) -> int:
        return self._lengths.nbytes + self._best.nbytes

    def update(self, grouping: Grouping, column: Column) -> None:
        ids = np.zeros(grouping.length, np.intp) if grouping.ids is None else grouping.ids
        self._add(ids, column.values, interval_lengths(column.values), grouping.group_count)

    def merge(self, other: IntervalExtremeState, groups: IndexArray, group_count: int) -> None:
        other._grow(len(groups))
        self._add(groups, other._best[: len(groups)], other._lengths[: len(groups)], group_count)

    def final(self, group_count: int) -> Column:
        """The intervals; that of a group without rows means nothing."""
        self._grow(group_count)
        return Column(INTERVAL, self._best[:group_count])

    def _add(self, ids: IndexArray, values: Array, lengths: Array, group_count: int) -> None:
        self._grow(group_count)
        self._function.at(self._lengths, ids, lengths)
        rows = np.flatnonzero(lengths == self._lengths.take(ids))
        self._best[ids.take(rows)] = values.take(rows)

    def _grow(self, group_count: int) -> None:
        self._lengths = grown(self._lengths, group_count, self._start)
        self._best = grown(self._best, group_count, 0)
