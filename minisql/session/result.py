"""What a statement gives back: rows, to be fetched as Python values or taken as Arrow, pandas or Polars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from minisql.columnar.column import Batch
from minisql.columnar.python_values import to_values
from minisql.datatypes import SqlType
from minisql.errors import InterfaceError, QueryWarning
from minisql.expression.nodes import Value

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Row = tuple[Value, ...]


class Result:
    """The rows of a statement, in memory and independent of the connection.

    Fetching moves a cursor through the rows, as PEP 249 defines it; `arrow()`, `df()` and `pl()` give all rows whatever
    was fetched. A statement that is no query has no columns and no rows.
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
        is_explanation: bool = False,
        notice: str | None = None,
        warnings: Sequence[QueryWarning] = (),
    ) -> None:
        self.names = tuple(names)
        self.types = tuple(types)
        self.is_explanation = is_explanation
        """Whether this is the text of an EXPLAIN, in one row of one column."""
        self.notice = notice
        """A sentence for people about the rows, such as what is left out of them; mostly there is none."""
        self.warnings = tuple(warnings)
        """What the query most likely does that is not meant: joins that lose or multiply rows."""
        self._batches: tuple[Batch, ...] | None = tuple(batches)
        self.rowcount = sum(batch.length for batch in batches) if rowcount is None else rowcount
        """The number of rows of a query, of rows that a statement changed, or -1 where that means nothing."""
        self._rows = self._iterate()

    @property
    def description(self) -> list[tuple[str, str, None, None, int | None, int | None, None]] | None:
        """PEP 249: name, type, and for DECIMAL precision and scale of each column; None where there are no columns."""
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
            yield from zip(*[to_values(column) for column in batch.columns], strict=True)

    def __iter__(self) -> Iterator[Row]:
        self._held()
        return self._rows

    def fetchone(self) -> Row | None:
        """The next row, None at the end."""
        self._held()
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next `size` rows, fewer at the end."""
        self._held()
        wanted = self.arraysize if size is None else size
        rows: list[Row] = []
        while len(rows) < wanted and (row := next(self._rows, None)) is not None:
            rows.append(row)
        return rows

    def fetchall(self) -> list[Row]:
        """All the rows that are left."""
        self._held()
        return list(self._rows)

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        from minisql.columnar.to_arrow import to_arrow_table

        return to_arrow_table(self._held(), self.names, self.types)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """All rows through the Arrow PyCapsule interface."""
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
            InterfaceError: Polars is not installed, or two columns have the same name.
        """
        polars = _require("polars")
        if len(set(self.names)) < len(self.names):
            raise InterfaceError("Polars takes no two columns of the same name; give the columns aliases.")
        frame: pl.DataFrame = polars.from_arrow(self.arrow())
        return frame

    def close(self) -> None:
        """Frees the rows."""
        self._batches = None

    def __enter__(self) -> Result:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _require(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InterfaceError(f"This needs {module}, which is not installed.") from error
