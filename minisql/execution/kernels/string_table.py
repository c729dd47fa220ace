"""The table for strings: ids of strings that may come from many pools.

A hash table over 64-bit hashes of the strings. No two different strings of the table have one hash: where that would
happen, the table takes another hash function and starts again, so that there are no chains to follow. Equality is
verified against the table's own copy of the string, always. The strings of a small dictionary are looked up once for
each dictionary and not once for each row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from minisql.columnar.column import Array, IndexArray, StringPool
from minisql.execution.kernels.growing import GrowingArray
from minisql.execution.kernels.hash_table import HashTable, random_seed
from minisql.execution.kernels.lookup_table import blocks
from minisql.execution.kernels.string_words import StringBytes, arrow_bytes, equal_strings, hash_strings, pool_bytes

if TYPE_CHECKING:
    import pyarrow as pa

ABSENT: Final = -2
"""What a lookup gives for a string that is not in the table."""

_UNKNOWN: Final = -1
_FIRST_SEED: Final = 0
_DICTIONARIES_KEPT: Final = 4
_FEW_STRINGS: Final = 1 << 18


def pool_hashes(pool: StringPool, codes: Array) -> Array:
    """Hashes with the first seed. Once a pool has been asked for as many hashes as it has strings, it keeps them."""
    known: Array | None = pool.derived.get("hashes")
    if known is None:
        asked = pool.derived.get("hashes asked for", 0) + len(codes)
        pool.derived["hashes asked for"] = asked
        if asked <= len(pool):
            return hash_strings(pool_bytes(pool), codes, _FIRST_SEED)
        known = pool.derived["hashes"] = hash_strings(pool_bytes(pool), np.arange(len(pool)), _FIRST_SEED)
    return known.take(codes)


class StringTable:
    """Ids of strings, in the order in which they first appeared. Looking up changes nothing but a cache."""

    def __init__(self, expected: int = 0) -> None:
        self._table = HashTable(expected)
        self._strings = _GrowingStrings()
        self._seed = _FIRST_SEED
        self._inserted = _DictionaryIds()
        self._looked_up = _DictionaryIds()

    def __len__(self) -> int:
        return len(self._table)

    @property
    def nbytes(self) -> int:
        """Bytes of the table and of its strings."""
        return self._table.nbytes + self._strings.nbytes

    def insert(self, pool: StringPool, codes: Array) -> Array:
        """The ids (int32) of the strings with these codes."""
        if not _is_dictionary(pool, codes):
            return self._insert(pool, codes)
        ids_of_codes = self._inserted.of(pool)
        ids: Array = ids_of_codes.take(codes)
        if ids.min(initial=0) == _UNKNOWN:
            unknown = np.flatnonzero(ids == _UNKNOWN)
            new_codes = codes.take(unknown)
            ids_of_codes[new_codes] = ids[unknown] = self._insert(pool, new_codes)
            self._looked_up = _DictionaryIds()
        return ids

    def lookup(self, pool: StringPool, codes: Array) -> Array:
        """The ids (int32) of the strings with these codes, `ABSENT` where one is not in the table."""
        if not _is_dictionary(pool, codes):
            return self._lookup(pool, codes)
        ids_of_codes = self._looked_up.of(pool)
        ids: Array = ids_of_codes.take(codes)
        unknown = np.flatnonzero(ids == _UNKNOWN)
        if len(unknown):
            new_codes = codes.take(unknown)
            ids_of_codes[new_codes] = ids[unknown] = self._lookup(pool, new_codes)
        return ids

    def _insert(self, pool: StringPool, codes: Array) -> Array:
        ids = np.empty(len(codes), np.int32)
        for block in blocks(len(codes)):
            ids[block] = self._insert_block(pool, codes[block])
        return ids

    def _insert_block(self, pool: StringPool, codes: Array) -> Array:
        while True:
            count = len(self._table)
            ids, new_rows = self._table.insert(self._hashes(pool, codes))
            self._strings.append(pool.strings, codes.take(new_rows))
            rows = np.arange(len(ids)) if len(new_rows) == 0 else _all_but(new_rows, len(ids))
            own = self._strings.bytes()
            if equal_strings(pool_bytes(pool), codes.take(rows), own, ids.take(rows)).all():
                return ids
            self._strings.truncate(count)
            self._take_another_hash()

    def _take_another_hash(self) -> None:
        """Two different strings have one hash: a new seed, random so that no input can be made to fail for long."""
        count = len(self._strings)
        while True:
            self._seed = random_seed()
            table = HashTable(count)
            hashes = hash_strings(self._strings.bytes(), np.arange(count), self._seed)
            for block in blocks(count):
                table.insert(hashes[block])
            if len(table) == count:
                self._table = table
                return

    def _lookup(self, pool: StringPool, codes: Array) -> Array:
        own = self._strings.bytes()
        result = np.empty(len(codes), np.int32)
        for block in blocks(len(codes)):
            block_codes = codes[block]
            ids = self._table.lookup(self._hashes(pool, block_codes))
            found = np.flatnonzero(ids >= 0)
            if len(found) == len(ids):
                equal = equal_strings(pool_bytes(pool), block_codes, own, ids)
            else:
                equal = np.zeros(len(ids), np.bool_)
                equal[found] = equal_strings(pool_bytes(pool), block_codes.take(found), own, ids.take(found))
            ids[np.flatnonzero(~equal)] = ABSENT
            result[block] = ids
        return result

    def _hashes(self, pool: StringPool, codes: Array) -> Array:
        if self._seed == _FIRST_SEED:
            return pool_hashes(pool, codes)
        return hash_strings(pool_bytes(pool), codes, self._seed)


def _is_dictionary(pool: StringPool, codes: Array) -> bool:
    """Whether to remember the ids of the strings of the pool: they come again, and it is not much to remember."""
    return pool.distinct and len(pool) <= max(_FEW_STRINGS, len(codes))


def _all_but(rows: IndexArray, length: int) -> IndexArray:
    others = np.ones(length, np.bool_)
    others[rows] = False
    return np.flatnonzero(others)


class _DictionaryIds:
    """For the last few dictionaries, the id of each of their strings, or `_UNKNOWN`."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[StringPool, Array]] = {}

    def of(self, pool: StringPool) -> Array:
        known = self._known.get(id(pool))
        if known is None:
            if len(self._known) >= _DICTIONARIES_KEPT:
                self._known = dict(list(self._known.items())[1:])
            # The pool is kept with its ids: while it lives, no other has its identity.
            known = self._known[id(pool)] = (pool, np.full(len(pool), _UNKNOWN, np.int32))
        return known[1]


class _GrowingStrings:
    """Strings one after the other, with room to append."""

    def __init__(self) -> None:
        self._data = GrowingArray(np.uint8)
        self._offsets = GrowingArray(np.int64)
        self._offsets.append(np.zeros(1, np.int64))

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @property
    def nbytes(self) -> int:
        return self._data.nbytes + self._offsets.nbytes

    def append(self, strings: pa.LargeStringArray, codes: Array) -> None:
        if len(codes) == 0:
            return
        taken = arrow_bytes(strings.take(codes))
        first, last = int(taken.offsets[0]), int(taken.offsets[-1])
        size = len(self._data)
        self._data.append(taken.data[first:last])
        self._offsets.append(taken.offsets[1:] + (size - first))

    def truncate(self, count: int) -> None:
        self._offsets.truncate(count + 1)
        self._data.truncate(int(self._offsets.used()[-1]))

    def bytes(self) -> StringBytes:
        return StringBytes(self._data.used(), self._offsets.used())
