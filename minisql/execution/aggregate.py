"""Hash aggregation: GROUP BY, DISTINCT, and aggregates over all rows.

`GroupedRows` is the aggregate as the four functions that parallel plans need: made empty, updated with batches, merged
with that of another worker, and asked for its rows. Calls share what they can: SUM and AVG of one argument add it up
once, and an argument is evaluated once for all calls that take the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np

from minisql.columnar.column import Array, Batch, Column, IndexArray, all_null, concat_batches
from minisql.datatypes import BIGINT, DOUBLE, SqlType, TypeKind
from minisql.errors import DataError, InternalError
from minisql.execution.evaluate import compile_expression, compile_predicate
from minisql.execution.exact import first_outside, value_range
from minisql.execution.general_aggregates import GeneralInput, InputKey, input_key
from minisql.execution.iterator import RowIterator
from minisql.execution.kernels.grouped_aggregates import (
    CountState,
    DoubleSumState,
    ExtremeState,
    Grouping,
    IntegerSumState,
    StringExtremeState,
)
from minisql.execution.kernels.growing import concat_kept
from minisql.execution.kernels.interval_extremes import IntervalExtremeState
from minisql.execution.kernels.key_table import KeyTable
from minisql.expression.nodes import AggregateCall, ColumnId, Expression
from minisql.optimizer.access_path import HashAggregate

_EXACT_DOUBLE: Final = 2**53
"""Every integer up to here is a double."""


class HashAggregateIterator(RowIterator):
    """Groups all rows of its input, then gives the groups in the order of their first rows."""

    def __init__(self, path: HashAggregate, source: RowIterator, positions: Sequence[int], batch_rows: int) -> None:
        """`positions` are those of the keys and aggregates that are wanted, keys first."""
        self.columns = tuple(ColumnId(path.table, position) for position in positions)
        self._source = source
        self._batch_rows = batch_rows
        self._key_count = len(path.keys)
        wanted = [position - self._key_count for position in positions if position >= self._key_count]
        self._places = [p if p < self._key_count else self._key_count + wanted.index(p - self._key_count)
                        for p in positions]  # fmt: skip
        self._path = path
        self._calls = [path.aggregates[place] for place in wanted]
        self._groups: GroupedRows | GroupingSets | None = self._no_groups()
        self._result: Batch | None = None
        self._given = 0

    def open(self) -> None:
        """Reads the input."""
        groups = self._groups = self._groups or self._no_groups()
        self._given, self._result = 0, None
        self._source.open()
        while (batch := self._source.next()) is not None:
            groups.update(batch)
        self._source.close()
        if len(groups):
            self._result = groups.final().project(self._places)
        self._groups = None

    def next(self) -> Batch | None:
        if self._result is None or self._given == len(self._result):
            return None
        start, self._given = self._given, min(self._given + self._batch_rows, len(self._result))
        return self._result.slice(start, self._given)

    def close(self) -> None:
        self._groups = self._result = None
        self._source.close()

    def _no_groups(self) -> GroupedRows | GroupingSets:
        path, columns = self._path, self._source.columns
        if path.sets:
            return GroupingSets(path.keys, path.sets, self._calls, columns)
        return GroupedRows(path.keys, self._calls, columns)

    def held_bytes(self) -> int:
        groups = 0 if self._groups is None else self._groups.nbytes
        return groups + (0 if self._result is None else self._result.nbytes)


class GroupedRows:
    """Groups and the states of their aggregates."""

    def __init__(self, keys: Sequence[Expression], calls: Sequence[AggregateCall], columns: Sequence[ColumnId]) -> None:
        """`columns` are those of the batches to come. Without keys there is one group, even of no rows."""
        self._keys = [compile_expression(key, columns) for key in keys]
        self._table = KeyTable([key.type for key in keys], [True] * len(keys))
        self._key_rows: list[list[Column]] = []  # the keys of new groups, by batch
        self._calls = tuple(calls)
        # Expressions are equal by value, so that what is written twice is computed once.
        self._inputs: dict[InputKey, _CallInput | GeneralInput] = {}
        for call in calls:
            if call.name != "grouping":
                self._add_call(call, columns)

    def _add_call(self, call: AggregateCall, columns: Sequence[ColumnId]) -> None:
        key, is_grouped = _input_key(call), bool(self._keys)
        input_ = self._inputs.get(key)
        if call.name not in _BASIC:
            if input_ is None:
                self._inputs[key] = GeneralInput(call, columns, is_grouped=is_grouped)
            return
        if not isinstance(input_, _CallInput):
            distinct = call.distinct and call.name not in ("min", "max")
            input_ = _CallInput(call.argument, call.filter, distinct, columns, is_grouped=is_grouped)
            self._inputs[key] = input_
        input_.add_state(call.name)

    def __len__(self) -> int:
        return len(self._table) if self._keys else 1

    @property
    def nbytes(self) -> int:
        """Bytes of keys and states."""
        keys = sum(column.nbytes for columns in self._key_rows for column in columns)
        return self._table.nbytes + keys + sum(input_.nbytes for input_ in self._inputs.values())

    def update(self, batch: Batch) -> None:
        """Adds the rows of a batch."""
        grouping = Grouping(None, len(batch), 1)
        if self._keys:
            ids = self._insert([key(batch) for key in self._keys])
            grouping = Grouping(ids.astype(np.intp), len(batch), len(self))
        for input_ in self._inputs.values():
            input_.update(batch, grouping)

    def merge(self, other: GroupedRows, places: Sequence[int] | None = None) -> None:
        """Adds the rows of another object for the same calls, which is not used any more but to be merged again.

        `places` are those of the keys of this one among its keys; all by default.
        """
        groups = np.zeros(len(other), np.intp)
        if self._keys:
            rows = [columns if places is None else [columns[p] for p in places] for columns in other._key_rows]
            groups = np.concatenate([groups[:0], *map(self._insert, rows)])
        for own, others in zip(self._inputs.values(), other._inputs.values(), strict=True):
            # The inputs of equal calls are of one class.
            own.merge(others, groups, len(self))  # type: ignore[arg-type]

    def final(self) -> Batch:
        """One row for each group, of which there is one: the keys, then the aggregates. Called once, at the end.

        Raises:
            DataError: a sum does not fit its type.
        """
        columns = [concat_kept(pieces) for pieces in zip(*self._key_rows, strict=True)]
        for input_ in self._inputs.values():
            input_.finish(len(self))
        columns += [self._result(call) for call in self._calls]
        return Batch(columns, len(self))

    def _result(self, call: AggregateCall) -> Column:
        if call.name == "grouping":
            return Column(BIGINT, np.zeros(len(self), np.int64))  # here, every key is in the grouping set
        return self._inputs[_input_key(call)].result(call, len(self))

    def _insert(self, keys: Sequence[Column]) -> Array:
        """The groups of rows with these keys."""
        ids, new_rows = self._table.insert_and_tell_new(keys)
        if len(new_rows):
            self._key_rows.append([column.take(new_rows) for column in keys])
        return ids


class GroupingSets:
    """Rows grouped by several sets of keys. Only the sets that lie in no other one are made of the rows."""

    def __init__(
        self,
        keys: Sequence[Expression],
        sets: Sequence[tuple[int, ...]],
        calls: Sequence[AggregateCall],
        columns: Sequence[ColumnId],
    ) -> None:
        """`sets` are the places of the keys of each, ascending; `columns` are those of the batches to come."""
        self._keys = keys
        self._sets = sets
        self._calls = calls
        self._columns = columns
        distinct = set(sets)
        self._groups = {
            places: self._make(places) for places in distinct if not any(set(places) < set(other) for other in distinct)
        }

    def __len__(self) -> int:
        """No more than the number of rows of the result; 0 only if it has none."""
        return sum(map(len, self._groups.values())) + (() in self._sets)

    @property
    def nbytes(self) -> int:
        """Bytes of keys and states."""
        return sum(groups.nbytes for groups in self._groups.values())

    def update(self, batch: Batch) -> None:
        """Adds the rows of a batch."""
        for groups in self._groups.values():
            groups.update(batch)

    def final(self) -> Batch:
        """The rows of each set, in the order of the sets: keys, then aggregates. Called once, at the end.

        Raises:
            DataError: a sum does not fit its type.
        """
        # A set is made of the groups of the one with the fewest groups that it lies in.
        for places in sorted(set(self._sets) - self._groups.keys(), key=len, reverse=True):
            finer = min((each for each in self._groups if set(places) < set(each)), key=lambda e: len(self._groups[e]))
            groups = self._make(places)
            groups.merge(self._groups[finer], [finer.index(place) for place in places])
            self._groups[places] = groups
        results = {places: self._result(places, groups) for places, groups in self._groups.items() if len(groups)}
        return concat_batches([results[places] for places in self._sets if places in results])

    def _make(self, places: tuple[int, ...]) -> GroupedRows:
        return GroupedRows([self._keys[place] for place in places], self._calls, self._columns)

    def _result(self, places: tuple[int, ...], groups: GroupedRows) -> Batch:
        own = groups.final().columns
        columns = [all_null(key.type, len(groups)) for key in self._keys]
        for place, column in zip(places, own, strict=False):
            columns[place] = column
        present = {self._keys[place] for place in places}
        for call, column in zip(self._calls, own[len(places) :], strict=True):
            if call.name == "grouping":
                bits = "".join("0" if key in present else "1" for key in call.others)
                column = Column(BIGINT, np.full(len(groups), int(bits, 2)))
            columns.append(column)
        return Batch(columns, len(groups))


_BASIC: Final = ("count", "sum", "min", "max", "avg")
"""The aggregates of one argument that are computed here; `general_aggregates` has the others."""


def _input_key(call: AggregateCall) -> InputKey:
    if call.name not in _BASIC:
        return input_key(call)
    # The extremes of distinct values are those of all.
    return call.argument, call.filter, call.distinct and call.name not in ("min", "max")


_ExtremeState: TypeAlias = ExtremeState | StringExtremeState | IntervalExtremeState
_ValueState: TypeAlias = IntegerSumState | DoubleSumState | _ExtremeState


def _extreme_state(type_: SqlType, *, greatest: bool) -> _ExtremeState:
    """What finds the least or the greatest value of a type."""
    if type_.kind is TypeKind.INTERVAL:
        return IntervalExtremeState(greatest=greatest)
    state = StringExtremeState if type_.is_string else ExtremeState
    return state(type_, greatest=greatest)


class _CallInput:
    """The calls with one argument, filter and DISTINCT: which rows count for them, and the states over these rows."""

    def __init__(
        self,
        argument: Expression | None,
        condition: Expression | None,
        distinct: bool,
        columns: Sequence[ColumnId],
        *,
        is_grouped: bool,
    ) -> None:
        self._type = BIGINT if argument is None else argument.type
        self._argument: Callable[[Batch], Column] | None = None
        if argument is not None:
            self._argument = compile_expression(argument, columns)
        self._condition: Callable[[Batch], Array] | None = None
        if condition is not None:
            self._condition = compile_predicate([condition], columns)
        self._counts = CountState()
        self._values: dict[str, _ValueState] = {}
        self._distinct: _DistinctRows | None = _DistinctRows(self._type, is_grouped=is_grouped) if distinct else None

    @property
    def nbytes(self) -> int:
        states = sum(state.nbytes for state in self._values.values())
        return self._counts.nbytes + states + (0 if self._distinct is None else self._distinct.nbytes)

    def add_state(self, name: str) -> None:
        """Has what the aggregate `name` needs."""
        match name:
            case "count":
                pass
            case "sum" | "avg":
                is_exact = self._type.is_integer or self._type.kind is TypeKind.DECIMAL
                self._values.setdefault("sum", IntegerSumState() if is_exact else DoubleSumState())
            case "min" | "max":
                greatest = name == "max"
                self._values.setdefault(name, _extreme_state(self._type, greatest=greatest))
            case _:
                raise InternalError(f"There is no aggregate {name}.")

    def update(self, batch: Batch, grouping: Grouping) -> None:
        if self._condition is not None:
            rows = self._condition(batch)
            if len(rows) < len(batch):
                batch, grouping = batch.select(rows), grouping.take(rows)
        if self._argument is None:
            self._counts.update(grouping)
            return
        column = self._argument(batch)
        if column.valid is not None and not column.valid.all():
            rows = np.flatnonzero(column.valid)
            column, grouping = column.take(rows), grouping.take(rows)
        if self._distinct is not None:
            self._distinct.add(grouping, column)
        else:
            self._add(grouping, column)

    def merge(self, other: _CallInput, groups: IndexArray, group_count: int) -> None:
        """Group i of `other` is group `groups[i]` here."""
        if self._distinct is not None and other._distinct is not None:
            self._distinct.merge(other._distinct, groups, group_count)
            return
        self._counts.merge(other._counts, groups, group_count)
        for name, state in self._values.items():
            # The other's states are of the same classes, for they are of the same calls.
            state.merge(other._values[name], groups, group_count)  # type: ignore[arg-type]

    def finish(self, group_count: int) -> None:
        """Before the first result: the distinct values are all there now."""
        if self._distinct is not None:
            for ids, column in self._distinct.rows:
                self._add(Grouping(ids, len(column), group_count), column)

    def result(self, call: AggregateCall, group_count: int) -> Column:
        """The values of one of the calls."""
        counts = self._counts.final(group_count)
        if call.name == "count":
            return Column(BIGINT, counts)
        valid = None if counts.all() else counts > 0
        if call.name in ("min", "max"):
            state = self._values[call.name]
            assert isinstance(state, ExtremeState | StringExtremeState | IntervalExtremeState)
            extremes = state.final(group_count)
            return Column(call.type, extremes.values, valid, extremes.pool)
        state = self._values["sum"]
        assert isinstance(state, IntegerSumState | DoubleSumState)
        sums = state.final(group_count)
        if call.name == "sum":
            if sums.dtype != np.float64 and first_outside(sums, None, value_range(call.type)) is not None:
                raise DataError(f"A sum is out of the range of {call.type}.", call.span)
            return Column(call.type, sums, valid)
        scale = self._type.scale if self._type.kind is TypeKind.DECIMAL else 0
        return Column(DOUBLE, averages(sums, np.maximum(counts, 1), scale), valid)

    def _add(self, grouping: Grouping, column: Column) -> None:
        self._counts.update(grouping)
        for state in self._values.values():
            state.update(grouping, column)


class _DistinctRows:
    """The first row of every group with each value of an argument that is not NULL."""

    def __init__(self, type_: SqlType, *, is_grouped: bool) -> None:
        types = [BIGINT, type_] if is_grouped else [type_]
        self._table = KeyTable(types, [True] * len(types))
        self.rows: list[tuple[IndexArray | None, Column]] = []

    @property
    def nbytes(self) -> int:
        rows = sum(column.nbytes + (0 if ids is None else ids.nbytes) for ids, column in self.rows)
        return self._table.nbytes + rows

    def add(self, grouping: Grouping, column: Column) -> None:
        """Keeps the rows that are new."""
        ids = grouping.ids
        _, new_rows = self._table.insert_and_tell_new([column] if ids is None else [Column(BIGINT, ids), column])
        if len(new_rows):
            self.rows.append((None if ids is None else ids.take(new_rows), column.take(new_rows)))

    def merge(self, other: _DistinctRows, groups: IndexArray, group_count: int) -> None:
        for ids, column in other.rows:
            self.add(Grouping(None if ids is None else groups.take(ids), len(column), group_count), column)


def averages(sums: Array, counts: Array, scale: int) -> Array:
    """`sums / (counts * 10^scale)` (float64), of exact sums the double that is nearest."""
    if sums.dtype == np.float64:
        means: Array = sums / counts
        return means
    divisor = 10**scale
    if int(counts.max()) * divisor > _EXACT_DOUBLE:
        inexact = np.arange(len(sums))
    else:
        inexact = np.flatnonzero((sums > _EXACT_DOUBLE) | (sums < -_EXACT_DOUBLE))
    averages: Array = sums.astype(np.float64) / (counts.astype(np.float64) * divisor)
    if len(inexact):
        # The division of Python ints rounds once.
        pairs = zip(sums.take(inexact).tolist(), counts.take(inexact).tolist(), strict=True)
        averages[inexact] = [total / (count * divisor) for total, count in pairs]
    return averages
