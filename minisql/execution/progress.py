"""How far a running query has come: the rows that its scans have read of those that they will read.

A callback is called in the thread of the query, between batches of scans and between pairs of rows in joins: with the
first rows, for a join may work on them for long, and then ten times a second at most. Without one, these are what they
always are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeAlias, TypeVar

from minisql.columnar.column import Batch
from minisql.errors import OperationalError
from minisql.execution.iterator import RowIterator

T = TypeVar("T")

INTERVAL: Final = 0.1
"""The fewest seconds between two calls."""


class Progress:
    """What a callback is given. It is always the same one and up to date, between the calls, too.

    Attributes:
        rows: the rows that all scans have read so far.
        fraction: the share of the rows that there are to read, from 0.0 to 1.0 and never less than before; None where
            that is not known, as before the first row and in a recursive query. Work on rows that are read already,
            as in a sort, is not in it.
    """

    def __init__(self, callback: Callback) -> None:
        self.rows = 0
        self.fraction: float | None = None
        self._callback = callback
        self._total: int | None = 0
        self._read = 0
        self._last = -math.inf

    def __repr__(self) -> str:
        share = "" if self.fraction is None else f", {self.fraction:.0%}"
        return f"<Progress: {self.rows:,} rows{share}>"

    def _expect(self, rows: int | None) -> None:
        """Takes note of a scan that is going to read so many rows, None if that is not known."""
        self._total = None if rows is None or self._total is None else self._total + rows

    def _note(self, rows: int, expected: int) -> None:
        """Takes note of rows that were read, and how many of those expected this makes."""
        self.rows += rows
        self._read += expected
        if self._total:
            self.fraction = max(self.fraction or 0.0, self._read / self._total)
        self._report()

    def _report(self) -> None:
        """Calls the callback in its time.

        Raises:
            OperationalError: the callback gave False.
        """
        now = time.monotonic()
        if now - self._last < INTERVAL:
            return
        self._last = now
        if self._callback(self) is False:
            raise OperationalError("The statement was stopped by its progress callback.")


Callback: TypeAlias = Callable[[Progress], object]
"""Is told how far a query has come; False from it, or an exception, stops the query."""

_current: ContextVar[Progress | None] = ContextVar("progress", default=None)


@contextmanager
def reporting(callback: Callback | None) -> Iterator[None]:
    """Has the scans of the iterators that are built meanwhile report to the callback."""
    if callback is None:
        yield
        return
    token = _current.set(Progress(callback))
    try:
        yield
    finally:
        _current.reset(token)


def current_progress() -> Progress | None:
    """Who is to be told of the scans of this query, if anybody is."""
    return _current.get()


def reported(steps: Iterator[T]) -> Iterator[T]:
    """The same steps of some work, during which a callback is called, too: joins may take long over few rows."""
    progress = _current.get()
    return steps if progress is None else _reported(steps, progress)


def _reported(steps: Iterator[T], progress: Progress) -> Iterator[T]:
    for step in steps:
        progress._report()
        yield step


class ScanProgress(RowIterator):
    """Passes the batches of a scan, which may be repeated, and counts their rows.

    `expected` is how many there will be when it comes to its end for the first time, None if that is not known.
    """

    def __init__(self, source: RowIterator, progress: Progress, expected: int | None) -> None:
        self.columns = source.columns
        self._source = source
        self._progress = progress
        self._expected = expected or 0
        progress._expect(expected)

    def open(self) -> None:
        self._source.open()

    def next(self) -> Batch | None:
        batch = self._source.next()
        rows = 0 if batch is None else batch.length
        # At the end the rows that filters have left out have been dealt with, too.
        expected = self._expected if batch is None else min(rows, self._expected)
        self._expected -= expected
        self._progress._note(rows, expected)
        return batch

    def close(self) -> None:
        self._source.close()

    def held_bytes(self) -> int:
        return self._source.held_bytes()
