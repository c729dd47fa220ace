"""What each operator of a running query did: rows, batches, time. For EXPLAIN ANALYZE; nobody else pays for it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from minisql.columnar.column import Batch
from minisql.execution.iterator import RowIterator
from minisql.optimizer.access_path import AccessPath


@dataclass(slots=True)
class OperatorProfile:
    """`rows` and `batches` that came out; `seconds` on the clock, and `held_bytes` at most, its inputs' included
    in the former and not in the latter.
    """

    rows: int = 0
    batches: int = 0
    seconds: float = 0.0
    held_bytes: int = 0


class Profile(dict[AccessPath, OperatorProfile]):
    """The profiles of the operators of one query by the path that each runs; those that were never opened are missing.

    Operators that are one iterator (a chain of UNION ALL) share a profile.
    """


class ProfilingIterator(RowIterator):
    """Passes the batches of an iterator and notes them."""

    def __init__(self, source: RowIterator, path: AccessPath, profile: Profile) -> None:
        self.columns = source.columns
        self._source = source
        self._path = path
        self._profile = profile
        self._own = OperatorProfile()

    def open(self) -> None:
        self._profile[self._path] = self._own
        start = time.perf_counter()
        try:
            self._source.open()
        finally:
            self._own.seconds += time.perf_counter() - start
        self._own.held_bytes = self._source.held_bytes()

    def next(self) -> Batch | None:
        own = self._own
        start = time.perf_counter()
        try:
            batch = self._source.next()
        finally:
            own.seconds += time.perf_counter() - start
        if batch is not None:
            own.rows += len(batch)
            own.batches += 1
        own.held_bytes = max(own.held_bytes, self._source.held_bytes())
        return batch

    def close(self) -> None:
        self._source.close()

    def held_bytes(self) -> int:
        return self._source.held_bytes()
