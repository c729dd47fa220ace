"""The states of a `KeyTable`: how rows of integers are mapped to ids.

    direct   a single integer that is never NULL: a hash table over its values
    packed   the integers of a row, each less its minimum, side by side in one int64: a lookup table
             where there are few codes for the number of rows, else a hash table
    hashed   a 64-bit hash of the integers of a row, verified against the integers of the key that has this hash. No two
             keys of the table have one hash: where that would happen, another hash function is taken, so that there are
             no chains to follow

A state that cannot take rows says so; `next_state` makes one that can, with the same ids for the same keys.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np

from minisql.columnar.column import Array, BoolArray, IndexArray
from minisql.errors import InternalError
from minisql.execution.kernels.growing import GrowingArray
from minisql.execution.kernels.hash_table import HashTable, random_seed
from minisql.execution.kernels.lookup_table import LookupTable, blocks

Values: TypeAlias = tuple[Array, BoolArray | None]
"""The integers of one key column, and which of them are not NULL (None: all)."""

Range: TypeAlias = tuple[int, int]

_FEW_CODES: Final = 1 << 23
_CODES_PER_ROW: Final = 8
_MOST_CODES: Final = 1 << 62
_MULTIPLIER: Final = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT: Final = np.uint64(31)
_NULL_HASH: Final = np.uint64(0x94D049BB133111EB)


def slice_values(values: Sequence[Values], rows: slice) -> list[Values]:
    """Some rows of the columns."""
    return [(integers[rows], None if valid is None else valid[rows]) for integers, valid in values]


class DirectState:
    """Keys of one column without NULLs are their own codes."""

    def __init__(self, expected: int) -> None:
        self._table = HashTable(expected)

    def __len__(self) -> int:
        return len(self._table)

    @property
    def nbytes(self) -> int:
        return self._table.nbytes

    def keys(self) -> list[Values]:
        return [(self._table.keys(), None)]

    def insert(self, values: Sequence[Values]) -> tuple[Array, IndexArray] | None:
        integers, valid = values[0]
        return None if valid is not None else self._table.insert(integers.astype(np.int64, copy=False))

    def lookup(self, values: Sequence[Values]) -> Array:
        integers, valid = values[0]
        ids = self._table.lookup(integers.astype(np.int64, copy=False))
        if valid is not None:
            ids[np.flatnonzero(~valid)] = -1
        return ids


class PackedState:
    """Keys within known ranges, as numbers in a mixed radix."""

    def __init__(self, ranges: Sequence[Range], expected: int) -> None:
        self.ranges = tuple(ranges)
        self._sizes = [code_count(range_) for range_ in ranges]
        self._total = _total(ranges)
        self._table: LookupTable | HashTable
        if is_dense(self._total, expected):
            self._table = LookupTable(self._total)
        else:
            self._table = HashTable(expected)

    def __len__(self) -> int:
        return len(self._table)

    @property
    def nbytes(self) -> int:
        return self._table.nbytes

    def keys(self) -> list[Values]:
        codes = self._table.keys()
        columns: list[Values] = []
        for (low, _), size in zip(reversed(self.ranges), reversed(self._sizes), strict=True):
            codes, digits = np.divmod(codes, size)
            valid = digits < size - 2
            columns.append((digits + low, None if valid.all() else valid))
        return columns[::-1]

    def insert(self, values: Sequence[Values]) -> tuple[Array, IndexArray] | None:
        codes = self._codes(values)
        outside = self._total if len(self._sizes) > 1 else self._sizes[0] - 2
        return None if (codes == outside).any() else self._table.insert(codes)

    def lookup(self, values: Sequence[Values]) -> Array:
        return self._table.lookup(self._codes(values))

    def _codes(self, values: Sequence[Values]) -> Array:
        """The codes (int64); where a value is out of its range one that no key has."""
        codes = _digits(values[0], self.ranges[0])
        if len(values) == 1:
            return codes
        outside = codes == self._sizes[0] - 2
        for column, range_, size in zip(values[1:], self.ranges[1:], self._sizes[1:], strict=True):
            digits = _digits(column, range_)
            outside |= digits == size - 2
            codes *= size
            codes += digits
        rows = np.flatnonzero(outside)
        if len(rows):
            codes[rows] = self._total
        return codes


def code_count(range_: Range) -> int:
    """How many digits a column in this range has: one a value, one for what is out of the range, one for NULL."""
    low, high = range_
    return high - low + 3


def is_dense(total: int, rows: int) -> bool:
    """Whether a lookup table over so many codes is worth its memory for so many rows."""
    return total <= max(_FEW_CODES, _CODES_PER_ROW * rows)


def _digits(column: Values, range_: Range) -> Array:
    """0 for the lowest value and so on, then one digit for what is out of the range, then one for NULL (int64)."""
    integers, valid = column
    low, high = range_
    digits = np.subtract(integers, low, dtype=np.int64)
    # Below the range the difference is a large number when it has no sign, also where it wrapped.
    unsigned = digits.view(np.uint64)
    np.minimum(unsigned, np.uint64(high - low + 1), out=unsigned)
    if valid is not None:
        digits[np.flatnonzero(~valid)] = high - low + 2
    return digits


class HashedState:
    """Keys of any integers."""

    def __init__(self, width: int, expected: int, seed: int) -> None:
        self._table = HashTable(expected)
        self._seed = np.uint64(seed)
        self._integers = [GrowingArray(np.int64, expected) for _ in range(width)]
        self._valid = [GrowingArray(np.bool_, expected) for _ in range(width)]

    def __len__(self) -> int:
        return len(self._table)

    @property
    def nbytes(self) -> int:
        return self._table.nbytes + sum(array.nbytes for array in (*self._integers, *self._valid))

    def keys(self) -> list[Values]:
        return [(integers.used(), valid.used()) for integers, valid in zip(self._integers, self._valid, strict=True)]

    def insert(self, values: Sequence[Values]) -> tuple[Array, IndexArray] | None:
        count, length = len(self), len(values[0][0])
        ids, new_rows = self._table.insert(self._hashes(values))
        for (integers, valid), all_integers, all_valid in zip(values, self._integers, self._valid, strict=True):
            new_valid = np.ones(len(new_rows), np.bool_) if valid is None else valid.take(new_rows)
            # NULLs are equal to each other: they have one integer.
            all_integers.append(np.where(new_valid, integers.take(new_rows), 0))
            all_valid.append(new_valid)
        if len(new_rows) == length or self._equal(values, ids).all():
            return ids, new_rows
        for array in (*self._integers, *self._valid):
            array.truncate(count)
        return None

    def lookup(self, values: Sequence[Values]) -> Array:
        ids = self._table.lookup(self._hashes(values))
        different = np.flatnonzero(~self._equal(values, ids))
        if len(different):
            ids[different] = -1
        return ids

    def _equal(self, values: Sequence[Values], ids: Array) -> BoolArray:
        """Which rows equal the keys with these ids; of a row without an id (-1) the answer means nothing."""
        result = np.ones(len(ids), np.bool_)
        if len(self) == 0:
            return result
        for (integers, valid), all_integers, all_valid in zip(values, self._integers, self._valid, strict=True):
            result &= (integers if valid is None else np.where(valid, integers, 0)) == all_integers.used().take(
                ids, mode="clip"
            )
            stored_valid = all_valid.used().take(ids, mode="clip")
            result &= stored_valid if valid is None else stored_valid == valid
        return result

    def _hashes(self, values: Sequence[Values]) -> Array:
        hashes = np.full(len(values[0][0]), self._seed)
        for integers, valid in values:
            hashes ^= integers.astype(np.int64, copy=False).view(np.uint64)
            if valid is not None:
                nulls = np.flatnonzero(~valid)
                hashes[nulls] ^= integers.take(nulls).astype(np.int64).view(np.uint64) ^ _NULL_HASH
            hashes *= _MULTIPLIER
            hashes ^= hashes >> _SHIFT
        return hashes.view(np.int64)


KeyState: TypeAlias = DirectState | PackedState | HashedState


def next_state(
    state: KeyState | None, coming: Sequence[Values], hints: Sequence[Range | None], expected: int
) -> KeyState:
    """A state with the keys of `state` that can take the rows that are coming.

    `hints` are ranges that later rows are likely to stay in; `expected` is how many rows the table will be given in
    all, as far as that is known.
    """
    known = [] if state is None else state.keys()
    expected = max(expected, (0 if state is None else len(state)) + len(coming[0][0]))
    seed = 0
    while True:
        if isinstance(state, HashedState):
            new: KeyState = HashedState(len(coming), expected, random_seed())
        else:
            ranges = [_range_of(column) for column in coming]
            if state is not None:
                ranges = [_union(_range_of(old), new) for old, new in zip(known, ranges, strict=True)]
            has_nulls = any(valid is not None for _, valid in (*known, *coming))
            new = _make_state(*_wider_ranges(state, ranges, hints), ranges, has_nulls, expected, seed)
        if state is None or _insert_all(new, known, len(state)):
            return new
        seed = random_seed()


def _make_state(
    dense: Sequence[Sequence[Range]],
    wider: Sequence[Sequence[Range]],
    ranges: Sequence[Range],
    has_nulls: bool,
    expected: int,
    seed: int,
) -> KeyState:
    """A state for keys in these ranges: a lookup table in the first of the `dense` ones that are, else a hash table.

    It is in `wider` ones, the first best, where that costs nothing.
    """
    for choice in dense:
        if is_dense(_total(choice), expected):
            return PackedState(choice, expected)
    if len(ranges) == 1 and not has_nulls:
        return DirectState(expected)
    for choice in (*wider, ranges):
        if _total(choice) <= _MOST_CODES:
            return PackedState(choice, expected)
    return HashedState(len(ranges), expected, seed)


def _wider_ranges(
    state: KeyState | None, ranges: Sequence[Range], hints: Sequence[Range | None]
) -> tuple[Sequence[Sequence[Range]], Sequence[Sequence[Range]]]:
    """The ranges that a lookup table is tried for, and those for a hash table, the widest first.

    A lookup table that has grown once must have room to grow again, or each row of keys in order might move it.
    """
    hinted = [range_ if hint is None else _union(range_, hint) for range_, hint in zip(ranges, hints, strict=True)]
    if not isinstance(state, PackedState):
        return [hinted, ranges], [hinted]
    roomy, less = (
        [_with_room(old, new, share) for old, new in zip(state.ranges, hinted, strict=True)] for share in (1, 8)
    )
    return [roomy, less], [roomy, hinted]


def _total(ranges: Sequence[Range]) -> int:
    return math.prod(map(code_count, ranges))


def _range_of(column: Values) -> Range:
    integers, valid = column
    if valid is not None:
        integers = integers.take(np.flatnonzero(valid))
    return (int(integers.min()), int(integers.max())) if len(integers) else (0, 0)


def _union(left: Range, right: Range) -> Range:
    return min(left[0], right[0]), max(left[1], right[1])


def _with_room(old: Range, new: Range, share: int) -> Range:
    """The new range, made wider where it has grown, by one in `share` of itself: keys in order move it a few times."""
    low, high = _union(old, new)
    room = (high - low) // share
    return low - room if low < old[0] else low, high + room if high > old[1] else high


def _insert_all(state: KeyState, keys: Sequence[Values], count: int) -> bool:
    """Inserts distinct keys by id; whether they went in."""
    for block in blocks(count):
        inserted = state.insert(slice_values(keys, block))
        if inserted is None:
            if isinstance(state, HashedState):
                return False
            raise InternalError("A state of a key table does not fit the keys that it was made for.")
    return len(state) == count
