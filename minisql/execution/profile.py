"""What each operator of a running query did: rows, batches, time, memory. For EXPLAIN ANALYZE; nobody else pays for it.

The time that measuring itself takes (of the fan-out of joins) is nobody's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minisql.columnar.column import Batch
from minisql.execution.iterator import RowIterator
from minisql.optimizer.access_path import AccessPath

if TYPE_CHECKING:
    from minisql.execution.fan_out import FanOut
    from minisql.execution.measured_join import MeasuredJoin


@dataclass(slots=True)
class OperatorProfile:
    """What one operator did in all its runs.

    Attributes:
        loops: how often it was opened.
        ended: how many of these runs went to their end.
        rows: the rows that came out.
        batches: the batches that came out.
        seconds: on the clock, its inputs' included.
        own_seconds: the same without them.
        held_bytes: of rows that it kept, at most; its inputs' not included.
    """

    loops: int = 0
    ended: int = 0
    rows: int = 0
    batches: int = 0
    seconds: float = 0.0
    own_seconds: float = 0.0
    held_bytes: int = 0


class Profile(dict[AccessPath, OperatorProfile]):
    """The profiles of the operators of one query by the path that each runs; those that were never opened are missing.

    Time is taken on a stack: an operator that calls another one stops its own clock meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()
        self._called = 0.0  # the time in operators that the running one has called
        self._measuring = 0.0  # the time that was spent on measuring, in all
        self._joins: dict[AccessPath, MeasuredJoin | None] = {}

    def add_join(self, path: AccessPath, join: MeasuredJoin) -> None:
        """Has the fan-out of a join measured. A path that is run as several joins, below an Apply, has none."""
        self._joins[path] = None if path in self._joins else join

    def fan_out(self, path: AccessPath) -> FanOut | None:
        """The fan-out of a join that was run and has one."""
        join = self._joins.get(path)
        return None if join is None else join.fan_out()

    @contextmanager
    def clock(self, own: OperatorProfile) -> Iterator[None]:
        """Adds the time that the block takes to a profile."""
        called_before, self._called = self._called, 0.0
        measuring, start = self._measuring, time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - start - (self._measuring - measuring)
            own.seconds += took
            own.own_seconds += took - self._called
            self._called = called_before + took

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """The time that the block takes is no operator's."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._measuring += time.perf_counter() - start


class ProfilingIterator(RowIterator):
    """Passes the batches of an iterator and notes them."""

    def __init__(self, source: RowIterator, path: AccessPath, profile: Profile) -> None:
        self.columns = source.columns
        self._source = source
        self._path = path
        self._profile = profile
        self._own = OperatorProfile()

    def open(self) -> None:
        own = self._own = self._profile.setdefault(self._path, self._own)
        own.loops += 1
        with self._profile.clock(own):
            self._source.open()
        own.held_bytes = max(own.held_bytes, self._source.held_bytes())

    def next(self) -> Batch | None:
        own = self._own
        with self._profile.clock(own):
            batch = self._source.next()
        if batch is None:
            own.ended += 1
        else:
            own.rows += len(batch)
            own.batches += 1
        own.held_bytes = max(own.held_bytes, self._source.held_bytes())
        return batch

    def close(self) -> None:
        self._source.close()

    def held_bytes(self) -> int:
        return self._source.held_bytes()
