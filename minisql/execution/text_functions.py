"""The functions of one string and constants beside it: REPLACE, LPAD, SPLIT_PART, STRPOS and their like.

Each is given the strings of all rows without NULLs and the values of the other arguments, which are the same for all
these rows; `string_functions` sees to rows in which they differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from minisql.columnar.column import Array, Column
from minisql.columnar.strings import offsets_and_bytes, slices_of, string_column, strings_of
from minisql.datatypes import BIGINT, BOOLEAN
from minisql.errors import DataError
from minisql.execution.code_points import CodePoints, Strings, character_offsets, code_points, from_code_points, kept
from minisql.execution.strings import bools

MOST_BYTES: Final = 2**31
"""The most bytes of the strings that one call on one batch may make longer than they were."""
_MOST_CHARACTERS: Final = 2**30
_HEX_DIGITS: Final = np.frombuffer(b"0123456789ABCDEF", np.uint8)
LAST_CODE_POINT: Final = 0x10FFFF
"""The last one of Unicode."""


def _left(strings: Strings, count: int) -> Column:
    return string_column(pc.utf8_slice_codeunits(strings, start=0, stop=_clipped(count)), None)


def _right(strings: Strings, count: int) -> Column:
    if count == 0:
        return string_column(pc.utf8_slice_codeunits(strings, start=0, stop=0), None)
    return string_column(pc.utf8_slice_codeunits(strings, start=-_clipped(count)), None)


def _clipped(count: int) -> int:
    return max(-(2**40), min(2**40, count))


def _lpad(strings: Strings, length: int, fill: str = " ") -> Column:
    return padded(strings, np.full(len(strings), length), fill, at_start=True)


def _rpad(strings: Strings, length: int, fill: str = " ") -> Column:
    return padded(strings, np.full(len(strings), length), fill, at_start=False)


def padded(strings: Strings, wanted: Array, fill: str, *, at_start: bool) -> Column:
    """The strings with the characters of `fill` in turn until they are as long as wanted, or cut at their end to it.

    Raises:
        DataError: the result is too large.
    """
    wanted = np.maximum(wanted, 0).astype(np.int64)
    text = code_points(strings)
    lengths = np.diff(text.offsets)
    if (lengths > wanted).any():
        place = np.arange(len(text.points)) - np.repeat(text.offsets[:-1], lengths)
        points = text.points[place < np.repeat(wanted, lengths)]
        lengths = np.minimum(lengths, wanted)
        text = CodePoints(_offsets_of(lengths), points)
    if not fill:
        return string_column(from_code_points(*text), None)
    if wanted.max(initial=0) > _MOST_CHARACTERS or wanted.sum() > MOST_BYTES:
        raise DataError("requested length too large")
    offsets = _offsets_of(wanted)
    filling = np.array([ord(character) for character in fill], np.uint32)
    place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], wanted)
    if at_start:
        own, place_in_fill = place >= np.repeat(wanted - lengths, wanted), place
    else:
        ends = np.repeat(lengths, wanted)
        own, place_in_fill = place < ends, place - ends
    points = filling.take(place_in_fill % len(filling)) if len(filling) > 1 else np.full(len(place), filling[0])
    points[own] = text.points
    return string_column(from_code_points(offsets, points), None)


def _offsets_of(lengths: Array) -> Array:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def _initcap(strings: Strings) -> Column:
    """A word is a run of letters and digits."""
    lower = pc.utf8_lower(strings)
    text = code_points(lower)
    counts = np.bincount(text.points)
    is_word, upper = np.zeros(len(counts), np.bool_), np.arange(len(counts), dtype=np.uint32)
    for point in np.flatnonzero(counts).tolist():
        is_word[point] = chr(point).isalnum()
        title = chr(point).upper()
        # A capital of several letters (of ß) is left as it is.
        upper[point] = ord(title) if len(title) == 1 else point
    is_in_word = is_word.take(text.points)
    first = is_in_word.copy()
    first[1:] &= ~is_in_word[:-1]
    starts = text.offsets[:-1][np.diff(text.offsets) > 0]
    first[starts] = is_in_word[starts]
    points = np.where(first, upper.take(text.points), text.points)
    return string_column(from_code_points(text.offsets, points), None)


def _translate(strings: Strings, source: str, target: str) -> Column:
    table: dict[int, int] = {}
    for place, character in enumerate(source):
        table.setdefault(ord(character), ord(target[place]) if place < len(target) else -1)
    text = code_points(strings)
    points = text.points.astype(np.int64)
    new = points.copy()
    for old, replacement in table.items():
        new[points == old] = replacement
    keep = new >= 0
    return string_column(kept(CodePoints(text.offsets, np.where(keep, new, 0).astype(np.uint32)), keep), None)


def _replace(strings: Strings, source: str, target: str) -> Column:
    if not source:
        return string_column(strings, None)
    return string_column(pc.replace_substring(strings, pattern=source, replacement=target), None)


def _repeat(strings: Strings, count: int) -> Column:
    count = max(0, count)
    _, data = offsets_and_bytes(strings)
    if len(data) * count > MOST_BYTES:
        raise DataError("requested length too large")
    return string_column(pc.binary_repeat(strings, count), None)


def _strpos(strings: Strings, substring: str) -> Column:
    found = pc.find_substring(strings, pattern=substring).to_numpy().astype(np.int64)
    offsets, data = offsets_and_bytes(strings)
    starts = (data & 0xC0) != 0x80
    if not starts.all():
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(starts)])
        places = before.take(offsets[:-1] + np.maximum(found, 0)) - before.take(offsets[:-1])
        found = np.where(found < 0, -1, places)
    return Column(BIGINT, found + 1)


def _locate(strings: Strings, substring: str, start: int = 1) -> Column:
    """The place of the substring from a place on, 0 where there is none."""
    if start < 1:
        return Column(BIGINT, np.zeros(len(strings), np.int64))
    if start == 1:
        return _strpos(strings, substring)
    start = _clipped(start)
    found = _strpos(pc.utf8_slice_codeunits(strings, start=start - 1), substring).values
    is_beyond = np.diff(character_offsets(strings)) < start - 1
    return Column(BIGINT, np.where((found == 0) | is_beyond, 0, found + start - 1))


def _contains(strings: Strings, substring: str) -> Column:
    return Column(BOOLEAN, bools(pc.match_substring(strings, pattern=substring)))


def _starts_with(strings: Strings, prefix: str) -> Column:
    return Column(BOOLEAN, bools(pc.starts_with(strings, pattern=prefix)))


def _ends_with(strings: Strings, suffix: str) -> Column:
    return Column(BOOLEAN, bools(pc.ends_with(strings, pattern=suffix)))


def _split_part(strings: Strings, separator: str, number: int) -> Column:
    if number == 0:
        raise DataError("field position must not be zero")
    if not separator:
        return string_column(strings, None) if number in (1, -1) else _repeat(strings, 0)
    parts = pc.split_pattern(strings, pattern=separator)
    offsets = parts.offsets.to_numpy().astype(np.int64)
    firsts, ends = offsets[:-1], offsets[1:]
    number = max(-_MOST_CHARACTERS, min(_MOST_CHARACTERS, number))
    places = firsts + number - 1 if number > 0 else ends + number
    there = (places >= firsts) & (places < ends)
    starts, data = offsets_and_bytes(pc.cast(parts.values, pa.large_string()))
    places = np.where(there, places, 0)
    lengths = np.where(there, starts.take(places + 1) - starts.take(places), 0)
    return string_column(strings_of(*slices_of(data, starts.take(places), lengths)), None)


def _overlay(strings: Strings, new: str, start: int, count: int | None = None) -> Column:
    if start < 1:
        raise DataError("negative substring length not allowed")
    behind = start + (len(new) if count is None else count)
    if behind < 1:
        behind = 1
    before = pc.utf8_slice_codeunits(strings, start=0, stop=_clipped(start - 1))
    after = pc.utf8_slice_codeunits(strings, start=_clipped(behind - 1))
    parts = [before, pa.scalar(new, pa.large_string()), after, pa.scalar("", pa.large_string())]
    return string_column(pc.binary_join_element_wise(*parts), None)


def _reverse(strings: Strings) -> Column:
    return string_column(pc.utf8_reverse(strings), None)


def _ascii(strings: Strings) -> Column:
    text = code_points(pc.utf8_slice_codeunits(strings, start=0, stop=1))
    points = np.zeros(len(strings), np.int64)
    points[np.diff(text.offsets) > 0] = text.points
    return Column(BIGINT, points)


def _octet_length(strings: Strings) -> Column:
    return Column(BIGINT, np.diff(offsets_and_bytes(strings)[0]))


def _bit_length(strings: Strings) -> Column:
    return Column(BIGINT, np.diff(offsets_and_bytes(strings)[0]) * 8)


def hex_of_string(strings: Strings) -> Column:
    """The bytes of strings in hexadecimal digits."""
    offsets, data = offsets_and_bytes(strings)
    digits = np.empty(2 * len(data), np.uint8)
    digits[0::2] = _HEX_DIGITS.take(data >> 4)
    digits[1::2] = _HEX_DIGITS.take(data & 15)
    return string_column(strings_of(2 * offsets, digits), None)


def _md5(strings: Strings) -> Column:
    """The hash of every distinct string; nothing computes many at once."""
    encoded = strings.dictionary_encode()
    hashes = [hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text in encoded.dictionary.to_pylist()]
    return string_column(pa.array(hashes, pa.large_string()).take(encoded.indices), None)


TEXT_FUNCTIONS: Final[dict[str, Callable[..., Column]]] = {
    "left": _left,
    "right": _right,
    "lpad": _lpad,
    "rpad": _rpad,
    "initcap": _initcap,
    "translate": _translate,
    "replace": _replace,
    "repeat": _repeat,
    "strpos": _strpos,
    "locate": _locate,
    "contains": _contains,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "split_part": _split_part,
    "overlay": _overlay,
    "reverse": _reverse,
    "ascii": _ascii,
    "octet_length": _octet_length,
    "bit_length": _bit_length,
    "hex": hex_of_string,
    "md5": _md5,
}
