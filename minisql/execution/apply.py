"""Apply: what the rows of a subquery say of each row of the query around it.

The rows of the right input are held. A pair of rows is a candidate where the keys are equal; it counts where the
residual conditions are TRUE. From the pairs that count comes what the type wants:

    INNER, LEFT   the pairs, and for LEFT the left rows without one
    SINGLE        as LEFT; two pairs with one left row are an error
    MARK          for each left row TRUE if the comparison is for a pair, else NULL if it is for one, else FALSE

A comparison that is an equality is not looked at pair by pair: its operands are keys too, and what is left are the
rows with NULLs (`_MarkByKey`).

Where the right input has outer references, it is run once for each combination of the values of these, and the number
of the combination is the key (`_Dependent`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from minisql.columnar.column import Array, Batch, BoolArray, Column, IndexArray, concat_batches
from minisql.columnar.python_values import to_values
from minisql.datatypes import BOOLEAN, SqlType
from minisql.execution import logic
from minisql.execution.candidate_pairs import AllPairs
from minisql.execution.evaluate import compile_expression
from minisql.execution.held_rows import read_all
from minisql.execution.iterator import RowIterator
from minisql.execution.joined_rows import JoinedRows, PairFilter
from minisql.execution.kernels.key_table import KeyTable
from minisql.execution.kernels.row_lists import RowLists
from minisql.execution.operand import Evaluator
from minisql.execution.progress import reported
from minisql.execution.single_row import several_rows
from minisql.expression.nodes import ColumnId, Comparison, Expression, Literal
from minisql.expression.walk import columns_of
from minisql.node import record
from minisql.optimizer.access_path import AccessPath, Apply, JoinKey
from minisql.optimizer.bind_references import bind_references
from minisql.relational.relational_expression import ApplyType

if TYPE_CHECKING:
    from minisql.execution.measured_join import MeasuredJoin

Pairs = Iterator[tuple[IndexArray, Array]]
Run = Callable[[AccessPath, tuple[ColumnId, ...]], RowIterator]
"""Makes the iterator of a path that gives these columns."""


class _Candidates(Protocol):
    """The held rows, and which of them are candidates for a row of the left input."""

    def held(self, batch: Batch) -> Batch | None:
        """The held rows for the rows of a batch, None where there are none."""

    def pairs(self, batch: Batch, rows: IndexArray, most: int) -> Pairs:
        """Pairs of one of these rows of the batch that `held` was called with last and a held row."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""


class _AllRows:
    """Every held row, or those with equal keys."""

    def __init__(self, rows: Batch | None, keys: Sequence[JoinKey], left: Sequence[ColumnId],
                 right: Sequence[ColumnId]) -> None:  # fmt: skip
        self._rows = rows
        self._table: KeyTable | None = None
        self._lists: RowLists | None = None
        if rows is not None and keys:
            columns = [compile_expression(key.right, right)(rows) for key in keys]
            self._table = KeyTable([c.type for c in columns], [key.null_safe for key in keys], len(rows))
            self._lists = RowLists(self._table.insert(columns), len(self._table))
        self._keys = [compile_expression(key.left, left) for key in keys]

    @property
    def nbytes(self) -> int:
        own = 0 if self._rows is None else self._rows.nbytes
        return own if self._table is None or self._lists is None else own + self._table.nbytes + self._lists.nbytes

    def held(self, batch: Batch) -> Batch | None:
        return self._rows

    def pairs(self, batch: Batch, rows: IndexArray, most: int) -> Pairs:
        if self._rows is None:
            return
        part = batch.take(rows)
        if self._table is None or self._lists is None:
            for places, held_rows in reported(AllPairs(len(self._rows)).of(part, None, most)):
                yield rows.take(places), held_rows
            return
        ids = self._table.lookup([key(part) for key in self._keys])
        for some, held_rows in reported(self._lists.pairs(ids, most, keep_all=False)):
            yield (rows if some is None else rows.take(some)), held_rows


class _Dependent:
    """The rows that a path with outer references gives for the values of these in each row; kept by these values."""

    def __init__(self, path: Apply, left: Sequence[ColumnId], right: tuple[ColumnId, ...],
                 types: Mapping[ColumnId, SqlType], run: Run) -> None:  # fmt: skip
        self._path = path
        self._columns = right
        self._run = run
        self._references = path.references
        self._places = [left.index(column) for column in path.references]
        self._types = [types[column] for column in path.references]
        self._table = KeyTable(self._types, [True] * len(self._types))
        self._kept: list[Batch | None] = []
        self._ids: Array = np.empty(0, np.int32)
        self._lists: RowLists | None = None

    @property
    def nbytes(self) -> int:
        return self._table.nbytes + sum(batch.nbytes for batch in self._kept if batch is not None)

    def held(self, batch: Batch) -> Batch | None:
        values = [batch.column(place) for place in self._places]
        self._ids, new_rows = self._table.insert_and_tell_new(values)
        for row in new_rows.tolist():
            self._kept.append(self._rows_for([to_values(column.take(np.array([row])))[0] for column in values]))
        used = np.unique(self._ids)
        batches = [(number, kept) for number in used.tolist() if (kept := self._kept[number]) is not None]
        if not batches:
            return None
        ids = np.repeat([number for number, _ in batches], [len(kept) for _, kept in batches])
        places = np.full(len(self._kept), -1, np.int32)
        places[ids] = 0
        # Ids are dense in the order of appearance, as a list of rows wants them.
        _, first, dense = np.unique(ids, return_index=True, return_inverse=True)
        places[ids[first]] = np.arange(len(first))
        self._ids = places.take(self._ids)
        self._lists = RowLists(dense.astype(np.int32), len(first))
        return concat_batches([kept for _, kept in batches])

    def _rows_for(self, values: list[object]) -> Batch | None:
        bound: dict[ColumnId, Literal] = {
            column: Literal(value=value, type=type_)  # type: ignore[arg-type]
            for column, value, type_ in zip(self._references, values, self._types, strict=True)
        }
        iterator = self._run(bind_references(self._path.right, bound), self._columns)
        try:
            return read_all(iterator, self._columns)
        finally:
            iterator.close()

    def pairs(self, batch: Batch, rows: IndexArray, most: int) -> Pairs:
        assert self._lists is not None
        for some, held_rows in self._lists.pairs(self._ids.take(rows), most, keep_all=False):
            yield (rows if some is None else rows.take(some)), held_rows


@record
class _MarkKeys:
    """A comparison `left = right`, whose operands are looked up instead of compared pair by pair."""

    left: Expression
    right: Expression


class _MarkByKey:
    """Marks for an equality: three sets of keys tell TRUE and NULL apart without a pair being made."""

    def __init__(self, rows: Batch | None, keys: Sequence[JoinKey], equality: _MarkKeys, left: Sequence[ColumnId],
                 right: Sequence[ColumnId]) -> None:  # fmt: skip
        self._keys = [compile_expression(key.left, left) for key in keys]
        self._operand = compile_expression(equality.left, left)
        null_safe = [key.null_safe for key in keys]
        if rows is None:
            self._equal = self._any = self._null = _KeySet((), (), 0)
            return
        columns = [compile_expression(key.right, right)(rows) for key in keys]
        operand = compile_expression(equality.right, right)(rows)
        nulls = np.empty(0, np.intp) if operand.valid is None else np.flatnonzero(~operand.valid)
        self._equal = _KeySet([*columns, operand], [*null_safe, False], len(rows))
        self._any = _KeySet(columns, null_safe, len(rows))
        self._null = _KeySet([column.take(nulls) for column in columns], null_safe, len(nulls))

    @property
    def nbytes(self) -> int:
        return self._equal.nbytes + self._any.nbytes + self._null.nbytes

    def marks(self, batch: Batch) -> Column:
        keys = [key(batch) for key in self._keys]
        operand = self._operand(batch)
        true = self._equal.has([*keys, operand], len(batch))
        unknown = self._null.has(keys, len(batch))
        if operand.valid is not None:
            unknown |= ~operand.valid & self._any.has(keys, len(batch))
        return Column(BOOLEAN, true, true | ~unknown)


class _KeySet:
    """A set of keys; without key columns, whether there are rows."""

    def __init__(self, columns: Sequence[Column], null_safe: Sequence[bool], rows: int) -> None:
        self._rows = rows
        self._table = KeyTable([column.type for column in columns], null_safe, rows) if columns and rows else None
        if self._table is not None:
            self._table.insert(columns)

    @property
    def nbytes(self) -> int:
        return 0 if self._table is None else self._table.nbytes

    def has(self, columns: Sequence[Column], length: int) -> BoolArray:
        if self._table is None:
            return np.full(length, self._rows > 0)
        return self._table.lookup(columns) >= 0


class ApplyIterator(RowIterator):
    """Gives the left rows with what the right rows say of them."""

    def __init__(
        self,
        path: Apply,
        left: RowIterator,
        right: RowIterator | None,
        columns: tuple[ColumnId, ...],
        right_columns: tuple[ColumnId, ...],
        types: Mapping[ColumnId, SqlType],
        batch_rows: int,
        run: Run,
        measured: MeasuredJoin | None = None,
    ) -> None:
        """Gives `columns`; `right` is None where the right path has outer references, and `run` makes its iterators.

        `right_columns` are those that are needed of the right path. `measured` is told the pairs that match, of the
        types that give pairs.
        """
        self.columns = columns
        self._path = path
        self._left, self._right = left, right
        self._right_columns = right_columns
        self._types = types
        self._batch_rows = batch_rows
        self._run = run
        self._measured = measured
        self._mark = None if path.mark is None else ColumnId(path.mark, 0)
        plain = [column for column in columns if column != self._mark]
        self._joined = JoinedRows(plain, right_columns, left.columns, types)
        self._residual: PairFilter | None = None
        if path.residual:
            self._residual = PairFilter(path.residual, right_columns, left.columns, types)
        self._comparison: _PairComparison | None = None
        if path.comparison is not None:
            self._comparison = _PairComparison(path.comparison, right_columns, left.columns, types)
        self._candidates: _Candidates | None = None
        self._by_key: _MarkByKey | None = None
        self._output: Iterator[Batch] = iter(())
        self._is_open = False

    def open(self) -> None:
        """Reads the right side, where it is the same for all left rows."""
        path = self._path
        self._output, self._candidates, self._by_key = iter(()), None, None
        if self._right is None:
            self._candidates = _Dependent(path, self._left.columns, self._right_columns, self._types, self._run)
        else:
            rows = read_all(self._right, self._right_columns)
            equality = self._equality()
            if equality is not None:
                self._by_key = _MarkByKey(rows, path.keys, equality, self._left.columns, self._right_columns)
            else:
                self._candidates = _AllRows(rows, path.keys, self._left.columns, self._right_columns)
        self._left.open()
        self._is_open = True

    def _equality(self) -> _MarkKeys | None:
        """The comparison, where it is an equality of one operand of each side, and nothing else is asked of pairs."""
        comparison = self._path.comparison
        if not isinstance(comparison, Comparison) or comparison.operator != "=" or self._path.residual:
            return None
        left, right = set(self._left.columns), set(self._right_columns)
        for one, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
            if columns_of(one) <= left and columns_of(other) <= right:
                return _MarkKeys(one, other)
        return None

    def next(self) -> Batch | None:
        while True:
            output = next(self._output, None)
            if output is not None:
                return output
            batch = self._left.next() if self._is_open else None
            if batch is None:
                self._is_open = False
                return None
            self._output = self._marked(batch) if self._path.type is ApplyType.MARK else self._applied(batch)

    def close(self) -> None:
        self._is_open = False
        self._output = iter(())
        self._candidates = self._by_key = None
        self._left.close()
        if self._right is not None:
            self._right.close()

    def held_bytes(self) -> int:
        by_key = 0 if self._by_key is None else self._by_key.nbytes
        return by_key + (0 if self._candidates is None else self._candidates.nbytes)

    def _pairs(self, batch: Batch, held: Batch | None, rows: IndexArray) -> Pairs:
        """The pairs that count."""
        assert self._candidates is not None
        if held is None:
            return
        for some, held_rows in self._candidates.pairs(batch, rows, self._batch_rows):
            if self._residual is None:
                yield some, held_rows
                continue
            passed = self._residual.passed(held, held_rows, batch, some)
            yield some.take(passed), held_rows.take(passed)

    def _applied(self, batch: Batch) -> Iterator[Batch]:
        assert self._candidates is not None
        held = self._candidates.held(batch)
        matched = np.zeros(len(batch), np.bool_)
        for rows, held_rows in self._pairs(batch, held, np.arange(len(batch))):
            if self._path.type is ApplyType.SINGLE:
                self._check_single(matched, rows)
            matched[rows] = True
            if len(rows):
                assert held is not None
                if self._measured is not None:
                    self._measured.report(batch, rows, held, held_rows)
                yield self._joined.pairs(held, held_rows, batch, rows)
        if self._path.type is not ApplyType.INNER and not matched.all():
            yield self._joined.passing_alone(batch, np.flatnonzero(~matched))

    def _check_single(self, matched: BoolArray, rows: IndexArray) -> None:
        """Raises an error if one of these rows has a pair already, or two among these."""
        if matched[rows].any() or len(np.unique(rows)) < len(rows):
            raise several_rows(self._path.span)

    def _marked(self, batch: Batch) -> Iterator[Batch]:
        marks = self._by_key.marks(batch) if self._by_key is not None else self._marks_by_pairs(batch)
        plain = self._joined.passing_alone(batch, None)
        others = iter([plain.column(place) for place in range(plain.width)])
        columns = [marks if column == self._mark else next(others) for column in self.columns]
        yield Batch(columns, len(batch))

    def _marks_by_pairs(self, batch: Batch) -> Column:
        assert self._candidates is not None
        held = self._candidates.held(batch)
        true, unknown = np.zeros(len(batch), np.bool_), np.zeros(len(batch), np.bool_)
        for rows, held_rows in self._pairs(batch, held, np.arange(len(batch))):
            if self._comparison is None or held is None:
                true[rows] = True
                continue
            compared = self._comparison.of(held, held_rows, batch, rows)
            true[rows[logic.is_true(compared)]] = True
            if compared.valid is not None:
                unknown[rows[~compared.valid]] = True
        return Column(BOOLEAN, true, true | ~unknown)


class _PairComparison:
    """A comparison, evaluated on pairs of rows."""

    def __init__(
        self,
        comparison: Expression,
        held: Sequence[ColumnId],
        passing: Sequence[ColumnId],
        types: Mapping[ColumnId, SqlType],
    ) -> None:
        columns = sorted(columns_of(comparison))
        self._pairs = JoinedRows(columns, held, passing, types)
        self._compare: Evaluator = compile_expression(comparison, columns)

    def of(self, held: Batch, held_rows: Array, passing: Batch, passing_rows: Array) -> Column:
        return self._compare(self._pairs.pairs(held, held_rows, passing, passing_rows))
