"""A full join whose condition has a subquery about both of its sides.

    SELECT * FROM a FULL JOIN b ON EXISTS (SELECT 1 FROM c WHERE c.x = a.x AND c.y > b.y)

A subquery can be asked about rows, and not about the pairs of a join that also keeps rows without a partner. But the
condition depends on a few columns only, here a.x and b.y. So the pairs of their values for which it holds are computed
by an inner join of copies of the two sides, and the full join finds its partners by way of them:

    (a LEFT JOIN pairs ON pairs.x IS NOT DISTINCT FROM a.x)
    FULL JOIN b ON pairs.y IS NOT DISTINCT FROM b.y AND pairs.found

A row of a without a partner has no pair, and stays alone. One with partners is repeated for each value of b.y among
these, and each of these values has a row of b, for they were taken from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from minisql.datatypes import BOOLEAN
from minisql.expression.nodes import ColumnId, ColumnRef, Expression, IsDistinctFrom, Literal
from minisql.node_set import NodeSet
from minisql.relational.relational_expression import (
    Aggregate,
    Join,
    JoinType,
    Project,
    RelationalExpression,
    output_tables,
)
from minisql.relational.renumber import copied


def full_join_of_pairs(
    left: RelationalExpression,
    right: RelationalExpression,
    matches: RelationalExpression,
    columns: Iterable[ColumnRef],
    new_table: Callable[[], int],
) -> RelationalExpression:
    """The full join of two inputs.

    Args:
        left: the left input.
        right: the right input.
        matches: the inner join of the two on the condition; copied, for its tables are those of the inputs.
        columns: the columns of the inputs that the condition depends on, each once; of either input at least one.
        new_table: gives new table numbers.
    """
    columns = list(columns)
    copy, numbers = copied(matches, new_table)
    distinct, pairs = new_table(), new_table()
    keys = tuple([_column(column, numbers[column.column.table], column.column.position) for column in columns])
    found = Literal(value=True, type=BOOLEAN)
    values = [_column(column, distinct, place) for place, column in enumerate(columns)]
    partners = Project(
        table=pairs,
        alias="",
        input=Aggregate(table=distinct, input=copy, keys=keys, aggregates=()),
        names=(*[column.name for column in columns], "found"),
        expressions=(*values, found),
    )
    left_tables = output_tables(left)
    on_left, on_right = list[Expression](), list[Expression]()
    for place, column in enumerate(columns):
        same = IsDistinctFrom(left=_column(column, pairs, place), right=column, negated=True)
        (on_left if _is_of(column, left_tables) else on_right).append(same)
    on_right.append(ColumnRef(column=ColumnId(pairs, len(columns)), name="found", type=BOOLEAN))
    with_partners = Join(type=JoinType.LEFT, left=left, right=partners, conditions=tuple(on_left))
    return Join(type=JoinType.FULL, left=with_partners, right=right, conditions=tuple(on_right))


def _column(column: ColumnRef, table: int, position: int) -> ColumnRef:
    return ColumnRef(column=ColumnId(table, position), name=column.name, type=column.type)


def _is_of(column: ColumnRef, tables: NodeSet) -> bool:
    return bool(tables >> column.column.table & 1)
