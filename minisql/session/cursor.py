"""Cursors of PEP 249: each runs statements on a connection and holds the rows of the last one."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final

from minisql.errors import InterfaceError, QueryWarning
from minisql.query_block.parameters import Parameters
from minisql.session.result import Description, Result, Row

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from minisql.execution.progress import Callback
    from minisql.session.connection import Connection


class Cursor:
    """Runs statements, and gives the rows of the last one. It costs nothing to make: take one for each thread.

    Two threads that use one cursor at the same time are an InterfaceError, as are a closed cursor and a fetch where the
    last statement was no query. All cursors of a connection share its tables, its settings and its transaction.
    """

    arraysize: int = 1
    """How many rows fetchmany() gives where it is not told."""

    lastrowid: Final = None
    """PEP 249: always None, as rows have no numbers that last."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        """The connection that made the cursor."""
        self._result: Result | None = None
        self._is_closed = False
        self._use = _Use()

    def _open(self) -> _Use:
        """What a method of an open cursor runs in."""
        if self._is_closed:
            raise InterfaceError("The cursor is closed.")
        return self._use

    @property
    def description(self) -> Description:
        """Name, type and for DECIMAL precision and scale of each column; None where there are no columns."""
        return None if self._result is None else self._result.description

    @property
    def rowcount(self) -> int:
        """The number of rows of a query, of rows that a statement changed, or -1 where that means nothing."""
        return -1 if self._result is None else self._result.rowcount

    @property
    def warnings(self) -> tuple[QueryWarning, ...]:
        """What the last statement most likely does that is not meant: see `Result.warnings`."""
        return () if self._result is None else self._result.warnings

    def execute(
        self,
        sql: str,
        parameters: Parameters = (),
        *,
        timeout: float | None = None,
        progress: Callback | None = None,
        validate: Mapping[str, str] | None = None,
    ) -> Cursor:
        """Runs statements as `Connection.execute` does, and gives the cursor itself, with the rows of the last one."""
        with self._open():
            self._result = None
            self._result = self.connection.execute(
                sql, parameters, timeout=timeout, progress=progress, validate=validate
            )
        return self

    def executemany(self, sql: str, parameters: Iterable[Parameters], *, timeout: float | None = None) -> Cursor:
        """Runs a statement once for each of the sets of values, all or nothing; see `Connection.executemany`."""
        with self._open():
            self._result = None
            self._result = self.connection.executemany(sql, parameters, timeout=timeout)
        return self

    def fetchone(self) -> Row | None:
        """The next row, None at the end."""
        with self._open():
            return self._rows().fetchone()

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next `size` rows, `arraysize` where it is not given; fewer at the end."""
        with self._open():
            return self._rows().fetchmany(self.arraysize if size is None else size)

    def fetchall(self) -> list[Row]:
        """All the rows that are left."""
        with self._open():
            return self._rows().fetchall()

    def __iter__(self) -> Cursor:
        return self

    def __next__(self) -> Row:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        with self._open():
            return self._rows().arrow()

    def df(self) -> pd.DataFrame:
        """All rows as a pandas data frame."""
        with self._open():
            return self._rows().df()

    def pl(self) -> pl.DataFrame:
        """All rows as a Polars data frame."""
        with self._open():
            return self._rows().pl()

    def setinputsizes(self, sizes: Sequence[object]) -> None:
        """Does nothing, as PEP 249 allows."""
        with self._open():
            pass

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Does nothing, as PEP 249 allows."""
        with self._open():
            pass

    def close(self) -> None:
        """Frees the rows; the cursor is of no use any more. Closing it once more does nothing."""
        with self._use:
            self._result = None
            self._is_closed = True

    def _rows(self) -> Result:
        if self._result is None:
            raise InterfaceError("Nothing has been executed, so there are no rows.")
        if self._result.description is None:
            raise InterfaceError("The last statement was no query, so there are no rows.")
        return self._result

    def __enter__(self) -> Cursor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Use:
    """Keeps other threads out, who get an error instead of a turn: the rows between them would be anybody's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise InterfaceError("The cursor is in use by another call; take a cursor for each thread.")

    def __exit__(self, *_: object) -> None:
        self._lock.release()
