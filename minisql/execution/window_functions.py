"""The window functions that are no aggregates: ranks, values of other rows, and values of a row of the frame.

Values of other rows are found as places in the order of the window, -1 for none. IGNORE NULLS is the same search among
the rows whose value is not NULL: a range of rows becomes a range of these.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minisql.columnar.column import Array, Column, IndexArray, concat_columns
from minisql.datatypes import BIGINT, DOUBLE
from minisql.errors import DataError, InternalError
from minisql.execution.kernels.range_folds import prefix_counts
from minisql.execution.kernels.runs import Runs
from minisql.execution.kernels.window_frames import Piece
from minisql.execution.window_rows import OrderedRows, pick
from minisql.expression.window import WindowCall, WindowFunction

_INT64_MAX = 2**63 - 1


def window_function(function: WindowFunction, call: WindowCall, rows: OrderedRows) -> Column:
    """The values of a call at all places.

    Raises:
        DataError: an argument that has to be positive is not.
    """
    match function.name:
        case "lag" | "lead":
            return _shifted(function, rows)
        case "first_value" | "last_value" | "nth_value":
            return _of_frame(function, rows.pieces(call.frame, len(call.order_by)), rows)
        case "ntile":
            return _ntile(function, rows)
        case "percent_rank" | "cume_dist":
            return Column(DOUBLE, _share(function.name, rows.partitions, rows.peers(len(call.order_by))))
        case _:
            return Column(BIGINT, _rank(function.name, rows.partitions, rows.peers(len(call.order_by))))


# --- ranks ------------------------------------------------------------------------------------------------------------


def _rank(name: str, partitions: Runs, peers: Runs) -> Array:
    match name:
        case "row_number":
            return np.arange(1, partitions.length + 1) - partitions.first
        case "rank":
            return peers.first - partitions.first + 1
        case "dense_rank":
            first = np.searchsorted(peers.starts, partitions.starts)  # the first group of each partition
            return peers.numbers - np.repeat(first, partitions.lengths) + 1
        case _:
            raise InternalError(f"There is no window function {name}.")


def _share(name: str, partitions: Runs, peers: Runs) -> Array:
    lengths = np.repeat(partitions.lengths, partitions.lengths)
    if name == "cume_dist":
        return (peers.stop - partitions.first) / lengths
    return (peers.first - partitions.first) / np.maximum(lengths - 1, 1)


def _ntile(function: WindowFunction, rows: OrderedRows) -> Column:
    """The number of the bucket: the first ones have a row more. The argument is that in a partition's first row."""
    partitions = rows.partitions
    argument = rows.values(function.arguments[0]).take(partitions.starts)
    _require_positive(argument, function, "The number of buckets")
    buckets = argument.values if argument.valid is None else np.where(argument.valid, argument.values, 1)
    # The rows of a smaller bucket, and how many buckets are larger.
    smaller, larger = partitions.lengths // buckets, partitions.lengths % buckets
    in_partition = np.arange(partitions.length) - partitions.first
    smaller, larger = np.repeat(smaller, partitions.lengths), np.repeat(larger, partitions.lengths)
    in_larger = larger * (smaller + 1)
    numbers = np.where(
        in_partition < in_larger,
        in_partition // (smaller + 1),
        larger + (in_partition - in_larger) // np.maximum(smaller, 1),
    )
    valid = None if argument.valid is None else np.repeat(argument.valid, partitions.lengths)
    return Column(BIGINT, numbers + 1, valid)


def _require_positive(column: Column, function: WindowFunction, what: str) -> None:
    wrong = column.values <= 0
    if column.valid is not None:
        wrong &= column.valid
    if wrong.any():
        raise DataError(f"{what} is at least 1, not {column.values[np.flatnonzero(wrong)[0]]}.", function.span)


# --- values of other rows ---------------------------------------------------------------------------------------------


def _shifted(function: WindowFunction, rows: OrderedRows) -> Column:
    """LAG and LEAD."""
    column = rows.values(function.arguments[0])
    partitions, here = rows.partitions, np.arange(rows.length)
    steps: Array = np.ones(rows.length, np.int64)
    known = None
    if len(function.arguments) > 1:
        offset = rows.values(function.arguments[1])
        # Further than all rows is out of every partition, too.
        steps, known = np.clip(offset.values, -rows.length, rows.length), offset.valid
    if function.name == "lag":
        steps = -steps
    if function.ignore_nulls and column.valid is not None:
        counts, not_null = prefix_counts(column.valid), np.flatnonzero(column.valid)
        # Among the rows that are not NULL: the first one after the row, and the last one before it.
        wanted = np.where(steps > 0, counts[1:] - 1, counts[:-1]) + steps
        inside = (wanted >= counts.take(partitions.first)) & (wanted < counts.take(partitions.stop))
        found = np.append(not_null, 0).take(np.where(inside, wanted, len(not_null)))
        inside |= steps == 0
        found = np.where(steps == 0, here, found)
    else:
        found = here + steps
        inside = (found >= partitions.first) & (found < partitions.stop)
    if known is not None:
        inside |= ~known
        found = np.where(known, found, -1)
    if len(function.arguments) < 3:
        return pick(column, np.where(inside, found, -1))
    default = rows.values(function.arguments[2])
    return pick(concat_columns([column, default]), np.where(inside, found, here + rows.length))


def _of_frame(function: WindowFunction, pieces: Sequence[Piece], rows: OrderedRows) -> Column:
    """FIRST_VALUE, LAST_VALUE and NTH_VALUE."""
    column = rows.values(function.arguments[0])
    ranges = [(piece.start, piece.stop) for piece in pieces]
    not_null: IndexArray | None = None
    if function.ignore_nulls and column.valid is not None:
        counts, not_null = prefix_counts(column.valid), np.flatnonzero(column.valid)
        ranges = [(counts.take(start), counts.take(stop)) for start, stop in ranges]
    match function.name:
        case "first_value":
            found = _nth(ranges, np.zeros(rows.length, np.int64))
        case "last_value":
            lengths = sum(stop - start for start, stop in ranges)
            found = _nth(ranges, lengths - 1)  # type: ignore[arg-type]  # there is a range
        case _:
            number = rows.values(function.arguments[1])
            _require_positive(number, function, "The number of a row")
            wanted = number.values - 1
            found = _nth(ranges, wanted if number.valid is None else np.where(number.valid, wanted, _INT64_MAX))
    if not_null is not None:
        found = np.append(not_null, -1).take(found)
    return pick(column, found)


def _nth(ranges: Sequence[tuple[IndexArray, IndexArray]], wanted: Array) -> IndexArray:
    """For every row, the place that is number `wanted` (from 0) of its ranges together; -1 where they are too short."""
    found = np.full(len(wanted), -1)
    rest = wanted
    for start, stop in ranges:
        here = (found < 0) & (rest >= 0) & (rest < stop - start)
        found = np.where(here, start + rest, found)
        rest = np.where(here, -1, rest - (stop - start))
    return found
