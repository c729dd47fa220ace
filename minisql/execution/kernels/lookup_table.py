"""The table for dense codes: an array with a slot for every code that there can be.

In come codes in `[0, size)`, out go dense numbers (ids) from 0 in the order in which the codes first appeared. Where
the range of the keys is small against the number of rows, nothing is faster: one load a row and no comparison.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minisql.columnar.column import Array, IndexArray

BLOCK_ROWS = 131_072
"""Rows that kernels work on at a time, so that what lies between two steps stays in the cache."""


def blocks(length: int) -> Iterator[slice]:
    """Slices of at most `BLOCK_ROWS` that cover `length` rows."""
    for start in range(0, length, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, length))


class LookupTable:
    """Ids of codes in `[0, size)`. Looking up is read-only."""

    def __init__(self, size: int) -> None:
        # Id + 1, and 0 for an absent code: zeroed pages cost nothing until they are touched. The code `size` is legal
        # in a lookup and always absent.
        self._slots = np.zeros(size + 1, np.int32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes of the table."""
        return self._slots.nbytes

    def insert(self, codes: Array) -> tuple[Array, IndexArray]:
        """The ids of the codes (int32), and the rows that brought a new one, in the order of the new ids."""
        slots, count = self._slots, self._count
        ids = slots.take(codes)
        fresh = np.flatnonzero(ids == 0) if ids.min(initial=1) == 0 else np.empty(0, np.intp)
        if len(fresh):
            fresh_codes = codes.take(fresh)
            claims = np.arange(count + 1, count + 1 + len(fresh), dtype=np.int32)
            # Of equal codes the last assignment stays: backwards, that is the first row.
            slots[fresh_codes[::-1]] = claims[::-1]
            first = np.flatnonzero(slots.take(fresh_codes) == claims)
            if len(first) < len(fresh):
                slots[fresh_codes.take(first)] = claims[: len(first)]
                fresh = fresh.take(first)
            self._count = count + len(fresh)
            ids = slots.take(codes)
        ids -= 1
        return ids, fresh

    def lookup(self, codes: Array) -> Array:
        """The ids of the codes (int32), -1 where a code is absent. Codes lie in `[0, size]`."""
        ids = self._slots.take(codes)
        ids -= 1
        return ids

    def keys(self) -> Array:
        """The codes by id."""
        codes = np.flatnonzero(self._slots)
        keys = np.empty(self._count, np.int64)
        keys[self._slots.take(codes) - 1] = codes
        return keys
