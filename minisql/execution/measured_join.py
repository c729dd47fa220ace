"""Measures the fan-out of a join that runs: counts what its inputs give and the pairs that it reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from minisql.columnar.column import Array, Batch
from minisql.execution.evaluate import compile_expression
from minisql.execution.fan_out import FanOut, KeyCounter, PairCounter
from minisql.execution.iterator import RowIterator
from minisql.execution.profile import Profile
from minisql.optimizer.access_path import Apply, HashJoin, JoinKey, NestedLoopJoin
from minisql.relational.relational_expression import ApplyType, JoinType


@dataclass(slots=True)
class _Side:
    opened: int = 0
    ended: int = 0
    rows: int = 0


class MeasuredJoin:
    """Counts the rows and pairs of one join, with the left and right side of its type."""

    def __init__(self, path: HashJoin | NestedLoopJoin | Apply, profile: Profile) -> None:
        self._profile = profile
        self._sides = (_Side(), _Side())
        self._held = 0 if isinstance(path, HashJoin) and path.build_left else 1
        self._is_run_for_each = isinstance(path, Apply) and bool(path.references)
        self._keys: Sequence[JoinKey] = ()
        if not isinstance(path, NestedLoopJoin) and not self._is_run_for_each:
            self._keys = path.keys
        self._counter: KeyCounter | None = None
        if self._keys:
            types = [(key.right if self._held else key.left).type for key in self._keys]
            self._counter = KeyCounter(types, [key.null_safe for key in self._keys])
        self._held_ids: list[Array] = []  # the ids of the keys of the held rows
        self._pairs = PairCounter() if _reports_pairs(path) else None

    def inputs(self, sources: Sequence[RowIterator]) -> list[RowIterator]:
        """The inputs of the join, from left to right, so that their rows are counted."""
        return [_CountingIterator(source, side, self) for side, source in enumerate(sources)]

    def report(self, passing: Batch, rows: Array, held: Batch, held_rows: Array) -> None:
        """Told by the join: these pairs match. All pairs of a passing batch come before those of the next one."""
        if self._pairs is not None:
            with self._profile.measuring():
                self._pairs.add(passing, rows, held_rows, len(held))

    def opened(self, side: int) -> None:
        """Told by an input: it is about to give its rows."""
        self._sides[side].opened += 1
        if self._pairs is not None and side != self._held:
            self._pairs.finish_batch()

    def ended(self, side: int) -> None:
        """Told by an input: it has no more rows."""
        self._sides[side].ended += 1

    def read(self, side: int, batch: Batch, source: RowIterator) -> None:
        """Told by an input: these rows are read."""
        self._sides[side].rows += len(batch)
        # Without held rows the join computes no keys, and these may fail.
        if self._counter is None or (side != self._held and not self._sides[self._held].rows):
            return
        with self._profile.measuring():
            expressions = [key.right if side else key.left for key in self._keys]
            ids = self._counter.add(side, [compile_expression(each, source.columns)(batch) for each in expressions])
            if side == self._held and self._pairs is not None:
                self._held_ids.append(ids)

    def fan_out(self) -> FanOut | None:
        """The fan-out; None where the join has read the side that it holds several times: then it was several joins."""
        held, passing = self._sides[self._held], self._sides[1 - self._held]
        if held.opened > 1:
            return None
        if self._pairs is not None:
            found = self._by_pairs(self._pairs)
        elif self._counter is not None and held.rows:
            found = self._counter.fan_out()
        else:
            found = _of_all_pairs(self._sides[0].rows, self._sides[1].rows)
        return replace(found, complete=0 < passing.opened == passing.ended and held.opened == held.ended)

    def _by_pairs(self, counted: PairCounter) -> FanOut:
        counted.finish_batch()
        held_rows = self._sides[self._held].rows
        held = counted.held[:held_rows]
        found = FanOut(
            left_rows=self._sides[1 - self._held].rows,
            right_rows=held_rows,
            pairs=counted.pairs,
            left_most=counted.most,
            right_most=int(held.max(initial=0)),
            left_unmatched=self._sides[1 - self._held].rows - counted.matched,
            right_unmatched=held_rows - int(np.count_nonzero(held)),
        )
        if self._is_run_for_each:
            # Each row that the right side gives for a left one is that row's alone.
            found = replace(found, right_rows=found.pairs, right_most=min(found.pairs, 1), right_unmatched=0)
        if self._held == 0:
            found = found.flipped()
        if self._counter is None:
            return found
        pairs = np.zeros(len(self._counter), np.int64)
        if counted.pairs:
            ids = np.concatenate(self._held_ids)
            matched = np.flatnonzero(held)
            np.add.at(pairs, ids[matched], held[matched])
        return replace(
            found,
            left_null_keys=self._counter.null_keys[0],
            right_null_keys=self._counter.null_keys[1],
            worst_keys=self._counter.worst_keys(pairs),
        )


class _CountingIterator(RowIterator):
    """Passes the batches of an input of a join, which are counted on their way."""

    def __init__(self, source: RowIterator, side: int, join: MeasuredJoin) -> None:
        self.columns = source.columns
        self._source = source
        self._side = side
        self._join = join

    def open(self) -> None:
        self._join.opened(self._side)
        self._source.open()

    def next(self) -> Batch | None:
        batch = self._source.next()
        if batch is None:
            self._join.ended(self._side)
        else:
            self._join.read(self._side, batch, self._source)
        return batch

    def close(self) -> None:
        self._source.close()

    def held_bytes(self) -> int:
        return self._source.held_bytes()


def is_measured(path: HashJoin | NestedLoopJoin | Apply) -> bool:
    """Whether the fan-out of a join can be told: not where the search for matches of a row ends with the first one."""
    match path:
        case HashJoin():
            return True
        case NestedLoopJoin():
            return path.type not in (JoinType.SEMI, JoinType.ANTI)
        case Apply():
            return path.type in (ApplyType.INNER, ApplyType.LEFT)


def _reports_pairs(path: HashJoin | NestedLoopJoin | Apply) -> bool:
    """Whether matches have to be counted pair by pair, for more than keys decides, or less."""
    match path:
        case HashJoin():
            return bool(path.residual)
        case NestedLoopJoin():
            return bool(path.conditions)
        case Apply():
            return True


def _of_all_pairs(left: int, right: int) -> FanOut:
    """The fan-out where every row matches every other."""
    return FanOut(
        left_rows=left,
        right_rows=right,
        pairs=left * right,
        left_most=right if left else 0,
        right_most=left if right else 0,
        left_unmatched=0 if right else left,
        right_unmatched=0 if left else right,
    )
