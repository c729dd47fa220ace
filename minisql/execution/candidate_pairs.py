"""The pairs of rows that a nested-loop join has to look at.

In general these are all pairs, given in blocks, so that the cross product is never in memory. Where a condition is a
disjunction of which every part needs equal keys (`a.x = b.x OR a.y = b.y`), only pairs with equal keys in some part can
match: each part gets a table over the held side, as in a hash join, and a pair comes from the first part whose keys are
equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from minisql.columnar.column import Array, Batch, BoolArray, IndexArray
from minisql.execution.evaluate import compile_expression
from minisql.execution.kernels.key_table import KeyTable
from minisql.execution.kernels.row_lists import RowLists
from minisql.execution.operand import Evaluator
from minisql.expression.nodes import ColumnId, Comparison, Expression, IsDistinctFrom, Or
from minisql.expression.walk import columns_of, conjuncts
from minisql.node import record


class CandidatePairs(Protocol):
    """Where the pairs come from."""

    def of(self, batch: Batch, done: BoolArray | None, most: int) -> Iterator[tuple[IndexArray, Array]]:
        """Pairs of a row of a passing batch and a held row, each pair once, at most `most` at a time.

        Rows that are `done`, which may become more between two blocks of pairs, need no more pairs.
        """

    @property
    def nbytes(self) -> int:
        """Bytes held."""


class AllPairs:
    """Every row beside every held row."""

    nbytes = 0

    def __init__(self, held_count: int) -> None:
        self._held_count = held_count

    def of(self, batch: Batch, done: BoolArray | None, most: int) -> Iterator[tuple[IndexArray, Array]]:
        for held_start in range(0, self._held_count, most):
            held_rows = np.arange(held_start, min(held_start + most, self._held_count))
            rows = np.arange(len(batch)) if done is None else np.flatnonzero(~done)
            step = max(1, most // len(held_rows))
            for start in range(0, len(rows), step):
                part = rows[start : start + step]
                yield np.repeat(part, len(held_rows)), np.tile(held_rows, len(part))


@record
class _Equality:
    """`held = passing`, or IS NOT DISTINCT FROM where `null_safe`."""

    held: Expression
    passing: Expression
    null_safe: bool


class _Part:
    """One part of the disjunction: a table over the keys of the held side."""

    def __init__(self, equalities: Sequence[_Equality], held: Batch, columns: Sequence[ColumnId],
                 passing_columns: Sequence[ColumnId]) -> None:  # fmt: skip
        keys = [compile_expression(equality.held, columns)(held) for equality in equalities]
        self._table = KeyTable([key.type for key in keys], [e.null_safe for e in equalities], len(held))
        self.held_ids = self._table.insert(keys)
        self.lists = RowLists(self.held_ids, len(self._table))
        self._keys: list[Evaluator] = [compile_expression(e.passing, passing_columns) for e in equalities]

    @property
    def nbytes(self) -> int:
        return self._table.nbytes + self.lists.nbytes + self.held_ids.nbytes

    def ids(self, batch: Batch) -> Array:
        return self._table.lookup([key(batch) for key in self._keys])


class KeyedPairs:
    """Pairs whose keys are equal in some part of a disjunction."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._parts = parts

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in self._parts)

    def of(self, batch: Batch, done: BoolArray | None, most: int) -> Iterator[tuple[IndexArray, Array]]:
        ids = [part.ids(batch) for part in self._parts]
        for number, part in enumerate(self._parts):
            for places, held_rows in part.lists.pairs(ids[number], most, keep_all=False):
                if places is None:
                    places = np.arange(len(batch))
                is_new = np.ones(len(places), np.bool_)
                for earlier_ids, earlier in zip(ids[:number], self._parts[:number], strict=True):
                    passing_ids = earlier_ids.take(places)
                    is_new &= (passing_ids < 0) | (passing_ids != earlier.held_ids.take(held_rows))
                new = np.flatnonzero(is_new)
                yield places.take(new), held_rows.take(new)


def candidate_pairs(
    conditions: Sequence[Expression],
    held: Batch,
    held_columns: Sequence[ColumnId],
    passing_columns: Sequence[ColumnId],
) -> CandidatePairs:
    """Pairs among which are all that fulfil the conditions."""
    for condition in conditions:
        for conjunct in conjuncts(condition):
            if not isinstance(conjunct, Or):
                continue
            keys = [_equalities(part, set(held_columns), set(passing_columns)) for part in conjunct.operands]
            if all(keys):
                return KeyedPairs([_Part(key, held, held_columns, passing_columns) for key in keys])
    return AllPairs(len(held))


def _equalities(part: Expression, held: set[ColumnId], passing: set[ColumnId]) -> list[_Equality]:
    """The conjuncts of a part that compare a value of one side with one of the other."""
    found = []
    for conjunct in conjuncts(part):
        match conjunct:
            case Comparison(operator="=") | IsDistinctFrom(negated=True):
                null_safe = isinstance(conjunct, IsDistinctFrom)
                for one, other in ((conjunct.left, conjunct.right), (conjunct.right, conjunct.left)):
                    ones, others = columns_of(one), columns_of(other)
                    if ones and others and ones <= held and others <= passing:
                        found.append(_Equality(one, other, null_safe))
            case _:
                pass
    return found
