"""Arrays that grow at the end, and columns kept from many batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from minisql.columnar.column import Array, Column, concat_columns
from minisql.columnar.strings import compacted


class GrowingArray:
    """Values one after the other, with room to append: what is appended is copied about once."""

    __slots__ = ("_count", "_values")

    def __init__(self, dtype: npt.DTypeLike, capacity: int = 0) -> None:
        """`capacity` is how many values there is room for before the array moves."""
        self._values: Array = np.empty(capacity, dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        return self._values.nbytes

    def used(self) -> Array:
        """The values, not copied; they move when the array grows."""
        return self._values[: self._count]

    def append(self, values: Array) -> None:
        """Adds values at the end."""
        start = self.extend(len(values))
        self._values[start : self._count] = values

    def extend(self, length: int) -> int:
        """Adds so many values that mean nothing yet; gives where they start."""
        start = self._count
        self._count = start + length
        if self._count > len(self._values):
            larger = np.empty(max(self._count, 2 * len(self._values)), self._values.dtype)
            larger[:start] = self._values[:start]
            self._values = larger
        return start

    def truncate(self, count: int) -> None:
        """Forgets all but the first values."""
        self._count = count


def concat_kept(columns: Sequence[Column]) -> Column:
    """The rows of all the columns, a few from each of many batches: of differing pools only their strings are kept."""
    pools = {id(column.pool) for column in columns}
    if len(pools) > 1:
        columns = [compacted(column) for column in columns]
    return concat_columns(columns)
