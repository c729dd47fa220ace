"""The order of rows by several keys: a permutation, or the first rows of it.

In come key columns with their directions, out come row numbers; rows that are equal in all keys keep their order. A key
becomes numbers that ascend as the order wants, NULLs included. The numbers of as many keys as fit are put together with
the number of the row into 63 bits and sorted as one, which is several times faster than an indirect sort; there are as
many sorts as it takes. Numbers that are too large for this are replaced by their ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from minisql.columnar.column import Array, BoolArray, Column, IndexArray
from minisql.columnar.intervals import interval_lengths
from minisql.columnar.strings import gathered, pool_of
from minisql.datatypes import TypeKind
from minisql.execution.kernels.key_parts import double_bits
from minisql.execution.kernels.string_order import string_ranks
from minisql.execution.kernels.string_words import pool_bytes, prefix_words
from minisql.node import record

_MOST_CODES: Final = 1 << 62
_SIGN: Final = np.uint64(1 << 63)
_LOWEST: Final = np.int64(-(2**63))
_HIGHEST: Final = np.int64(2**63 - 1)
_MANY_ROWS: Final = 4096


@record
class OrderKey:
    """One key: its values in all rows, its direction, and where its NULLs go."""

    column: Column
    descending: bool
    nulls_first: bool

    def take(self, rows: Array) -> OrderKey:
        """The key in some rows."""
        return OrderKey(self.column.take(rows), self.descending, self.nulls_first)


def sorted_rows(keys: Sequence[OrderKey]) -> IndexArray:
    """All rows in the order of the keys, of which there is one, the first one first."""
    length = len(keys[0].column)
    row_bits = max(1, (length - 1).bit_length())
    most = 1 << (63 - row_bits)
    words = _packed([word for key in keys for word in _words(key)], most)
    if len(words) == 1 and words[0][1] is None:
        rows = np.argsort(words[0][0])
        if _starts_of_runs(words[0][0].take(rows)).all():
            return rows
    words = _packed([word if _fits(word, most) else _ranked(word[0]) for word in words], most)
    # The last word first, since a sort leaves rows that are equal in the order that they have.
    rows = np.arange(length)
    for place, (numbers, _) in enumerate(reversed(words)):
        packed = (numbers if place == 0 else numbers.take(rows)) << row_bits
        packed |= np.arange(length)
        packed.sort()
        packed &= (1 << row_bits) - 1
        rows = packed if place == 0 else rows.take(packed)
    return rows


def first_rows(keys: Sequence[OrderKey], limit: int) -> IndexArray:
    """The first `limit` rows in the order of the keys."""
    length = len(keys[0].column)
    if limit == 0:
        return np.empty(0, np.intp)
    if limit >= length:
        return sorted_rows(keys)
    numbers = _rough_numbers(keys[0])
    last = np.partition(numbers, limit - 1)[limit - 1]
    candidates = np.flatnonzero(numbers <= last)
    return candidates.take(sorted_rows([key.take(candidates) for key in keys])[:limit])


def rows_not_after(key: OrderKey, last: OrderKey) -> IndexArray:
    """The rows whose key is not after that of `last`, a key of one row; a few that are may be among them."""
    rows = np.flatnonzero(_rough_numbers(key) <= _rough_numbers(last)[0])
    if not key.column.type.is_string or len(rows) < _MANY_ROWS or not _is_known(last):
        return rows
    # Where strings start alike, the rough numbers tell little.
    some = key.take(rows)
    import pyarrow.compute as pc

    compare = pc.greater_equal if key.descending else pc.less_equal
    kept: Array = compare(gathered(some.column), gathered(last.column)[0]).to_numpy(zero_copy_only=False)
    if some.column.valid is not None:
        kept = kept | ~some.column.valid
    return rows.take(np.flatnonzero(kept))


def run_starts(columns: Sequence[Column], rows: IndexArray) -> BoolArray:
    """Which of the rows, in this order, differ from the one before in a column. NULLs are equal; the first row does."""
    starts = np.zeros(len(rows), np.bool_)
    starts[:1] = True
    for column in columns:
        numbers = ordered_integers(column).take(rows)
        differ = numbers[1:] != numbers[:-1]
        if column.valid is not None:
            valid = column.valid.take(rows)
            differ &= valid[1:]
            differ |= valid[1:] != valid[:-1]
        starts[1:] |= differ
    return starts


def _is_known(last: OrderKey) -> bool:
    return last.column.valid is None or bool(last.column.valid[0])


_Word = tuple[Array, int | None]
"""Numbers (int64) that ascend in the order of a key, and how many there can be: all from 0; None where they are any."""


def _words(key: OrderKey) -> list[_Word]:
    """The numbers of a key; where there is no number left for NULL, a word before them tells the NULLs."""
    return _with_nulls(key, ordered_integers(key.column))


def _rough_numbers(key: OrderKey) -> Array:
    """Numbers (int64) that never descend in the order of a key, the same for equal values of all batches.

    Rows that differ may have one number.
    """
    column = key.column
    if column.type.is_string:
        prefixes = prefix_words(pool_bytes(pool_of(column)), column.values)
        integers = (prefixes ^ _SIGN).view(np.int64)
    elif column.values.dtype == np.object_:
        known = column.values if column.valid is None else np.where(column.valid, column.values, 0)
        integers = _ordered_bits(known.astype(np.float64))
    else:
        integers = ordered_integers(column).astype(np.int64, copy=False)
    if key.descending:
        integers = ~integers
    if column.valid is None:
        return integers
    return np.where(column.valid, integers, _LOWEST if key.nulls_first else _HIGHEST)


def _with_nulls(key: OrderKey, integers: Array) -> list[_Word]:
    valid = key.column.valid
    known = integers if valid is None else integers.take(np.flatnonzero(valid))
    if len(known) == 0:
        return [(np.zeros(len(integers), np.int64), 1)]
    low, high = int(known.min()), int(known.max())
    if high - low + 2 > _MOST_CODES:
        numbers = ~integers.astype(np.int64, copy=False) if key.descending else integers.astype(np.int64, copy=False)
        if valid is None:
            return [(numbers, None)]
        return [((valid == key.nulls_first).astype(np.int64), 2), (np.where(valid, numbers, 0), None)]
    if key.descending:
        numbers = np.subtract(high, integers, dtype=np.int64)
    else:
        numbers = np.subtract(integers, low, dtype=np.int64)
    if valid is not None:
        numbers += key.nulls_first
        numbers[np.flatnonzero(~valid)] = 0 if key.nulls_first else high - low + 1
    return [(numbers, high - low + 2)]


def ordered_integers(column: Column) -> Array:
    """Integers that ascend as the values do, equal ones for equal values; NaN is greater than all numbers.

    For strings and for decimals beyond 64 bits they are ranks from 0 among the values of the column. What stands for
    a NULL means nothing.
    """
    values = column.values
    if column.type.is_string:
        return string_ranks(pool_of(column), values)
    if column.type.kind is TypeKind.INTERVAL:
        return interval_lengths(values)
    if values.dtype == np.float64:
        return _ordered_bits(values)
    if values.dtype == np.object_:
        known = values if column.valid is None else np.where(column.valid, values, 0)
        ranks: Array = np.unique(known, return_inverse=True)[1].astype(np.int64)
        return ranks
    return values.view(np.uint8) if values.dtype == np.bool_ else values


def _ordered_bits(values: Array) -> Array:
    bits = double_bits(values)
    # Of negative doubles a larger pattern is a smaller number.
    bits ^= (bits >> 63) & _HIGHEST
    return bits


def _packed(words: Sequence[_Word], most: int) -> list[_Word]:
    """The same order in fewer words: neighbours are put together where there are at most `most` numbers then."""
    packed: list[_Word] = []
    for numbers, count in words:
        if packed:
            before, count_before = packed[-1]
            if count is not None and count_before is not None and count * count_before <= most:
                packed[-1] = (before * count + numbers, count * count_before)
                continue
        packed.append((numbers, count))
    return packed


def _fits(word: _Word, most: int) -> bool:
    return word[1] is not None and word[1] <= most


def _ranked(numbers: Array) -> _Word:
    """The ranks of the numbers from 0, equal ones for equal numbers."""
    rows = np.argsort(numbers)
    ranks = np.empty(len(numbers), np.int64)
    ranks[rows] = np.cumsum(_starts_of_runs(numbers.take(rows))) - 1
    return ranks, len(numbers)


def _starts_of_runs(ordered: Array) -> BoolArray:
    """Which numbers differ from those before them."""
    starts = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=starts[1:])
    return starts
