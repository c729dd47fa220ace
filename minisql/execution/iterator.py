"""The contract of iterators (Graefe, "Volcano", TKDE 1994), over batches of columns instead of rows.

    open()    prepares; may run a whole input (the build side of a hash join). Called again, at any time, also after
              close(), it starts anew: the step of a recursion is opened for every round.
    next()    the next batch, of 1 to `batch_rows` rows, or None at the end; after None it is not called again.
    close()   frees memory and files. Idempotent, legal at any time, also after an error and before open().

`columns` names the columns of the batches, in their order. An iterator closes its inputs in its own close().
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from minisql.columnar.column import Batch
from minisql.expression.nodes import ColumnId


class RowIterator(ABC):
    """One operator of a running query."""

    columns: tuple[ColumnId, ...]

    @abstractmethod
    def open(self) -> None:
        """Prepares to give batches."""

    @abstractmethod
    def next(self) -> Batch | None:
        """The next batch, never an empty one; None at the end."""

    @abstractmethod
    def close(self) -> None:
        """Frees what the iterator holds."""

    def held_bytes(self) -> int:
        """Bytes of the rows that this operator keeps from its inputs right now, its inputs' own not counted."""
        return 0
