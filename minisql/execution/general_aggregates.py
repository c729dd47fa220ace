"""The aggregates beside COUNT, SUM, AVG, MIN and MAX: of several arguments, in an order, over whole groups.

A `GeneralInput` serves the calls that take the same rows with the same arguments: it evaluates the arguments, drops the
rows that do not count, and hands on the rest to the states of the calls. A state is a kernel with four functions: made
empty, `update` (values of rows, the group of each, the number of groups), `merge` with another one, and `result` (one
column with a value for each group).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Final, Protocol, TypeAlias

import numpy as np

from minisql.columnar.column import PHYSICAL_DTYPE, Array, Batch, Column, IndexArray, all_null
from minisql.columnar.python_values import to_values
from minisql.datatypes import BIGINT
from minisql.errors import DataError, InternalError
from minisql.execution.evaluate import compile_expression, compile_predicate
from minisql.execution.kernels.grouped_aggregates import CountState, Grouping
from minisql.execution.kernels.growing import concat_kept
from minisql.execution.kernels.key_table import KeyTable
from minisql.execution.kernels.moments import MomentState, moment_column
from minisql.execution.kernels.segments import (
    Segments,
    joined_strings,
    list_column,
    mode,
    quantile_cont,
    quantile_disc,
)
from minisql.execution.kernels.sort_order import OrderKey
from minisql.expression.aggregates import AGGREGATES_BY_NAME
from minisql.expression.nodes import AggregateCall, ColumnId, Expression, Value

_FOLDS: Final[dict[str, tuple[np.ufunc, int | float]]] = {
    "bit_and": (np.bitwise_and, -1),
    "bit_or": (np.bitwise_or, 0),
    "bit_xor": (np.bitwise_xor, 0),
    "product": (np.multiply, 1.0),
}
_CONSTANTS: Final = ("string_agg", "quantile_cont", "quantile_disc")
"""The aggregates whose second argument is a constant, and none of the values of a row."""


class State(Protocol):
    """What some calls know of their groups."""

    def update(self, grouping: Grouping, columns: Sequence[Column]) -> None:
        """Adds rows: the values of the arguments, and then those of the keys of the order."""

    def merge(self, other: State, groups: IndexArray, group_count: int) -> None:
        """Adds another state of the same calls, whose group i is group `groups[i]` here."""

    def result(self, call: AggregateCall, group_count: int) -> Column:
        """The values of one of the calls, of all groups."""

    @property
    def nbytes(self) -> int:
        """Bytes that the state holds."""


InputKey: TypeAlias = tuple[object, ...]


def input_key(call: AggregateCall) -> InputKey:
    """What two calls have in common that can share a `GeneralInput`."""
    function = AGGREGATES_BY_NAME[call.name]
    is_fold = call.name in _FOLDS
    return (
        _family(call.name), call.name if is_fold else None, function.keeps_nulls, _row_arguments(call), call.filter,
        call.distinct, call.order,
    )  # fmt: skip


def _family(name: str) -> Callable[[AggregateCall], State]:
    if name in _FOLDS:
        return _FoldState
    if name.startswith(("var_", "stddev_", "covar_", "corr", "regr_")):
        return _Moments
    return _HeldRows


def _row_arguments(call: AggregateCall) -> tuple[Expression, ...]:
    """The arguments that are evaluated on every row."""
    if call.argument is None:
        raise InternalError(f"{call.name} has no argument.")
    return (call.argument,) if call.name in _CONSTANTS else (call.argument, *call.others)


class GeneralInput:
    """The rows of some calls, and the state that takes them."""

    def __init__(self, call: AggregateCall, columns: Sequence[ColumnId], *, is_grouped: bool) -> None:
        arguments, keys = _row_arguments(call), [key.expression for key in call.order]
        self._evaluators = [compile_expression(expression, columns) for expression in (*arguments, *keys)]
        self._argument_count = len(arguments)
        self._keeps_nulls = AGGREGATES_BY_NAME[call.name].keeps_nulls
        self._condition: Callable[[Batch], Array] | None = None
        if call.filter is not None:
            self._condition = compile_predicate([call.filter], columns)
        self._distinct: KeyTable | None = None
        if call.distinct:
            types = [*([BIGINT] if is_grouped else []), *(argument.type for argument in arguments)]
            self._distinct = KeyTable(types, [True] * len(types))
        self._distinct_rows: list[tuple[IndexArray | None, list[Column]]] = []
        self._state = _family(call.name)(call)

    @property
    def nbytes(self) -> int:
        distinct = 0 if self._distinct is None else self._distinct.nbytes
        rows = sum(column.nbytes for _, columns in self._distinct_rows for column in columns)
        return self._state.nbytes + distinct + rows

    def update(self, batch: Batch, grouping: Grouping) -> None:
        """Adds the rows of a batch that count."""
        if self._condition is not None:
            rows = self._condition(batch)
            if len(rows) < len(batch):
                batch, grouping = batch.select(rows), grouping.take(rows)
        columns = [evaluate(batch) for evaluate in self._evaluators]
        if not self._keeps_nulls:
            masks = [column.valid for column in columns[: self._argument_count] if column.valid is not None]
            if masks:
                rows = np.flatnonzero(reduce(np.logical_and, masks))
                columns, grouping = [column.take(rows) for column in columns], grouping.take(rows)
                columns = [_without_nulls(c) if i < self._argument_count else c for i, c in enumerate(columns)]
        self._add(grouping, columns)

    def _add(self, grouping: Grouping, columns: list[Column]) -> None:
        if self._distinct is None:
            self._state.update(grouping, columns)
            return
        ids, arguments = grouping.ids, columns[: self._argument_count]
        _, rows = self._distinct.insert_and_tell_new(arguments if ids is None else [Column(BIGINT, ids), *arguments])
        if len(rows):
            self._distinct_rows.append((None if ids is None else ids.take(rows), [c.take(rows) for c in columns]))

    def merge(self, other: GeneralInput, groups: IndexArray, group_count: int) -> None:
        """Group i of `other` is group `groups[i]` here."""
        for ids, columns in other._distinct_rows:
            self._add(Grouping(_moved(ids, groups, len(columns[0])), len(columns[0]), group_count), columns)
        if self._distinct is None:
            self._state.merge(other._state, groups, group_count)

    def finish(self, group_count: int) -> None:
        """Before the first result: the distinct values are all there now."""
        for ids, columns in self._distinct_rows:
            self._state.update(Grouping(ids, len(columns[0]), group_count), columns)

    def result(self, call: AggregateCall, group_count: int) -> Column:
        """The values of one of the calls."""
        return self._state.result(call, group_count)


def _moved(ids: IndexArray | None, groups: IndexArray, length: int) -> IndexArray:
    return np.repeat(groups[:1], length) if ids is None else groups.take(ids)


def _without_nulls(column: Column) -> Column:
    return Column(column.type, column.values, None, column.pool, column.bounds)


# --- states -----------------------------------------------------------------------------------------------------------


class _Moments:
    """Variances, covariances and regressions."""

    def __init__(self, _: AggregateCall) -> None:
        self._state = MomentState()

    @property
    def nbytes(self) -> int:
        return self._state.nbytes

    def update(self, grouping: Grouping, columns: Sequence[Column]) -> None:
        self._state.update(grouping, columns)

    def merge(self, other: State, groups: IndexArray, group_count: int) -> None:
        assert isinstance(other, _Moments)
        self._state.merge(other._state, groups, group_count)

    def result(self, call: AggregateCall, group_count: int) -> Column:
        return moment_column(call.name, self._state.final(group_count))


class _FoldState:
    """An operation that takes the values of a group together one after the other."""

    def __init__(self, call: AggregateCall) -> None:
        self._function, self._start = _FOLDS[call.name]
        self._type = call.type
        self._counts = CountState()
        self._values: Array = np.zeros(0, np.float64 if call.name == "product" else np.int64)

    @property
    def nbytes(self) -> int:
        return self._counts.nbytes + self._values.nbytes

    def update(self, grouping: Grouping, columns: Sequence[Column]) -> None:
        self._counts.update(grouping)
        self._grow(grouping.group_count)
        ids = np.zeros(grouping.length, np.intp) if grouping.ids is None else grouping.ids
        self._fold(ids, columns[0].values.astype(self._values.dtype, copy=False))

    def merge(self, other: State, groups: IndexArray, group_count: int) -> None:
        assert isinstance(other, _FoldState)
        self._counts.merge(other._counts, groups, group_count)
        self._grow(group_count)
        other._grow(len(groups))
        self._fold(groups, other._values[: len(groups)])

    def result(self, call: AggregateCall, group_count: int) -> Column:
        self._grow(group_count)
        counts = self._counts.final(group_count)
        values = np.where(counts > 0, self._values[:group_count], 0).astype(PHYSICAL_DTYPE[self._type.kind])
        return Column(self._type, values, None if counts.all() else counts > 0)

    def _fold(self, ids: IndexArray, values: Array) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            self._function.at(self._values, ids, values)

    def _grow(self, group_count: int) -> None:
        if group_count > len(self._values):
            larger = np.full(max(group_count, 2 * len(self._values)), self._start, self._values.dtype)
            larger[: len(self._values)] = self._values
            self._values = larger


class _HeldRows:
    """All rows, for aggregates that need them side by side or in an order."""

    def __init__(self, call: AggregateCall) -> None:
        self._pieces: list[tuple[IndexArray, Sequence[Column]]] = []
        self._segments: Segments | None = None  # by value, which several quantiles share

    @property
    def nbytes(self) -> int:
        return sum(ids.nbytes + sum(column.nbytes for column in columns) for ids, columns in self._pieces)

    def update(self, grouping: Grouping, columns: Sequence[Column]) -> None:
        if grouping.length:
            ids = np.zeros(grouping.length, np.intp) if grouping.ids is None else grouping.ids
            self._pieces.append((ids, columns))

    def merge(self, other: State, groups: IndexArray, group_count: int) -> None:
        assert isinstance(other, _HeldRows)
        self._pieces += [(groups.take(ids), columns) for ids, columns in other._pieces]

    def result(self, call: AggregateCall, group_count: int) -> Column:
        if not self._pieces:
            return all_null(call.type, group_count)
        self._join_pieces()
        ids, columns = self._pieces[0]
        argument = columns[0]
        keys = columns[len(columns) - len(call.order) :]
        order = [OrderKey(k, s.descending, s.nulls_first) for k, s in zip(keys, call.order, strict=True)]
        match call.name:
            case "any_value" | "first":
                return Segments(ids, group_count, order).first(argument)
            case "last":
                return Segments(ids, group_count, order).last(argument)
            case "arg_min" | "arg_max":
                by = OrderKey(columns[1], descending=call.name == "arg_max", nulls_first=False)
                return Segments(ids, group_count, [by]).first(argument)
            case "mode":
                return mode(Segments(ids, group_count, order), argument)
            case "array_agg":
                return list_column(Segments(ids, group_count, order), argument)
            case "string_agg":
                separator = _constant(call.others[0])
                return joined_strings(Segments(ids, group_count, order), argument, str(separator or ""))
            case "quantile_cont" | "quantile_disc":
                quantile = quantile_cont if call.name == "quantile_cont" else quantile_disc
                return quantile(self._by_value(ids, group_count, argument, order), argument, _fraction(call))
            case _:
                raise InternalError(f"There is no aggregate {call.name}.")

    def _join_pieces(self) -> None:
        """Makes one piece of all, once."""
        if len(self._pieces) > 1:
            ids = np.concatenate([ids for ids, _ in self._pieces])
            columns = [concat_kept(parts) for parts in zip(*[columns for _, columns in self._pieces], strict=True)]
            self._pieces = [(ids, columns)]

    def _by_value(self, ids: IndexArray, group_count: int, argument: Column, order: Sequence[OrderKey]) -> Segments:
        if self._segments is None:
            key = order[0] if order else OrderKey(argument, descending=False, nulls_first=False)
            self._segments = Segments(ids, group_count, [key])
        return self._segments


def _fraction(call: AggregateCall) -> float:
    """The fraction of a quantile.

    Raises:
        DataError: it is NULL, or does not lie between 0 and 1.
    """
    value = _constant(call.others[0])
    if not isinstance(value, float) or not 0 <= value <= 1:
        raise DataError(f"The fraction of {call.name} is a number from 0 to 1.", call.others[0].span or call.span)
    return value


def _constant(expression: Expression) -> Value:
    """The value of an expression without columns."""
    (value,) = to_values(compile_expression(expression, ())(Batch((), 1)))
    return value
