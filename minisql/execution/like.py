"""LIKE: `%` stands for any characters, `_` for exactly one, and whatever follows the escape character for itself.

A pattern is split into its parts once. Where it is a prefix, a suffix, an infix or no pattern at all, bytes are
compared; the rest goes to pyarrow's match_like, which knows one escape character, the backslash.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from minisql.columnar.column import Column, all_null
from minisql.columnar.strings import gathered, rows_of_each
from minisql.datatypes import BOOLEAN
from minisql.errors import DataError, Span
from minisql.execution.arithmetic import both_valid
from minisql.execution.operand import repeated
from minisql.execution.strings import PerString, bools


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
    per_string = PerString(lambda strings: Column(BOOLEAN, bools(matches(strings))))
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
        values[own] = bools(_matcher(parse_pattern(pattern, escape, span))(gathered(strings.take(own))))
    return Column(BOOLEAN, values, valid)


def _matcher(pattern: Pattern) -> Callable[[pa.LargeStringArray], pa.BooleanArray]:
    match pattern:
        case []:
            return lambda strings: pc.equal(strings, "")
        case [str(text)]:
            return lambda strings: pc.equal(strings, text)
        case [Wildcard.MANY]:
            return lambda strings: pa.repeat(pa.scalar(True), len(strings))
        case [str(text), Wildcard.MANY]:
            return lambda strings: pc.starts_with(strings, text)
        case [Wildcard.MANY, str(text)]:
            return lambda strings: pc.ends_with(strings, text)
        case [Wildcard.MANY, str(text), Wildcard.MANY]:
            return lambda strings: pc.match_substring(strings, text)
        case _:
            escaped = "".join(part.value if isinstance(part, Wildcard) else _escaped(part) for part in pattern)
            return lambda strings: pc.match_like(strings, escaped)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
