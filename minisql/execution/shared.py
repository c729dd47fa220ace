"""Rows that several scans of one running query share: computed once, and no further than the scan that is ahead reads.

What is shared belongs to the root of the query (`OwnerIterator`), for a scan that has ended may be opened again.
"""

from __future__ import annotations

from collections.abc import Sequence

from minisql.columnar.column import Batch
from minisql.execution.iterator import RowIterator
from minisql.expression.nodes import ColumnId
from minisql.optimizer.access_path import Shared, SharedScan


class SharedRows:
    """The rows of a shared expression so far. Its source is known once all scans are, and with them their columns."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.wanted: set[ColumnId] = set()
        self._source: RowIterator | None = None
        self._is_open = False
        self._batches: list[Batch] = []

    @property
    def columns(self) -> tuple[ColumnId, ...]:
        """The columns of the batches."""
        return tuple(sorted(self.wanted))

    def read_from(self, source: RowIterator) -> None:
        """Says where the rows come from: an iterator that gives `columns`."""
        self._source = source

    def batch(self, number: int) -> Batch | None:
        """The batch with this number, from 0; None where there are not so many."""
        while number >= len(self._batches):
            source = self._source
            if source is None:
                return None
            if not self._is_open:
                source.open()
                self._is_open = True
            batch = source.next()
            if batch is None:
                source.close()
                self._source = None
                return None
            # Kept rows are gathered: a selection would keep the rows that a filter took out.
            self._batches.append(Batch(batch.columns, batch.length))
        return self._batches[number]

    def close(self) -> None:
        """Frees the rows."""
        if self._source is not None:
            self._source.close()
        self._source = None
        self._batches = []

    @property
    def nbytes(self) -> int:
        """Bytes of the rows."""
        return sum(batch.nbytes for batch in self._batches)


class SharedScanIterator(RowIterator):
    """Gives the rows of what is shared, at the `positions` of the columns of the scan."""

    def __init__(self, path: SharedScan, rows: SharedRows, positions: Sequence[int]) -> None:
        self.columns = tuple(ColumnId(path.table, position) for position in positions)
        self._rows = rows
        self._wanted = [path.shared.columns[position] for position in positions]
        rows.wanted.update(self._wanted)
        self._places: list[int] = []
        self._given = 0

    def open(self) -> None:
        columns = self._rows.columns
        self._places = [columns.index(column) for column in self._wanted]
        self._given = 0

    def next(self) -> Batch | None:
        batch = self._rows.batch(self._given)
        if batch is None:
            return None
        self._given += 1
        return batch.project(self._places)

    def close(self) -> None:
        pass

    def held_bytes(self) -> int:
        return self._rows.nbytes


class OwnerIterator(RowIterator):
    """The root of a query with shared rows, which it frees at its end."""

    def __init__(self, source: RowIterator, shared: Sequence[SharedRows]) -> None:
        self.columns = source.columns
        self._source = source
        self._shared = shared

    def open(self) -> None:
        self._source.open()

    def next(self) -> Batch | None:
        return self._source.next()

    def close(self) -> None:
        self._source.close()
        for rows in self._shared:
            rows.close()
