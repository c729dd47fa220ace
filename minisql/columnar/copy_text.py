"""Rows as the text of CSV (RFC 4180) and of JSON lines, columns at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from minisql.columnar.column import Column
from minisql.columnar.to_arrow import to_arrow
from minisql.datatypes import SqlType, TypeKind

_CONTROL: Final = r"[\x00-\x1f]"
_RAW: Final = (TypeKind.BOOLEAN, TypeKind.INTEGER, TypeKind.BIGINT, TypeKind.DECIMAL, TypeKind.DOUBLE)
"""The types whose text is a value in JSON."""


def csv_lines(columns: Sequence[Column], delimiter: str, null: str) -> bytes:
    """The lines of rows whose columns are text; a field is quoted where it would be read as something else."""
    fields = [_csv_fields(to_arrow(column), delimiter, null) for column in columns]
    return _lines(pc.binary_join_element_wise(*fields, pa.scalar(delimiter, pa.large_string())))


def csv_header(names: Sequence[str], delimiter: str, null: str) -> bytes:
    """The line of names."""
    fields = [_csv_fields(pa.array([name], pa.large_string()), delimiter, null) for name in names]
    return _lines(pc.binary_join_element_wise(*fields, pa.scalar(delimiter, pa.large_string())))


def _csv_fields(texts: pa.Array, delimiter: str, null: str) -> pa.Array:
    needs_quotes = pc.equal(texts, null)
    for special in (delimiter, '"', "\n", "\r"):
        needs_quotes = pc.or_(needs_quotes, pc.match_substring(texts, special))
    if pc.any(needs_quotes).as_py():
        quote = pa.scalar('"', pa.large_string())
        empty = pa.scalar("", pa.large_string())
        doubled = pc.replace_substring(texts, '"', '""')
        texts = pc.if_else(needs_quotes, pc.binary_join_element_wise(quote, doubled, quote, empty), texts)
    return pc.fill_null(texts, null)


def json_lines(names: Sequence[str], types: Sequence[SqlType], columns: Sequence[Column]) -> bytes:
    """An object a line; `columns` are the texts of values of these types. NaN and infinities are null in JSON."""
    parts: list[Any] = []
    for place, (name, type_, column) in enumerate(zip(names, types, columns, strict=True)):
        start = ("," if place else "{") + json.dumps(name, ensure_ascii=False) + ":"
        parts += [pa.scalar(start, pa.large_string()), _json_values(to_arrow(column), type_)]
    ends = [pa.scalar("}", pa.large_string()), pa.scalar("", pa.large_string())]
    return _lines(pc.binary_join_element_wise(*parts, *ends))


def _json_values(texts: pa.Array, type_: SqlType) -> pa.Array:
    if type_.kind in _RAW:
        if type_.kind is TypeKind.DOUBLE:
            texts = pc.if_else(pc.match_substring_regex(texts, "[nN]"), pa.scalar(None, pa.large_string()), texts)
        return pc.fill_null(texts, "null")
    if pc.any(pc.match_substring_regex(texts, _CONTROL)).as_py():
        quoted = [None if text is None else json.dumps(text, ensure_ascii=False) for text in texts.to_pylist()]
        return pc.fill_null(pa.array(quoted, pa.large_string()), "null")
    escaped = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    quote, empty = pa.scalar('"', pa.large_string()), pa.scalar("", pa.large_string())
    return pc.fill_null(pc.binary_join_element_wise(quote, escaped, quote, empty), "null")


def _lines(lines: pa.Array) -> bytes:
    """The lines, each with its end."""
    ended = pc.binary_join_element_wise(lines, pa.scalar("\n", pa.large_string()), pa.scalar("", pa.large_string()))
    text = ended.buffers()[2]
    return b"" if text is None else bytes(text)[: pc.sum(pc.binary_length(ended)).as_py()]
