"""The order of strings, which is that of their bytes: ranks for sorting, and the least or greatest of each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from minisql.columnar.column import Array, IndexArray, StringPool
from minisql.execution.kernels.string_words import LONG, pool_bytes, prefix_words

if TYPE_CHECKING:
    import pyarrow as pa

_WORD: Final = 8
_LAST: Final = np.uint64(2**64 - 1)


def string_ranks(pool: StringPool, codes: Array) -> Array:
    """Numbers (int64, from 0) that order as the strings with these codes do; equal strings have one number."""
    if is_dictionary(pool, len(codes)):
        return pool_ranks(pool).take(codes)
    return _ranks(pool.strings.take(codes))


def is_dictionary(pool: StringPool, rows: int) -> bool:
    """Whether work on the whole pool is worth it for so many rows."""
    return pool.distinct and ("ranks" in pool.derived or len(pool) <= rows)


def pool_ranks(pool: StringPool) -> Array:
    """The rank of every string of a pool; computed once and kept with it."""
    known: Array | None = pool.derived.get("ranks")
    if known is None:
        known = pool.derived["ranks"] = _ranks(pool.strings)
    return known


def _ranks(strings: pa.LargeStringArray) -> Array:
    import pyarrow.compute as pc

    ranks: Array = pc.rank(strings, sort_keys="ascending", tiebreaker="dense").to_numpy().astype(np.int64)
    ranks -= 1
    return ranks


class GroupScratch:
    """Room for one number a group, kept between batches."""

    def __init__(self) -> None:
        self._numbers = np.empty(0, np.uint64)

    def least(self, ids: Array, numbers: Array, group_count: int) -> Array:
        """For every row, the least of the numbers (uint64) of the rows of its group."""
        if group_count > len(self._numbers):
            self._numbers = np.empty(max(group_count, 2 * len(self._numbers)), np.uint64)
        self._numbers[ids] = _LAST
        np.minimum.at(self._numbers, ids, numbers)
        return self._numbers.take(ids)


def extreme_rows(
    ids: IndexArray, group_count: int, pool: StringPool, codes: Array, scratch: GroupScratch, *, greatest: bool
) -> IndexArray:
    """One row of each group that has rows: one with the least string of the group, or with the `greatest`."""
    rows = np.arange(len(ids))
    if is_dictionary(pool, len(codes)):
        rows = _keep_least(ids, group_count, rows, pool_ranks(pool).take(codes).view(np.uint64), scratch, greatest)
        return _one_row_each(ids, group_count, rows, scratch)
    strings = pool_bytes(pool)
    lengths = strings.lengths(codes)
    for skip in range(0, min(int(lengths.max(initial=0)), LONG), _WORD):
        words = prefix_words(strings, codes.take(rows), skip)
        rows = _keep_least(ids, group_count, rows, words, scratch, greatest)
        if lengths.take(rows).max() <= skip + _WORD:
            break
        if len(_one_row_each(ids, group_count, rows, scratch)) == len(rows):
            return rows
    if lengths.take(rows).max(initial=0) > LONG:
        return _extreme_long_rows(ids, rows, pool, codes, greatest)
    # Strings that are equal but for zero bytes at the end order by length.
    rows = _keep_least(ids, group_count, rows, lengths.take(rows).view(np.uint64), scratch, greatest)
    return _one_row_each(ids, group_count, rows, scratch)


def _keep_least(
    ids: Array, group_count: int, rows: IndexArray, numbers: Array, scratch: GroupScratch, greatest: bool
) -> IndexArray:
    """Those of the rows whose number is the least of their group, or the greatest."""
    if greatest:
        numbers = ~numbers
    least = scratch.least(ids.take(rows), numbers, group_count)
    return rows.take(np.flatnonzero(least == numbers))


def _one_row_each(ids: Array, group_count: int, rows: IndexArray, scratch: GroupScratch) -> IndexArray:
    return _keep_least(ids, group_count, rows, rows.view(np.uint64), scratch, greatest=False)


def _extreme_long_rows(ids: Array, rows: IndexArray, pool: StringPool, codes: Array, greatest: bool) -> IndexArray:
    """The same by Python's comparison of bytes, for rows whose strings have a long common start."""
    strings = pool_bytes(pool)
    best: dict[int, tuple[bytes, int]] = {}
    for row, group, code in zip(rows.tolist(), ids.take(rows).tolist(), codes.take(rows).tolist(), strict=True):
        value = strings.bytes_of(code)
        if group not in best or (value > best[group][0] if greatest else value < best[group][0]):
            best[group] = (value, row)
    return np.array([row for _, row in best.values()], np.intp)
