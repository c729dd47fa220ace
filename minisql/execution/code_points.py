"""Strings as arrays of code points, for what pyarrow does not do on characters."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from minisql.columnar.column import Array, BoolArray
from minisql.columnar.strings import offsets_and_bytes, strings_of

Strings: TypeAlias = pa.LargeStringArray

# The first code points that take two, three and four bytes in UTF-8.
_MORE_BYTES: Final = (0x80, 0x800, 0x10000)


class CodePoints(NamedTuple):
    """The code points of all strings, one string after the other, and where each begins; the last offset is the end."""

    offsets: Array
    points: Array

    @property
    def owners(self) -> Array:
        """The string that each code point belongs to."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


def character_offsets(strings: Strings) -> Array:
    """Where each string begins, counted in characters of all of them; the last one is the end."""
    offsets, data = offsets_and_bytes(strings)
    # A byte that continues a character of UTF-8 has the bits 10 in front.
    starts = (data & 0xC0) != 0x80
    if starts.all():
        return offsets
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(starts)]).take(offsets)


def code_points(strings: Strings) -> CodePoints:
    """The code points of strings."""
    _, data = offsets_and_bytes(strings)
    points = np.frombuffer(data.tobytes().decode().encode("utf-32-le"), np.uint32)
    return CodePoints(character_offsets(strings), points)


def from_code_points(offsets: Array, points: Array) -> Strings:
    """The strings of code points; surrogates and what is beyond Unicode must not be among them."""
    data = np.frombuffer(points.astype("<u4").tobytes().decode("utf-32-le").encode(), np.uint8)
    if len(data) > len(points):
        width = np.ones(len(points), np.int64)
        for first in _MORE_BYTES:
            width += points >= first
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(width)])
        offsets = ends.take(offsets)
    return strings_of(np.ascontiguousarray(offsets, np.int64), data)


def kept(text: CodePoints, keep: BoolArray) -> Strings:
    """The strings without the code points that are not kept."""
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(keep)])
    return from_code_points(ends.take(text.offsets), text.points[keep])
