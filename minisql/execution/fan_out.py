"""The fan-out of a join: how many rows of the other side a row of each side matches, as the data had it.

Where only keys decide what matches, the rows of both sides are counted by their keys as they are read (`KeyCounter`),
which takes memory for every distinct key and none for a row. Where there are conditions beside the keys, or no keys,
the join reports the pairs that have passed them (`PairCounter`), which takes a number for each row that the join
holds; so it is always matching pairs that are counted, never rows with equal keys that do not match.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np

from minisql.columnar.column import Array, Batch, Column
from minisql.columnar.python_values import to_values
from minisql.columnar.strings import compacted
from minisql.datatypes import SqlType
from minisql.execution.kernels.key_table import KeyTable
from minisql.expression.nodes import Value
from minisql.node import record

Kind: TypeAlias = Literal["1:1", "1:n", "n:1", "n:m", "none"]

WORST_KEYS = 3


@record
class KeyFanOut:
    """A key: its values, the rows of each side that have it, and how many pairs of these match.

    `pairs` is the product of the two but for joins with conditions beside the keys.
    """

    values: tuple[Value, ...]
    left_rows: int
    right_rows: int
    pairs: int


@record
class FanOut:
    """The fan-out of one join.

    A row matches another if they fulfil the whole condition of the join.

    Attributes:
        left_rows: the rows of the left side that were read.
        right_rows: those of the right side.
        pairs: the pairs of rows that match.
        left_most: how many rows of the right side one row of the left side matches at most.
        right_most: how many rows of the left side one row of the right side matches at most.
        left_unmatched: the rows of the left side that match none; those with a NULL in a key that equals nothing are
            among them.
        right_unmatched: those of the right side.
        left_null_keys: the rows of the left side with a NULL in a key that equals nothing; 0 where the side that is
            held has no rows, for then no key is computed.
        right_null_keys: those of the right side.
        worst_keys: the keys with the most pairs, the worst first; only keys with more than one pair.
        complete: whether both sides were read to their ends.
    """

    left_rows: int
    right_rows: int
    pairs: int
    left_most: int
    right_most: int
    left_unmatched: int
    right_unmatched: int
    left_null_keys: int = 0
    right_null_keys: int = 0
    worst_keys: tuple[KeyFanOut, ...] = ()
    complete: bool = True

    @property
    def kind(self) -> Kind:
        """The kind from left to right: 1:n if a left row may match several right ones, but not the other way round."""
        if self.pairs == 0:
            return "none"
        if self.left_most > 1:
            return "n:m" if self.right_most > 1 else "1:n"
        return "n:1" if self.right_most > 1 else "1:1"

    def flipped(self) -> FanOut:
        """The same with left and right exchanged."""
        return replace(
            self,
            left_rows=self.right_rows,
            right_rows=self.left_rows,
            left_most=self.right_most,
            right_most=self.left_most,
            left_unmatched=self.right_unmatched,
            right_unmatched=self.left_unmatched,
            left_null_keys=self.right_null_keys,
            right_null_keys=self.left_null_keys,
            worst_keys=tuple(
                [replace(key, left_rows=key.right_rows, right_rows=key.left_rows) for key in self.worst_keys]
            ),
        )


class KeyCounter:
    """Counts the rows of two sides, 0 (left) and 1 (right), by their keys. Batches may come in any order."""

    def __init__(self, types: Sequence[SqlType], null_safe: Sequence[bool]) -> None:
        """A NULL in a key column equals another one where `null_safe`, and nothing elsewhere."""
        self._table = KeyTable(types, null_safe)
        self._counts = [np.zeros(0, np.int64), np.zeros(0, np.int64)]
        self._values: list[list[Column]] = []  # the keys by id, in pieces
        self._starts: list[int] = []  # the first id of each piece
        self.rows = [0, 0]
        self.null_keys = [0, 0]

    def add(self, side: int, keys: Sequence[Column]) -> Array:
        """Counts the rows with these keys; gives the ids of the keys, -1 for a key that equals nothing."""
        known = len(self._table)
        ids = self._table.insert(keys)
        count = len(self._table)
        if count > known:
            self._starts.append(known)
            first = _first_rows(ids, known, count)
            values = [key.take(first) for key in keys]
            self._values.append([compacted(value) if value.type.is_string else value for value in values])
            self._counts = [_grown(counts, count) for counts in self._counts]
        with_key = ids if ids.min(initial=0) >= 0 else ids[ids >= 0]
        _count_up(self._counts[side], with_key)
        self.rows[side] += len(ids)
        self.null_keys[side] += len(ids) - len(with_key)
        return ids

    def fan_out(self, worst: int = WORST_KEYS) -> FanOut:
        """The fan-out of a join on nothing but the keys, with at most so many of the worst ones."""
        left, right = self._used_counts()
        pairs = left * right
        matched = pairs > 0
        return FanOut(
            left_rows=self.rows[0],
            right_rows=self.rows[1],
            pairs=int(pairs.sum()),
            left_most=int(right[matched].max(initial=0)),
            right_most=int(left[matched].max(initial=0)),
            left_unmatched=self.rows[0] - int(left[matched].sum()),
            right_unmatched=self.rows[1] - int(right[matched].sum()),
            left_null_keys=self.null_keys[0],
            right_null_keys=self.null_keys[1],
            worst_keys=self.worst_keys(pairs, worst),
        )

    def __len__(self) -> int:
        """The number of distinct keys."""
        return len(self._table)

    def worst_keys(self, pairs: Array, worst: int = WORST_KEYS) -> tuple[KeyFanOut, ...]:
        """The keys with the most pairs, where `pairs[id]` is how many a key has; of equals the one that came first."""
        several = np.flatnonzero(pairs > 1)
        if len(several) > worst:
            least = np.partition(pairs[several], -worst)[-worst]
            several = several[pairs[several] >= least]
        several = several[np.argsort(-pairs[several], kind="stable")][:worst]
        left, right = self._used_counts()
        return tuple(
            [KeyFanOut(self._key(id_), int(left[id_]), int(right[id_]), int(pairs[id_])) for id_ in several.tolist()]
        )

    def _used_counts(self) -> tuple[Array, Array]:
        count = len(self)
        return self._counts[0][:count], self._counts[1][:count]

    def _key(self, id_: int) -> tuple[Value, ...]:
        piece = bisect.bisect_right(self._starts, id_) - 1
        row = np.array([id_ - self._starts[piece]])
        return tuple([to_values(column.take(row))[0] for column in self._values[piece]])


class PairCounter:
    """Counts the matches of each row of a held side and of a passing one, which comes batch by batch."""

    def __init__(self) -> None:
        self.pairs = 0
        self.most = 0
        """How many held rows a passing row matches at most."""
        self.matched = 0
        """The passing rows that match any."""
        self.held = np.zeros(0, np.int64)
        """How many passing rows each held row matches."""
        self._passing: Batch | None = None
        self._counts = np.zeros(0, np.int64)

    def add(self, passing: Batch, rows: Array, held_rows: Array, held_count: int) -> None:
        """Counts pairs of matching rows. All pairs of a batch come before those of the next one."""
        if passing is not self._passing:
            self.finish_batch()
            self._passing, self._counts = passing, np.zeros(len(passing), np.int64)
        self.pairs += len(rows)
        _count_up(self._counts, rows)
        if len(self.held) < held_count:
            self.held = _grown(self.held, held_count)
        _count_up(self.held, held_rows)

    def finish_batch(self) -> None:
        """Says that there are no more pairs of the batch that came last."""
        self.most = max(self.most, int(self._counts.max(initial=0)))
        self.matched += int(np.count_nonzero(self._counts))
        self._passing, self._counts = None, np.zeros(0, np.int64)


def _first_rows(ids: Array, start: int, end: int) -> Array:
    """The first row of each of the ids from `start` up to `end`."""
    rows = np.flatnonzero(ids >= start)
    first = np.empty(end - start, np.intp)
    first[ids[rows[::-1]] - start] = rows[::-1]  # of assignments to one place the last one stays
    return first


def _grown(counts: Array, count: int) -> Array:
    """Counts with room for so many, and for more to come."""
    if len(counts) >= count:
        return counts
    grown = np.zeros(max(count, 2 * len(counts)), np.int64)
    grown[: len(counts)] = counts
    return grown


def _count_up(counts: Array, places: Array) -> None:
    """Adds one to a count for each time that its place comes."""
    if len(places) * 8 < len(counts):
        np.add.at(counts, places, 1)
    else:
        counts += np.bincount(places, minlength=len(counts))
