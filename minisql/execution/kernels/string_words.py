"""Strings as words of eight bytes: hashing, comparing and ordering many strings at once.

A `StringBytes` reads the Arrow buffers of strings through a view that has a 64-bit word at every byte position, so that
word j of many strings is one gather. Work goes word by word over all strings together; strings drop out where they end.
A string of more than `LONG` bytes is left to Python's own functions on bytes, whose cost is in the bytes and no longer
in the number of strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from minisql.columnar.column import Array, BoolArray, IndexArray, StringPool
from minisql.columnar.strings import offsets_and_bytes
from minisql.execution.kernels.lookup_table import blocks

if TYPE_CHECKING:
    import pyarrow as pa

LONG: Final = 1024
_WORD: Final = 8
_MASKS: Final = np.array([(1 << (8 * size)) - 1 for size in range(_WORD + 1)], np.uint64)
_MULTIPLIER: Final = np.uint64(0xD6E8FEB86659FD93)
_SHIFT: Final = np.uint64(32)


class StringBytes:
    """The bytes of strings, read by word. `offsets[i]` to `offsets[i + 1]` are those of string i in `data`."""

    __slots__ = ("_last", "_words", "data", "offsets")

    def __init__(self, data: Array, offsets: Array) -> None:
        """`data` are bytes (uint8)."""
        if len(data) < _WORD:
            data = np.concatenate([data, np.zeros(_WORD, np.uint8)])
        self.data = data
        self.offsets = offsets
        self._last = len(data) - _WORD
        self._words: Array = np.ndarray((self._last + 1,), np.dtype("<u8"), buffer=data, strides=(1,))

    def spans(self, codes: Array) -> tuple[IndexArray, IndexArray]:
        """Where the strings start, and their lengths in bytes."""
        starts: IndexArray = self.offsets.take(codes)
        lengths: IndexArray = self.offsets.take(codes + 1)
        lengths -= starts
        return starts, lengths

    def lengths(self, codes: Array) -> IndexArray:
        """The lengths of the strings in bytes."""
        return self.spans(codes)[1]

    def words(self, positions: IndexArray, sizes: IndexArray) -> Array:
        """The words (uint64, first byte lowest) at byte positions, with all but the first `sizes` bytes zero."""
        if len(positions) and positions.max() > self._last:
            near_end = np.maximum(positions - self._last, 0)
            words = self._words[positions - near_end]
            words >>= (np.minimum(near_end, _WORD - 1) << 3).view(np.uint64)
            # At the very end there is no byte left to read, but a size of 0 makes the word 0 all the same.
        else:
            words = self._words[positions]
        if len(sizes) and sizes.min() < _WORD:
            words &= _MASKS.take(sizes, mode="clip")
        return words

    def bytes_of(self, code: int) -> bytes:
        """One string."""
        return self.data[self.offsets[code] : self.offsets[code + 1]].tobytes()


def pool_bytes(pool: StringPool) -> StringBytes:
    """The bytes of a pool; made once and kept with it."""
    known: StringBytes | None = pool.derived.get("bytes")
    if known is None:
        known = pool.derived["bytes"] = arrow_bytes(pool.strings)
    return known


def arrow_bytes(strings: pa.LargeStringArray) -> StringBytes:
    """The bytes of an Arrow array without NULLs, not copied."""
    offsets, data = offsets_and_bytes(strings)
    return StringBytes(data, offsets)


def hash_strings(strings: StringBytes, codes: Array, seed: int) -> Array:
    """64-bit hashes (int64) of the strings with these codes; another seed makes another function."""
    hashes = np.empty(len(codes), np.uint64)
    for block in blocks(len(codes)):
        hashes[block] = _hash_block(strings, codes[block], seed)
    return hashes.view(np.int64)


def _hash_block(strings: StringBytes, codes: Array, seed: int) -> Array:
    positions, left = strings.spans(codes)
    hashes = left.astype(np.uint64) ^ np.uint64(seed)
    longest = int(left.max(initial=0))
    if longest > LONG:
        long = np.flatnonzero(left > LONG)
        hashes[long] = [hash((seed, strings.bytes_of(code))) & (2**64 - 1) for code in codes.take(long).tolist()]
        left[long] = 0
        longest = int(left.max(initial=0))
    hashes = _mixed(_mixed(hashes) ^ strings.words(positions, left))
    rows = None
    for _ in range(_WORD, longest, _WORD):
        alive = np.flatnonzero(left > _WORD)
        if len(alive) < len(left):
            rows = alive if rows is None else rows.take(alive)
            positions, left = positions.take(alive), left.take(alive)
        positions, left = positions + _WORD, left - _WORD
        words = strings.words(positions, left)
        if rows is None:
            hashes = _mixed(hashes ^ words)
        else:
            hashes[rows] = _mixed(hashes.take(rows) ^ words)
    return hashes


def _mixed(hashes: Array) -> Array:
    hashes *= _MULTIPLIER
    hashes ^= hashes >> _SHIFT
    return hashes


def equal_strings(left: StringBytes, left_codes: Array, right: StringBytes, right_codes: Array) -> BoolArray:
    """Whether string `left_codes[i]` of `left` equals string `right_codes[i]` of `right`, for every i."""
    equal = np.empty(len(left_codes), np.bool_)
    for block in blocks(len(left_codes)):
        equal[block] = _equal_block(left, left_codes[block], right, right_codes[block])
    return equal


def _equal_block(left: StringBytes, left_codes: Array, right: StringBytes, right_codes: Array) -> BoolArray:
    left_at, sizes = left.spans(left_codes)
    right_at, right_sizes = right.spans(right_codes)
    equal: BoolArray = sizes == right_sizes
    rows = np.flatnonzero(equal & (sizes > 0))
    if len(rows) < len(sizes):
        sizes, left_at, right_at = sizes.take(rows), left_at.take(rows), right_at.take(rows)
    if len(sizes) and sizes.max() > LONG:
        long = np.flatnonzero(sizes > LONG)
        for row in rows.take(long).tolist():
            equal[row] = left.bytes_of(left_codes[row]) == right.bytes_of(right_codes[row])
        short = np.flatnonzero(sizes <= LONG)
        rows, sizes = rows.take(short), sizes.take(short)
        left_at, right_at = left_at.take(short), right_at.take(short)
    while len(rows):
        same = left.words(left_at, sizes) == right.words(right_at, sizes)
        if not same.all():
            equal[rows.take(np.flatnonzero(~same))] = False
            going_on = np.flatnonzero(same & (sizes > _WORD))
        else:
            going_on = np.flatnonzero(sizes > _WORD)
        if len(going_on) < len(rows):
            rows, sizes = rows.take(going_on), sizes.take(going_on)
            left_at, right_at = left_at.take(going_on), right_at.take(going_on)
        left_at, right_at, sizes = left_at + _WORD, right_at + _WORD, sizes - _WORD
    return equal


def prefix_words(strings: StringBytes, codes: Array, skip: int = 0) -> Array:
    """Eight bytes of each string after the first `skip`, as numbers (uint64) that order as the bytes do.

    Where a string has fewer, zeros stand for what is missing: of strings that differ only in zero bytes at the end the
    numbers are equal.
    """
    positions, lengths = strings.spans(codes)
    words = strings.words(positions + np.minimum(lengths, skip), np.maximum(lengths - skip, 0))
    return words.byteswap()
