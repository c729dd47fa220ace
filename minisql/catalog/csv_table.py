"""CSV files as tables: a header, commas (tabs in .tsv), types inferred from all the rows.

A field that is empty and not quoted is NULL whatever the type of its column; "" is the empty string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from minisql.catalog.arrow_table import ArrowTable
from minisql.catalog.paths import user_path
from minisql.errors import DataError, OperationalError, SqlError


def read_csv_table(name: str, files: Sequence[Path]) -> ArrowTable:
    """The rows of CSV files with the same header, one file after the other.

    Raises:
        OperationalError: a file cannot be read, is empty, or is not in UTF-8.
        DataError: a row has too many or too few fields, or the headers differ.
    """
    tables = [_read(file, {}) for file in files]
    for file, table in zip(files, tables, strict=True):
        if table.column_names != tables[0].column_names:
            raise DataError(
                f"'{file}' does not fit '{files[0]}': its header is {', '.join(table.column_names)}, "
                f"not {', '.join(tables[0].column_names)}.",
                hint="Read the files one by one.",
            )
    types = {
        column: _common_type([table.schema.field(place).type for table in tables])
        for place, column in enumerate(tables[0].column_names)
    }
    for place, file in enumerate(files):
        if [field.type for field in tables[place].schema] != list(types.values()):
            tables[place] = _read(file, types)
    return ArrowTable(name, pa.concat_tables(tables))


def _common_type(types: Sequence[pa.DataType]) -> pa.DataType:
    """The type in which a column is read: that of all the files, DOUBLE for different numbers, else text."""
    known = {type_ for type_ in types if not pa.types.is_null(type_)}
    if len(known) == 1 and not any(pa.types.is_binary(type_) for type_ in known):
        return known.pop()
    if known and all(pa.types.is_integer(type_) or pa.types.is_floating(type_) for type_ in known):
        return pa.float64()
    return pa.string()


def _read(
    file: Path, types: Mapping[str, pa.DataType], *, use_threads: bool = True, skips_empty_lines: bool = True
) -> pa.Table:
    """A file, with the types of some columns given.

    Where it has one column an empty line is a NULL, as COPY writes it and DuckDB reads it, otherwise it is nothing.
    """
    try:
        table = pa.csv.read_csv(
            file,
            read_options=pa.csv.ReadOptions(use_threads=use_threads),
            parse_options=pa.csv.ParseOptions(
                delimiter="\t" if file.suffix.lower() == ".tsv" else ",",
                newlines_in_values=True,
                ignore_empty_lines=skips_empty_lines,
            ),
            convert_options=pa.csv.ConvertOptions(
                null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False, column_types=dict(types)
            ),
        )
        # The names of the header are decoded here, not before.
        names = table.column_names
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        if use_threads:
            # One thread counts the rows, so that its message has the number of the one at fault.
            return _read(file, types, use_threads=False, skips_empty_lines=skips_empty_lines)
        raise _explained(file, error) from error
    if len(names) == 1 and skips_empty_lines and _has_empty_line(file):
        return _read(file, types, use_threads=use_threads, skips_empty_lines=False)
    return table


def _has_empty_line(file: Path) -> bool:
    """Whether there is an empty line behind the first one, which has the name of the column."""
    with file.open("rb") as stream:
        return bool(stream.readline().strip()) and any(not line.strip(b"\r\n") for line in stream)


def _explained(file: Path, error: Exception) -> SqlError:
    """What is wrong with a file, and what to do."""
    text = str(error)
    if isinstance(error, UnicodeDecodeError) or "invalid UTF8" in text:
        found = re.search(r"Row #(\d+)", text)
        place = f", row {found[1]}" if found else ", row 1" if isinstance(error, UnicodeDecodeError) else ""
        return OperationalError(
            f"'{file}'{place}: the text is not in UTF-8.", hint="Save the file in the encoding UTF-8."
        )
    if "Empty CSV" in text:
        return OperationalError(f"'{file}' is empty.", hint="The first row of a CSV file names its columns.")
    ragged = re.search(r"Row #(\d+): Expected (\d+) columns?, got (\d+)", text)
    if ragged:
        row, expected, got = ragged.groups()
        return DataError(
            f"'{file}', row {row}: the header has {expected} columns, this row {got}.",
            hint="Write fields that have commas in them in double quotes.",
        )
    return OperationalError(f"'{file}' cannot be read as CSV: {text.partition(chr(10))[0]}")


def read_csv_texts(name: str, header: bool, delimiter: str, null: str) -> ArrowTable:
    """The fields of a CSV file as they are, for COPY: every column is text, `null` is NULL where it is not quoted.

    Raises:
        OperationalError: the file cannot be read, or is not in UTF-8.
        DataError: a row has too many or too few fields.
    """
    file = user_path(name)
    try:
        with file.open("rb") as stream:
            is_empty = not stream.read(1)
        if is_empty:
            raise OperationalError(f"'{name}' is empty.")
        return ArrowTable(name, _read_texts(file, header, delimiter, null))
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise _explained(file, error) from error


def _read_texts(file: Path, header: bool, delimiter: str, null: str) -> pa.Table:
    read = pa.csv.ReadOptions(use_threads=False, autogenerate_column_names=True, skip_rows=int(header))
    first = pa.csv.ReadOptions(use_threads=False, autogenerate_column_names=True)
    parse = pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    with pa.csv.open_csv(file, first, parse) as reader:
        header_width = len(reader.schema)
    parse.ignore_empty_lines = header_width > 1
    try:
        with pa.csv.open_csv(file, read, parse) as reader:
            width = len(reader.schema)
    except pa.ArrowInvalid as error:
        if not header or "Empty CSV" not in str(error):
            raise
        return pa.table({f"f{place}": pa.array([], pa.string()) for place in range(header_width)})
    convert = pa.csv.ConvertOptions(
        null_values=[null],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        column_types={f"f{place}": pa.string() for place in range(width)},
    )
    return pa.csv.read_csv(file, read, parse, convert)
