"""COPY: a table or a query to a file, and a file into a table.

A file is written beside its place under another name and renamed when it is whole: nobody sees half of it, and where
writing fails, what was there before is still there.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final, NamedTuple

from minisql.catalog.paths import user_path
from minisql.catalog.table import ColumnDefinition, Table
from minisql.columnar.column import Batch
from minisql.columnar.copy_text import csv_header, csv_lines, json_lines
from minisql.columnar.to_arrow import arrow_type, to_record_batch
from minisql.datatypes import VARCHAR, SqlType, TypeKind
from minisql.errors import NotSupportedError, OperationalError, ProgrammingError, Span, SqlError, did_you_mean
from minisql.expression.nodes import Value
from minisql.parser import parse_tree
from minisql.parser import statement_tree as st
from minisql.parser.parse_tree import Identifier
from minisql.query_block.parameters import given_constant
from minisql.query_block.resolve import resolve_query
from minisql.relational.from_query_block import relational_expression
from minisql.session.pipeline import joins_to_count, plan_relational, run, warnings_of
from minisql.session.result import Result
from minisql.session.statements.changes import appended, insert_places, plan_new_rows, rows_of, selected
from minisql.session.statements.context import Context, converted

_FORMATS: Final = {
    ".parquet": "parquet", ".parq": "parquet", ".pq": "parquet", ".csv": "csv", ".tsv": "csv", ".json": "json",
    ".jsonl": "json", ".ndjson": "json",
}  # fmt: skip
_OPTIONS: Final = ("format", "header", "delimiter", "delim", "sep", "null", "compression")
_CSV_OPTIONS: Final = ("header", "delimiter", "null")
_COMPRESSIONS: Final = ("snappy", "zstd", "gzip", "lz4", "brotli", "none")


class _Options(NamedTuple):
    """The options of COPY, and what is meant where they are not written."""

    format: str
    header: bool
    delimiter: str
    null: str
    compression: str


def copy_to(context: Context, statement: st.CopyTo, parameters: Sequence[object]) -> Result:
    """Runs COPY ... TO.

    Raises:
        OperationalError: the file cannot be written.
    """
    place = _place(statement.path, parameters)
    path, options = str(place.value), _options(place, statement.options, parameters)
    environment = context.environment(parameters)
    query = resolve_query(statement.query, environment)
    count = 0

    def counted() -> Iterator[Batch]:
        nonlocal count
        for batch in run(planned, joins=joins):
            count += batch.length
            yield batch

    if options.format == "parquet":
        written = relational_expression(query, environment.new_table)
        planned = plan_relational(query, written, query.table, query.names, query.types, context.settings)
        write = _parquet_writer(query.names, query.types, options, statement.path.span)
    else:
        columns = [ColumnDefinition(name, VARCHAR) for name in query.names]
        texts = [converted(query, place, column, statement.path.span) for place, column in enumerate(columns)]
        planned = context.plan(query, texts, columns, environment)
        write = _text_writer(query.names, query.types, options)
    joins = joins_to_count(planned)
    _write_in_one_step(path, statement.path.span, lambda file: write(file, counted()))
    return Result(rowcount=count, warnings=warnings_of(planned, joins))


def copy_from(context: Context, statement: st.CopyFrom, parameters: Sequence[object]) -> Result:
    """Runs COPY ... FROM: the columns of a file are those of the table in order, in JSON those of the same names.

    Raises:
        OperationalError: the file cannot be read.
        IntegrityError: a row breaks a constraint.
    """
    table, span = context.stored_table(statement.table.name), statement.path.span
    place = _place(statement.path, parameters)
    options = _options(place, statement.options, parameters)
    try:
        source = _open(context, str(place.value), options)
    except SqlError as error:
        error.span = error.span or span
        raise
    places = insert_places(statement.columns, table)
    names = [column.name for column in source.columns]
    if options.format == "json":
        known = {table.columns[place].name.lower(): place for place in places}
        missing = [name for name in names if name.lower() not in known]
        if missing:
            hint = did_you_mean(missing[0], [table.columns[place].name for place in places])
            raise ProgrammingError(f'"{table.name}" takes no column "{missing[0]}" here.', span, hint=hint)
        places = [known[name.lower()] for name in names]
    hidden = Identifier(span=span, name="the file", quoted=True)
    star = parse_tree.SelectItem(span=span, expression=parse_tree.Star(span=span, table=None), alias=None)
    tree = selected([star], parse_tree.TableName(span=span, name=hidden, alias=None), None, span)
    planned = plan_new_rows(context, table, places, tree, parameters, {hidden.name: source})
    rows, _ = rows_of(planned, table)
    new = appended(context, table, rows, span)
    if new is not table:
        context.catalog.put(table.name, new)
    return Result(rowcount=rows.length)


def _place(path: parse_tree.Constant | parse_tree.Parameter, parameters: Sequence[object]) -> parse_tree.Constant:
    """The path of a file, a string."""
    place = given_constant(path, parameters)
    if not isinstance(place.value, str):
        raise ProgrammingError("A path is a string.", place.span)
    return place


def _open(context: Context, path: str, options: _Options) -> Table:
    if not user_path(path).is_file():
        context.catalog.files.open(path)  # which says what is wrong
        raise NotSupportedError("COPY reads one file.", hint="INSERT INTO ... SELECT * FROM 'pattern' reads many.")
    if options.format == "csv":
        from minisql.catalog.csv_table import read_csv_texts

        return read_csv_texts(path, options.header, options.delimiter, options.null)
    if options.format == "json":
        from minisql.catalog.json_table import read_json_table

        return read_json_table(path, [user_path(path)])
    from minisql.catalog.parquet_table import ParquetTable

    return ParquetTable(path, [user_path(path)])


# --- options ----------------------------------------------------------------------------------------------------------


class _Option(NamedTuple):
    """One that is written: its place, and its value, TRUE where none is written."""

    span: Span
    value: Value


def _options(path: parse_tree.Constant, options: Sequence[st.CopyOption], parameters: Sequence[object]) -> _Options:
    """The options, checked."""
    given: dict[str, _Option] = {}
    for option in options:
        if option.name not in _OPTIONS:
            hint = did_you_mean(option.name, _OPTIONS) or f"The options are {', '.join(_OPTIONS)}."
            raise ProgrammingError(f"COPY has no option {option.name.upper()}.", option.span, hint=hint)
        name = "delimiter" if option.name in ("delim", "sep") else option.name
        if name in given:
            raise ProgrammingError(f"The option {option.name.upper()} is given twice.", option.span)
        value = True if option.value is None else given_constant(option.value, parameters).value
        given[name] = _Option(option.span, value)
    assert isinstance(path.value, str)
    suffix = Path(path.value).suffix.lower()
    format_ = _word(given, "format", ("parquet", "csv", "json"), _FORMATS.get(suffix, ""))
    if not format_:
        raise ProgrammingError(
            f"'{path.value}' ends in '{suffix}', which says nothing of its format.",
            path.span,
            hint="Let it end in .parquet, .csv, .tsv, .json or .jsonl, or write (FORMAT parquet), csv or json.",
        )
    for name in _CSV_OPTIONS:
        if name in given and format_ != "csv":
            raise ProgrammingError(f"{name.upper()} is an option of CSV files only.", given[name].span)
    if "compression" in given and format_ != "parquet":
        raise ProgrammingError("COMPRESSION is an option of Parquet files only.", given["compression"].span)
    return _Options(
        format=format_,
        header=_flag(given, "header", default=True),
        delimiter=_character(given, "delimiter", "\t" if suffix == ".tsv" else ","),
        null=_string(given, "null", ""),
        compression=_word(given, "compression", _COMPRESSIONS, "snappy"),
    )


def _word(given: dict[str, _Option], name: str, known: Sequence[str], default: str) -> str:
    option = given.get(name)
    if option is None:
        return default
    if not isinstance(option.value, str) or option.value.lower() not in known:
        raise ProgrammingError(f"{name.upper()} is one of {', '.join(known)}.", option.span)
    return option.value.lower()


def _flag(given: dict[str, _Option], name: str, *, default: bool) -> bool:
    option = given.get(name)
    if option is None:
        return default
    flags = {True: True, False: False, "true": True, "false": False, "on": True, "off": False}
    value = option.value
    found = flags.get(value.lower() if isinstance(value, str) else value) if isinstance(value, str | int) else None
    if found is None:
        raise ProgrammingError(f"{name.upper()} is TRUE or FALSE.", option.span)
    return found


def _string(given: dict[str, _Option], name: str, default: str) -> str:
    option = given.get(name)
    if option is None:
        return default
    value = option.value
    if not isinstance(value, str) or any(character in value for character in '"\r\n'):
        raise ProgrammingError(f"{name.upper()} is a string without quotes and line breaks.", option.span)
    return value


def _character(given: dict[str, _Option], name: str, default: str) -> str:
    value = _string(given, name, default)
    value = "\t" if value == "\\t" else value
    if len(value) != 1 or not value.isascii():
        raise ProgrammingError(f"{name.upper()} is one ASCII character.", given[name].span)
    return value


# --- writing ----------------------------------------------------------------------------------------------------------

_Write = Callable[[IO[bytes], Iterator[Batch]], None]


def _parquet_writer(names: Sequence[str], types: Sequence[SqlType], options: _Options, span: Span) -> _Write:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if len(set(names)) < len(names):
        raise NotSupportedError("A Parquet file has no two columns of the same name; give the columns aliases.")
    for name, type_ in zip(names, types, strict=True):
        if TypeKind.INTERVAL in (type_.kind, type_.element and type_.element.kind):
            hint = "Write CAST(... AS VARCHAR)."
            raise NotSupportedError(f'A Parquet file has no intervals, as the column "{name}".', span, hint=hint)
    schema = pa.schema([pa.field(name, arrow_type(type_)) for name, type_ in zip(names, types, strict=True)])

    def write(file: IO[bytes], batches: Iterator[Batch]) -> None:
        with pq.ParquetWriter(file, schema, compression=options.compression) as writer:
            for batch in batches:
                writer.write_batch(to_record_batch(batch, schema))

    return write


def _text_writer(names: Sequence[str], types: Sequence[SqlType], options: _Options) -> _Write:
    def write(file: IO[bytes], batches: Iterator[Batch]) -> None:
        if options.format == "csv" and options.header:
            file.write(csv_header(names, options.delimiter, options.null))
        for batch in batches:
            if options.format == "csv":
                file.write(csv_lines(batch.columns, options.delimiter, options.null))
            else:
                file.write(json_lines(names, types, batch.columns))

    return write


def _write_in_one_step(path: str, span: Span, write: Callable[[IO[bytes]], None]) -> None:
    place = user_path(path)
    beside = place.parent / f".{place.name}.{secrets.token_hex(4)}.tmp"
    try:
        if place.is_dir():
            raise IsADirectoryError(f"'{path}' is a folder")
        with beside.open("xb") as file:
            write(file)
        beside.replace(place)
    except OSError as error:
        raise OperationalError(f"'{path}' cannot be written: {error.strerror or error}.", span) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
