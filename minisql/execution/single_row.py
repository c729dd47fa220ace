"""The value of a scalar subquery: one row, whatever the subquery gives."""

from __future__ import annotations

from collections.abc import Sequence

from minisql.columnar.column import Batch, all_null
from minisql.datatypes import SqlType
from minisql.errors import DataError, Span
from minisql.execution.iterator import RowIterator


class SingleRowIterator(RowIterator):
    """Gives the one row of its input, or a row of NULLs where it has none.

    Raises (in open):
        DataError: the input has two rows.
    """

    def __init__(self, source: RowIterator, types: Sequence[SqlType], span: Span | None) -> None:
        """`types` are those of the columns of the source."""
        self.columns = source.columns
        self._source = source
        self._types = types
        self._span = span
        self._row: Batch | None = None

    def open(self) -> None:
        self._row = None
        self._source.open()
        while (batch := self._source.next()) is not None:
            if self._row is not None or len(batch) > 1:
                raise several_rows(self._span)
            self._row = batch
        if self._row is None:
            self._row = Batch([all_null(type_, 1) for type_ in self._types], 1)

    def next(self) -> Batch | None:
        row, self._row = self._row, None
        return row

    def close(self) -> None:
        self._row = None
        self._source.close()


def several_rows(span: Span | None) -> DataError:
    """The error for a subquery that is a value and gave two rows."""
    return DataError(
        "A subquery that is used as a value gave more than one row.",
        span,
        hint="Make it give one row: with an aggregate, with a condition on a key, or with LIMIT 1.",
    )
