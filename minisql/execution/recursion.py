"""Recursive unions, evaluated semi-naively: each round runs the step over the rows that the round before has added.

The step is one tree of iterators, which is opened again for each round. What it computes of anything but the working
table is the same in every round, and is kept from the first one on (`Kept`): the tables of hash joins, and the rows of
other parts. Without ALL, a table of keys has every row so far, and only rows that are new to it come out.

Batches come out as they are asked for, so that a LIMIT ends a recursion that would not end by itself. Rounds may be
small and many, and so rows are collected over rounds: at most as many as have come out so far. An error in a round is
raised after the rows of the rounds before it have come out, as if these had come one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from minisql.columnar.column import Batch, concat_batches
from minisql.errors import OperationalError, SqlError
from minisql.execution.held_rows import read_all
from minisql.execution.iterator import RowIterator
from minisql.execution.kernels.key_table import KeyTable
from minisql.expression.nodes import ColumnId
from minisql.optimizer.access_path import RecursiveUnion, WorkingTableScan
from minisql.settings import Settings

T = TypeVar("T")


class Kept(Generic[T]):
    """What an operator of a step has computed in the first round and needs in each. Its recursion forgets it."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value: tuple[T] | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is a value."""
        return self._value is not None

    def get(self) -> T:
        """The value, which is there."""
        assert self._value is not None
        return self._value[0]

    def put(self, value: T) -> None:
        """Keeps a value."""
        self._value = (value,)

    def forget(self) -> None:
        """Lets go of the value."""
        self._value = None


class Recursion:
    """What the iterators of a recursion share: the rows of the last round, and what is kept over the rounds."""

    def __init__(self) -> None:
        self.working: Sequence[Batch] = ()
        self._kept: list[Kept[object]] = []

    def keep(self, kept: Kept[T]) -> Kept[T]:
        """Adds something that is kept until the recursion ends, or begins anew."""
        self._kept.append(kept)  # type: ignore[arg-type]  # only forgotten here
        return kept

    def forget(self) -> None:
        """Lets go of all rows."""
        self.working = ()
        for kept in self._kept:
            kept.forget()


class KeptRowsIterator(RowIterator):
    """Gives the rows of a part of a step that is the same in every round; reads it in the first one."""

    def __init__(self, source: RowIterator, kept: Kept[Batch | None], batch_rows: int) -> None:
        self.columns = source.columns
        self._source = source
        self._kept = kept
        self._batch_rows = batch_rows
        self._given = 0

    def open(self) -> None:
        self._given = 0
        if not self._kept.is_there:
            self._kept.put(read_all(self._source, self.columns))

    def next(self) -> Batch | None:
        rows = self._kept.get()
        if rows is None or self._given == len(rows):
            return None
        start, self._given = self._given, min(self._given + self._batch_rows, len(rows))
        return rows if start == 0 and self._given == len(rows) else rows.slice(start, self._given)

    def close(self) -> None:
        self._source.close()

    def held_bytes(self) -> int:
        rows = self._kept.get() if self._kept.is_there else None
        return 0 if rows is None else rows.nbytes


class WorkingTableIterator(RowIterator):
    """Gives the rows of the last round."""

    def __init__(self, path: WorkingTableScan, recursion: Recursion, positions: Sequence[int]) -> None:
        self.columns = tuple(ColumnId(path.table, position) for position in positions)
        self._recursion = recursion
        self._positions = None if list(positions) == list(range(len(path.types))) else list(positions)
        self._given = 0

    def open(self) -> None:
        self._given = 0

    def next(self) -> Batch | None:
        working = self._recursion.working
        if self._given == len(working):
            return None
        self._given += 1
        batch = working[self._given - 1]
        return batch if self._positions is None else batch.project(self._positions)

    def close(self) -> None:
        pass


class RecursiveUnionIterator(RowIterator):
    """Gives the rows of the anchor, and then those of each round."""

    def __init__(
        self,
        path: RecursiveUnion,
        anchor: RowIterator,
        step: RowIterator,
        recursion: Recursion,
        positions: Sequence[int],
        settings: Settings,
    ) -> None:
        """`positions` are those of the columns that are wanted."""
        self.columns = tuple(ColumnId(path.table, position) for position in positions)
        self._path = path
        self._anchor, self._step = anchor, step
        self._anchor_places = [anchor.columns.index(column) for column in path.anchor_columns]
        self._step_places = [step.columns.index(column) for column in path.step_columns]
        self._recursion = recursion
        self._positions = list(positions)
        self._batch_rows = settings.batch_rows
        self._most_rounds = settings.max_recursion
        self._most_rows = settings.max_recursive_rows
        self._seen: KeyTable | None = None
        self._output: Iterator[Batch] = iter(())
        self._waiting: Batch | None = None
        self._error: SqlError | None = None
        self._rows_given = 0

    def open(self) -> None:
        self._recursion.forget()
        self._seen = None if self._path.all else KeyTable(self._path.types, [True] * len(self._path.types))
        self._output = self._rounds()
        self._waiting = self._error = None
        self._rows_given = 0

    def next(self) -> Batch | None:
        if self._error is not None:
            raise self._error
        collected: list[Batch] = []
        rows, wanted = 0, min(max(self._rows_given, 1), self._batch_rows)
        try:
            while rows < wanted and (batch := self._next_of_round()) is not None:
                if rows + len(batch) > self._batch_rows and collected:
                    self._waiting = batch
                    break
                collected.append(batch)
                rows += len(batch)
        except SqlError as error:
            if not collected:
                raise
            self._error = error
        if not collected:
            return None
        self._rows_given += rows
        return concat_batches(collected).project(self._positions)

    def close(self) -> None:
        self._output = iter(())
        self._waiting = self._seen = None
        self._recursion.forget()
        self._anchor.close()
        self._step.close()

    def held_bytes(self) -> int:
        working = sum(batch.nbytes for batch in self._recursion.working)
        return working + (0 if self._seen is None else self._seen.nbytes)

    def _next_of_round(self) -> Batch | None:
        batch, self._waiting = self._waiting, None
        return next(self._output, None) if batch is None else batch

    def _rounds(self) -> Iterator[Batch]:
        """The rows that each round adds, the anchor's first."""
        recursion, source, places = self._recursion, self._anchor, self._anchor_places
        rounds = rows = 0
        while True:
            added: list[Batch] = []
            source.open()
            while (batch := source.next()) is not None:
                new = self._new_rows(batch.project(places))
                if len(new):
                    added.append(new)
                    rows += len(new)
                    yield new
                    if rows > self._most_rows:
                        raise self._endless(f"gives more than {self._most_rows:,} rows", "max_recursive_rows")
            if source is self._anchor:
                source.close()
            if not added:
                return
            if rounds == self._most_rounds:
                raise self._endless(f"takes more than {self._most_rounds:,} rounds", "max_recursion")
            rounds += 1
            # Many small batches would make each operator of the step work in small pieces from round to round.
            small = len(added) > 1 and sum(map(len, added)) <= self._batch_rows
            recursion.working = [concat_batches(added)] if small else added
            source, places = self._step, self._step_places

    def _new_rows(self, batch: Batch) -> Batch:
        """The rows that no round had so far; with ALL, all rows."""
        if self._seen is not None:
            _, new = self._seen.insert_and_tell_new(batch.columns)
            if len(new) < len(batch):
                batch = batch.select(new)
        return batch if batch.selection is None else Batch(batch.columns, batch.length)

    def _endless(self, what: str, setting: str) -> OperationalError:
        return OperationalError(
            f'The recursion of "{self._path.name}" {what}.',
            self._path.span,
            hint=f"A condition, UNION without ALL or a LIMIT may end it; SET {setting} allows more.",
        )
