"""Fresh table numbers for what a rewrite adds to a query."""

from __future__ import annotations

from minisql.relational.relational_expression import RelationalExpression
from minisql.relational.rewriting import first_free_table


class NewTables:
    """Gives numbers that no table of a query has."""

    def __init__(self, root: RelationalExpression) -> None:
        self._next = first_free_table(root)

    def next(self) -> int:
        """A number that was not given before."""
        self._next += 1
        return self._next - 1
