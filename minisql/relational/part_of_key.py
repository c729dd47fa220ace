"""Warns of joins whose condition has a part of a declared key only, where no other key keeps rows from multiplying.

`lineitem JOIN partsupp ON l_partkey = ps_partkey`, where the key of partsupp is (ps_partkey, ps_suppkey) and that of
lineitem has no l_partkey: each row meets all suppliers of its part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from minisql.errors import QueryWarning
from minisql.expression.nodes import ColumnRef, Comparison, Expression
from minisql.expression.walk import conjuncts, tables_of
from minisql.node_set import EMPTY, NodeSet, single
from minisql.parser.keywords import quoted_name
from minisql.parser.parse_tree import JoinKind
from minisql.query_block.query_block import JoinedTable, QueryBlock, TableUse
from minisql.query_block.table_names import from_items, joins_of


def part_of_key_warnings(blocks: Sequence[QueryBlock]) -> Iterator[QueryWarning]:
    """A warning for each such join."""
    for block in blocks:
        tables = {item.table: item for item in from_items(block.from_) if isinstance(item, TableUse)}
        if not any(len(key.columns) > 1 for item in tables.values() for key in item.source.keys):
            continue
        bound = _bound_columns(block)
        for join in joins_of(block.from_):
            yield from _of_join(join, tables, bound)


def _equalities(block: QueryBlock) -> list[Comparison]:
    """The equalities of WHERE and of all ON."""
    conditions = [*conjuncts(block.where)]
    for join in joins_of(block.from_):
        conditions += conjuncts(join.condition)
    return [each for each in conditions if isinstance(each, Comparison) and each.operator == "="]


def _bound_columns(block: QueryBlock) -> dict[int, set[int]]:
    """The columns of each table that are equal to something that is not of this table."""
    bound: dict[int, set[int]] = {}
    for equality in _equalities(block):
        for own, other in ((equality.left, equality.right), (equality.right, equality.left)):
            if isinstance(own, ColumnRef) and not tables_of(other) & single(own.column.table):
                bound.setdefault(own.column.table, set()).add(own.column.position)
    return bound


def _of_join(
    join: JoinedTable, tables: Mapping[int, TableUse], bound: Mapping[int, set[int]]
) -> Iterator[QueryWarning]:
    on = [each for each in conjuncts(join.condition) if isinstance(each, Comparison) and each.operator == "="]
    sides = EMPTY
    for each in on:
        sides = NodeSet(sides | tables_of(each))
    pair = [tables[table] for table in tables if sides & single(table)]
    if join.kind is JoinKind.CROSS or sides.bit_count() != 2 or len(pair) != 2:
        return
    if not all(item.source.keys for item in pair) or any(_has_whole_key(item, bound) for item in pair):
        return
    for item in pair:
        for key in item.source.keys:
            used = [position for position in key.columns if position in bound.get(item.table, ())]
            if used and len(key.columns) > 1:
                (other,) = [each for each in pair if each is not item]
                yield _warning(item, other, key.columns, used, on)
                return


def _has_whole_key(item: TableUse, bound: Mapping[int, set[int]]) -> bool:
    return any(bound.get(item.table, set()).issuperset(key.columns) for key in item.source.keys)


def _warning(
    item: TableUse, other: TableUse, key: Sequence[int], used: Sequence[int], on: Sequence[Expression]
) -> QueryWarning:
    names = [quoted_name(item.source.columns[position].name) for position in key]
    missing = [name for name, position in zip(names, key, strict=True) if position not in used]
    written = [name for name, position in zip(names, key, strict=True) if position in used]
    own, met = quoted_name(item.alias), quoted_name(other.alias)
    return QueryWarning(
        "part_of_key",
        f"The key of {own} is ({', '.join(names)}), and ON has only {' and '.join(written)} of it: "
        f"a row of {met} may meet several rows of {own}, and the other way round.",
        on[0].span,
        f"If one row is meant, add {' and '.join(f'{own}.{name}' for name in missing)} to ON.",
    )
