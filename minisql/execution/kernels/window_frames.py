"""The frames of window functions: for every row, which rows of its partition it reads.

In come the rows in the order of the window, cut into partitions and these into peers. Out come `Piece`s: EXCLUDE makes
holes, so that a frame may consist of two or three ranges of rows. The offsets of RANGE are looked up by binary search
among all rows at once, in numbers that ascend through the partitions and in each of them with the key.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np

from minisql.columnar.column import Array, BoolArray, IndexArray
from minisql.errors import InternalError
from minisql.execution.kernels.runs import Runs
from minisql.expression.window import BoundKind, Exclusion, Frame, FrameBound, FrameUnit
from minisql.node import record

_Side: TypeAlias = Literal["left", "right"]
_MOST_NUMBERS: Final = 1 << 62


@record
class Piece:
    """Ranges of rows, `start[i]` up to `stop[i]` for row i, never negative, all within the partition of the row.

    `from_first` says that every range starts where the partition does, `to_last` that it ends where that does.
    """

    start: IndexArray
    stop: IndexArray
    from_first: bool = False
    to_last: bool = False


@record
class RangeKey:
    """The ORDER BY key of rows in order, and the ends of their frames in the same terms, all as integers that ascend.

    A row without a key (NULL) has no such ends; these rows lie together, before or after the others of a partition.
    """

    keys: Array
    known: BoolArray | None
    start: Array | None
    end: Array | None


def frame_pieces(frame: Frame, partitions: Runs, peers: Runs, range_key: RangeKey | None) -> list[Piece]:
    """The frames of all rows, in order. `range_key` is for RANGE with offsets."""
    search = None if range_key is None else _RangeSearch(range_key, partitions, peers)
    start = _start(frame, partitions, peers, search)
    stop = np.maximum(_stop(frame, partitions, peers, search), start)
    from_first = frame.start.kind is BoundKind.UNBOUNDED_PRECEDING
    to_last = frame.end.kind is BoundKind.UNBOUNDED_FOLLOWING
    if frame.exclusion is Exclusion.NO_OTHERS:
        return [Piece(start, stop, from_first, to_last)]
    rows = np.arange(partitions.length)
    if frame.exclusion is Exclusion.CURRENT_ROW:
        hole_start, hole_stop = rows, rows + 1
    else:
        hole_start, hole_stop = peers.first, peers.stop
    pieces = [
        Piece(start, np.clip(hole_start, start, stop), from_first=from_first),
        Piece(np.clip(hole_stop, start, stop), stop, to_last=to_last),
    ]
    if frame.exclusion is Exclusion.TIES:
        pieces.insert(1, Piece(np.clip(rows, start, stop), np.clip(rows + 1, start, stop)))
    return pieces


def _start(frame: Frame, partitions: Runs, peers: Runs, search: _RangeSearch | None) -> IndexArray:
    bound = frame.start
    match bound.kind, frame.unit:
        case BoundKind.UNBOUNDED_PRECEDING, _:
            return partitions.first
        case BoundKind.CURRENT_ROW, FrameUnit.ROWS:
            return np.arange(partitions.length)
        case BoundKind.CURRENT_ROW, _:
            return peers.first
        case _, FrameUnit.ROWS:
            rows = np.arange(partitions.length) + _shift(bound, partitions.length)
            return np.clip(rows, partitions.first, partitions.stop)
        case _, FrameUnit.GROUPS:
            return _group_edges(partitions, peers, _shift(bound, partitions.length))
        case _:
            return _searched(search).starts()


def _stop(frame: Frame, partitions: Runs, peers: Runs, search: _RangeSearch | None) -> IndexArray:
    bound = frame.end
    match bound.kind, frame.unit:
        case BoundKind.UNBOUNDED_FOLLOWING, _:
            return partitions.stop
        case BoundKind.CURRENT_ROW, FrameUnit.ROWS:
            return np.arange(1, partitions.length + 1)
        case BoundKind.CURRENT_ROW, _:
            return peers.stop
        case _, FrameUnit.ROWS:
            rows = np.arange(1, partitions.length + 1) + _shift(bound, partitions.length)
            return np.clip(rows, partitions.first, partitions.stop)
        case _, FrameUnit.GROUPS:
            return _group_edges(partitions, peers, _shift(bound, partitions.length) + 1)
        case _:
            return _searched(search).stops()


def _shift(bound: FrameBound, length: int) -> int:
    """By how many rows or groups the bound lies after the current one; no more than there are."""
    if bound.offset is None or not isinstance(bound.offset.value, int):
        raise InternalError("A frame of ROWS or GROUPS has an integer offset.")
    shift = min(bound.offset.value, length)
    return -shift if bound.kind is BoundKind.PRECEDING else shift


def _group_edges(partitions: Runs, peers: Runs, shift: int) -> IndexArray:
    """For every row, where the group starts that is so many groups after its own; the end of the partition after it."""
    groups = np.searchsorted(peers.starts, partitions.starts)  # the first group of each partition
    last = np.append(groups[1:], len(peers))
    own = np.repeat(np.arange(len(groups)), last - groups)  # the partition of each group
    wanted = np.clip(np.arange(len(peers)) + shift, groups.take(own), last.take(own))
    edges = np.append(peers.starts, partitions.length).take(wanted)
    return np.repeat(edges, peers.lengths)


def _searched(search: _RangeSearch | None) -> _RangeSearch:
    if search is None:
        raise InternalError("A frame of RANGE with an offset has a key.")
    return search


class _RangeSearch:
    """Looks up the ends of RANGE frames."""

    def __init__(self, key: RangeKey, partitions: Runs, peers: Runs) -> None:
        self._peers = peers
        self._partitions = partitions
        self._key = key
        self._rows: IndexArray | None = None  # those with a key; None where all have one
        if key.known is not None and not key.known.all():
            self._rows = np.flatnonzero(key.known)

    def starts(self) -> IndexArray:
        """For every row, the first one of its partition with a key that is not before the start of its frame."""
        assert self._key.start is not None
        return self._edges(self._key.start, "left", self._peers.first)

    def stops(self) -> IndexArray:
        """For every row, the one after the last one of its partition with a key that is not after the frame's end."""
        assert self._key.end is not None
        return self._edges(self._key.end, "right", self._peers.stop)

    def _edges(self, limits: Array, side: _Side, without_key: IndexArray) -> IndexArray:
        keys, numbers, rows = self._key.keys, self._partitions.numbers, self._rows
        if rows is None:
            return _search(keys, limits, numbers, len(self._partitions), side)
        edges = without_key.copy()
        if len(rows):
            keys, limits, numbers = keys.take(rows), limits.take(rows), numbers.take(rows)
            # Places among the rows with a key, and back: in a partition these rows lie together.
            found = _search(keys, limits, numbers, len(self._partitions), side)
            before = np.searchsorted(numbers, np.arange(len(self._partitions)))
            first = before.take(numbers)
            edges[rows] = rows.take(first) + (found - first)
        return edges


def _search(keys: Array, limits: Array, partitions: IndexArray, count: int, side: _Side) -> IndexArray:
    """Where each limit belongs among the keys of its partition, which ascend there: numpy's `searchsorted` in each."""
    low, high = int(keys.min()), int(keys.max())
    width = high - low + 3
    if width * count < _MOST_NUMBERS and low > -(2**62) and high < 2**62:
        base = partitions * width
        placed = base + (keys.astype(np.int64, copy=False) - low + 1)
        wanted = base + (np.clip(limits, low - 1, high + 1) - low + 1)
        edges: IndexArray = np.searchsorted(placed, wanted, side)
        return edges
    # The places among all keys stand for the keys themselves.
    distinct = np.unique(keys)
    placed = partitions * (len(distinct) + 1) + np.searchsorted(distinct, keys)
    wanted = partitions * (len(distinct) + 1) + np.searchsorted(distinct, limits, side)
    return np.searchsorted(placed, wanted)
