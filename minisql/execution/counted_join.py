"""Joins that multiply rows, noticed while a query runs: a counter at each input and at the output, and no more.

Where the keys are unique on one side, an inner join gives at most as many rows as the larger side has, and an outer one
at most as many as both have together. A join that gives more has keys that are there several times on either side
(n:m). It is not the only such join: where few keys are, the count stays below.
"""

from __future__ import annotations

from minisql.columnar.column import Batch
from minisql.errors import QueryWarning, Span
from minisql.execution.iterator import RowIterator
from minisql.expression.format import format_conditions
from minisql.expression.nodes import Comparison, IsDistinctFrom
from minisql.node import record
from minisql.optimizer.access_path import HashJoin, JoinKey
from minisql.relational.relational_expression import JoinType


def is_counted(path: HashJoin) -> bool:
    """Whether the join pairs all rows of equal keys. Conditions beside these say that pairs of one key are meant."""
    return not path.residual and path.type in (JoinType.INNER, JoinType.LEFT, JoinType.FULL)


class CountedRows(RowIterator):
    """Passes the batches of an iterator and counts their rows since it was opened last."""

    def __init__(self, source: RowIterator) -> None:
        self.columns = source.columns
        self.rows = 0
        self._source = source

    def open(self) -> None:
        self.rows = 0
        self._source.open()

    def next(self) -> Batch | None:
        batch = self._source.next()
        if batch is not None:
            self.rows += len(batch)
        return batch

    def close(self) -> None:
        self._source.close()

    def held_bytes(self) -> int:
        return self._source.held_bytes()


@record
class CountedJoin:
    """A hash join that runs once, and the rows of its inputs and its own."""

    path: HashJoin
    left: CountedRows
    right: CountedRows
    result: CountedRows

    @property
    def multiplies(self) -> bool:
        """Whether keys are certain to be there several times on either side."""
        left, right = self.left.rows, self.right.rows
        most = max(left, right) if self.path.type is JoinType.INNER else left + right
        return self.result.rows > most

    def warning(self) -> QueryWarning | None:
        """What there is to say of it once it has run."""
        if not self.multiplies:
            return None
        condition = format_conditions([_condition(key) for key in self.path.keys])
        rows, left, right = self.result.rows, self.left.rows, self.right.rows
        return QueryWarning(
            "rows_multiplied",
            f"The join on {condition} makes {rows:,} rows of {left:,} and {right:,}: "
            "keys are there several times on both sides (n:m).",
            _span(self.path.keys[0]),
            "EXPLAIN ANALYZE shows which keys; group one side by its key, or join on more columns, if 1:n is meant.",
        )


def _condition(key: JoinKey) -> Comparison | IsDistinctFrom:
    if key.null_safe:
        return IsDistinctFrom(left=key.left, right=key.right, negated=True)
    return Comparison(operator="=", left=key.left, right=key.right)


def _span(key: JoinKey) -> Span | None:
    """The place of the first key, where both sides are written in one text."""
    left, right = key.left.span, key.right.span
    if left is None or right is None or left.text != right.text:
        return left or right
    return left.to(right)
