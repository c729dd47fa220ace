"""What a statement gives back: rows, to be fetched as Python values or taken as Arrow, pandas or Polars."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, repeat
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from minisql.columnar.column import Batch
from minisql.columnar.python_values import to_values
from minisql.datatypes import SqlType, TypeKind
from minisql.errors import DataError, InterfaceError, ProgrammingError, QueryWarning, Span, counted
from minisql.expression.nodes import Value

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Row: TypeAlias = tuple[Value, ...]
Layout: TypeAlias = Literal["rows", "text", "record"]
Description: TypeAlias = list[tuple[str, str, None, None, int | None, int | None, None]] | None
"""What PEP 249 wants to know of the columns."""


class Result:
    """The rows of a statement, in memory and independent of the connection.

    Iterating gives the rows, a `with` block closes it, and it has the Arrow PyCapsule interface, which makes it a
    `pyarrow.table(result)`, a `polars.DataFrame(result)`, or a table of another query: `connection.sql(sql, r=result)`.

    Fetching moves a cursor through the rows, as PEP 249 defines it; `arrow()`, `df()` and `pl()` give all rows whatever
    was fetched. A statement that is no query has no columns and no rows. Dates that Python does not have, which Arrow
    data may hold, are a DataError when they are fetched; a closed result, and two threads that fetch at the same time,
    are an InterfaceError.
    """

    arraysize = 1
    """How many rows fetchmany() gives where it is not told."""

    def __init__(
        self,
        names: Sequence[str] = (),
        types: Sequence[SqlType] = (),
        batches: Sequence[Batch] = (),
        *,
        rowcount: int | None = None,
        layout: Layout = "rows",
        notice: str | None = None,
        warnings: Sequence[QueryWarning] = (),
    ) -> None:
        self.names = tuple(names)
        """The names of the columns."""
        self.types = tuple(types)
        """Their SQL types; `str` gives the name of one."""
        self.layout: Layout = layout
        """How people look at it best: as rows; as the texts in its one column, which EXPLAIN gives; or as a record, one
        row of texts too long for a table.
        """
        self.notice = notice
        """A sentence for people about the rows, such as what is left out of them; mostly there is none."""
        self.warnings = tuple(warnings)
        """What the query most likely does that is not meant: joins that lose or multiply rows."""
        self._batches: tuple[Batch, ...] | None = tuple(batches)
        self.rowcount = sum(batch.length for batch in batches) if rowcount is None else rowcount
        """The number of rows of a query, of rows that a statement changed, or -1 where that means nothing."""
        self._rows: Iterator[Row] = self._iterate()

    @property
    def description(self) -> Description:
        """PEP 249: name, type, and for DECIMAL precision and scale of each column; None where there are no columns.

        The type is the name of the SQL type, which is equal to the type object of its kind: `minisql.NUMBER` and so on.
        """
        if not self.names:
            return None
        return [
            (name, str(type_), None, None, type_.precision or None, type_.scale if type_.precision else None, None)
            for name, type_ in zip(self.names, self.types, strict=True)
        ]

    def _held(self) -> tuple[Batch, ...]:
        if self._batches is None:
            raise InterfaceError("The result is closed.")
        return self._batches

    def _iterate(self) -> Iterator[Row]:
        for batch in self._held():
            try:
                columns = [to_values(column) for column in batch.columns]
            except DataError as error:
                self._rows = map(_raise, repeat(error))  # who goes on fetching is not told that this was the end
                raise
            for row in zip(*columns, strict=True):
                if self._batches is None:
                    raise InterfaceError("The result is closed.")
                yield row

    def __iter__(self) -> Iterator[Row]:
        self._held()
        return self._rows

    def fetchone(self) -> Row | None:
        """The next row, None at the end."""
        self._held()
        with _one_thread():
            return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next `size` rows, fewer at the end."""
        self._held()
        wanted = self.arraysize if size is None else size
        if not isinstance(wanted, int) or wanted < 0:
            raise InterfaceError(f"The number of rows to fetch is 0 or more, not {wanted!r}.")
        with _one_thread():
            return list(islice(self._rows, min(wanted, sys.maxsize)))

    def fetchall(self) -> list[Row]:
        """All the rows that are left."""
        self._held()
        with _one_thread():
            return list(self._rows)

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table. Numbers, dates and times are shared with the result, not copied."""
        from minisql.columnar.to_arrow import to_arrow_table

        return to_arrow_table(self._held(), self.names, self.types)

    def reader(self, rows: int | None = None) -> pa.RecordBatchReader:
        """All rows as Arrow record batches, of at most `rows` rows where that is given; each is made when it is read.

        Raises:
            InterfaceError: `rows` is no number of rows.
        """
        from minisql.columnar.to_arrow import to_arrow_reader

        if rows is not None and (not isinstance(rows, int) or rows < 1):
            raise InterfaceError(f"A record batch has one row or more, not {rows!r}.")
        return to_arrow_reader(self._held(), self.names, self.types, rows)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """All rows through the Arrow PyCapsule interface: numbers and times are shared, the rest is copied."""
        stream: object = self.arrow().__arrow_c_stream__(requested_schema)
        return stream

    def df(self) -> pd.DataFrame:
        """All rows as a pandas data frame.

        Raises:
            InterfaceError: pandas is not installed.
        """
        _require("pandas")
        frame: pd.DataFrame = self.arrow().to_pandas()
        return frame

    def pl(self) -> pl.DataFrame:
        """All rows as a Polars data frame.

        Raises:
            InterfaceError: Polars is not installed, or two columns have the same name, or one is an INTERVAL.
        """
        polars = _require("polars")
        for name, type_ in zip(self.names, self.types, strict=True):
            if TypeKind.INTERVAL in (type_.kind, type_.element and type_.element.kind):
                raise InterfaceError(f'Polars has no type for the INTERVAL "{name}"; cast it to VARCHAR.')
        if len(set(self.names)) < len(self.names):
            raise InterfaceError("Polars takes no two columns of the same name; give the columns aliases.")
        frame: pl.DataFrame = polars.from_arrow(self.arrow())
        return frame

    def __repr__(self) -> str:
        """The first rows as a table, and the warnings; fetching is not moved."""
        if self._batches is None:
            return "<Result: closed>"
        if not self.names:
            return "<Result: no columns>" if self.rowcount < 0 else f"<Result: {counted(self.rowcount, 'row')} changed>"
        if self.layout == "text":
            return "\n".join(str(text) for batch in self._batches for text in to_values(batch.column(0)))
        from minisql.session.display import result_as_text  # which few programs need

        warnings = [f"WARNING: {warning.message}" for warning in self.warnings]
        return "\n".join([result_as_text(self.names, self.types, self._batches), *warnings])

    def _repr_html_(self) -> str:
        """The first rows as an HTML table, and the warnings, for notebooks."""
        from minisql.session.display import result_as_html, text_as_html, warning_as_html  # which few programs need

        if self._batches is None or not self.names or self.layout == "text":
            return text_as_html(repr(self))
        warnings = map(warning_as_html, self.warnings)
        return "".join([result_as_html(self.names, self.types, self._batches), *warnings])

    def close(self) -> None:
        """Frees the rows; to ask for them from here on is an error. Closing it once more does nothing."""
        self._batches = None

    def __enter__(self) -> Result:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def united(results: Sequence[Result], span: Span) -> Result:
    """The rows of results with the same columns one after the other, as RETURNING gives them in several runs.

    Raises:
        ProgrammingError: their types differ.
    """
    first = results[0]
    if any(result.types != first.types for result in results):
        raise ProgrammingError("RETURNING gives values of other types for other parameters.", span, hint="Add a CAST.")
    return Result(first.names, first.types, [batch for result in results for batch in result._held()])


def _raise(error: DataError) -> Row:
    raise error


@contextmanager
def _one_thread() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        if str(error) != "generator already executing":
            raise
        raise InterfaceError("Another thread is fetching from the result; take a result for each thread.") from None


def _require(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InterfaceError(f"This needs {module}, which is not installed.") from error
