"""The fan-out of a join: how many rows of the other side a row of each side matches, as the data had it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from minisql.expression.nodes import Value

Kind: TypeAlias = Literal["1:1", "1:n", "n:1", "n:m", "none"]


@dataclass(frozen=True, slots=True)
class KeyFanOut:
    """A key: its values, the rows of each side that have it, and how many pairs of these match.

    `pairs` is the product of the two but for joins with conditions beside the keys.
    """

    values: tuple[Value, ...]
    left_rows: int
    right_rows: int
    pairs: int


@dataclass(frozen=True, slots=True)
class FanOut:
    """The fan-out of one join.

    A row matches another if they fulfil the whole condition of the join.

    Attributes:
        left_rows: the rows of the left side that were read.
        right_rows: those of the right side.
        pairs: the pairs of rows that match.
        left_most: how many rows of the right side one row of the left side matches at most.
        right_most: how many rows of the left side one row of the right side matches at most.
        left_unmatched: the rows of the left side that match none; those with a NULL in a key that equals nothing are
            among them.
        right_unmatched: those of the right side.
        left_null_keys: the rows of the left side with a NULL in a key that equals nothing.
        right_null_keys: those of the right side.
        worst_keys: the keys with the most pairs, the worst first; only keys with more than one pair.
        complete: whether both sides were read to their ends.
    """

    left_rows: int
    right_rows: int
    pairs: int
    left_most: int
    right_most: int
    left_unmatched: int
    right_unmatched: int
    left_null_keys: int = 0
    right_null_keys: int = 0
    worst_keys: tuple[KeyFanOut, ...] = ()
    complete: bool = True

    @property
    def kind(self) -> Kind:
        """The kind from left to right: 1:n if a left row may match several right ones, but not the other way round."""
        if self.pairs == 0:
            return "none"
        if self.left_most > 1:
            return "n:m" if self.right_most > 1 else "1:n"
        return "n:1" if self.right_most > 1 else "1:1"
