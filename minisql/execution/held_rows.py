"""Reading an input to its end, for the operators that hold rows."""

from __future__ import annotations

from collections.abc import Sequence

from minisql.columnar.column import Batch, concat_batches
from minisql.execution.iterator import RowIterator
from minisql.expression.nodes import ColumnId


def read_all(source: RowIterator, columns: Sequence[ColumnId]) -> Batch | None:
    """Opens, reads and closes an iterator; all its rows with these columns as one batch, None where there are none."""
    places = [source.columns.index(column) for column in columns]
    source.open()
    batches = []
    while (batch := source.next()) is not None:
        batches.append(batch.project(places))
    source.close()
    return concat_batches(batches) if batches else None
