"""Sums and extremes of an array between pairs of places, `values[start[i]:stop[i]]` for every i, without a loop over i.

Where it is exact, a sum is the difference of two prefix sums. Sums of doubles are not: the difference of large prefixes
has lost the digits of a small sum, and an infinity or a NaN would spoil everything after it. They are put together of
sums of 1, 2, 4, ... neighbours instead, as many as the length of the range has binary digits. An extreme is that of
two overlapping blocks (a sparse table; Bender and Farach-Colton, "The LCA Problem Revisited", LATIN 2000, section 3),
of which only one level is held at a time. Ranges that all start where a run of rows does are read off one pass over it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from minisql.columnar.column import Array, IndexArray
from minisql.execution.exact import narrowed
from minisql.execution.kernels.runs import Runs

_HALF: Final = 32
_LOW_HALF: Final = 2**_HALF - 1
_LIMIT: Final = 2**63


def prefix_counts(counted: Array) -> IndexArray:
    """`result[i]` of the first i flags are set."""
    counts = np.zeros(len(counted) + 1, np.intp)
    np.cumsum(counted, out=counts[1:])
    return counts


def exact_sums(values: Array, ranges: list[tuple[IndexArray, IndexArray]]) -> Array:
    """The sums of integers over ranges of which each row has several: int64, Python ints where a sum does not fit."""
    longest = int(sum(stop - start for start, stop in ranges).max())  # type: ignore[union-attr]  # there is a range
    if values.dtype == np.object_:
        prefix = np.zeros(len(values) + 1, np.object_)
        np.cumsum(values, out=prefix[1:])
        return narrowed(_differences(prefix, ranges), None)[0]
    values = values.astype(np.int64, copy=False)
    most = max(abs(int(values.min())), abs(int(values.max())))
    if most * longest < _LIMIT:
        # A prefix may wrap around: the difference of two comes out right modulo 2^64, and fits.
        return _differences(_prefix(values), ranges)
    high = _differences(_prefix(values >> _HALF), ranges)
    low = _differences(_prefix(values & _LOW_HALF), ranges)
    high = high + (low >> _HALF)
    low = low & _LOW_HALF
    if (high >= -(2**31)).all() and (high < 2**31).all():
        joined: Array = (high << _HALF) | low
        return joined
    exact: Array = (high.astype(np.object_) << _HALF) + low.astype(np.object_)
    return exact


def _prefix(values: Array) -> Array:
    prefix = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=prefix[1:])
    return prefix


def _differences(prefix: Array, ranges: list[tuple[IndexArray, IndexArray]]) -> Array:
    total: Array | None = None
    for start, stop in ranges:
        part = prefix.take(stop) - prefix.take(start)
        total = part if total is None else total + part
    assert total is not None, "a row has at least one range"
    return total


def double_sums(values: Array, start: IndexArray, stop: IndexArray) -> Array:
    """The sums of doubles, 0 for an empty range."""
    lengths = stop - start
    sums = np.zeros(len(start), np.float64)
    at = start.copy()
    table, width = values, 1
    with np.errstate(over="ignore", invalid="ignore"):
        for bit in range(int(lengths.max()).bit_length()):
            rows = np.flatnonzero(lengths >> bit & 1)
            if len(rows):
                places = at.take(rows)
                sums[rows] += table.take(places)
                at[rows] = places + width
            if len(table) > width:
                table = table[:-width] + table[width:]
            width *= 2
    return sums


def extremes(function: np.ufunc, values: Array, start: IndexArray, stop: IndexArray, nothing: int) -> Array:
    """The least or the greatest value of each range, `nothing` where it is empty; `function` is minimum or maximum."""
    lengths = stop - start
    levels = np.frexp(lengths.astype(np.float64))[1] - 1  # the largest power of two in each length
    found = np.full(len(start), nothing, values.dtype)
    table, width = values, 1
    for level in range(int(levels.max()) + 1):
        rows = np.flatnonzero(levels == level)
        if len(rows):
            found[rows] = function(table.take(start.take(rows)), table.take(stop.take(rows) - width))
        if len(table) > width:
            table = function(table[:-width], table[width:])
        width *= 2
    return found


def accumulate(function: np.ufunc, values: Array, runs: Runs) -> Array:
    """`result[i]` is the fold of the values from the start of row i's run up to row i, in this order.

    Runs of similar length lie side by side as rows of a matrix, filled up with what follows a run, which comes too
    late to matter.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if len(runs) == 1:
            whole: Array = function.accumulate(values)
            return whole
        result = values.copy()
        sizes = np.frexp((runs.lengths - 1).astype(np.float64))[1]  # run i has at most 2^sizes[i] rows
        for size in np.unique(sizes).tolist():
            if size == 0:
                continue
            chosen = np.flatnonzero(sizes == size)
            inside = np.arange(1 << size)
            places = runs.starts.take(chosen)[:, None] + inside
            folded = function.accumulate(values.take(places, mode="clip"), axis=1)
            real = inside < runs.lengths.take(chosen)[:, None]
            result[places[real]] = folded[real]
        return result


def accumulate_backwards(function: np.ufunc, values: Array, runs: Runs) -> Array:
    """`result[i]` is the fold of the values from the end of row i's run down to row i."""
    mirrored = Runs((runs.length - runs.ends)[::-1], runs.length)
    return accumulate(function, values[::-1], mirrored)[::-1]


def folds(function: np.ufunc, values: Array, runs: Runs) -> Array:
    """The fold of each run as a whole."""
    with np.errstate(over="ignore", invalid="ignore"):
        whole: Array = function.reduceat(values, runs.starts)
        return whole
