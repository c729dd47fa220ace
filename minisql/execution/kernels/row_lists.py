"""For every id the rows that have it: the second half of a join's hash table.

In come the ids of the build rows, as a table of keys gave them. Where no id has two rows the id leads to its row at
once. Else the rows lie sorted by id, and an id says where its rows start (a counting layout, "CSR"); probe rows are
then expanded into pairs, any part of them at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minisql.columnar.column import Array, BoolArray, IndexArray
from minisql.execution.kernels.lookup_table import blocks


class RowLists:
    """The rows of every id. Read-only."""

    def __init__(self, ids: Array, count: int) -> None:
        """`ids[i]` is the id of row i, dense in the order of appearance, or -1; there are `count` ids."""
        self.length = len(ids)
        inserted = self.length if count == self.length else int(np.count_nonzero(ids >= 0))
        self.is_unique = count == inserted
        # The entries at the end, which index -1 reads, are those of a probe row without an id.
        self._rows: Array | None = None
        if self.is_unique and inserted == self.length:
            return
        if self.is_unique:
            self._rows = np.append(np.flatnonzero(ids >= 0), -1).astype(np.int32)
            return
        packed = _sorted_with_rows(ids)
        self._rows = np.empty(inserted + 1, np.int32)
        self._rows[:-1] = packed[self.length - inserted :]
        self._rows[-1] = -1
        del packed
        self._counts = np.append(np.bincount(ids[ids >= 0] if inserted < self.length else ids), 0)
        self._starts = np.cumsum(self._counts) - self._counts

    @property
    def nbytes(self) -> int:
        """Bytes of the lists."""
        lists = 0 if self._rows is None else self._rows.nbytes
        return lists if self.is_unique else lists + self._counts.nbytes + self._starts.nbytes

    def pairs(self, ids: Array, most: int, *, keep_all: bool) -> Iterator[tuple[IndexArray | None, Array]]:
        """Pairs of a place in `ids` and a row with that id, by place and row, at most `most` of them at a time.

        With `keep_all`, a place whose id is -1 gives a pair with the row -1. None stands for all places, each once.
        """
        if self.is_unique:
            rows = ids if self._rows is None else self._rows.take(ids)
            places = None if keep_all else np.flatnonzero(rows >= 0)
            if len(ids) <= most and (places is None or len(places) == len(ids)):
                yield None, rows
                return
            if places is None:
                places = np.arange(len(ids))
            for start in range(0, len(places), most):
                part = places[start : start + most]
                yield part, rows.take(part)
            return
        counts = self._counts.take(ids)
        if keep_all:
            np.maximum(counts, 1, out=counts)
        ends = np.cumsum(counts)
        # Pair number p of place i is row number p + shifts[i] of the sorted rows.
        shifts = self._starts.take(ids)
        shifts -= ends
        shifts += counts
        assert self._rows is not None
        for start in range(0, int(ends[-1]) if len(ends) else 0, most):
            stop = min(start + most, int(ends[-1]))
            first = int(np.searchsorted(ends, start, "right"))
            last = int(np.searchsorted(ends, stop - 1, "right"))
            part_counts = counts[first : last + 1].copy()
            part_counts[-1] -= ends[last] - stop
            part_counts[0] -= start - (ends[first] - counts[first])
            places = np.repeat(np.arange(first, last + 1), part_counts)
            at = np.repeat(shifts[first : last + 1], part_counts)
            at += np.arange(start, stop)
            yield places, self._rows.take(at)

    def rows_with(self, chosen: BoolArray) -> BoolArray:
        """Which rows have an id that is chosen."""
        if self._rows is None:
            return chosen
        result = np.zeros(self.length, np.bool_)
        rows = self._rows[:-1]
        result[rows] = chosen if self.is_unique else np.repeat(chosen, self._counts[:-1])
        return result


def occurrence_numbers(ids: Array) -> IndexArray:
    """For every row, how many rows before it have the same id."""
    length = len(ids)
    packed = _sorted_with_rows(ids)
    rows = packed & 0xFFFFFFFF
    starts_run = np.empty(length, np.bool_)
    starts_run[:1] = True
    np.not_equal(packed[1:] >> 32, packed[:-1] >> 32, out=starts_run[1:])
    places = np.arange(length)
    numbers = np.empty(length, np.intp)
    numbers[rows] = places - np.maximum.accumulate(np.where(starts_run, places, 0))
    return numbers


def _sorted_with_rows(ids: Array) -> Array:
    """`id * 2^32 + row`, in order: much faster than an indirect sort, and the rows of an id stay in order."""
    packed = np.empty(len(ids), np.int64)
    for block in blocks(len(ids)):
        np.left_shift(ids[block], 32, out=packed[block], dtype=np.int64)
        packed[block] |= np.arange(block.start, block.stop)
    packed.sort()
    return packed
