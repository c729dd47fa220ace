"""Aggregates as window functions.

Over whole partitions without an order, aggregates are what they are in GROUP BY. Else COUNT, SUM, AVG, MIN and MAX are
computed for all frames at once (`range_folds`). Every other aggregate, and DISTINCT over frames that have neither end
in common, is given the rows of each frame: as many rows as all frames have together. Frames that are the same for
neighbours, as those of peers may be, count once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from minisql.columnar.column import PHYSICAL_DTYPE, Array, Batch, BoolArray, Column, IndexArray, concat_columns
from minisql.datatypes import BIGINT, DOUBLE, TypeKind
from minisql.errors import DataError
from minisql.execution.aggregate import GroupedRows, averages
from minisql.execution.evaluate import compile_expression
from minisql.execution.exact import first_outside, value_range
from minisql.execution.kernels.key_table import KeyTable
from minisql.execution.kernels.range_folds import (
    accumulate,
    accumulate_backwards,
    double_sums,
    exact_sums,
    extremes,
    folds,
    prefix_counts,
)
from minisql.execution.kernels.runs import Runs
from minisql.execution.kernels.sort_order import ordered_integers
from minisql.execution.kernels.window_frames import Piece
from minisql.execution.window_rows import OrderedRows, pick
from minisql.expression.nodes import AggregateCall, ColumnId, ColumnRef, Expression

MOST_PAIRS: Final = 1 << 18
"""The rows of frames that are looked at together where each frame is looked at for itself."""

_FRAME: Final = ColumnId(-1, 0)  # no table of a statement has this number
_FRAME_REF: Final = ColumnRef(column=_FRAME, name="frame", type=BIGINT)
_INT64: Final = np.iinfo(np.int64)


def window_aggregate(call: AggregateCall, pieces: Sequence[Piece], rows: OrderedRows) -> Column:
    """The values of an aggregate over the frames of all places.

    Raises:
        DataError: a sum does not fit its type.
    """
    if call.name not in ("count", "sum", "avg", "min", "max"):
        return frame_by_frame(call, pieces, rows)
    column, counted = None, None
    if call.argument is not None:
        column = rows.values(call.argument, call.filter)
        counted = column.valid
    elif call.filter is not None:
        counted = rows.flags(call.filter)
    if call.distinct and call.name not in ("min", "max") and column is not None:
        if len(pieces) > 1 or not (pieces[0].from_first or pieces[0].to_last):
            return frame_by_frame(call, pieces, rows)
        counted = _first_of_equals(column, rows.partitions, backwards=not pieces[0].from_first)
    if counted is not None and counted.all():
        counted = None
    counts = _counts(counted, pieces)
    if call.name == "count" or column is None:
        return Column(BIGINT, counts)
    valid = None if counts.all() else counts > 0
    if call.name in ("min", "max"):
        return _extremes(call, column, counted, counts, pieces, rows.partitions)
    sums = _sums(column, counted, pieces, rows.partitions)
    if call.name == "sum":
        if sums.dtype != np.float64 and first_outside(sums, None, value_range(call.type)) is not None:
            raise DataError(f"A sum is out of the range of {call.type}.", call.span)
        return Column(call.type, sums, valid)
    scale = column.type.scale if column.type.kind is TypeKind.DECIMAL else 0
    return Column(DOUBLE, averages(sums, np.maximum(counts, 1), scale), valid)


def partition_aggregates(
    calls: Sequence[AggregateCall], partition_by: Sequence[Expression], batch: Batch, columns: Sequence[ColumnId]
) -> list[Column]:
    """The values of aggregates of any kind over whole partitions, in the order of the batch: grouping needs no sort."""
    if not partition_by:
        groups, ids = GroupedRows([], calls, columns), np.zeros(len(batch), np.intp)
        groups.update(batch)
    else:
        keys = [compile_expression(key, columns)(batch) for key in partition_by]
        ids, _ = KeyTable([key.type for key in partition_by], [True] * len(keys)).insert_and_tell_new(keys)
        groups = GroupedRows([_FRAME_REF], calls, (*columns, _FRAME))
        groups.update(batch.with_column(Column(BIGINT, ids.astype(np.int64))))
    # Groups come in the order of their first rows, and so do the ids.
    return [column.take(ids) for column in groups.final().columns[bool(partition_by) :]]


def _first_of_equals(column: Column, partitions: Runs, *, backwards: bool) -> BoolArray:
    """Which values that are not NULL are the first of their kind in the partition; `backwards`, which are the last."""
    places = np.arange(len(column)) if column.valid is None else np.flatnonzero(column.valid)
    if backwards:
        places = places[::-1]
    table = KeyTable([BIGINT, column.type], [True, True])
    _, new = table.insert_and_tell_new([Column(BIGINT, partitions.numbers.take(places)), column.take(places)])
    flags = np.zeros(len(column), np.bool_)
    flags[places.take(new)] = True
    return flags


def _counts(counted: BoolArray | None, pieces: Sequence[Piece]) -> Array:
    prefix = None if counted is None else prefix_counts(counted)
    counts = np.zeros(len(pieces[0].start), np.int64)
    for piece in pieces:
        counts += piece.stop - piece.start if prefix is None else prefix.take(piece.stop) - prefix.take(piece.start)
    return counts


# --- sums -------------------------------------------------------------------------------------------------------------


def _sums(column: Column, counted: BoolArray | None, pieces: Sequence[Piece], partitions: Runs) -> Array:
    values = column.values if counted is None else np.where(counted, column.values, 0)
    if values.dtype != np.float64:
        return exact_sums(values, [(piece.start, piece.stop) for piece in pieces])
    sums = _double_sums(values, pieces[0], partitions)
    for piece in pieces[1:]:
        with np.errstate(over="ignore", invalid="ignore"):
            sums = sums + _double_sums(values, piece, partitions)
    return sums


def _double_sums(values: Array, piece: Piece, partitions: Runs) -> Array:
    if piece.from_first and piece.to_last:
        return np.repeat(folds(np.add, values, partitions), partitions.lengths)
    if piece.from_first:
        return _read(accumulate(np.add, values, partitions), piece.stop - 1, piece, 0.0)
    if piece.to_last:
        return _read(accumulate_backwards(np.add, values, partitions), piece.start, piece, 0.0)
    return double_sums(values, piece.start, piece.stop)


def _read(accumulated: Array, at: IndexArray, piece: Piece, nothing: float) -> Array:
    """What is accumulated up to a place; `nothing` for an empty range."""
    read = accumulated.take(at, mode="clip")
    empty = piece.start == piece.stop
    return np.where(empty, nothing, read) if empty.any() else read


# --- extremes ---------------------------------------------------------------------------------------------------------


def _extremes(
    call: AggregateCall,
    column: Column,
    counted: BoolArray | None,
    counts: Array,
    pieces: Sequence[Piece],
    partitions: Runs,
) -> Column:
    """The least or the greatest values, found as integers in the order of the values."""
    greatest = call.name == "max"
    function, nothing = (np.maximum, int(_INT64.min)) if greatest else (np.minimum, int(_INT64.max))
    numbers = ordered_integers(column).astype(np.int64, copy=False)
    values = numbers if counted is None else np.where(counted, numbers, nothing)
    found = _extreme_numbers(function, values, pieces[0], partitions, nothing)
    for piece in pieces[1:]:
        found = function(found, _extreme_numbers(function, values, piece, partitions, nothing))
    valid = None if counts.all() else counts > 0
    if column.pool is not None or column.values.dtype == np.object_:
        # The numbers are ranks: any row with the rank has the value.
        row_of_rank = np.zeros(int(numbers.max()) + 1, np.intp)
        known = np.arange(len(numbers)) if counted is None else np.flatnonzero(counted)
        row_of_rank[numbers.take(known)] = known
        return pick(column, row_of_rank.take(found) if valid is None else _rows_of(row_of_rank, found, valid))
    if valid is not None:
        found = np.where(valid, found, 0)
    if column.values.dtype == np.float64:
        # How `ordered_integers` turns the bits of a double round undoes itself.
        found = found ^ ((found >> 63) & int(_INT64.max))
        return Column(call.type, found.view(np.float64), valid)
    return Column(call.type, found.astype(PHYSICAL_DTYPE[call.type.kind]), valid, None, column.bounds)


def _rows_of(row_of_rank: IndexArray, found: Array, valid: BoolArray) -> IndexArray:
    return np.where(valid, row_of_rank.take(np.where(valid, found, 0)), -1)


def _extreme_numbers(function: np.ufunc, values: Array, piece: Piece, partitions: Runs, nothing: int) -> Array:
    if piece.from_first and piece.to_last:
        return np.repeat(folds(function, values, partitions), partitions.lengths)
    if piece.from_first:
        return _read(accumulate(function, values, partitions), piece.stop - 1, piece, nothing)
    if piece.to_last:
        return _read(accumulate_backwards(function, values, partitions), piece.start, piece, nothing)
    return extremes(function, values, piece.start, piece.stop, nothing)


# --- any aggregate ----------------------------------------------------------------------------------------------------


def frame_by_frame(call: AggregateCall, pieces: Sequence[Piece], rows: OrderedRows) -> Column:
    """Groups by frame. A frame without rows has what the aggregate gives for none."""
    differs = np.ones(rows.length, np.bool_)
    differs[1:] = False
    for piece in pieces:
        for edge in (piece.start, piece.stop):
            differs[1:] |= edge[1:] != edge[:-1]
    frames = np.flatnonzero(differs)
    starts = np.stack([piece.start.take(frames) for piece in pieces], axis=1)
    stops = np.stack([piece.stop.take(frames) for piece in pieces], axis=1)
    (empty,) = GroupedRows([], [call], rows.columns).final().columns
    results, found = [empty], np.zeros(len(frames), np.intp)  # where the result of each frame stands
    count = 1
    for first, last in _blocks((stops - starts).sum(axis=1)):
        ids, places = _members(starts[first:last], stops[first:last])
        if len(ids) == 0:
            continue
        grouped = GroupedRows([_FRAME_REF], [call], (*rows.columns, _FRAME))
        members = rows.batch.take(rows.order.take(places))
        grouped.update(members.with_column(Column(BIGINT, ids)))
        keys, column = grouped.final().columns
        found[first + keys.values] = np.arange(count, count + len(keys))
        results.append(column)
        count += len(keys)
    return concat_columns(results).take(np.repeat(found, np.diff(np.append(frames, rows.length))))


def _blocks(sizes: IndexArray) -> Iterator[tuple[int, int]]:
    """Frames, from one up to another, that have at most so many rows together, or are alone."""
    ends = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        before = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + MOST_PAIRS, "right")))
        yield first, last
        first = last


def _members(starts: Array, stops: Array) -> tuple[IndexArray, IndexArray]:
    """The places in each frame, with the number of the frame: frame by frame, in their order."""
    lengths = (stops - starts).ravel()
    ends = np.cumsum(lengths)
    places = np.repeat(starts.ravel() - (ends - lengths), lengths)
    places += np.arange(len(places))
    ids = np.repeat(np.repeat(np.arange(len(starts)), starts.shape[1]), lengths)
    return ids, places
