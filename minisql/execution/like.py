"""LIKE: `%` stands for any characters, `_` for exactly one, and whatever follows the escape character for itself.

A pattern is split into its parts once. Where it has no `_`, bytes are compared, for all strings at once; the rest goes
to pyarrow's match_like, which knows one escape character, the backslash.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from minisql.columnar.column import Array, BoolArray, Column, IndexArray, all_null
from minisql.columnar.strings import gathered, offsets_and_bytes, rows_of_each, slices_of
from minisql.datatypes import BOOLEAN
from minisql.errors import DataError, Span
from minisql.execution.arithmetic import both_valid
from minisql.execution.operand import repeated
from minisql.execution.strings import PerString, bools

_SEARCHED_BYTES: Final = 3
"""Texts of fewer bytes occur so often that searching them string by string is faster."""

_JUDGED_BYTES: Final = 65_536


class Wildcard(Enum):
    """The two wildcards."""

    MANY = "%"
    ONE = "_"


Pattern: TypeAlias = list[str | Wildcard]
"""Texts, none of them empty, and wildcards; no two texts and no two MANY follow each other."""


def parse_pattern(pattern: str, escape: str | None, span: Span | None) -> Pattern:
    """The parts of a pattern.

    Raises:
        DataError: it ends with the escape character.
    """
    parts: Pattern = []
    text = ""
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            following = next(characters, None)
            if following is None:
                raise DataError("LIKE pattern must not end with escape character", span)
            text += following
        elif character in "%_":
            if text:
                parts.append(text)
                text = ""
            wildcard = Wildcard(character)
            if not (wildcard is Wildcard.MANY and parts and parts[-1] is Wildcard.MANY):
                parts.append(wildcard)
        else:
            text += character
    if text:
        parts.append(text)
    return parts


def make_kernel(pattern: Column | None, escape: str | None, span: Span | None) -> Callable[[Column, Column], Column]:
    """The kernel of `string LIKE pattern`, prepared where the pattern is a constant (a column of one row).

    Raises (the kernel; this function for a constant):
        DataError: a pattern ends with the escape character.
    """
    if pattern is None:
        return lambda strings, patterns: _match_rows(strings, patterns, escape, span)
    if pattern.valid is not None:
        return lambda strings, _: all_null(BOOLEAN, len(strings))
    matches = _matcher(parse_pattern(gathered(pattern)[0].as_py(), escape, span))
    per_string = PerString(lambda strings: Column(BOOLEAN, matches(strings)))
    return lambda strings, _: per_string(strings)


def _match_rows(strings: Column, patterns: Column, escape: str | None, span: Span | None) -> Column:
    """A pattern for each row: every different pattern is applied to its rows at once."""
    if len(strings) == 1:
        strings = repeated(strings, len(patterns))
    valid = both_valid(strings, patterns)
    rows = np.arange(len(patterns)) if valid is None else np.flatnonzero(valid)
    values = np.zeros(len(patterns), np.bool_)
    for pattern, places in rows_of_each(gathered(patterns.take(rows))):
        own = rows.take(places)
        values[own] = _matcher(parse_pattern(pattern, escape, span))(gathered(strings.take(own)))
    return Column(BOOLEAN, values, valid)


def _matcher(pattern: Pattern) -> Callable[[pa.LargeStringArray], BoolArray]:
    match pattern:
        case []:
            return lambda strings: bools(pc.equal(strings, ""))
        case [str(text)]:
            return lambda strings: bools(pc.equal(strings, text))
        case _ if Wildcard.ONE in pattern or any(len(part.encode()) < _SEARCHED_BYTES for part in _infixes(pattern)):
            escaped = "".join(part.value if isinstance(part, Wildcard) else _escaped(part) for part in pattern)
            return lambda strings: bools(pc.match_like(strings, escaped))
        case _:
            return partial(_has_in_order, pattern)


def _infixes(pattern: Pattern) -> list[str]:
    """The texts that may stand anywhere: neither the first nor the last part of the pattern."""
    return [part for part in pattern[1:-1] if isinstance(part, str)]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _has_in_order(pattern: Pattern, strings: pa.LargeStringArray) -> BoolArray:
    """Which strings have the texts of the pattern one after the other; between them stands MANY.

    Each text is searched in the bytes of all strings at once. Its first place in a string is as good as any; what is
    behind it in the strings that have it is searched for the next one. (No character of UTF-8 lies inside another.)
    """
    offsets, data = offsets_and_bytes(strings)
    begins, ends = offsets[:-1], offsets[1:]
    rows = np.arange(len(strings))
    texts = [part.encode() for part in pattern if isinstance(part, str)]
    prefix = texts.pop(0) if pattern[0] is not Wildcard.MANY else b""
    suffix = texts.pop() if pattern[-1] is not Wildcard.MANY else b""
    if prefix or suffix:
        fits = bools(pc.starts_with(strings, prefix.decode())) & bools(pc.ends_with(strings, suffix.decode()))
        rows = np.flatnonzero(fits & (ends - begins >= len(prefix) + len(suffix)))
        begins, ends = begins.take(rows) + len(prefix), ends.take(rows) - len(suffix)
        if texts:
            offsets, data = slices_of(data, begins, ends - begins)
    for place, text in enumerate(texts):
        found = _places(data, text)
        owners = np.searchsorted(offsets, found, side="right") - 1
        inside = np.flatnonzero(found + len(text) <= offsets.take(owners + 1))
        found, owners = found.take(inside), owners.take(inside)
        first = np.flatnonzero(np.diff(owners, prepend=-1))
        found, owners = found.take(first), owners.take(first)
        rows = rows.take(owners)
        if place + 1 < len(texts):
            begins = found + len(text)
            offsets, data = slices_of(data, begins, offsets.take(owners + 1) - begins)
    matching = np.zeros(len(strings), np.bool_)
    matching[rows] = True
    return matching


def _places(data: Array, text: bytes) -> IndexArray:
    """Where the text begins in the bytes, everywhere, in ascending order. It has two bytes at least.

    Its rarest pair of bytes, to judge by the first bytes of the data, leaves few places where the others are compared.
    """
    frequency = np.bincount(data[:_JUDGED_BYTES], minlength=256)
    rarest = min(range(len(text) - 1), key=lambda at: int(frequency[text[at]]) * int(frequency[text[at + 1]]))
    count = max(0, len(data) - len(text) + 1)
    first, second = data[rarest : rarest + count], data[rarest + 1 : rarest + 1 + count]
    places = np.flatnonzero((first == text[rarest]) & (second == text[rarest + 1]))
    for position in range(len(text)):
        if position not in (rarest, rarest + 1):
            places = places.take(np.flatnonzero(data.take(places + position) == text[position]))
    return places
