"""Runs a region in two forms over many databases at once, and tells on which of them the rows differ.

Every join compares the database of its sides, too: COALESCE of the numbers that the tables on a side have, for some of
them may be padded. So one run of the engine's own operators evaluates thousands of databases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from minisql.columnar.python_values import to_values
from minisql.datatypes import INTEGER
from minisql.errors import DataError
from minisql.execution.build_iterators import build_iterators
from minisql.explain.counterexample.databases import Databases
from minisql.explain.counterexample.script_table import ScriptRegion, hides_right
from minisql.expression.nodes import Coalesce, ColumnId, ColumnRef, Comparison, Expression
from minisql.node_set import NodeSet
from minisql.optimizer.find_best_plan import find_best_plan
from minisql.relational.relational_expression import (
    BaseTable,
    Filter,
    Join,
    JoinType,
    Project,
    RelationalExpression,
    output_tables,
)
from minisql.settings import Settings

_AS_IT_IS: Final = Settings(join_order="as_written", delay_expensive_conditions=False)


class FormComparison:
    """Two forms of a region, ready to run."""

    def __init__(self, region: ScriptRegion, other: RelationalExpression) -> None:
        self._tables = region.tables
        self._forms = [_Form(region, tree) for tree in (region.tree, other)]

    def differing(self, databases: Databases) -> list[int]:
        """The numbers of the databases on which the two give other rows; ascending.

        Databases on which a condition cannot be computed are left out.
        """
        try:
            databases.load(self._tables)
            first, second = (form.rows() for form in self._forms)
        except DataError:
            if databases.count == 1:
                return []
            half = databases.count // 2
            parts = ((0, half), (half, databases.count))
            return [start + each for start, stop in parts for each in self.differing(databases.slice(start, stop))]
        if first == second:
            return []
        return sorted({number for number, *_ in (*(first - second), *(second - first))})


class _Form:
    def __init__(self, region: ScriptRegion, tree: RelationalExpression) -> None:
        joined, number = _with_databases(tree)
        tables = NodeSet(output_tables(region.tree) | output_tables(tree))
        self._columns = [ColumnId(tables.bit_length(), position) for position in range(len(region.expressions) + 1)]
        project = Project(
            table=tables.bit_length(),
            alias="",
            input=joined,
            names=("",) * len(self._columns),
            expressions=(number, *region.expressions),
        )
        self._path = find_best_plan(project, _AS_IT_IS)

    def rows(self) -> Counter[tuple[Any, ...]]:
        """The rows, each with the number of its database first."""
        found: Counter[tuple[Any, ...]] = Counter()
        iterator = build_iterators(self._path, self._columns, _AS_IT_IS)
        try:
            iterator.open()
            while (batch := iterator.next()) is not None:
                found.update(zip(*map(to_values, batch.columns), strict=True))
        finally:
            iterator.close()
        return found


def _with_databases(node: RelationalExpression) -> tuple[RelationalExpression, Expression]:
    """The tree with a comparison of databases in each join, and the database of a row of it."""
    if isinstance(node, Filter):
        below, number = _with_databases(node.input)
        return Filter(input=below, conditions=node.conditions), number
    if not isinstance(node, Join):
        assert isinstance(node, BaseTable)
        column = ColumnId(node.table, len(node.source.columns) - 1)
        return node, ColumnRef(column=column, name=f"{node.alias}.database", type=INTEGER)
    left, left_number = _with_databases(node.left)
    right, right_number = _with_databases(node.right)
    same = Comparison(operator="=", left=left_number, right=right_number)
    joined = Join(type=node.type, left=left, right=right, conditions=(same, *node.conditions))
    if node.type is JoinType.FULL:
        return joined, Coalesce(operands=(*_numbers(left_number), *_numbers(right_number)), type=INTEGER)
    assert node.type in (JoinType.INNER, JoinType.LEFT) or hides_right(node.type)
    return joined, left_number


def _numbers(number: Expression) -> Sequence[Expression]:
    return number.operands if isinstance(number, Coalesce) else (number,)
