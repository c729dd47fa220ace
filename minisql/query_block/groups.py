"""What columns and expressions are above a grouping: keys, aggregates, or a mistake."""

from __future__ import annotations

from dataclasses import replace

from minisql.errors import ProgrammingError, Span
from minisql.expression.nodes import ColumnId, ColumnRef, Expression
from minisql.expression.walk import children, with_children
from minisql.query_block.query_block import Grouping
from minisql.query_block.resolve_expression import AggregateCollector


class GroupReader:
    """Reads columns for subqueries above the groups: a key is a column of the groups, where there are any."""

    def __init__(self, keys: tuple[Expression, ...], aggregates: AggregateCollector) -> None:
        self._positions = {key: position for position, key in enumerate(keys)}
        self._aggregates = aggregates
        self._ungrouped: list[ColumnRef] = []

    def read(self, column: ColumnRef) -> ColumnRef:
        position = self._positions.get(column)
        if position is None:
            self._ungrouped.append(column)
            return column
        return replace(column, column=ColumnId(self._aggregates.table, position))

    def check(self) -> None:
        """Called where there are groups: an error where a subquery reads a column that is no key."""
        for column in self._ungrouped:
            raise _ungrouped(column)


def _ungrouped(column: ColumnRef) -> ProgrammingError:
    return ProgrammingError(
        f"The column {column.name} is neither in GROUP BY nor inside an aggregate.",
        column.span,
        hint=f"Add it to GROUP BY, or take any value of it: any_value({column.name}).",
    )


class Grouped:
    """Rewrites expressions over the input of a grouping to expressions over its groups."""

    def __init__(self, grouping: Grouping, above: frozenset[int]) -> None:
        """`above` are the numbers of the columns that stand for subqueries and window functions above the groups."""
        self._above = above | {grouping.table}
        self._table = grouping.table
        self._positions = {key: position for position, key in enumerate(grouping.keys)}

    def read(self, expression: Expression) -> Expression:
        """The expression with keys replaced by their columns; an error where anything else is left of the input."""
        position = self._positions.get(expression)
        if position is not None:
            name = expression.name if isinstance(expression, ColumnRef) else _source(expression)
            column = ColumnId(self._table, position)
            return ColumnRef(column=column, name=name, type=expression.type, span=expression.span)
        if isinstance(expression, ColumnRef):
            if expression.column.table in self._above:
                return expression
            raise _ungrouped(expression)
        return with_children(expression, tuple([self.read(child) for child in children(expression)]))


def _source(expression: Expression) -> str:
    span: Span | None = expression.span
    return "" if span is None else " ".join(span.source.split())
