"""The table for all other keys: open addressing over int64, a block of rows at a time.

In come int64 keys, out go dense numbers (ids) from 0 in the order in which the keys first appeared. A slot holds an
id; the keys lie in an array by id. All rows of a block look at their first slot together, then those that met another
key at their next one, and so on; with at most half of the slots in use the rounds get short quickly. The slot is the
top bits of a product (Knuth, The Art of Computer Programming 3, 6.4), the steps between slots grow by one (triangular
probing, which visits every slot of a table whose size is a power of two).
"""

from __future__ import annotations

import os

import numpy as np

from minisql.columnar.column import Array, IndexArray
from minisql.execution.kernels.lookup_table import blocks

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd
_FOLD = np.uint64(32)
_SMALLEST_SLOT_COUNT = 64


def random_seed() -> int:
    """64 random bits for a hash function that nobody can have chosen keys for."""
    return int.from_bytes(os.urandom(8), "little")


class HashTable:
    """Ids of int64 keys. Looking up is read-only."""

    def __init__(self, expected: int = 0) -> None:
        """`expected` is how many distinct keys may come; more are welcome and make the table grow."""
        self._count = 0
        self._keys = np.empty(0, np.int64)
        self._slots = np.empty(0, np.int32)
        self._reserve(expected)

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes of the table."""
        return self._keys.nbytes + self._slots.nbytes

    def keys(self) -> Array:
        """The keys by id."""
        return self._keys[: self._count]

    def insert(self, keys: Array) -> tuple[Array, IndexArray]:
        """The ids of the keys (int32), and the rows that brought a new one, in the order of the new ids.

        At most `BLOCK_ROWS` keys are worth giving at a time.
        """
        length, count = len(keys), self._count
        self._reserve(count + length)
        slots, stored, mask = self._slots, self._keys, len(self._slots) - 1
        # Row r bids with id count + r, and its key is in place for the rows that meet it; bids become dense below.
        stored[count : count + length] = keys
        found = np.empty(length, np.int32)
        new_rows, new_slots = [], []
        rows, at, wanted, step = np.arange(length), self._first_slots(keys), keys, 1
        while True:
            occupants = slots.take(at)
            empty = np.flatnonzero(occupants == 0)
            if len(empty):
                bids = (rows.take(empty) + (count + 1)).astype(np.int32)
                empty_slots = at.take(empty)
                # Of rows at one slot the last assignment stays: backwards, that is the first row.
                slots[empty_slots[::-1]] = bids[::-1]
                winners = slots.take(empty_slots)
                occupants[empty] = winners
                won = np.flatnonzero(winners == bids)
                new_rows.append(rows.take(empty.take(won)))
                new_slots.append(empty_slots.take(won))
            if step == 1:
                found = occupants
            else:
                found[rows] = occupants
            other = np.flatnonzero(stored.take(occupants - 1) != wanted)
            if len(other) == 0:
                break
            rows, wanted = rows.take(other), wanted.take(other)
            at = (at.take(other) + step) & mask
            step += 1
        fresh = self._make_dense(found, new_rows, new_slots)
        found -= 1
        return found, fresh

    def _make_dense(self, found: Array, new_rows: list[IndexArray], new_slots: list[IndexArray]) -> IndexArray:
        """Turns the bids that won into dense ids, in `found` too; gives their rows."""
        length, count = len(found), self._count
        if not new_rows:
            return np.empty(0, np.intp)
        rows, at = np.concatenate(new_rows), np.concatenate(new_slots)
        if len(rows) == length:
            self._count = count + length
            return np.arange(length)
        is_new = np.zeros(length, np.bool_)
        is_new[rows] = True
        fresh = np.flatnonzero(is_new)
        ranks = np.cumsum(is_new, dtype=np.int32)
        self._slots[at] = ranks.take(rows) + np.int32(count)
        self._keys[count : count + len(fresh)] = self._keys.take(fresh + count)
        self._count = count + len(fresh)
        bids = np.flatnonzero(found > count)
        found[bids] = ranks.take(found.take(bids) - (count + 1)) + np.int32(count)
        return fresh

    def lookup(self, keys: Array) -> Array:
        """The ids of the keys (int32), -1 where a key is absent."""
        if self._count == 0:
            return np.full(len(keys), -1, np.int32)
        slots, stored, mask = self._slots, self._keys, len(self._slots) - 1
        at = self._first_slots(keys)
        ids = slots.take(at)
        ids -= 1
        # An empty slot gives -1, which take clips to some key: that key would have been found before.
        other = np.flatnonzero((stored.take(ids, mode="clip") != keys) & (ids >= 0))
        rows, wanted, step = other, keys.take(other), 1
        at = at.take(other)
        while len(rows):
            at = (at + step) & mask
            step += 1
            occupants = slots.take(at)
            occupants -= 1
            ids[rows] = occupants
            other = np.flatnonzero((stored.take(occupants, mode="clip") != wanted) & (occupants >= 0))
            rows, wanted, at = rows.take(other), wanted.take(other), at.take(other)
        return ids

    def _first_slots(self, keys: Array) -> IndexArray:
        hashes = keys.view(np.uint64)
        # The fold brings the high bits down: a product never moves information downwards by itself.
        hashes = hashes ^ (hashes >> _FOLD)
        hashes *= _MULTIPLIER
        hashes >>= np.uint64(65 - len(self._slots).bit_length())
        return hashes.view(np.int64)

    def _reserve(self, count: int) -> None:
        """Makes room for `count` keys."""
        if count > len(self._keys):
            # A table that grows does so by doubling; the first size is taken as said.
            capacity = count if len(self._keys) == 0 else max(count, 2 * len(self._keys))
            keys = np.empty(capacity, np.int64)
            keys[: self._count] = self._keys[: self._count]
            self._keys = keys
        slot_count = max(_SMALLEST_SLOT_COUNT, 1 << (2 * count - 1).bit_length()) if count else _SMALLEST_SLOT_COUNT
        if slot_count > len(self._slots):
            self._slots = np.zeros(slot_count, np.int32)
            for block in blocks(self._count):
                self._place(np.arange(block.start, block.stop, dtype=np.int32))

    def _place(self, ids: Array) -> None:
        """Puts ids whose keys are distinct and not in a slot yet into slots."""
        slots, mask, step = self._slots, len(self._slots) - 1, 1
        at = self._first_slots(self._keys[ids[0] : ids[0] + len(ids)])
        bids = ids + np.int32(1)
        while len(bids):
            empty = np.flatnonzero(slots.take(at) == 0)
            slots[at.take(empty)] = bids.take(empty)
            homeless = np.flatnonzero(slots.take(at) != bids)
            at, bids = (at.take(homeless) + step) & mask, bids.take(homeless)
            step += 1
