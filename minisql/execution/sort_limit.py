"""Sort, top-N, and limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from minisql.columnar.column import Array, Batch
from minisql.execution.evaluate import compile_expression
from minisql.execution.held_rows import read_all
from minisql.execution.iterator import RowIterator
from minisql.execution.kernels.growing import concat_kept
from minisql.execution.kernels.sort_order import OrderKey, first_rows, rows_not_after, sorted_rows
from minisql.expression.nodes import ColumnId, SortKey
from minisql.expression.walk import columns_of

_ROWS_BEFORE_MERGING: Final = 1024


class _KeyedIterator(RowIterator):
    """What sort and top-N share: the columns that they read, and the keys of a batch."""

    def __init__(
        self, source: RowIterator, keys: Sequence[SortKey], columns: Sequence[ColumnId], batch_rows: int
    ) -> None:
        """Gives `columns`, some of those of the source."""
        self.columns = tuple(columns)
        self._source = source
        self._batch_rows = batch_rows
        read = {*columns, *(column for key in keys for column in columns_of(key.expression))}
        # The columns that go out come first, those that only the keys read last.
        self._read = [*columns, *(column for column in source.columns if column in read and column not in columns)]
        self._keys = [(compile_expression(key.expression, self._read), key.descending, key.nulls_first) for key in keys]
        self._held: Batch | None = None
        self._order: Array | None = None  # of the rows held; None where they are in order
        self._given = 0

    def next(self) -> Batch | None:
        held = self._held
        if held is None or self._given == len(held):
            return None
        start, self._given = self._given, min(self._given + self._batch_rows, len(held))
        part = held.slice(start, self._given) if self._order is None else held.take(self._order[start : self._given])
        return part.project(range(len(self.columns)))

    def close(self) -> None:
        self._held = self._order = None
        self._source.close()

    def held_bytes(self) -> int:
        order = 0 if self._order is None else self._order.nbytes
        return order + (0 if self._held is None else self._held.nbytes)

    def _order_key(self, batch: Batch, number: int) -> OrderKey:
        key, descending, nulls_first = self._keys[number]
        return OrderKey(key(batch), descending, nulls_first)


class SortIterator(_KeyedIterator):
    """Gives all rows of its input in order."""

    def open(self) -> None:
        """Reads and sorts the input."""
        self._given = 0
        self._held = read_all(self._source, self._read)
        if self._held is not None:
            self._order = sorted_rows([self._order_key(self._held, number) for number in range(len(self._keys))])


class TopNIterator(_KeyedIterator):
    """Gives the first `limit` rows in order. Never holds many more than three times as many."""

    def __init__(
        self,
        source: RowIterator,
        keys: Sequence[SortKey],
        limit: int,
        columns: Sequence[ColumnId],
        batch_rows: int,
    ) -> None:
        super().__init__(source, keys, columns, batch_rows)
        self._limit = limit

    def open(self) -> None:
        """Reads the input."""
        self._given, self._held = 0, None
        if self._limit == 0:
            return
        places = [self._source.columns.index(column) for column in self._read]
        self._source.open()
        kept: list[Batch] = []
        kept_rows = 0
        last: OrderKey | None = None  # no row after this key is among the first
        while (batch := self._source.next()) is not None:
            batch = batch.project(places)
            if last is not None:
                rows = rows_not_after(self._order_key(batch, 0), last)
                if len(rows) == 0:
                    continue
                batch = batch.select(rows)
            kept.append(self._first(batch))
            kept_rows += len(kept[-1])
            if kept_rows > 2 * self._limit + _ROWS_BEFORE_MERGING:
                kept = [self._first(_concat(kept))]
                kept_rows = len(kept[0])
            if len(kept[-1]) == self._limit:
                found = self._order_key(kept[-1].slice(self._limit - 1, self._limit), 0)
                last = found if last is None or len(rows_not_after(found, last)) else last
        self._source.close()
        if kept:
            self._held = self._first(_concat(kept))

    def _first(self, batch: Batch) -> Batch:
        """The first rows of a batch, gathered and in order."""
        rows = first_rows([self._order_key(batch, number) for number in range(len(self._keys))], self._limit)
        return Batch([batch.column(place).take(rows) for place in range(batch.width)], len(rows))


def _concat(batches: Sequence[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    columns = [concat_kept([batch.column(place) for batch in batches]) for place in range(batches[0].width)]
    return Batch(columns, sum(map(len, batches)))


class LimitIterator(RowIterator):
    """Skips `offset` rows, gives at most `limit` (None: all) and reads no further."""

    def __init__(self, source: RowIterator, limit: int | None, offset: int) -> None:
        self.columns = source.columns
        self._source = source
        self._limit_and_offset = limit, offset
        self._left, self._offset = limit, offset

    def open(self) -> None:
        self._left, self._offset = self._limit_and_offset
        if self._left != 0:
            self._source.open()

    def next(self) -> Batch | None:
        while self._left != 0:
            batch = self._source.next()
            if batch is None:
                return None
            skipped = min(self._offset, len(batch))
            self._offset -= skipped
            stop = len(batch) if self._left is None else min(len(batch), skipped + self._left)
            if stop > skipped:
                if self._left is not None:
                    self._left -= stop - skipped
                return batch if stop - skipped == len(batch) else batch.slice(skipped, stop)
        self._source.close()
        return None

    def close(self) -> None:
        self._source.close()
