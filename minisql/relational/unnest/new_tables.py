"""Fresh table numbers for what a rewrite adds to a query."""

from __future__ import annotations

from collections.abc import Iterable

from minisql.relational.relational_expression import RelationalExpression
from minisql.relational.renumber import tables_inside


class NewTables:
    """Gives numbers that no table of a query has.

    Attributes:
        given: how many were given.
    """

    def __init__(self, trees: Iterable[RelationalExpression]) -> None:
        """`trees` are the query and what is shared in it."""
        self._first = 1 + max((table for tree in trees for table in tables_inside(tree)), default=-1)
        self.given = 0

    def next(self) -> int:
        """A number that was not given before."""
        self.given += 1
        return self._first + self.given - 1
