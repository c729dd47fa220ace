"""Fresh table numbers for what a rewrite adds to a query."""

from __future__ import annotations

from minisql.relational.relational_expression import RelationalExpression
from minisql.relational.rewriting import first_free_table


class NewTables:
    """Gives numbers that no table of a query has.

    Attributes:
        given: how many were given.
    """

    def __init__(self, root: RelationalExpression) -> None:
        self._first = first_free_table(root)
        self.given = 0

    def next(self) -> int:
        """A number that was not given before."""
        self.given += 1
        return self._first + self.given - 1
