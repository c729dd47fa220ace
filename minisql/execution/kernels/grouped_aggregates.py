"""Aggregates over groups, as states: init, update with a batch, merge with another state, final.

In come the rows of a batch that count (not NULL, not filtered out) with the number of the group of each; a state keeps
one entry a group and grows as groups appear. States of different workers merge: `groups[i]` says which group of this
state group i of the other one is. Sums of integers are exact: as long as the bounds of the values prove that no sum can
leave int64 they are plain sums, then sums of the two halves of the values.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from minisql.columnar.column import PHYSICAL_DTYPE, Array, Column, IndexArray, empty_string_pool
from minisql.columnar.strings import pool_of
from minisql.datatypes import SqlType, TypeKind
from minisql.execution.exact import bounds_of, narrowed
from minisql.execution.kernels.growing import concat_kept
from minisql.execution.kernels.string_order import GroupScratch, extreme_rows

_LIMIT: Final = 2**63
_HALF: Final = 32
_LOW_HALF: Final = 2**_HALF - 1
_SMALLEST_CAPACITY: Final = 16


class Grouping:
    """The groups of some rows. `ids` is None where all of `length` rows are in group 0."""

    __slots__ = ("_counts", "group_count", "ids", "length")

    def __init__(self, ids: IndexArray | None, length: int, group_count: int) -> None:
        self.ids = ids
        self.length = length
        self.group_count = group_count
        self._counts: Array | None = None

    def take(self, rows: IndexArray) -> Grouping:
        """Some of the rows."""
        return Grouping(None if self.ids is None else self.ids.take(rows), len(rows), self.group_count)

    def add_counts(self, counts: Array) -> None:
        """Adds the number of rows of each group to `counts`. Counted once for all who ask, unless groups are many."""
        if self.ids is None:
            counts[0] += self.length
        elif self.group_count > self.length:
            np.add.at(counts, self.ids, 1)
        else:
            if self._counts is None:
                self._counts = np.bincount(self.ids, minlength=self.group_count)
            counts[: self.group_count] += self._counts


def grown(array: Array, count: int, fill: object) -> Array:
    """The array with room for `count` groups, the new ones filled."""
    if count <= len(array):
        return array
    larger = np.full(max(count, 2 * len(array), _SMALLEST_CAPACITY), fill, array.dtype)
    larger[: len(array)] = array
    return larger


class CountState:
    """The number of rows of each group."""

    def __init__(self) -> None:
        self._counts = np.zeros(0, np.int64)

    @property
    def nbytes(self) -> int:
        return self._counts.nbytes

    def update(self, grouping: Grouping) -> None:
        self._counts = grown(self._counts, grouping.group_count, 0)
        grouping.add_counts(self._counts)

    def merge(self, other: CountState, groups: IndexArray, group_count: int) -> None:
        self._counts = grown(self._counts, group_count, 0)
        np.add.at(self._counts, groups, other.final(len(groups)))

    def final(self, group_count: int) -> Array:
        """The counts (int64)."""
        self._counts = grown(self._counts, group_count, 0)
        return self._counts[:group_count]


class IntegerSumState:
    """Exact sums of integers (of any width, Python ints included)."""

    def __init__(self) -> None:
        self._sums = np.zeros(0, np.int64)
        self._bound = 0  # no sum is further from 0
        self._halves: tuple[Array, Array] | None = None  # sums of high and of low halves, once they are needed
        self._large: Array | None = None  # sums of Python ints, once there are any

    @property
    def nbytes(self) -> int:
        halves = 0 if self._halves is None else 2 * self._halves[0].nbytes
        return self._sums.nbytes + halves + (0 if self._large is None else 5 * self._large.nbytes)

    def update(self, grouping: Grouping, column: Column) -> None:
        values = column.values
        self._grow(grouping.group_count)
        if values.dtype == np.object_:
            if self._large is None:
                self._large = np.zeros(len(self._sums), np.object_)
            _add(self._large, grouping, values)
            return
        if self._halves is None:
            low, high = bounds_of(column)
            bound = self._bound + max(-low, high) * grouping.length
            if bound >= _LIMIT and column.bounds is not None:
                low, high = (int(values.min()), int(values.max())) if grouping.length else (0, 0)
                bound = self._bound + max(-low, high) * grouping.length
            if bound < _LIMIT:
                self._bound = bound
                _add(self._sums, grouping, values.astype(np.int64, copy=False))
                return
            self._split()
        assert self._halves is not None
        wide = values.astype(np.int64, copy=False)
        _add(self._halves[0], grouping, wide >> _HALF)
        _add(self._halves[1], grouping, wide & _LOW_HALF)

    def merge(self, other: IntegerSumState, groups: IndexArray, group_count: int) -> None:
        self._grow(group_count)
        other._grow(len(groups))
        count = len(groups)
        if self._halves is None and (other._halves is not None or self._bound + other._bound >= _LIMIT):
            self._split()
        if self._halves is None:
            self._bound += other._bound
            np.add.at(self._sums, groups, other._sums[:count])
        else:
            np.add.at(self._halves[0], groups, other._sums[:count] >> _HALF)
            np.add.at(self._halves[1], groups, other._sums[:count] & _LOW_HALF)
            if other._halves is not None:
                np.add.at(self._halves[0], groups, other._halves[0][:count])
                np.add.at(self._halves[1], groups, other._halves[1][:count])
        if other._large is not None:
            if self._large is None:
                self._large = np.zeros(len(self._sums), np.object_)
            np.add.at(self._large, groups, other._large[:count])

    def final(self, group_count: int) -> Array:
        """The sums: int64 where all of them fit, else Python ints (object). A group without rows has 0."""
        self._grow(group_count)
        sums = self._sums[:group_count]
        if self._halves is not None:
            high, low = (half[:group_count] for half in self._halves)
            high = high + (low >> _HALF)
            low = low & _LOW_HALF
            if self._large is None and (high >= -(2**31)).all() and (high < 2**31).all():
                joined: Array = (high << _HALF) | low
                return joined
            sums = (high.astype(np.object_) << _HALF) + low.astype(np.object_)
        if self._large is None:
            return sums
        exact: Array = sums.astype(np.object_) + self._large[:group_count]
        return narrowed(exact, None)[0]

    def _grow(self, group_count: int) -> None:
        self._sums = grown(self._sums, group_count, 0)
        if self._halves is not None:
            self._halves = (grown(self._halves[0], group_count, 0), grown(self._halves[1], group_count, 0))
        if self._large is not None:
            self._large = grown(self._large, group_count, 0)

    def _split(self) -> None:
        """Goes over to halves: with less than 2^31 rows, neither sum of halves leaves int64."""
        self._halves = (self._sums >> _HALF, self._sums & _LOW_HALF)
        self._sums = np.zeros(len(self._sums), np.int64)
        self._bound = 0


class DoubleSumState:
    """Sums of doubles."""

    def __init__(self) -> None:
        self._sums = np.zeros(0, np.float64)

    @property
    def nbytes(self) -> int:
        return self._sums.nbytes

    def update(self, grouping: Grouping, column: Column) -> None:
        self._sums = grown(self._sums, grouping.group_count, 0.0)
        _add(self._sums, grouping, column.values)

    def merge(self, other: DoubleSumState, groups: IndexArray, group_count: int) -> None:
        self._sums = grown(self._sums, group_count, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            np.add.at(self._sums, groups, other.final(len(groups)))

    def final(self, group_count: int) -> Array:
        """The sums (float64). A group without rows has 0."""
        self._sums = grown(self._sums, group_count, 0.0)
        return self._sums[:group_count]


def _add(sums: Array, grouping: Grouping, values: Array) -> None:
    # Sums of doubles may become infinite, and infinities of both signs give NaN: these are values, not errors.
    with np.errstate(over="ignore", invalid="ignore"):
        if grouping.ids is None:
            sums[0] += values.sum()
        else:
            np.add.at(sums, grouping.ids, values)


class ExtremeState:
    """The least or the greatest value of each group, of any type but strings and INTERVAL. NaN is the greatest."""

    def __init__(self, type_: SqlType, *, greatest: bool) -> None:
        """Decimals that may not fit into int64 are kept as Python ints."""
        self._type = type_
        self._greatest = greatest
        dtype = PHYSICAL_DTYPE[type_.kind]
        self._is_bool = dtype == np.bool_
        if type_.kind is TypeKind.DECIMAL and type_.precision > 18:
            self._dtype: np.dtype[Any] = np.dtype(np.object_)
            self._start: object = -(10**40) if greatest else 10**40
        elif dtype == np.float64:
            self._dtype, self._start = dtype, -np.inf if greatest else np.nan
        else:
            self._dtype = np.dtype(np.uint8) if self._is_bool else dtype
            limits = np.iinfo(self._dtype)
            self._start = limits.min if greatest else limits.max
        self._best: Array = np.zeros(0, self._dtype)

    @property
    def nbytes(self) -> int:
        return self._best.nbytes

    def update(self, grouping: Grouping, column: Column) -> None:
        values = column.values
        values = values.view(np.uint8) if self._is_bool else values.astype(self._dtype, copy=False)
        self._best = grown(self._best, grouping.group_count, self._start)
        with np.errstate(invalid="ignore"):
            if grouping.ids is not None:
                self._function.at(self._best, grouping.ids, values)
            elif grouping.length:
                # A slice, since a lone Python int would be taken for an int64.
                self._best[:1] = self._function(self._best[:1], self._function.reduce(values))

    def merge(self, other: ExtremeState, groups: IndexArray, group_count: int) -> None:
        self._best = grown(self._best, group_count, self._start)
        other._best = grown(other._best, len(groups), self._start)
        with np.errstate(invalid="ignore"):
            self._function.at(self._best, groups, other._best[: len(groups)])

    def final(self, group_count: int) -> Column:
        """The values; that of a group without rows means nothing."""
        self._best = grown(self._best, group_count, self._start)
        values = self._best[:group_count]
        if self._dtype == np.object_:
            values, _ = narrowed(np.where(values == self._start, 0, values), None)
        return Column(self._type, values.astype(np.bool_) if self._is_bool else values)

    @property
    def _function(self) -> np.ufunc:
        if self._greatest:
            return np.maximum
        # fmin prefers any number to NaN, and so starts from NaN.
        return np.fmin if self._dtype == np.float64 else np.minimum


class StringExtremeState:
    """The least or the greatest string of each group.

    The best of each batch are kept as they are, and reduced again when they have become more than the groups.
    """

    def __init__(self, type_: SqlType, *, greatest: bool) -> None:
        self._type = type_
        self._greatest = greatest
        self._scratch = GroupScratch()
        self._ids: list[IndexArray] = []
        self._best: list[Column] = []
        self._kept = 0
        self._kept_when_reduced = 0

    @property
    def nbytes(self) -> int:
        return sum(ids.nbytes for ids in self._ids) + sum(column.nbytes for column in self._best)

    def update(self, grouping: Grouping, column: Column) -> None:
        if grouping.length == 0:
            return
        ids = np.zeros(grouping.length, np.intp) if grouping.ids is None else grouping.ids
        rows = self._extreme_rows(ids, grouping.group_count, column)
        self._keep(ids.take(rows), column.take(rows))
        if self._kept > 2 * self._kept_when_reduced + 1024:
            self._reduce(grouping.group_count)

    def merge(self, other: StringExtremeState, groups: IndexArray, group_count: int) -> None:
        for ids, column in zip(other._ids, other._best, strict=True):
            self._keep(groups.take(ids), column)
        self._reduce(group_count)

    def final(self, group_count: int) -> Column:
        """The strings; that of a group without rows means nothing."""
        self._reduce(group_count)
        codes = np.zeros(group_count, np.int64)
        if not self._best:
            return Column(self._type, codes, None, empty_string_pool())
        codes[self._ids[0]] = self._best[0].values
        return Column(self._type, codes, None, self._best[0].pool)

    def _keep(self, ids: IndexArray, column: Column) -> None:
        self._ids.append(ids)
        self._best.append(column)
        self._kept += len(ids)

    def _reduce(self, group_count: int) -> None:
        if len(self._ids) > 1:
            ids, column = np.concatenate(self._ids), concat_kept(self._best)
            rows = self._extreme_rows(ids, group_count, column)
            self._ids, self._best = [ids.take(rows)], [column.take(rows)]
            self._kept = self._kept_when_reduced = len(rows)

    def _extreme_rows(self, ids: IndexArray, group_count: int, column: Column) -> IndexArray:
        return extreme_rows(ids, group_count, pool_of(column), column.values, self._scratch, greatest=self._greatest)
