"""Casts between VARCHAR and BLOB or INTERVAL, whose texts numpy and Arrow cannot read or write."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa

from minisql.columnar.column import INTERVAL_DTYPE, Array, BoolArray, Column
from minisql.columnar.strings import string_column
from minisql.datatypes import BLOB, INTERVAL
from minisql.interval import Interval, parse_interval

Strings: TypeAlias = pa.LargeStringArray
T = TypeVar("T")

_HEX: Final = re.compile(r"\\x((?:[0-9a-fA-F]{2})*)")
_ESCAPED: Final = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(\\))")


def parse_blobs(strings: Strings) -> Column:
    r"""Bytes: all in hexadecimal digits after one `\x` (PostgreSQL), or as text with `\xHH` and `\\` in it (DuckDB)."""
    blobs, valid = _each(strings, _blob)
    array = pa.array([blob or b"" for blob in blobs], pa.large_binary())
    return string_column(array.view(pa.large_string()), valid, BLOB)


def _blob(text: str) -> bytes | None:
    digits = _HEX.fullmatch(text)
    if digits is not None:
        return bytes.fromhex(digits[1])
    raw = text.encode()
    parts = _ESCAPED.split(raw)
    if any(b"\\" in part for part in parts[::3]):
        return None
    return _ESCAPED.sub(lambda match: b"\\" if match[2] else bytes.fromhex(match[1].decode()), raw)


def format_blobs(blobs: pa.LargeBinaryArray) -> Strings:
    r"""`\x` and the bytes in hexadecimal digits, as PostgreSQL writes them."""
    return pa.array([None if blob is None else f"\\x{blob.hex()}" for blob in blobs.to_pylist()], pa.large_string())


def parse_intervals(strings: Strings) -> Column:
    """Intervals, see `interval.parse_interval`."""
    intervals, valid = _each(strings, parse_interval)
    parts = [(0, 0, 0) if value is None else (value.months, value.days, value.microseconds) for value in intervals]
    return Column(INTERVAL, np.array(parts, INTERVAL_DTYPE), valid)


def format_intervals(values: Array) -> Strings:
    """Intervals as `Interval.__str__` writes them, each distinct one once."""
    distinct, places = np.unique(values, return_inverse=True)
    texts = pa.array([str(Interval(*parts)) for parts in distinct.tolist()], pa.large_string())
    return texts.take(pa.array(places))


def _each(strings: Strings, read: Callable[[str], T | None]) -> tuple[list[T | None], BoolArray]:
    """What is read from each text, each distinct one once, and where it is not None."""
    encoded: Any = strings.dictionary_encode()
    values = [read(text) for text in encoded.dictionary.to_pylist()]
    codes = encoded.indices.to_pylist()
    return [values[code] for code in codes], np.array([values[code] is not None for code in codes], np.bool_)
