"""Filter and Project: which rows go on, and what is computed from them."""

from __future__ import annotations

from collections.abc import Sequence

from minisql.columnar.column import Batch
from minisql.execution.evaluate import compile_expression, compile_predicate
from minisql.execution.iterator import RowIterator
from minisql.expression.nodes import ColumnId, ColumnRef, Expression


class FilterIterator(RowIterator):
    """Passes the rows for which every condition is TRUE. Only marks them: columns are gathered by who reads them."""

    def __init__(self, source: RowIterator, conditions: Sequence[Expression]) -> None:
        self.columns = source.columns
        self._source = source
        self._find_rows = compile_predicate(conditions, source.columns)

    def open(self) -> None:
        self._source.open()

    def next(self) -> Batch | None:
        while (batch := self._source.next()) is not None:
            rows = self._find_rows(batch)
            if len(rows) == len(batch):
                return batch
            if len(rows):
                return batch.select(rows)
        return None

    def close(self) -> None:
        self._source.close()


class ProjectIterator(RowIterator):
    """Computes `ColumnId(table, position)` as `expressions[position]` for the `positions` that are wanted."""

    def __init__(
        self, source: RowIterator, table: int, expressions: Sequence[Expression], positions: Sequence[int]
    ) -> None:
        self.columns = tuple(ColumnId(table, position) for position in positions)
        self._source = source
        wanted = [expressions[position] for position in positions]
        self._evaluators = [compile_expression(expression, source.columns) for expression in wanted]
        # Where nothing is computed, rows that a filter only marked stay as they are.
        references = [expression.column for expression in wanted if isinstance(expression, ColumnRef)]
        is_selection = len(references) == len(wanted)
        self._places = [source.columns.index(column) for column in references] if is_selection else None

    def open(self) -> None:
        self._source.open()

    def next(self) -> Batch | None:
        batch = self._source.next()
        if batch is None:
            return None
        if self._places is not None:
            return batch.project(self._places)
        return Batch([evaluate(batch) for evaluate in self._evaluators], len(batch))

    def close(self) -> None:
        self._source.close()
