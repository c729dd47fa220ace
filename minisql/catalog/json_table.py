"""JSON files as tables: an object a line, or one array of objects; types as Arrow infers them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.json

from minisql.catalog.arrow_table import ArrowTable
from minisql.errors import OperationalError

_LEAST_BLOCK: Final = 1 << 20
_LARGEST_BLOCK: Final = (1 << 31) - 1
"""Bytes that Arrow reads at once, in which each object must be whole."""


def read_json_table(name: str, files: Sequence[Path]) -> ArrowTable:
    """The rows of JSON files, one file after the other; a column that an object does not have is NULL there.

    Raises:
        OperationalError: a file cannot be read, or is no such JSON.
        NotSupportedError: a value is an array or an object.
    """
    tables = [_read(file) for file in files]
    try:
        return ArrowTable(name, pa.concat_tables(tables, promote_options="permissive"))
    except pa.ArrowException as error:
        raise OperationalError(f"The files of '{name}' do not fit together: {error}") from error


def _read(file: Path) -> pa.Table:
    try:
        with file.open("rb") as stream:
            first = stream.read(64).lstrip()[:1]
        if not first:
            return pa.table({})
        if first == b"[":
            return _array(json.loads(file.read_text(encoding="utf-8")))
        return pa.json.read_json(file)
    except (OSError, ValueError, TypeError, AttributeError, pa.ArrowException) as error:
        text = str(error).partition("\n")[0]
        raise OperationalError(
            f"'{file}' cannot be read as JSON: {text}", hint="It has an object on each line, or is an array of objects."
        ) from error


def _array(objects: list[object]) -> pa.Table:
    """The objects of an array, read as if each stood on a line: with the same types, and the columns of all of them."""
    if not all(isinstance(each, dict) for each in objects):
        raise ValueError("an element of the array is no object")
    if not objects:
        return pa.table({})
    lines = "".join(f"{json.dumps(each)}\n" for each in objects).encode()
    options = pa.json.ReadOptions(block_size=min(max(len(lines), _LEAST_BLOCK), _LARGEST_BLOCK))
    return pa.json.read_json(io.BytesIO(lines), read_options=options)
