"""The rows that window functions with one PARTITION BY and ORDER BY read, in this order.

Rows are named by their places in the order; `order` says which row of the input each is. What several calls have in
common is made once: the order, the partitions, the peers, the values of an expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from minisql.columnar.column import Array, Batch, BoolArray, Column, IndexArray, all_null
from minisql.columnar.python_values import from_values
from minisql.datatypes import TypeKind
from minisql.errors import InternalError
from minisql.execution.evaluate import compile_expression, compile_predicate
from minisql.execution.kernels.runs import Runs
from minisql.execution.kernels.sort_order import OrderKey, ordered_integers, run_starts, sorted_rows
from minisql.execution.kernels.window_frames import Piece, RangeKey, frame_pieces
from minisql.expression.nodes import Arithmetic, ColumnId, ColumnRef, Expression, Literal, SortKey
from minisql.expression.window import BoundKind, Frame, FrameBound, FrameUnit

_INT64: int = 2**63
_KEY = ColumnId(-1, 0)  # no table of a statement has this number


class OrderedRows:
    """The rows of an input, one or more, in the order of a window."""

    def __init__(
        self,
        batch: Batch,
        columns: Sequence[ColumnId],
        partition_by: Sequence[Expression],
        order_by: Sequence[SortKey],
    ) -> None:
        self.batch = batch
        self.columns = columns
        self.length = len(batch)
        self._partition_by = [self._evaluate(key) for key in partition_by]
        self._order_by = [OrderKey(self._evaluate(key.expression), key.descending, key.nulls_first) for key in order_by]
        self._values: dict[tuple[Expression, Expression | None], Column] = {}
        self._peers: dict[int, Runs] = {}
        self._pieces: dict[tuple[int, Frame], list[Piece]] = {}

    @cached_property
    def order(self) -> IndexArray:
        """Which row of the input stands at each place."""
        keys = [*(OrderKey(column, False, False) for column in self._partition_by), *self._order_by]
        return sorted_rows(keys) if keys else np.arange(self.length)

    @cached_property
    def is_input_order(self) -> bool:
        """Whether the rows came in this order."""
        return bool((self.order[1:] > self.order[:-1]).all())

    @cached_property
    def partitions(self) -> Runs:
        """The partitions."""
        return Runs.from_flags(self._partition_starts)

    @cached_property
    def _partition_starts(self) -> BoolArray:
        return run_starts(self._partition_by, self.order)

    def peers(self, keys: int) -> Runs:
        """The rows of a partition that are equal in the first `keys` keys of the order."""
        known = self._peers.get(keys)
        if known is None:
            starts = self._partition_starts
            if keys:
                starts = starts | run_starts([key.column for key in self._order_by[:keys]], self.order)
            known = self._peers[keys] = Runs.from_flags(starts)
        return known

    def pieces(self, frame: Frame, keys: int) -> list[Piece]:
        """The frames of all rows in a window with the first `keys` keys of the order."""
        known = self._pieces.get((keys, frame))
        if known is None:
            range_key = None
            if frame.unit is FrameUnit.RANGE and (frame.start.offset is not None or frame.end.offset is not None):
                range_key = self._range_key(frame)
            known = frame_pieces(frame, self.partitions, self.peers(keys), range_key)
            self._pieces[keys, frame] = known
        return known

    def values(self, expression: Expression, condition: Expression | None = None) -> Column:
        """The values of an expression at all places; NULL, and not computed, where the condition is not TRUE."""
        known = self._values.get((expression, condition))
        if known is None:
            if condition is None:
                known = self._evaluate(expression).take(self.order)
            else:
                rows = self.rows_where(condition)
                known = all_null(expression.type, self.length)
                if len(rows):
                    computed = compile_expression(expression, self.columns)(self.batch.select(rows))
                    places = np.full(self.length, -1)
                    places[rows] = np.arange(len(rows))
                    known = pick(computed, places.take(self.order))
            self._values[expression, condition] = known
        return known

    def flags(self, condition: Expression) -> BoolArray:
        """At which places the condition is TRUE."""
        flags = np.zeros(self.length, np.bool_)
        flags[self.rows_where(condition)] = True
        return flags.take(self.order)

    def rows_where(self, condition: Expression) -> IndexArray:
        """The rows of the input for which the condition is TRUE."""
        return compile_predicate([condition], self.columns)(self.batch)

    def in_input_order(self, column: Column) -> Column:
        """A column of all places as one of the input's rows."""
        return column if self.is_input_order else column.take(self._places)

    @cached_property
    def _places(self) -> IndexArray:
        places = np.empty(self.length, np.intp)
        places[self.order] = np.arange(self.length)
        return places

    def _evaluate(self, expression: Expression) -> Column:
        return compile_expression(expression, self.columns)(self.batch)

    def _range_key(self, frame: Frame) -> RangeKey:
        """The key of the order, which is one, and where the frames start and end.

        In a descending order everything is turned round, so that all numbers ascend: PRECEDING is where keys are
        greater.
        """
        key = self._order_by[0]
        column = key.column.take(self.order)
        ends = [self._limit(column, bound, key.descending) for bound in (frame.start, frame.end)]
        numbers = _comparable([column, *(end for end in ends if end is not None)])
        if key.descending:
            numbers = [~part for part in numbers]
        given = iter(numbers[1:])
        start, end = (None if limit is None else next(given) for limit in ends)
        return RangeKey(numbers[0], column.valid, start, end)

    def _limit(self, key: Column, bound: FrameBound, descending: bool) -> Column | None:
        """The key that is `offset` before or after that of each row; None for a bound without an offset."""
        if bound.offset is None:
            return None
        operator = "-" if (bound.kind is BoundKind.PRECEDING) is not descending else "+"
        if not key.type.is_numeric:
            operand = ColumnRef(column=_KEY, name="key", type=key.type)
            limit = Arithmetic(operator=operator, left=operand, right=bound.offset, type=key.type)
            return compile_expression(limit, [_KEY])(Batch([key], self.length))
        return Column(key.type, _shifted(key, operator, bound.offset), key.valid)


def _shifted(key: Column, operator: str, offset: Literal) -> Array:
    """`key operator offset` for numbers of one type, NULLs as anything; Python ints where int64 does not hold all."""
    distance = from_values([offset.value], offset.type).values
    values = key.values
    if key.type.kind is TypeKind.DOUBLE:
        moved: Array = values - distance if operator == "-" else values + distance
        return moved
    step = int(distance[0]) if operator == "+" else -int(distance[0])
    if values.dtype == np.object_ or distance.dtype == np.object_ or not _fits(values, step):
        known = values if key.valid is None else np.where(key.valid, values, 0)
        exact: Array = known.astype(np.object_) + step
        return exact
    shifted: Array = values.astype(np.int64, copy=False) + step
    return shifted


def _fits(values: Array, step: int) -> bool:
    """Whether all the integers are int64 after a step."""
    if not len(values):
        return True
    return int(values.min()) + step >= -_INT64 and int(values.max()) + step < _INT64


def _comparable(columns: Sequence[Column]) -> list[Array]:
    """Integers (int64) that compare as the values of all the columns do."""
    if any(column.values.dtype == np.object_ for column in columns):
        known = [c.values if c.valid is None else np.where(c.valid, c.values, 0) for c in columns]
        together = np.concatenate([values.astype(np.object_) for values in known])
        ranks = ordered_integers(Column(columns[0].type, together))
        length = len(columns[0])
        return [ranks[start : start + length] for start in range(0, len(ranks), length)]
    return [ordered_integers(column).astype(np.int64, copy=False) for column in columns]


def pick(column: Column, places: IndexArray) -> Column:
    """The values at these places of a column that has rows, NULL where a place is negative."""
    if not len(column):
        raise InternalError("There is nothing to pick from.")
    outside = places < 0
    if not outside.any():
        return column.take(places)
    picked = column.take(np.where(outside, 0, places))
    valid = ~outside if picked.valid is None else picked.valid & ~outside
    return Column(picked.type, picked.values, valid, picked.pool, picked.bounds)
