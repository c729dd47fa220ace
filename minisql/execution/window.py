"""Window functions: the iterator that computes them beside the columns of its input.

It reads the whole input and keeps the order of its rows. Calls share an order: one that is partitioned alike and
ordered by the first keys of another's is computed over the rows as that one sorted them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from minisql.columnar.column import Batch, Column
from minisql.execution.held_rows import read_all
from minisql.execution.iterator import RowIterator
from minisql.execution.window_aggregates import partition_aggregates, window_aggregate
from minisql.execution.window_functions import window_function
from minisql.execution.window_rows import OrderedRows
from minisql.expression.nodes import AggregateCall, ColumnId
from minisql.expression.window import WHOLE_PARTITION, WindowCall
from minisql.optimizer.access_path import Window


class WindowIterator(RowIterator):
    """Gives the rows of its input with a column for each call."""

    def __init__(self, path: Window, source: RowIterator, columns: Sequence[ColumnId], batch_rows: int) -> None:
        """`columns` are those wanted, of the input and of the calls."""
        self.columns = tuple(columns)
        self._source = source
        self._batch_rows = batch_rows
        self._table = path.table
        self._calls = {column: path.calls[column.position] for column in columns if column.table == path.table}
        self._result: Batch | None = None
        self._given = 0

    def open(self) -> None:
        """Reads the input and computes the calls.

        Raises:
            DataError: a sum does not fit its type, or an argument has a value that the function does not take.
        """
        self._result, self._given = None, 0
        source = self._source.columns
        batch = read_all(self._source, source)
        if batch is None:
            return
        computed: dict[ColumnId, Column] = {}
        for calls in _sharing_an_order(self._calls):
            aggregates = _whole_partition_aggregates(calls.values())
            longest = next(iter(calls.values()))
            if aggregates:
                columns = partition_aggregates(aggregates, longest.partition_by, batch, source)
                computed.update(zip(calls, columns, strict=True))
                continue
            rows = OrderedRows(batch, source, longest.partition_by, longest.order_by)
            for column, call in calls.items():
                computed[column] = rows.in_input_order(_compute(call, rows))
        self._result = Batch(
            [computed[c] if c.table == self._table else batch.column(source.index(c)) for c in self.columns],
            len(batch),
        )

    def next(self) -> Batch | None:
        result = self._result
        if result is None or self._given == len(result):
            return None
        start, self._given = self._given, min(self._given + self._batch_rows, len(result))
        return result.slice(start, self._given)

    def close(self) -> None:
        self._result = None
        self._source.close()

    def held_bytes(self) -> int:
        return 0 if self._result is None else self._result.nbytes


def _compute(call: WindowCall, rows: OrderedRows) -> Column:
    if isinstance(call.function, AggregateCall):
        return window_aggregate(call.function, rows.pieces(call.frame, len(call.order_by)), rows)
    return window_function(call.function, call, rows)


def _whole_partition_aggregates(calls: Iterable[WindowCall]) -> list[AggregateCall]:
    """The aggregates, if all calls are aggregates over whole partitions in no order; else nothing."""
    found = []
    for call in calls:
        if not isinstance(call.function, AggregateCall) or call.order_by or call.frame != WHOLE_PARTITION:
            return []
        found.append(call.function)
    return found


def _sharing_an_order(calls: dict[ColumnId, WindowCall]) -> list[dict[ColumnId, WindowCall]]:
    """The calls, those together that one order serves; the first of them has the most keys."""
    groups: list[dict[ColumnId, WindowCall]] = []
    for column, call in sorted(calls.items(), key=lambda item: len(item[1].order_by), reverse=True):
        for group in groups:
            first = next(iter(group.values()))
            is_alike = frozenset(first.partition_by) == frozenset(call.partition_by)
            if is_alike and first.order_by[: len(call.order_by)] == call.order_by:
                group[column] = call
                break
        else:
            groups.append({column: call})
    return groups
