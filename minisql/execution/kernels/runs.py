"""Rows one after the other that are cut into runs: the partitions of a window, or the groups of peers in them."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from minisql.columnar.column import BoolArray, IndexArray


class Runs:
    """The runs of `length` rows, of which there is at least one; `starts[i]` and `ends[i]` are those of run i."""

    def __init__(self, starts: IndexArray, length: int) -> None:
        self.starts = starts
        self.ends: IndexArray = np.append(starts[1:], length)
        self.length = length

    @staticmethod
    def from_flags(starts: BoolArray) -> Runs:
        """The runs that start where the flag is set."""
        return Runs(np.flatnonzero(starts), len(starts))

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def lengths(self) -> IndexArray:
        """The rows of each run."""
        return self.ends - self.starts

    @cached_property
    def numbers(self) -> IndexArray:
        """For every row, the number of its run."""
        return np.repeat(np.arange(len(self.starts)), self.lengths)

    @cached_property
    def first(self) -> IndexArray:
        """For every row, where its run starts."""
        return np.repeat(self.starts, self.lengths)

    @cached_property
    def stop(self) -> IndexArray:
        """For every row, where its run ends: the row after the last one of it."""
        return np.repeat(self.ends, self.lengths)
