"""Parquet files as a table: only the columns asked for are read, only of row groups that may have rows that count.

Strings with few values are read as dictionaries, and all row groups share one pool, so that equal codes mean equal
strings throughout a scan.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from minisql.catalog.arrow_table import slices
from minisql.catalog.row_group_filter import ValueRange, may_match
from minisql.catalog.statistics import distinct_from_sample, statistics_of
from minisql.catalog.table import ColumnDefinition, ColumnStatistics, Key, SimpleFilter
from minisql.columnar.column import Array, Batch, Column, StringPool, concat_columns
from minisql.columnar.from_arrow import from_arrow, sql_type
from minisql.datatypes import SqlType, TypeKind
from minisql.errors import DataError, OperationalError
from minisql.expression.nodes import Value

_DICTIONARY_BYTES_PER_ROW: Final = 0.5
"""A column is read as dictionary codes where the dictionary in the file has at most so many bytes a row."""
_SAMPLED_ROWS: Final = 400_000
"""Row groups with about so many rows are read for statistics."""
_CLUSTERED: Final = 1.5
"""A column is taken for clustered where the range of the table is so many times that of a row group."""


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    path: Path
    metadata: pq.FileMetaData


class ParquetTable:
    """One Parquet file, or several with the same columns, one after the other."""

    def __init__(self, name: str, files: Sequence[Path]) -> None:
        """Reads the footers.

        Raises:
            OperationalError: a file cannot be read as Parquet.
            DataError: the files differ in their columns.
            NotSupportedError: a column has a type that SQL does not have.
        """
        self.name = name
        self._files: list[_File] = []
        columns: tuple[ColumnDefinition, ...] | None = None
        for path in files:
            with _reading(path), pq.ParquetFile(path) as reader:
                own = tuple(ColumnDefinition(f.name, sql_type(f.type, f.name)) for f in reader.schema_arrow)
                self._files.append(_File(path, reader.metadata))
            if columns is None:
                columns = own
            elif own != columns:
                raise DataError(
                    _difference(files[0], columns, path, own), hint="Read the files one by one, with casts."
                )
        assert columns is not None
        self.columns = columns
        self._pools = [_SharedPool() for _ in columns]
        self._statistics: dict[int, ColumnStatistics] = {}

    @property
    def keys(self) -> tuple[Key, ...]:
        return ()

    @property
    def uses_filters(self) -> bool:
        return True

    def row_count(self) -> int:
        """The number of rows, exactly."""
        return sum(int(file.metadata.num_rows) for file in self._files)

    def scan(self, columns: Sequence[int], filters: Sequence[SimpleFilter], batch_rows: int) -> Iterator[Batch]:
        """The rows of the row groups whose footers do not rule out the filters, in the order of the files."""
        for file in self._files:
            groups = [
                group
                for group in range(file.metadata.num_row_groups)
                if all(may_match(simple, self._value_range(file, group, simple.column)) for simple in filters)
            ]
            if not groups:
                continue
            with _reading(file.path), self._open(file, columns) as reader:
                for together in _filled_up(file.metadata, groups, batch_rows):
                    yield from slices(self._read(reader, file, together, columns), batch_rows)

    def column_statistics(self, column: int) -> ColumnStatistics:
        """NULLs and range from the footers, the distinct count estimated from one row group."""
        known = self._statistics.get(column)
        if known is None:
            known = self._statistics[column] = self._make_statistics(column)
        return known

    # --- reading ------------------------------------------------------------------------------------------------------

    def _open(self, file: _File, columns: Sequence[int]) -> pq.ParquetFile:
        dictionaries = [self.columns[column].name for column in columns if self._is_dictionary(file, column)]
        return pq.ParquetFile(file.path, metadata=file.metadata, read_dictionary=dictionaries)

    def _read(self, reader: pq.ParquetFile, file: _File, groups: Sequence[int], columns: Sequence[int]) -> Batch:
        rows = sum(file.metadata.row_group(group).num_rows for group in groups)
        if not columns:
            return Batch((), rows)
        names = [self.columns[column].name for column in columns]
        data = reader.read_row_groups(groups, columns=list(dict.fromkeys(names)))
        return Batch([self._column(data.column(name), place) for name, place in zip(names, columns, strict=True)], rows)

    def _column(self, data: pa.ChunkedArray, place: int) -> Column:
        column = from_arrow(data, self.columns[place].name)
        if column.pool is None or not column.pool.distinct:
            return column
        pool, codes = self._pools[place].codes_of(column.pool)
        return Column(column.type, codes.take(column.values), column.valid, pool)

    def _is_dictionary(self, file: _File, column: int) -> bool:
        if self.columns[column].type.kind is not TypeKind.VARCHAR:
            return False
        for group in range(file.metadata.num_row_groups):
            chunk = file.metadata.row_group(group).column(column)
            if chunk.dictionary_page_offset is None:
                return False
            bytes_ = chunk.data_page_offset - chunk.dictionary_page_offset
            if bytes_ > _DICTIONARY_BYTES_PER_ROW * chunk.num_values:
                return False
        return True

    # --- footers ------------------------------------------------------------------------------------------------------

    def _value_range(self, file: _File, group: int, column: int) -> ValueRange:
        """What the footer says of the values of a column in a row group."""
        chunk = file.metadata.row_group(group).column(column)
        footer = chunk.statistics
        if footer is None:
            return ValueRange(None, None, None, chunk.num_values)
        nulls = footer.null_count if footer.has_null_count else None
        if not footer.has_min_max:
            return ValueRange(None, None, nulls, chunk.num_values)
        type_ = self.columns[column].type
        return ValueRange(_value(footer.min, type_), _value(footer.max, type_), nulls, chunk.num_values)

    def _make_statistics(self, column: int) -> ColumnStatistics:
        rows = self.row_count()
        if rows == 0:
            return ColumnStatistics(distinct_count=0.0, null_fraction=0.0)
        blocks = [(file, group) for file in self._files for group in range(file.metadata.num_row_groups)]
        ranges = [self._value_range(file, group, column) for file, group in blocks]
        sampled = _spread_sample([range_.row_count for range_ in ranges])
        sample = concat_columns([self._read_block(*blocks[place], column) for place in sampled])
        in_sample = statistics_of(sample)
        if len(sample) == rows:
            return in_sample
        whole = _union(ranges)
        # Without a NULL in the sample there may still be some.
        null_fraction = in_sample.null_fraction or 1 / (rows + 1)
        if whole.null_count is not None:
            null_fraction = whole.null_count / rows
        known = rows * (1 - null_fraction)
        distinct = distinct_from_sample(sample, known)
        sampled_width = sum(_width(ranges[place]) for place in sampled)
        clustering = _width(whole) / sampled_width if sampled_width else 1.0
        if clustering > _CLUSTERED:
            # The row groups have values of their own, so those that were not looked at have as many again.
            distinct = max(distinct, min((in_sample.distinct_count or 0.0) * clustering, known))
        return ColumnStatistics(distinct_count=distinct, null_fraction=null_fraction, low=whole.low, high=whole.high)

    def _read_block(self, file: _File, group: int, column: int) -> Column:
        with _reading(file.path), self._open(file, [column]) as reader:
            return self._read(reader, file, [group], [column]).column(0)


def _spread_sample(row_counts: Sequence[int]) -> list[int]:
    """The places of some row groups, evenly spread, with about `_SAMPLED_ROWS` rows; of one at least."""
    count = max(1, min(len(row_counts), _SAMPLED_ROWS * len(row_counts) // max(1, sum(row_counts))))
    return sorted({(2 * place + 1) * len(row_counts) // (2 * count) for place in range(count)})


def _union(ranges: Sequence[ValueRange]) -> ValueRange:
    """The range of all the blocks together, as far as it is known."""
    rows = sum(range_.row_count for range_ in ranges)
    nulls = None
    if all(range_.null_count is not None for range_ in ranges):
        nulls = sum(range_.null_count or 0 for range_ in ranges)
    with_values = [range_ for range_ in ranges if range_.null_count != range_.row_count]
    lows: list[Any] = [range_.low for range_ in with_values]
    highs: list[Any] = [range_.high for range_ in with_values]
    if not with_values or None in lows or None in highs:
        return ValueRange(None, None, nulls, rows)
    return ValueRange(min(lows), max(highs), nulls, rows)


def _width(range_: ValueRange) -> float:
    """How far apart the bounds of numbers, dates or timestamps are; 0 where that is not known."""
    low: Any = range_.low
    high: Any = range_.high
    if low is None or high is None or isinstance(low, str):
        return 0.0
    difference = high - low
    return difference.total_seconds() if isinstance(difference, datetime.timedelta) else float(difference)


class _SharedPool:
    """A pool of strings that grows with every dictionary that has new ones. Its codes keep their meaning."""

    def __init__(self) -> None:
        self._pool: StringPool | None = None
        self._lock = threading.Lock()

    def codes_of(self, dictionary: StringPool) -> tuple[StringPool, Array]:
        """The pool with all the strings of the dictionary, and the code of each of them."""
        with self._lock:
            if self._pool is None:
                self._pool = dictionary
                return dictionary, np.arange(len(dictionary), dtype=np.int32)
            known = self._pool
            codes = pc.index_in(dictionary.strings, value_set=known.strings)
            if codes.null_count:
                new = dictionary.strings.filter(codes.is_null())
                self._pool = StringPool(pa.concat_arrays([known.strings, new]), distinct=True)
                codes = pc.index_in(dictionary.strings, value_set=self._pool.strings)
            return self._pool, codes.to_numpy()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turns what goes wrong with a file into an error that names it."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise OperationalError(f"'{path}' cannot be read as Parquet: {reason}") from error


def _filled_up(metadata: pq.FileMetaData, groups: Sequence[int], batch_rows: int) -> Iterator[list[int]]:
    """The row groups in runs, so that small ones fill a batch together."""
    together: list[int] = []
    rows = 0
    for group in groups:
        own = metadata.row_group(group).num_rows
        if together and rows + own > batch_rows:
            yield together
            together, rows = [], 0
        together.append(group)
        rows += own
    if together:
        yield together


def _difference(
    first: Path, expected: Sequence[ColumnDefinition], second: Path, found: Sequence[ColumnDefinition]
) -> str:
    """A sentence that says where the columns of two files differ."""
    for place, (mine, other) in enumerate(zip(expected, found, strict=False), start=1):
        if mine != other:
            return (
                f"'{second}' does not fit '{first}': its column {place} is {other.name} {other.type}, "
                f"not {mine.name} {mine.type}."
            )
    return f"'{second}' does not fit '{first}': it has {len(found)} columns, not {len(expected)}."


def _value(raw: Any, type_: SqlType) -> Value:
    """A value of a footer as a value of the column's type; None where it is of another kind."""
    match type_.kind, raw:
        case ((TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ), datetime.datetime()):
            zone = None if type_.kind is TypeKind.TIMESTAMP else datetime.UTC
            if raw.tzinfo is not None:
                raw = raw.astimezone(datetime.UTC)
            # The seven fields alone: pandas' own timestamps have nanoseconds as well.
            return datetime.datetime(
                raw.year, raw.month, raw.day, raw.hour, raw.minute, raw.second, raw.microsecond, zone
            )
        case ((TypeKind.TIMESTAMP | TypeKind.TIMESTAMPTZ), _):
            return None
        case TypeKind.TIME, datetime.time():
            return raw.replace(tzinfo=None)
        case TypeKind.DECIMAL, int() | Decimal():
            return Decimal(raw)
        case ((TypeKind.INTEGER | TypeKind.BIGINT), int()):
            return raw
        case TypeKind.DOUBLE, float():
            return raw
        case TypeKind.BOOLEAN, bool():
            return raw
        case TypeKind.VARCHAR, str():
            return raw
        case TypeKind.DATE, datetime.date():
            return raw
        case _:
            return None
