"""Groups before joining: fewer rows reach the join, and the groups are the same.

    SELECT c.id, c.name, sum(o.x) FROM o JOIN c ON o.c = c.id GROUP BY c.id, c.name
    SELECT c.id, c.name, g.x FROM (SELECT o.c, sum(o.x) AS x FROM o GROUP BY o.c) AS g JOIN c ON g.c = c.id

The *grouped* side of the inner join, here o, is grouped by its part of the keys and by its side of the join condition.
What was the grouping becomes a select list above the join. Yan and Larson, "Eager Aggregation and Lazy Aggregation",
VLDB 1995, section 3. (DISTINCT is a grouping without aggregates.) What it takes, and what goes wrong otherwise:

- All aggregates read the grouped side alone. `sum(o.x * c.y)` has another factor for each group of o.
- The join condition is equalities between the sides. With `o.x < c.y` some rows of a group join and some do not; with
  equalities all rows of a group have the same partner, for they have the same key. A NULL key joins nothing, before as
  after; where NULLs are equal (IS NOT DISTINCT FROM), they are one group, too.
- A row of the grouped side has one partner at most. With two rows of c for one id, each group would be there twice,
  where there was one, with twice the sum.
- The keys of the grouping determine the key of the join: they contain the one side of each equality, or identify a row
  of the other side. In `GROUP BY c.name`, two customers of one name are two groups of o and have to be one.
- No key reads both sides: it is computed on one.

It costs when the join lets few rows through, for then the groups of the others are made in vain; so that is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple, TypeAlias

from minisql.expression.equalities import is_equality, operands_by_side
from minisql.expression.nodes import AggregateCall, ColumnId, ColumnRef, Expression, IsDistinctFrom
from minisql.expression.walk import aggregate_inputs, outer_references, tables_of
from minisql.node_set import is_subset
from minisql.relational.relational_expression import (
    Aggregate,
    BaseTable,
    Filter,
    Join,
    JoinType,
    Limit,
    Project,
    RelationalExpression,
    inputs,
    output_tables,
    with_inputs,
)
from minisql.relational.rewriting import nodes_of
from minisql.relational.row_properties import has_at_most_one_row, is_unique

IsWorthIt: TypeAlias = Callable[[Aggregate, RelationalExpression], bool]
"""Whether a grouping should come before the join with another input, rather than after it."""
FEWEST_ROWS_OF_GROUP: Final = 4.0
"""How many rows a group has to have on average."""


def push_down_grouping(
    expression: RelationalExpression, new_table: Callable[[], int], is_worth_it: IsWorthIt
) -> RelationalExpression:
    """The same rows with groupings below joins; the expression itself where none moves.

    `new_table` gives numbers that no table has.
    """
    if isinstance(expression, Aggregate):
        pushed = _pushed(expression, new_table, is_worth_it)
        if pushed is not None:
            return push_down_grouping(pushed, new_table, is_worth_it)
    below = [push_down_grouping(input_, new_table, is_worth_it) for input_ in inputs(expression)]
    return with_inputs(expression, tuple(below))


def _pushed(node: Aggregate, new_table: Callable[[], int], is_worth_it: IsWorthIt) -> RelationalExpression | None:
    join = node.input
    if not node.keys or node.sets or not isinstance(join, Join) or join.type is not JoinType.INNER:
        return None
    for grouped, other in ((join.left, join.right), (join.right, join.left)):
        split = _split(node, join, grouped, other)
        if split is None:
            continue
        keys = tuple(dict.fromkeys([*split.own_keys, *(own for own, _ in split.equal)]))
        below = Aggregate(table=new_table(), input=grouped, keys=keys, aggregates=node.aggregates)
        if is_worth_it(below, other):
            return _above(node, join, below, split)
    return None


class _Split(NamedTuple):
    """What a grouping and the join below it are made of: the keys over the grouped side, the equalities that join.

    In an equality the side of the grouped input comes first.
    """

    own_keys: tuple[Expression, ...]
    equal: tuple[tuple[Expression, Expression], ...]


def _split(node: Aggregate, join: Join, grouped: RelationalExpression, other: RelationalExpression) -> _Split | None:
    """None where the grouping may not move to the side."""
    own_tables, other_tables = output_tables(grouped), output_tables(other)
    read = [each for call in node.aggregates for each in (*aggregate_inputs(call), *call.others)]
    if not all(is_subset(tables_of(each), own_tables) for each in read):
        return None
    if any(outer_references(each) for each in (*read, *node.keys, *join.conditions)):
        return None
    own_keys = tuple([key for key in node.keys if is_subset(tables_of(key), own_tables)])
    other_keys = [key for key in node.keys if is_subset(tables_of(key), other_tables)]
    if len(own_keys) + len(other_keys) != len(node.keys):
        return None
    equal = []
    for condition in join.conditions:
        if not is_equality(condition) and not (isinstance(condition, IsDistinctFrom) and condition.negated):
            return None
        sides = operands_by_side(condition, own_tables, other_tables)
        if sides is None:
            return None
        equal.append(sides)
    if not equal or not has_at_most_one_row(other, join.conditions):
        return None
    known = set(node.keys)
    if not all(own in known or its_equal in known for own, its_equal in equal):
        columns = [key.column for key in other_keys if isinstance(key, ColumnRef)]
        if not is_unique(other, columns):
            return None
    return _Split(own_keys, tuple(equal))


def _above(node: Aggregate, join: Join, below: Aggregate, split: _Split) -> Project:
    """The join with the grouped input, and the columns of the grouping over it."""
    column_of: dict[Expression, Expression] = {
        key: ColumnRef(column=ColumnId(below.table, place), name=_name(key), type=key.type)
        for place, key in enumerate(below.keys)
    }
    own = dict(split.equal)
    conditions = []
    for condition in join.conditions:
        assert is_equality(condition) or isinstance(condition, IsDistinctFrom)
        is_left = condition.left in own
        side = column_of[condition.left if is_left else condition.right]
        conditions.append(replace(condition, left=side) if is_left else replace(condition, right=side))
    is_left = below.input is join.left
    joined = replace(
        join,
        left=below if is_left else join.left,
        right=join.right if is_left else below,
        conditions=tuple(conditions),
    )
    calls = [
        ColumnRef(column=ColumnId(below.table, len(below.keys) + place), name=_name(call), type=call.type)
        for place, call in enumerate(node.aggregates)
    ]
    expressions = (*[column_of.get(key, key) for key in node.keys], *calls)
    names = tuple([each.name if isinstance(each, ColumnRef) else "" for each in expressions])
    return Project(table=node.table, alias="", input=joined, names=names, expressions=expressions)


def _name(each: Expression | AggregateCall) -> str:
    if isinstance(each, ColumnRef):
        return each.name
    return "" if each.span is None else " ".join(each.span.source.split())


def has_many_rows_a_group(grouping: Aggregate, other: RelationalExpression) -> bool:
    """Whether groups have several rows on average, and the join with the other input can be taken to let all through.

    The rows are those of the largest table below, where nothing filters them.
    """
    tables = {node.table: node for node in nodes_of(grouping.input) if isinstance(node, BaseTable)}
    if not tables or any(isinstance(node, Filter | Limit) for node in nodes_of(other)):
        return False
    rows = max(float(table.source.row_count()) for table in tables.values())
    groups = 1.0
    for key in grouping.keys:
        if not isinstance(key, ColumnRef) or key.column.table not in tables:
            return False
        known = tables[key.column.table].source.column_statistics(key.column.position)
        if known.distinct_count is None:
            return False
        groups *= known.distinct_count + 1
    return groups * FEWEST_ROWS_OF_GROUP <= rows
