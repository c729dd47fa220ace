"""Statistics of a column in memory: NULLs and range exactly, the distinct count exactly where that is cheap.

Elsewhere it is estimated. Of many different numbers, those are counted whose hash begins with k zeros, and taken 2^k
times (adaptive sampling; Wegman, analysed by Flajolet, Computing 43, 1990): an error of a few percent however the
values are spread. For strings, and for few numbers, it is judged by how many values occur once in a random sample of
rows (the estimator Duj1 of Haas and Stokes, JASA 93, 1998, which PostgreSQL uses too).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from minisql.catalog.table import ColumnStatistics
from minisql.columnar.bounds import exact_bounds
from minisql.columnar.column import Array, Column
from minisql.columnar.intervals import interval_lengths
from minisql.columnar.python_values import to_values
from minisql.datatypes import TypeKind
from minisql.expression.nodes import Value

_COUNTED_ROWS: Final = 65_536
"""Up to so many rows are counted, and so many are looked at where there are more."""
_BITS_PER_ROW: Final = 4
"""A range of integers is counted in a table of marks where that has at most so many entries a row."""
_LARGEST_MARK_TABLE: Final = 4_000_000
_ENOUGH_SAMPLED: Final = 512
# The golden ratio in 64 bits: multiplication by it spreads keys evenly (Knuth, volume 3, 6.4).
_HASH_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)


def statistics_of(column: Column) -> ColumnStatistics:
    """The statistics of a column."""
    rows = len(column)
    if rows == 0:
        return ColumnStatistics(distinct_count=0.0, null_fraction=0.0)
    null_fraction = 0.0
    if column.valid is not None:
        known = np.flatnonzero(column.valid)
        null_fraction = 1 - len(known) / rows
        column = column.take(known)
    if len(column) == 0:
        return ColumnStatistics(distinct_count=0.0, null_fraction=1.0)
    low, high = _range(column)
    return ColumnStatistics(distinct_count=distinct_count(column), null_fraction=null_fraction, low=low, high=high)


def distinct_count(column: Column) -> float:
    """The number of distinct values in a column without NULLs, exact or estimated."""
    values = column.values
    if column.pool is not None:
        if not column.pool.distinct:
            return distinct_from_sample(column, len(column))
        # The pool of a table holds its strings and at most a few more.
        return float(min(len(column.pool), len(column)))
    if column.type.kind is TypeKind.INTERVAL:
        values = interval_lengths(values)
    if column.type.kind in (TypeKind.BOOLEAN, TypeKind.NULL):
        return float(len({bool(values.min()), bool(values.max())}))
    if values.dtype.hasobject or len(values) <= _COUNTED_ROWS:
        return float(len(np.unique(values)))
    bounds = column.bounds
    if bounds is not None:
        entries = bounds[1] - bounds[0] + 1
        if entries <= min(_BITS_PER_ROW * len(values), _LARGEST_MARK_TABLE):
            marks = np.zeros(entries, np.bool_)
            marks[values - bounds[0]] = True
            return float(np.count_nonzero(marks))
    estimate = _distinct_numbers(values)
    return distinct_from_sample(column, len(column)) if estimate is None else estimate


def _range(column: Column) -> tuple[Value, Value]:
    """The lowest and the highest value of a column without NULLs; None where finding them is not cheap."""
    if column.pool is not None:
        return _string_range(column)
    values = column.values
    if column.type.kind is TypeKind.DOUBLE:
        ends: Array = np.array([values.min(), values.max()])
        if np.isnan(ends).any():
            # NaN is left out: no arithmetic on a range would survive it.
            ends = np.array([np.fmin.reduce(values), np.fmax.reduce(values)])
        if np.isnan(ends).any():
            return None, None
    elif column.type.kind is TypeKind.INTERVAL:
        lengths = interval_lengths(values)
        ends = values.take([lengths.argmin(), lengths.argmax()])
    elif column.type.kind in (TypeKind.BOOLEAN, TypeKind.NULL):
        ends = np.array([values.min(), values.max()])
    else:
        bounds = exact_bounds(values, None)
        assert bounds is not None
        ends = np.array(bounds, values.dtype)
    low, high = to_values(Column(column.type, ends))
    return low, high


def _string_range(column: Column) -> tuple[Value, Value]:
    if column.pool is None or not column.pool.distinct or column.type.kind is TypeKind.BLOB:
        return None, None
    import pyarrow.compute as pc

    ends = pc.min_max(column.pool.strings).as_py()
    return ends["min"], ends["max"]


def _distinct_numbers(values: Array) -> float | None:
    """Adaptive sampling, or None where it finds too few values to tell: then a sample of the rows has them all."""
    # Adding 0.0 makes -0.0 the 0.0 that it equals.
    hashes = values.astype(np.int64, copy=False) if values.dtype.kind == "i" else (values + 0.0).view(np.int64)
    hashes = hashes.view(np.uint64)
    hashes = (hashes ^ (hashes >> np.uint64(32))) * _HASH_FACTOR
    zeros = max(0, math.ceil(math.log2(len(values) / _COUNTED_ROWS)))
    sampled = len(np.unique(hashes.take(np.flatnonzero(hashes < np.uint64(2 ** (64 - zeros) - 1)))))
    return None if sampled < _ENOUGH_SAMPLED else float(min(len(values), sampled * 2**zeros))


def distinct_from_sample(column: Column, rows: float) -> float:
    """The number of distinct values among `rows` rows without NULLs, of which `column` is a part: Duj1."""
    if column.valid is not None:
        column = column.take(np.flatnonzero(column.valid))
    if len(column) > _COUNTED_ROWS:
        column = column.take(np.unique(np.random.default_rng(0).integers(0, len(column), _COUNTED_ROWS)))
    if len(column) == 0:
        return 0.0
    counts = _counts(column)
    once = np.count_nonzero(counts == 1)
    sampled = len(column)
    return float(len(counts) * sampled / (sampled - once + once * sampled / rows))


def _counts(column: Column) -> Array:
    """How often each distinct value occurs; lists are taken for distinct."""
    if column.type.kind is TypeKind.LIST:
        return np.ones(len(column), np.int64)
    if column.pool is None or column.pool.distinct:
        return np.unique(column.values, return_counts=True)[1]
    import pyarrow.compute as pc

    from minisql.columnar.strings import gathered

    counts: Array = pc.value_counts(gathered(column)).field("counts").to_numpy()
    return counts
